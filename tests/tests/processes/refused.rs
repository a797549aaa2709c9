//! Servers that cannot be used: each is told apart, with what to do about it, and the app goes on without.

use std::net::UdpSocket;

use outboard_tests::process::{DeviceProcess, ServerProcess};
use outboard_transport::{AccessToken, Identity, ServerAddress};
use outboard_wire::frame::AppIdentity;

use crate::stranger::Stranger;
use crate::{APP, attempts};

/// Another build of the program, with other methods.
const CHANGED: &str = env!("CARGO_BIN_EXE_edge-app-changed");

/// A device of that server runs everything itself and, by default, tells why in a warning with all of these words.
fn goes_on_alone(server: &str, told: &[&str]) {
    let mut device = DeviceProcess::start(APP, |command| {
        // Without any setting of the log: this is what everybody gets to read.
        command.env("OUTBOARD_SERVER", server).env("OUTBOARD_POLICY", "server").env_remove("OUTBOARD_LOG");
    });
    assert_eq!(device.call_here("add 2 3"), "5");
    let warning = device.logs("the server cannot be used now");
    assert!(warning.contains(" WARN "), "{warning}");
    for words in told {
        assert!(warning.contains(words), "`{words}` is not in: {warning}");
    }
    assert_eq!(device.call_here("add 4 3"), "7");
    let (_, token) = server.rsplit_once('.').expect("an address ends with a token");
    for line in device.end() {
        assert!(!line.contains(token), "the token is a secret: {line}");
    }
}

fn app(name: &str, version: &str, build: &str) -> AppIdentity {
    AppIdentity { name: name.to_owned(), version: version.to_owned(), build: build.to_owned() }
}

fn altered(server: &ServerProcess, alter: impl FnOnce(&mut ServerAddress)) -> String {
    let mut address = server.address().parse().expect("a server prints its address");
    alter(&mut address);
    address.to_string()
}

#[test]
fn a_server_with_another_key() {
    let server = ServerProcess::start(APP);
    let other = Identity::generate().expect("a key can be made").key();
    let address = altered(&server, |address| address.key = other);
    goes_on_alone(&address, &["has another key", &other.to_string(), "copy the address"]);
}

#[test]
fn a_server_that_does_not_know_the_token() {
    let server = ServerProcess::start(APP);
    let address = altered(&server, |address| address.token = AccessToken::generate().expect("randomness"));
    goes_on_alone(&address, &["the access token is wrong", "copy the address"]);
}

#[test]
fn a_server_of_another_app() {
    let server = Stranger::of(app("chess", env!("CARGO_PKG_VERSION"), ""));
    goes_on_alone(server.address(), &["runs `chess`, not this app", "start this app's own `serve`"]);
}

#[test]
fn a_server_of_another_version_of_the_app() {
    let server = Stranger::of(app("outboard-tests", "9.8.7", ""));
    goes_on_alone(server.address(), &["runs version `9.8.7`", "run the same build"]);
}

#[test]
fn a_server_of_another_build_of_the_app() {
    let server = Stranger::of(app("outboard-tests", env!("CARGO_PKG_VERSION"), "4f2a"));
    goes_on_alone(server.address(), &["build `4f2a`", "run the same build"]);
}

#[test]
fn a_server_that_speaks_another_version_of_the_protocol() {
    let server = Stranger::saying(&[9, 1, 2, 3]);
    goes_on_alone(server.address(), &["speaks protocol 9", "update the older of the two"]);
}

#[test]
fn a_server_with_which_the_handshake_already_fails() {
    let server = Stranger::of_protocol(b"outboard/9");
    goes_on_alone(server.address(), &["does not speak this version", "update the older of the two"]);
}

#[test]
fn a_server_that_breaks_the_protocol() {
    let server = Stranger::saying(&[1, 0xff, 0xff, 0xff, 0xff, 0, 0]);
    goes_on_alone(server.address(), &["broke the protocol"]);
}

#[test]
fn a_port_that_answers_garbage() {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port of loopback can be had");
    let bound = socket.local_addr().expect("a bound socket has an address");
    let address = Identity::generate().expect("a key can be made").address(bound.ip(), bound.port());
    let babbler = socket.try_clone().expect("a socket can be shared");
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let babble = std::thread::spawn(move || {
        let mut asked = [0; 2_000];
        let mut answers = crate::garbage::datagrams().cycle();
        while let Ok((_, from)) = babbler.recv_from(&mut asked) {
            if stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Disconnected) {
                return;
            }
            for answer in answers.by_ref().take(20) {
                // What the system does not let out does not matter: more follows.
                let _ = babbler.send_to(&answer, from);
            }
        }
    });
    goes_on_alone(&address.to_string(), &["no answer from", "check that `serve` runs there"]);
    drop(stop);
    socket.send_to(b"the end", bound).expect("loopback takes it");
    babble.join().expect("it only babbles");
}

#[test]
fn a_peer_that_says_nothing_delays_nothing() {
    let server = Stranger::silent();
    let mut device = DeviceProcess::start(APP, |command| {
        command.env("OUTBOARD_SERVER", server.address()).env("OUTBOARD_POLICY", "server");
    });
    for _ in 0..20 {
        assert_eq!(device.call_here("add 2 3"), "5");
    }
    assert_eq!(attempts(&device.end()), 0);
}

#[test]
fn methods_that_differ_stay_here_and_the_others_go() {
    let server = ServerProcess::start(CHANGED);
    let mut device = DeviceProcess::attached(APP, server.address());
    let same = device.call("add 2 3");
    assert_eq!((same.value.as_str(), same.process), ("5", server.id()));
    assert_eq!(device.call_here("double 4"), "8");
    assert_eq!(device.call_here("halve 4"), "2");
    assert_eq!(device.call_here("square 4"), "16");
    let log = device.end();
    for (method, told) in [
        ("double", "its body differs (run the same build, or mark it `compatible`)"),
        ("halve", "its slots have another shape there (run the same build)"),
        ("square", "its build does not have it"),
    ] {
        let method = format!("method=\"{method}\"");
        let line = log.iter().find(|line| line.contains("runs on the device") && line.contains(&method));
        let line = line.unwrap_or_else(|| panic!("nothing about {method} in {log:?}"));
        assert!(line.contains(" WARN ") && line.contains(told), "{line}");
    }
    assert_eq!(attempts(&log), 1);
}
