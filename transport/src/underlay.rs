//! What links travel over: a socket of the system, or one of a test's own.

use std::net::UdpSocket;
use std::sync::Arc;

use quinn::{AsyncUdpSocket, Endpoint, EndpointConfig, Runtime, ServerConfig, TokioRuntime};

use crate::listener::BindError;

/// What links travel over, in place of a UDP socket of the system: for tests, which bring a network, and a clock that
/// stands still while nothing happens.
///
/// Whatever quinn draws for itself (which packet numbers it leaves out, say) comes from the seed, so that with a
/// deterministic network and runtime the same packets leave at the same times. Keys, tickets and connection ids stay
/// random: what is *in* the packets differs from run to run.
#[derive(Clone, Debug)]
pub struct Underlay {
    socket: Arc<dyn AsyncUdpSocket>,
    runtime: Arc<dyn Runtime>,
    seed: Option<[u8; 32]>,
}

impl Underlay {
    /// A socket, what runs quinn's tasks and tells it the time, and the seed of what it draws. Links have tasks and
    /// time-outs of their own besides, on the tokio runtime that they are made in; the two clocks have to be one.
    pub fn new(socket: Arc<dyn AsyncUdpSocket>, runtime: Arc<dyn Runtime>, seed: [u8; 32]) -> Self {
        Self { socket, runtime, seed: Some(seed) }
    }

    /// A socket of the system. Called within a tokio runtime.
    pub(crate) fn of_system(socket: UdpSocket) -> Result<Self, BindError> {
        let runtime = Arc::new(TokioRuntime);
        let socket = runtime.wrap_udp_socket(socket).map_err(BindError::Socket)?;
        Ok(Self { socket, runtime, seed: None })
    }

    /// An endpoint over it.
    pub(crate) fn endpoint(
        self,
        mut config: EndpointConfig,
        server: Option<ServerConfig>,
    ) -> Result<Endpoint, BindError> {
        config.rng_seed(self.seed);
        Endpoint::new_with_abstract_socket(config, server, self.socket, self.runtime)
            .map_err(BindError::Socket)
    }
}
