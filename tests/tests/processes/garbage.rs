//! Datagrams that nobody should send, and a server that gets them.

use std::net::UdpSocket;

use outboard_tests::process::{DeviceProcess, Gate, ServerProcess, Signal};

use crate::APP;

/// Datagrams of many sizes and beginnings, always the same ones.
pub(crate) fn datagrams() -> impl Iterator<Item = Vec<u8>> + Clone {
    // SplitMix64 (Steele, Lea, Flood 2014).
    let random = |index: u64| {
        let mut z = index.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    let sizes: [usize; 13] = [0, 1, 2, 5, 20, 21, 43, 100, 600, 1_199, 1_200, 1_252, 1_472];
    (0..1_300_u64).map(move |number| {
        let size = sizes[number as usize % sizes.len()];
        let words = (0..size.div_ceil(8) as u64).flat_map(|word| random(number << 16 | word).to_le_bytes());
        let mut datagram: Vec<u8> = words.take(size).collect();
        // The first bytes of QUIC's packets (RFC 9000, section 17): a first one of version 1, one of a version that
        // nobody speaks, a retry, a later one; and plain noise.
        let head: &[u8] = match number % 5 {
            0 => &[0xc3, 0, 0, 0, 1, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0],
            1 => &[0xc3, 0x1a, 0x2a, 0x3a, 0x4a, 20],
            2 => &[0xf0, 0, 0, 0, 1, 0, 0],
            3 => &[0x43],
            _ => &[],
        };
        let head = &head[..head.len().min(size)];
        datagram[..head.len()].copy_from_slice(head);
        datagram
    })
}

#[test]
fn a_server_that_gets_garbage_goes_on_serving() {
    let mut server = ServerProcess::start(APP);
    let mut device = DeviceProcess::attached(APP, server.address());
    let gate = Gate::open();
    let liar = UdpSocket::bind("127.0.0.1:0").expect("a free port of loopback can be had");
    let to = server.host_and_port().to_owned();
    // Some of it comes in the middle of a call, some between two.
    let call = device.begin_beside(&format!("post 7 {}", gate.address()));
    let there = gate.visitor();
    for (number, datagram) in datagrams().enumerate() {
        liar.send_to(&datagram, &to).expect("loopback takes it");
        if number % 26 == 0 {
            let outcome = device.call(&format!("add {number} 3"));
            assert_eq!((outcome.value, outcome.process), ((number + 3).to_string(), server.id()));
        }
    }
    there.let_go();
    let outcome = device.outcome(call);
    assert_eq!((outcome.value.as_str(), outcome.process), ("7", server.id()));
    assert_eq!(gate.uninvited(), 0);
    drop(device.end());
    server.signal(Signal::TERM);
    assert_eq!(server.ended().code(), Some(0), "and it still drains");
}
