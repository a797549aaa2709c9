//! Links over real sockets on the loopback interface. No test sleeps; time-outs only end a test that hangs.

mod ending;
mod frames;
mod handshake;
mod hostile;
mod identity;
mod resumption;
mod support;
