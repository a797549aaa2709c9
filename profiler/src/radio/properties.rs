//! What holds for every radio.

use proptest::prelude::*;

use super::*;
use crate::device::{Figure, FigureQuality, RadioProfile, TailProfile};
use crate::{Phase, RadioModel};
use outboard_core::Power;

fn figure<T>(value: T) -> Option<Figure<T>> {
    Some(Figure { value, quality: FigureQuality::Modelled, source: "made up".to_owned() })
}

fn phase(millis: u64, milliwatts: u64) -> Phase {
    Phase { time: Duration::from_millis(millis), power: Power::from_milliwatts(milliwatts) }
}

/// A radio as they are: each tail draws less than the one before and less than a transfer, and it is easier to wake from one
/// than from idle.
fn radios() -> impl Strategy<Value = RadioModel> {
    let tail = (1..20_000u64, 0..1_000u64, proptest::option::of(0..=1_000u64));
    let powers = (1_000..3_000u64, 0..500u64, 0..500u64, 0..1_000_000u64, 0..1_000_000u64);
    let others =
        (0..3_000u64, 0..2_000u64, proptest::option::of(0..2_000u64), proptest::option::of(1..2_000u64));
    (powers, others, proptest::collection::vec(tail, 0..=4)).prop_map(|(powers, others, mut tails)| {
        let (active, sending, receiving, per_up, per_down) = powers;
        let (promotion, promotion_power, small, beacon) = others;
        tails.sort_by_key(|(_, power, _)| std::cmp::Reverse(*power));
        let eased = |share: u64| phase(promotion * share / 1_000, promotion_power * share / 1_000);
        let tails = tails.into_iter().map(|(time, power, promotion)| TailProfile {
            phase: figure(phase(time, power)).expect("a figure"),
            promotion: promotion.and_then(|share| figure(eased(share))),
        });
        let profile = RadioProfile {
            active: figure(Power::from_milliwatts(active)),
            transmit: figure(Power::from_milliwatts(active + sending)),
            receive: figure(Power::from_milliwatts(active + receiving)),
            per_megabit_up: figure(Energy::from_microjoules(per_up)),
            per_megabit_down: figure(Energy::from_microjoules(per_down)),
            per_frame: figure(Energy::from_microjoules(per_up / 1_000)),
            frame_size: figure(ByteCount::from_bytes(1_500)),
            promotion: figure(phase(promotion, promotion_power)),
            tails: tails.collect(),
            small_up: small.and_then(|most| figure(ByteCount::from_bytes(most))),
            small_down: small.and_then(|most| figure(ByteCount::from_bytes(most))),
            beacon: beacon.and_then(|millis| figure(Duration::from_millis(millis))),
            ..RadioProfile::default()
        };
        RadioModel::new(&profile, None).expect("its powers are known")
    })
}

fn exchanges() -> impl Strategy<Value = Exchange> {
    (0..100_000u64, 0..100_000u64, 0..1_000u64, 0..20_000u64, 0..1_000u64).prop_map(
        |(up, down, up_time, wait, down_time)| Exchange {
            up: ByteCount::from_bytes(up),
            down: ByteCount::from_bytes(down),
            up_time: Duration::from_millis(up_time),
            wait: Duration::from_millis(wait),
            down_time: Duration::from_millis(down_time),
        },
    )
}

/// A moment and a length in milliseconds, and bytes.
fn transfers() -> impl Strategy<Value = Vec<Transfer>> {
    let one = (0..10_000u64, 0..5_000u64, 0..50_000u64, 0..50_000u64);
    proptest::collection::vec(one, 0..12).prop_map(|steps| {
        let mut now = Timestamp::ZERO;
        let mut transfer = |(gap, length, up, down)| {
            now += Duration::from_millis(gap);
            let end = now + Duration::from_millis(length);
            Transfer { start: now, end, up: ByteCount::from_bytes(up), down: ByteCount::from_bytes(down) }
        };
        steps.into_iter().map(&mut transfer).collect()
    })
}

fn millis(millis: u64) -> Timestamp {
    Timestamp::ZERO + Duration::from_millis(millis)
}

/// How far sums of rounded figures may be apart.
fn microjoules(energy: Energy) -> i64 {
    energy.as_microjoules() as i64
}

proptest! {
    /// What a program is charged, exchange by exchange, is what the radio takes.
    #[test]
    fn marginal_energies_add_up_to_what_the_radio_takes(
        model in radios(),
        steps in proptest::collection::vec((0..30_000u64, exchanges()), 0..12),
    ) {
        let mut radio = Radio::new(model, Timestamp::ZERO);
        let (mut now, mut charged) = (Timestamp::ZERO, 0);
        for (gap, exchange) in &steps {
            now = now.max(radio.last_used().unwrap_or_default()) + Duration::from_millis(*gap);
            charged += microjoules(radio.marginal(now, exchange).energy);
            radio.carry(now, exchange);
        }
        let taken = microjoules(radio.energy(Timestamp::FAR_FUTURE));
        prop_assert!((0..=steps.len() as i64).contains(&(taken - charged)), "{taken} {charged}");
    }

    /// The radio draws at least nothing, at most everything that it can.
    #[test]
    fn energy_never_shrinks_and_has_a_limit(model in radios(), transfers in transfers()) {
        let mut radio = Radio::new(model, Timestamp::ZERO);
        let (mut before, mut data) = (Energy::ZERO, Fine::ZERO);
        for transfer in transfers {
            let told = radio.energy(transfer.start);
            radio.transfer(transfer);
            // Bytes that pass in no time are paid for at once.
            let past = if transfer.end > transfer.start { told } else { radio.energy(transfer.start) };
            prop_assert_eq!(radio.energy(transfer.start), past, "being told changes no past");
            data = data.plus(model.data_energy(transfer.up, transfer.down));
            for step in 0..20u64 {
                let now = transfer.start + Duration::from_millis(step * 37);
                let energy = radio.energy(now);
                prop_assert!(energy >= told);
                if step == 0 {
                    prop_assert!(energy >= before);
                    before = energy;
                }
            }
        }
        // 3.5 W is the most that any of these radios draws, sending and receiving at once adds 1 W.
        let end = radio.last_used().unwrap_or_default() + model.awake_for();
        let most = Fine::of(Power::from_milliwatts(4_500), end.since(Timestamp::ZERO)).plus(data);
        prop_assert!(radio.energy(Timestamp::FAR_FUTURE) <= most.energy());
        prop_assert_eq!(radio.energy(end), radio.energy(Timestamp::FAR_FUTURE), "silence is free");
    }

    #[test]
    fn more_bytes_never_cost_less(
        model in radios(),
        idle in proptest::option::of(0..40_000u64),
        exchange in exchanges(),
        more in 0..100_000u64,
    ) {
        let idle = idle.map(Duration::from_millis);
        let larger = Exchange { up: exchange.up + ByteCount::from_bytes(more), ..exchange };
        let both = Exchange { down: larger.down + ByteCount::from_bytes(more), ..larger };
        let cost = |exchange| model.marginal(idle, exchange);
        // A message that is small enough for a tail may cost more than a larger one that lifts the radio out of it.
        if model.is_small(exchange.up, ByteCount::ZERO) == model.is_small(larger.up, ByteCount::ZERO) {
            prop_assert!(cost(&exchange).delay <= cost(&larger).delay);
            prop_assert!(cost(&exchange).energy <= cost(&larger).energy);
        }
        if model.is_small(ByteCount::ZERO, larger.down) == model.is_small(ByteCount::ZERO, both.down) {
            prop_assert!(cost(&larger).energy <= cost(&both).energy);
        }
    }

    #[test]
    fn a_radio_that_is_awake_costs_no_more_than_one_that_sleeps(
        model in radios(),
        idle in 0..40_000u64,
        exchange in exchanges(),
    ) {
        let awake = model.marginal(Some(Duration::from_millis(idle)), &exchange);
        let asleep = model.marginal(None, &exchange);
        if !model.is_small(exchange.up, ByteCount::ZERO) {
            prop_assert!(awake.energy <= asleep.energy, "{awake:?} {asleep:?}");
            prop_assert!(awake.delay <= asleep.delay, "{awake:?} {asleep:?}");
        }
    }

    /// A transfer told in parts, or beside another one, is one activity.
    #[test]
    fn parts_of_a_transfer_are_the_transfer(
        model in radios(),
        start in 0..10_000u64,
        length in 2..10_000u64,
        cut in 1..10_000u64,
        bytes in 3_000..60_000u64,
    ) {
        let cut = cut % length;
        let part = |from, until, bytes| Transfer {
            start: millis(start + from),
            end: millis(start + until),
            up: ByteCount::from_bytes(bytes),
            down: ByteCount::ZERO,
        };
        // Whole frames, so that a cut makes no frame more.
        let first = bytes / 3_000 * 1_500;
        let mut whole = Radio::new(model, Timestamp::ZERO);
        whole.transfer(part(0, length, first * 2));
        let mut parts = Radio::new(model, Timestamp::ZERO);
        parts.transfer(part(0, cut, first));
        parts.transfer(part(cut / 2, length, first));
        let (whole, parts) = (whole.energy(Timestamp::FAR_FUTURE), parts.energy(Timestamp::FAR_FUTURE));
        prop_assert!((microjoules(whole) - microjoules(parts)).abs() <= 1, "{whole:?} {parts:?}");
    }

    /// What a message is told to wait for is what the machine takes.
    #[test]
    fn a_radio_is_ready_when_it_says(model in radios(), transfers in transfers(), later in 0..60_000u64) {
        let mut radio = Radio::new(model, Timestamp::ZERO);
        let mut last = Timestamp::ZERO;
        for transfer in transfers {
            last = transfer.start;
            radio.transfer(transfer);
        }
        let now = last + Duration::from_millis(later);
        let message = ByteCount::from_bytes(5_000);
        let ready = now + radio.ready(now, message);
        let was = radio.last_used();
        radio.transfer(Transfer { start: now, end: now, up: message, down: ByteCount::ZERO });
        prop_assert_eq!(radio.last_used().map(|used| used.max(now)), Some(was.unwrap_or_default().max(ready)));
        if ready > now {
            prop_assert_eq!(radio.state(now), RadioState::Promoting);
        }
        prop_assert_eq!(radio.ready(ready, message), Duration::ZERO);
    }
}
