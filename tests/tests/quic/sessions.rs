//! Sessions of the shipped engines over the shipped transport, beside the same session in the simulator.

use std::time::Duration;

use outboard_client_proxy::{AttemptEvent, Notice};
use outboard_core::Timestamp;
use outboard_sim::{Loss, Outage, OutageKind};
use outboard_wire::Lost;

use crate::engines::{Engines, Work};
use crate::modelled::Modelled;
use crate::scene::{Between, mbit, ms, play, steady};

const WORK: Work = Work { runs: Duration::from_millis(40), result: 1_000 };

fn cafe(loss: u32) -> Between {
    steady(mbit(8), ms(50), Loss::from_percent(loss), 1)
}

fn with_black_hole(between: Between, from: u64, to: u64) -> Between {
    let at = |millis| Timestamp::ZERO + ms(millis);
    let outage = Outage { from: at(from), to: at(to), kind: OutageKind::Silent };
    Between { link: between.link.clone().with_outages([outage]), ..between }
}

fn attached(notice: &Notice) -> bool {
    matches!(notice, Notice::Attached { .. })
}

fn trouble(notice: &Notice) -> bool {
    matches!(notice, Notice::Trouble { .. })
}

#[test]
fn a_device_attaches_and_calls_as_fast_as_in_the_simulator() {
    let between = cafe(0);
    let mut modelled = Modelled::new(between.link.clone());
    let expected = modelled.attached() - Timestamp::ZERO;
    play(between, async |world| {
        let mut engines = Engines::new(world);
        let at = engines.told(attached).await - Timestamp::ZERO;
        // Two round trips, and the certificate, which the simulator sends as one packet.
        assert!((ms(100)..ms(120)).contains(&at), "{at:?}");
        assert!((0.9..1.1).contains(&at.div_duration_f64(expected)), "{at:?}, in the simulator {expected:?}");
        for argument in [100, 10_000, 100_000, 100_000, 1 << 20, 1 << 20] {
            let expected = modelled.call(argument, WORK);
            let (event, took) = engines.call(argument, WORK).await;
            assert!(matches!(event, AttemptEvent::Replied(_)), "{event:?}");
            let ratio = took.div_duration_f64(expected);
            // The first ones find a window that has to open.
            assert!((0.99..2.0).contains(&ratio), "{argument} B: {took:?}, in the simulator {expected:?}");
        }
        let (expected, (_, took)) = (modelled.call(1 << 20, WORK), engines.call(1 << 20, WORK).await);
        assert!(
            (1.0..1.08).contains(&took.div_duration_f64(expected)),
            "{took:?}, in the simulator {expected:?}"
        );
    });
}

#[test]
fn a_killed_server_is_noticed_by_its_silence_long_before_the_transport_does() {
    play(cafe(0), async |world| {
        let mut engines = Engines::new(world);
        engines.told(attached).await;
        engines.call(10_000, WORK).await;
        engines.world.kill();
        let killed = engines.world.now();
        let (event, took) = engines.call(10_000, WORK).await;
        assert_eq!(event, AttemptEvent::Lost(Lost::Silence));
        // A call is under way: it pings after a second, and waits four more for the answer.
        assert!((ms(4_900)..ms(5_200)).contains(&took), "{took:?}");
        assert!(engines.world.now() - killed < ms(5_200));
    });
    play(cafe(0), async |world| {
        let mut engines = Engines::new(world);
        engines.told(attached).await;
        engines.world.kill();
        let killed = engines.world.now();
        let noticed = engines.told(trouble).await - killed;
        // An idle session pings every 15 s.
        assert!((ms(18_900)..ms(19_200)).contains(&noticed), "{noticed:?}");
    });
}

#[test]
fn a_session_rides_out_a_short_black_hole_and_is_made_anew_after_a_long_one() {
    play(with_black_hole(cafe(0), 1_000, 3_000), async |world| {
        let mut engines = Engines::new(world);
        engines.told(attached).await;
        engines.until(Timestamp::ZERO + ms(1_500)).await;
        let (event, took) = engines.call(10_000, WORK).await;
        assert!(matches!(event, AttemptEvent::Replied(_)), "{event:?}");
        assert!((ms(1_600)..ms(3_500)).contains(&took), "{took:?}");
    });
    play(with_black_hole(cafe(0), 1_000, 11_000), async |world| {
        let mut engines = Engines::new(world);
        engines.told(attached).await;
        engines.until(Timestamp::ZERO + ms(1_500)).await;
        let (event, took) = engines.call(10_000, WORK).await;
        assert_eq!(event, AttemptEvent::Lost(Lost::Silence));
        assert!(took < ms(5_200), "{took:?}");
        let again = engines.told(attached).await;
        assert!(again - Timestamp::ZERO < ms(25_000), "{again:?}");
        let (event, _) = engines.call(10_000, WORK).await;
        assert!(matches!(event, AttemptEvent::Replied(_)), "{event:?}");
    });
}

#[test]
fn calls_return_although_three_packets_in_ten_are_lost() {
    let run = || {
        play(cafe(30), async |world| {
            let mut engines = Engines::new(world);
            engines.told(attached).await;
            let mut times = Vec::new();
            for _ in 0..10 {
                let (event, took) = engines.call(5_000, WORK).await;
                assert!(matches!(event, AttemptEvent::Replied(_)), "{event:?}");
                times.push(took);
            }
            (times, engines.world.network.log())
        })
    };
    let first = run();
    assert!(first.0.iter().all(|took| *took < ms(10_000)), "{:?}", first.0);
    assert_eq!(run(), first, "to the nanosecond and packet");
}
