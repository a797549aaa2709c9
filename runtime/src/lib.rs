//! What the macros of Outboard call: context, registry, shims, executor, threads and clock.
