//! Links whose rate varies, as messages of the simulator and as packets of QUIC.

use std::fmt::Write as _;
use std::time::Duration;

use outboard_core::{ByteCount, Timestamp};
use outboard_sim::{Direction, Link, LinkState, Loss, Markov, Missing, Preset};
use outboard_wire::Lane;

use crate::scene::{Between, mbit, ms, play};

const MESSAGES: u32 = 30;
const SIZE: usize = 100_000;
const EVERY: Duration = Duration::from_secs(2);
/// What may wait in front of the link: a tenth of a second at 16 Mbit/s.
const QUEUE: ByteCount = ByteCount::from_bytes(200_000);

/// When a message is sent: every two seconds, or when the one before it has arrived.
fn begins(message: u32, before: Timestamp) -> Timestamp {
    before.max(Timestamp::ZERO + EVERY * (message + 1))
}

fn modelled(mut link: Link) -> Vec<Duration> {
    let mut now = Timestamp::ZERO;
    let times = (0..MESSAGES).map(|message| {
        let start = begins(message, now);
        let size = ByteCount::from_bytes(SIZE as u64);
        now = link.send(start, Direction::Up, size).expect("the trace begins again");
        now - start
    });
    times.collect()
}

fn real(link: Link) -> Vec<Duration> {
    play(Between { link, queue: QUEUE, seed: 1 }, async |mut world| {
        let mut pair = world.meet().await;
        let mut times = Vec::new();
        for message in 0..MESSAGES {
            world.network.until(begins(message, world.now())).await;
            times.push(pair.carry(Lane::Bulk, SIZE).await);
        }
        times
    })
}

/// Sums, as the ratio of the second to the first.
fn ratio(modelled: &[Duration], real: &[Duration]) -> f64 {
    let sum = |times: &[Duration]| times.iter().sum::<Duration>();
    sum(real).div_duration_f64(sum(modelled))
}

fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    times[times.len() / 2]
}

#[test]
#[expect(clippy::print_stdout, reason = "the table is what the test is for, beside its bounds")]
fn a_varying_rate_carries_messages_as_the_model_says() {
    let mut table = String::new();
    let mut ratios = Vec::new();
    for preset in Preset::ALL {
        let trace = preset.trace(1, Duration::from_secs(120));
        let link = Link::recorded(&trace, &Missing::default(), 1).expect("it has rates");
        let (modelled, real) = (modelled(link.clone()), real(link));
        let (all, middle) = (ratio(&modelled, &real), median(&real).div_duration_f64(median(&modelled)));
        writeln!(table, "{preset:?}: all {all:.2}, median {middle:.2} of the model's").expect("a string");
        ratios.push((all, middle));
    }
    print!("{table}");
    for (all, middle) in ratios {
        assert!((1.0..1.6).contains(&all) && (1.0..2.0).contains(&middle), "{table}");
    }
}

#[test]
fn bursts_of_losses_cost_no_more_than_the_model_says() {
    let state = |loss, holds| LinkState {
        round_trip: ms(50),
        up: mbit(8),
        down: mbit(8),
        loss: Loss::from_percent(loss),
        holds: Duration::from_secs(holds),
    };
    let model = Markov::gilbert_elliott(state(0, 10), state(10, 5));
    let (mut expected, mut times) = (Vec::new(), Vec::new());
    for seed in 0..4 {
        let link = Link::markov(&model, seed, Duration::from_secs(120));
        expected.extend(modelled(link.clone()));
        times.extend(real(link));
    }
    let ratio = ratio(&expected, &times);
    // Less: after a time without loss the window is open, and a burst takes a while to close it.
    assert!((0.4..1.3).contains(&ratio), "{ratio}");
}
