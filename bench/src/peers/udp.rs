//! Datagrams as they are: no encryption, no delivery, no sessions. The least that a remote call can take.

use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::time::{Duration, Instant};

use crate::arguments::PEER;
use crate::failure::Failure;
use crate::peer::{Client, REPLY, REQUEST, ServerProcess, greet};

pub(crate) const NAME: &str = "udp";

pub(crate) fn serve() -> Result<(), Failure> {
    answer().map_err(Failure::of_peer(NAME))
}

fn answer() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    greet(&socket.local_addr()?.to_string())?;
    let mut request = [0; REQUEST];
    loop {
        let (_, from) = socket.recv_from(&mut request)?;
        socket.send_to(&[0; REPLY], from)?;
    }
}

pub(crate) struct Udp {
    socket: UdpSocket,
    _server: ServerProcess,
}

impl Udp {
    pub(crate) fn start() -> Result<Self, Failure> {
        let server = ServerProcess::start(NAME, [PEER, NAME])?;
        let connect = || -> io::Result<UdpSocket> {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
            // Datagrams can be lost: better an error than a run that never ends.
            socket.set_read_timeout(Some(Duration::from_secs(5)))?;
            socket.connect(server.greeting())?;
            Ok(socket)
        };
        let socket = connect().map_err(Failure::of_peer(NAME))?;
        Ok(Self { socket, _server: server })
    }
}

impl Client for Udp {
    fn call(&mut self, calls: usize, latencies: &mut Vec<f64>) -> Result<(), Failure> {
        let one = || -> io::Result<f64> {
            let start = Instant::now();
            self.socket.send(&[0; REQUEST])?;
            self.socket.recv(&mut [0; REPLY])?;
            Ok(start.elapsed().as_secs_f64() * 1e6)
        };
        for _ in 0..calls {
            latencies.push(one().map_err(Failure::of_peer(NAME))?);
        }
        Ok(())
    }
}
