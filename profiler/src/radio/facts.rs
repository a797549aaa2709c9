//! What the published figures come to.

use outboard_core::{Bandwidth, Power};

use super::*;
use crate::device::{DeviceProfile, RadioProfile};

fn radio(name: &str) -> RadioModel {
    RadioModel::new(&RadioProfile::built_in(name).expect("built in"), None).expect("its powers are known")
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn at(time: u64) -> Timestamp {
    Timestamp::ZERO + millis(time)
}

const MEGABYTE: ByteCount = ByteCount::from_bytes(1_000_000);

/// A megabyte at that rate, on a radio that is awake: without promotion and without more tail than there would be.
fn joules_per_megabyte(up: bool, megabits: u64) -> f64 {
    let time = MEGABYTE / Bandwidth::from_megabits_per_second(megabits);
    let (up, down) = if up { (MEGABYTE, ByteCount::ZERO) } else { (ByteCount::ZERO, MEGABYTE) };
    let mut radio = Radio::new(radio("lte"), Timestamp::ZERO);
    radio.transfer(Transfer { start: at(0), end: at(1_000), up: ByteCount::ZERO, down: ByteCount::ZERO });
    let before = radio.energy(at(1_000));
    radio.transfer(Transfer { start: at(1_000), end: at(1_000) + time, up, down });
    (radio.energy(at(1_000) + time) - before).as_joules_f64()
}

#[test]
fn lte_costs_what_its_linear_model_says() {
    // (0.43839 · 5 + 1.288) W for 1.6 s; (0.05197 · 10 + 1.288) W for 0.8 s.
    assert!((joules_per_megabyte(true, 5) - 5.568).abs() < 1e-3, "{}", joules_per_megabyte(true, 5));
    assert!((joules_per_megabyte(false, 10) - 1.446).abs() < 1e-3, "{}", joules_per_megabyte(false, 10));
}

#[test]
fn a_lone_lte_message_is_mostly_tail() {
    let exchange = Exchange { up: ByteCount::from_bytes(1_000), up_time: millis(2), ..Exchange::default() };
    let cost = radio("lte").marginal(None, &exchange);
    assert_eq!(cost.delay, millis(260));
    // 1.21 W · 0.26 s, then 1.06 W · 11.6 s, and next to nothing for the message.
    let joules = cost.energy.as_joules_f64();
    assert!((joules - (0.3146 + 12.296)).abs() < 0.02, "{joules}");
}

#[test]
fn in_a_tail_only_its_prolongation_is_charged() {
    let lte = radio("lte");
    let exchange = Exchange { up: ByteCount::from_bytes(1_000), up_time: millis(2), ..Exchange::default() };
    for seconds in [1, 5, 11] {
        let cost = lte.marginal(Some(Duration::from_secs(seconds)), &exchange);
        assert_eq!(cost.delay, Duration::ZERO);
        let prolonged = 1.06 * seconds as f64;
        let joules = cost.energy.as_joules_f64();
        assert!((joules - prolonged).abs() < 0.02, "{joules} after {seconds} s");
    }
}

#[test]
fn a_reply_that_comes_after_the_tail_wakes_the_radio_again() {
    let lte = radio("lte");
    let long = Exchange { wait: Duration::from_secs(30), ..Exchange::default() };
    assert_eq!(lte.marginal(None, &long).delay, millis(520));
    let short = Exchange { wait: Duration::from_secs(10), ..Exchange::default() };
    assert_eq!(lte.marginal(None, &short).delay, millis(260));
}

#[test]
fn the_shared_channel_of_3g_carries_small_messages_and_large_ones_leave_it() {
    let mut radio = Radio::new(radio("3g"), Timestamp::ZERO);
    let (small, large) = (ByteCount::from_bytes(500), ByteCount::from_bytes(10_000));
    let message = |start: u64, up| Transfer { start: at(start), end: at(start), up, down: ByteCount::ZERO };
    assert_eq!(
        radio.ready(at(0), small),
        millis(2_000),
        "from idle every message takes the dedicated channel"
    );
    radio.transfer(message(0, large));
    // Awake at 2 s; 5 s on the dedicated channel, then 12 s on the shared one.
    assert_eq!(radio.ready(at(6_000), large), Duration::ZERO);
    assert_eq!(radio.state(at(8_000)), RadioState::Tail(1));
    assert_eq!(
        (radio.ready(at(8_000), small), radio.ready(at(8_000), large)),
        (Duration::ZERO, millis(1_500))
    );
    radio.transfer(message(15_000, small));
    assert_eq!(radio.state(at(26_999)), RadioState::Tail(1), "it stays there for 12 s more");
    assert_eq!(radio.state(at(27_000)), RadioState::Idle);
    let mut other = radio;
    other.transfer(message(16_000, large));
    assert_eq!(other.state(at(17_000)), RadioState::Promoting);
    assert_eq!(other.state(at(18_000)), RadioState::Tail(0));
}

/// MAUI's 10 kB transfer, in three windows of 2, 4 and 1 segments, each answered a round trip later.
fn ten_kilobytes(model: RadioModel, round_trip: Duration) -> Energy {
    let mut radio = Radio::new(model, Timestamp::ZERO);
    let mut now = at(10_000);
    let before = radio.energy(now);
    for segments in [2, 4, 1] {
        let up = ByteCount::from_bytes(segments * 1_460);
        let exchange = Exchange {
            up,
            down: ByteCount::from_bytes(40),
            up_time: up / Bandwidth::from_megabits_per_second(2),
            wait: round_trip,
            down_time: Duration::ZERO,
        };
        radio.carry(now, &exchange);
        now = radio.last_used().expect("just now");
    }
    radio.energy(Timestamp::FAR_FUTURE) - before
}

#[test]
fn a_transfer_costs_more_over_a_longer_way() {
    let wifi = radio("wifi");
    let energies = [10, 25, 50, 70].map(|round_trip| ten_kilobytes(wifi, millis(round_trip)));
    assert!(energies.is_sorted() && energies[0] < energies[3], "{energies:?}");
    // The radio is awake at 0.22 W above its silence for each of the three round trips.
    let grown = (energies[1] - energies[0]).as_joules_f64();
    assert!((grown - 3.0 * 0.015 * 0.22).abs() < 1e-5, "{grown}");
}

#[test]
fn third_generation_costs_more_than_wifi_and_by_far_most_of_it_is_tail() {
    let (third, wifi) = (ten_kilobytes(radio("3g"), millis(220)), ten_kilobytes(radio("wifi"), millis(25)));
    assert!(third.as_microjoules() > 5 * wifi.as_microjoules(), "{third} {wifi}");
    let tails = 0.7 * 5.0 + 0.35 * 12.0;
    assert!(tails > 0.75 * third.as_joules_f64(), "{third}");
}

/// What a device takes for ten requests and replies, one after the other, idle power included.
fn ten_round_trips(model: RadioModel, idle: Power, round_trip: Duration) -> Energy {
    let mut radio = Radio::new(model, Timestamp::ZERO);
    let (mut now, message) = (at(10_000), ByteCount::from_bytes(100));
    let began = now;
    for _ in 0..10 {
        let moment = |start| Transfer { start, end: start, up: message, down: ByteCount::ZERO };
        radio.transfer(moment(now));
        let comes = now + round_trip;
        now = comes + radio.hears(comes, message);
        radio.transfer(moment(now));
    }
    radio.energy(now) + idle * now.since(began)
}

#[test]
fn power_save_costs_energy_on_short_ways_and_saves_it_near_the_beacon_period() {
    let device = DeviceProfile::built_in("raspberry-pi-zero-w").expect("built in");
    let idle = device.cpu.idle.expect("known").value;
    let wifi = RadioProfile::built_in("wifi").expect("built in");
    // Asleep between beacons at once, or never.
    let save = RadioProfile { tail: None, tail_time: None, ..wifi.clone() };
    let awake = RadioProfile {
        beacon: None,
        tail_time: wifi
            .tail_time
            .clone()
            .map(|figure| crate::Figure { value: Duration::from_secs(60), ..figure }),
        ..wifi
    };
    let energy = |profile: &RadioProfile, round_trip| {
        ten_round_trips(RadioModel::new(profile, None).expect("known"), idle, millis(round_trip))
    };
    for round_trip in [5, 25, 50, 75] {
        assert!(energy(&save, round_trip) > energy(&awake, round_trip), "{round_trip} ms");
    }
    for round_trip in [85, 99] {
        assert!(energy(&save, round_trip) < energy(&awake, round_trip), "{round_trip} ms");
    }
}

#[test]
fn a_sleeping_radio_hears_at_its_beacons_and_sends_at_once() {
    let radio = Radio::new(radio("wifi"), Timestamp::ZERO);
    assert_eq!(radio.ready(at(1_030), MEGABYTE), Duration::ZERO);
    assert_eq!(radio.hears(at(1_030), MEGABYTE), millis(70));
    assert_eq!(radio.hears(at(1_100), MEGABYTE), Duration::ZERO);
    // Within the tail it is awake.
    let mut used = radio;
    used.transfer(Transfer { start: at(1_000), end: at(1_000), up: MEGABYTE, down: ByteCount::ZERO });
    assert_eq!(used.hears(at(1_030), MEGABYTE), Duration::ZERO);
    assert_eq!(used.hears(at(1_250), MEGABYTE), millis(50));
}

#[test]
fn figures_of_a_whole_device_need_the_devices_own() {
    let profile = RadioProfile::built_in("5g-low-band").expect("built in");
    assert_eq!(RadioModel::new(&profile, None), None);
    let idle = Power::from_milliwatts(1_500);
    let model = RadioModel::new(&profile, Some(idle)).expect("the idle power is known");
    let second = Duration::from_secs(1);
    // 10 Mbit in a second, up: 3.201 + 10 · 0.0323 W for the whole phone, of which it draws 1.5 W anyway.
    let up = Exchange { up: ByteCount::from_bytes(1_250_000), up_time: second, ..Exchange::default() };
    let joules = model.marginal(None, &up).energy.as_joules_f64();
    assert!((joules - (3.201 + 0.323 - 1.5)).abs() < 1e-5, "{joules}");
    let down = Exchange { down: up.up, down_time: second, ..Exchange::default() };
    let joules = model.marginal(None, &down).energy.as_joules_f64();
    assert!((joules - (3.067 + 0.113 - 1.5)).abs() < 1e-5, "{joules}");
}

#[test]
fn every_frame_costs_the_same_whatever_its_size() {
    let figure = "quality = 'modelled', source = 's'";
    let profile = RadioProfile::parse(
        "radio.toml",
        &format!(
            "active = {{ watts = 0, {figure} }}\nper_frame = {{ joules = 0.001, {figure} }}\nframe_size = {{ bytes = 1500, {figure} }}"
        ),
    );
    let model = RadioModel::new(&profile.expect("sound"), None).expect("known");
    let cost = |bytes| {
        let exchange = Exchange { up: ByteCount::from_bytes(bytes), ..Exchange::default() };
        model.marginal(None, &exchange).energy.as_microjoules()
    };
    assert_eq!([1, 1_500, 1_501, 3_000].map(cost), [1_000, 1_000, 2_000, 2_000]);
}
