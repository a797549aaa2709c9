//! The simulator's model of a link, beside QUIC over the packets of the same link.
//!
//! `cargo test -p outboard-tests --test quic compared -- --nocapture` prints the table. The model says when a message has
//! arrived; the transport that ships carries the same message as packets, over a queue of two round trips. A *first* message
//! finds a new connection, a *later* one a connection that has carried two like it.

use std::fmt::{self, Write as _};
use std::time::Duration;

use outboard_core::{Bandwidth, ByteCount, Timestamp};
use outboard_sim::{Direction, Link, Loss};
use outboard_wire::Lane;

use crate::scene::{mbit, ms, play, steady};

/// Messages after the first two that are measured in each run.
const LATER: u32 = 2;
/// 10 kB, 100 kB and a mebibyte; and how many runs with loss there are, each with another seed.
const SIZES: [(usize, u32); 3] = [(10_000, 12), (100_000, 6), (1 << 20, 2)];
/// Mbit/s, and the round trip in milliseconds.
const PATHS: [(u64, u64); 4] = [(2, 20), (8, 50), (50, 20), (20, 200)];

/// A path and what is sent over it.
#[derive(Clone, Copy, Debug)]
struct Case {
    rate: Bandwidth,
    round_trip: Duration,
    loss: Loss,
    size: usize,
    runs: u32,
}

/// Means over all runs of a case.
#[derive(Clone, Copy, Debug)]
struct Compared {
    case: Case,
    model: Duration,
    first: Duration,
    later: Duration,
}

impl Case {
    fn compare(self) -> Compared {
        let (mut model, mut first, mut later) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
        for seed in 0..self.runs {
            let between = steady(self.rate, self.round_trip, self.loss, seed.into());
            model += self.modelled(between.link.clone());
            let measured = play(between, async |mut world| {
                let mut pair = world.meet().await;
                let first = pair.carry(Lane::Bulk, self.size).await;
                pair.carry(Lane::Bulk, self.size).await;
                let mut later = Duration::ZERO;
                for _ in 0..LATER {
                    later += pair.carry(Lane::Bulk, self.size).await / LATER;
                }
                (first, later)
            });
            first += measured.0;
            later += measured.1;
        }
        let runs = self.runs;
        Compared { case: self, model: model / runs, first: first / runs, later: later / runs }
    }

    /// The mean over many messages, long enough apart to be alone.
    fn modelled(self, mut link: Link) -> Duration {
        const MESSAGES: u32 = 200;
        let mut all = Duration::ZERO;
        for message in 0..MESSAGES {
            let at = Timestamp::ZERO + Duration::from_secs(1_000) * message;
            let size = ByteCount::from_bytes(self.size as u64);
            all += link.send(at, Direction::Up, size).expect("the link is never down") - at;
        }
        all / MESSAGES
    }
}

impl Compared {
    fn first_ratio(&self) -> f64 {
        self.first.div_duration_f64(self.model)
    }

    fn later_ratio(&self) -> f64 {
        self.later.div_duration_f64(self.model)
    }
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Case { rate, round_trip, loss, size, .. } = self.case;
        write!(
            f,
            "{:>5} Mbit/s {:>4} ms {:>4} lost {size:>8} B: model {:>7.3} s, first {:>7.3} s ({:>5.2}), later {:>7.3} s ({:>5.2})",
            rate.as_bits_per_second() / 1_000_000,
            round_trip.as_millis(),
            loss.to_string(),
            self.model.as_secs_f64(),
            self.first.as_secs_f64(),
            self.first_ratio(),
            self.later.as_secs_f64(),
            self.later_ratio(),
        )
    }
}

/// Every path and size, with so many of a hundred packets lost.
fn compare_all(percent: u32) -> Vec<Compared> {
    let loss = Loss::from_percent(percent);
    let cases = PATHS.iter().flat_map(|&(rate, round_trip)| {
        SIZES.map(|(size, runs)| {
            let runs = if loss == Loss::NONE { 1 } else { runs };
            Case { rate: mbit(rate), round_trip: ms(round_trip), loss, size, runs }
        })
    });
    cases.map(Case::compare).collect()
}

#[expect(clippy::print_stdout, reason = "the table is what the test is for, beside its bounds")]
fn told(compared: &[Compared]) -> String {
    let mut table = String::new();
    for line in compared {
        writeln!(table, "{line}").expect("a string takes everything");
    }
    print!("{table}");
    table
}

#[test]
fn without_loss_a_later_message_takes_what_the_model_says_and_its_headers() {
    let all = compare_all(0);
    let table = told(&all);
    for compared in &all {
        // A large one. A small one finds a window that has not opened yet, and packets that are paced.
        let most = if compared.case.size > 1_000_000 { 1.08 } else { 1.75 };
        assert!((1.0..most).contains(&compared.later_ratio()), "{table}");
        assert!((1.0..7.0).contains(&compared.first_ratio()), "slow start: {table}");
    }
}

#[test]
fn with_one_packet_in_a_hundred_lost_a_long_message_takes_what_its_window_allows_and_a_short_one_less() {
    let all = compare_all(1);
    let table = told(&all);
    for compared in &all {
        // What is shorter than a few windows often meets no loss, and a first message an open window.
        let least = if compared.case.size > 1_000_000 { 0.7 } else { 0.35 };
        assert!((least..1.4).contains(&compared.later_ratio()), "{table}");
        assert!((0.3..1.4).contains(&compared.first_ratio()), "{table}");
    }
}

#[test]
fn with_five_packets_in_a_hundred_lost_the_model_is_right_within_a_half() {
    let all = compare_all(5);
    let table = told(&all);
    for compared in &all {
        assert!((0.6..1.5).contains(&compared.later_ratio()), "{table}");
        assert!((0.5..1.5).contains(&compared.first_ratio()), "{table}");
    }
}
