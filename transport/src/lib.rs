//! QUIC and TLS for both ends of Outboard.
