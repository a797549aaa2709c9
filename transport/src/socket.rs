//! UDP sockets as both ends want them.

use std::io;
use std::net::{SocketAddr, UdpSocket};

use socket2::{Domain, Protocol, Socket, Type};

/// What the kernel may hold for us between two turns of the network task: a few milliseconds of a fast link. Systems
/// that allow less give less.
const KERNEL_BUFFER: usize = 2 << 20;

/// A bound socket. The unspecified IPv6 address stands for both families.
///
/// # Errors
/// When the address is taken or not this machine's, or both families are asked for and cannot be had.
pub(crate) fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() && address.ip().is_unspecified() {
        // The default differs between systems.
        socket.set_only_v6(false)?;
    }
    if socket.set_recv_buffer_size(KERNEL_BUFFER).and(socket.set_send_buffer_size(KERNEL_BUFFER)).is_err() {
        tracing::debug!("the system keeps its own size of UDP buffers");
    }
    socket.bind(&address.into())?;
    Ok(socket.into())
}
