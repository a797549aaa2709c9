//! Call-graph statistics, device, energy and network models of Outboard.
