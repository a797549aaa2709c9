//! A test of an app on networks that are not there: what it would take, spend and send, in virtual time.
//!
//! `cargo run -p outboard --example simulated`

#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use std::time::Duration;

use outboard::{Bandwidth, State, method, remoteable};
use outboard_sim::{Cost, Link, ServerModel, Simulated, Simulation, SimulationError, pass};

/// Words, and how often each was met.
#[derive(State, Default)]
struct Index {
    counts: std::collections::BTreeMap<String, u32>,
}

#[remoteable]
impl Index {
    #[remoteable(work = text.len())]
    fn add(&mut self, text: &str) -> usize {
        for word in text.split_whitespace() {
            *self.counts.entry(word.to_lowercase()).or_default() += 1;
        }
        self.counts.len()
    }
}

/// The app: it reads a page every other second.
fn read() -> usize {
    let mut index = Index::default();
    let mut words = 0;
    for page in 0..12 {
        let text: String = (0..400).map(|word| format!("word{} ", (page * 37 + word * word) % 211)).collect();
        words = index.add(&text);
        pass(Duration::from_secs(2));
    }
    words
}

/// The same app on a Raspberry Pi, with a server eight times as fast at the other end of some link.
fn on(link: Link) -> Result<Simulated<usize>, SimulationError> {
    Simulation::new()
        .device("raspberry-pi-4b")?
        .server(ServerModel::of_speed(8.0), link)
        .cost(method!(Index::add), Cost::per_unit(Duration::from_micros(200)))
        .run(read)
}

fn main() -> Result<(), SimulationError> {
    let megabits = Bandwidth::from_megabits_per_second;
    let near = on(Link::constant(Duration::from_millis(4), megabits(80), megabits(80)))?;
    let far = on(Link::constant(Duration::from_millis(900), megabits(1), megabits(1)))?;
    println!("nearby: {near}");
    println!("far away: {far}");
    let first = near.calls.iter().find(|call| call.server.is_some());
    println!("why, for one of them: {:#}", first.expect("a call that went to the server"));

    // This is what a test would ask for.
    assert_eq!(near.value, far.value, "where it runs changes nothing about what it computes");
    assert!(near.counts(method!(Index::add)).1 > 8, "nearby, most pages go to the server");
    assert_eq!(far.counts(method!(Index::add)).1, 0, "and far away, none does");
    assert!(near.energy < far.energy);
    Ok(())
}
