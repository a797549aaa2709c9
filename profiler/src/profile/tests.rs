//! Profiles as problems, and what they leave out.

use outboard_core::{Bandwidth, ByteCount, Energy, Objective, Timestamp};

use super::*;
use crate::device::DeviceProfile;
use crate::energy::EnergyModel;
use crate::network::NetworkEstimate;
use crate::spread::Quantile;

fn local(method: MethodIndex, caller: Option<MethodIndex>, calls: u64, millis: u64) -> LocalCalls {
    let time = Duration::from_millis(millis * calls);
    LocalCalls {
        method,
        caller,
        calls,
        timed: calls,
        inclusive: time,
        exclusive: time,
        cpu: None,
        work: None,
        offloaded_within: false,
    }
}

fn remote(method: MethodIndex, ran: Duration, speed_ratio: f64) -> RemoteCall {
    RemoteCall {
        method,
        caller: None,
        work: None,
        up: ByteCount::from_bytes(1_000),
        down: ByteCount::from_bytes(1_000),
        elapsed: ran * 2,
        queued: ran / 10,
        ran,
        speed_ratio,
    }
}

fn with_costing<R>(speed_ratio: f64, then: impl FnOnce(&Costing<'_>) -> R) -> R {
    let mut network = NetworkEstimate::unknown();
    network.observe_round_trip(Timestamp::ZERO, Duration::from_millis(10));
    let energy = EnergyModel::new(&DeviceProfile::built_in("raspberry-pi-4b").expect("built in"));
    let silence = Duration::ZERO;
    then(&Costing {
        now: Timestamp::ZERO,
        network: &network,
        energy: &energy,
        speed_ratio,
        silence,
        risk: Risk::Usual,
    })
}

#[test]
fn a_profile_becomes_a_problem() {
    let mut profile = Profile::new();
    let (detect, find) = (profile.add_method("detect"), profile.add_method("find"));
    profile.observe_local(&local(detect, None, 2, 100));
    profile.observe_local(&local(find, Some(detect), 6, 10));
    profile.observe_encoded(find, ByteCount::from_bytes(5_000), None);
    with_costing(4.0, |costing| {
        let graph = profile.call_graph(costing, |_| None);
        let figures = graph.figures(detect).expect("it ran");
        assert_eq!(figures.local_time.as_millis(), 200);
        assert_eq!(figures.remote_time.as_millis(), 50);
        assert_eq!(graph.calls_between(Profile::APP, detect).map(|edge| edge.calls), Some(2));
        let edge = graph.calls_between(detect, find).expect("it calls");
        // Of 5 kB each way: what was encoded, and a reply that is taken to be as large until one was seen.
        assert_eq!((edge.calls, edge.bytes.as_bytes()), (6, 60_000));
        let cost = edge.shipping.total();
        assert!(cost.time > Duration::from_millis(60) && cost.energy > Energy::ZERO, "{edge:?}");
        assert!(edge.shipping.round_trips.time > edge.shipping.payload.time, "{edge:?}");
        assert!(graph.problem(Objective::default()).is_ok());
    });
}

#[test]
fn a_cautious_plan_counts_more_for_what_is_less_certain() {
    let mut profile = Profile::new();
    let detect = profile.add_method("detect");
    profile.observe_local(&local(detect, None, 20, 100));
    profile.observe_encoded(detect, ByteCount::from_bytes(5_000), None);
    with_costing(4.0, |costing| {
        let risks = [Risk::Usual, Risk::Expected, Risk::Averse(Quantile::P90)];
        let graphs = risks.map(|risk| profile.call_graph(&Costing { risk, ..*costing }, |_| None));
        let figures = graphs.each_ref().map(|graph| graph.figures(detect).expect("it ran"));
        assert!(figures[0].local_time < figures[1].local_time);
        assert_eq!(figures[1].local_time, figures[2].local_time, "what is here is not feared for");
        let [usual, expected, averse] = graphs
            .each_ref()
            .map(|graph| graph.calls_between(Profile::APP, detect).unwrap().shipping.total());
        // Nothing was ever sent: the bandwidth is a guess, with a mean far above its median.
        assert!(usual.time.mul_f64(1.2) < expected.time, "{usual} {expected}");
        assert!(expected.time.mul_f64(1.2) < averse.time, "{expected} {averse}");
    });
}

#[test]
fn a_method_that_never_ran_is_not_in_the_graph() {
    let mut profile = Profile::new();
    let never = profile.add_method("never");
    with_costing(4.0, |costing| assert!(profile.call_graph(costing, |_| None).figures(never).is_none()));
}

#[test]
fn calls_made_on_the_server_are_not_forgotten() {
    let mut profile = Profile::new();
    let (outer, inner) = (profile.add_method("outer"), profile.add_method("inner"));
    profile.observe_local(&local(outer, None, 10, 100));
    profile.observe_local(&local(inner, Some(outer), 30, 10));
    for _ in 0..90 {
        profile.observe_remote(&remote(outer, Duration::from_millis(25), 4.0));
    }
    with_costing(4.0, |costing| {
        let graph = profile.call_graph(costing, |_| None);
        assert_eq!(graph.figures(outer).map(|figures| figures.calls), Some(100));
        assert_eq!(graph.figures(inner).map(|figures| figures.calls), Some(300));
        assert_eq!(graph.calls_between(outer, inner).map(|edge| edge.calls), Some(300));
    });
}

#[test]
fn recursion_does_not_amplify_without_end() {
    let mut profile = Profile::new();
    let (even, odd) = (profile.add_method("even"), profile.add_method("odd"));
    profile.observe_local(&local(even, None, 1, 1));
    profile.observe_local(&local(even, Some(odd), 1_000, 1));
    profile.observe_local(&local(odd, Some(even), 1_000, 1));
    profile.observe_local(&local(even, Some(even), 1_000, 1));
    for _ in 0..10_000 {
        profile.observe_remote(&remote(odd, Duration::from_millis(1), 1.0));
    }
    with_costing(1.0, |costing| {
        assert!(profile.call_graph(costing, |_| None).problem(Objective::Time).is_ok());
    });
}

#[test]
fn what_a_server_showed_outweighs_the_speed_of_its_loop() {
    let mut profile = Profile::new();
    let method = profile.add_method("memory-bound");
    profile.observe_local(&local(method, None, 1, 100));
    for _ in 0..5 {
        profile.observe_remote(&remote(method, Duration::from_millis(80), 4.0));
    }
    let statistics = profile.method(method).expect("added");
    assert_eq!(statistics.server_time(), Duration::from_millis(5 * 80));
    assert_eq!(statistics.queued_time(), Duration::from_millis(5 * 8));
    assert_eq!(statistics.queued().map(|wait| wait.median().as_millis()), Some(8));
    let ran = statistics.on_server(None, 4.0).expect("it ran").median();
    assert!(ran.as_millis().abs_diff(80) <= 1, "{ran:?}");
    // A server twice as fast is taken to be twice as fast at this method too.
    let faster = statistics.on_server(None, 8.0).expect("it ran").median();
    assert!(faster.as_millis().abs_diff(40) <= 1, "{faster:?}");
}

#[test]
fn a_run_that_offloaded_a_part_is_put_together_from_what_the_parts_take_here() {
    let mut profile = Profile::new();
    let (outer, inner) = (profile.add_method("outer"), profile.add_method("inner"));
    // Four calls of the inner method: the first here, in 50 ms, the others on a server.
    for _ in 0..3 {
        let call = remote(inner, Duration::from_millis(10), 4.0);
        profile.observe_remote(&RemoteCall { caller: Some(outer), ..call });
    }
    let whole = LocalCalls { offloaded_within: true, ..local(outer, None, 1, 30) };
    profile.observe_batch(&[whole, local(inner, Some(outer), 1, 50)]);
    let here = profile.method(outer).and_then(|outer| outer.local(None)).expect("rebuilt").median();
    assert!(here.as_millis().abs_diff(30 + 4 * 50) <= 1, "{here:?}");
}

#[test]
fn a_part_that_never_ran_here_leaves_the_whole_unknown() {
    let mut profile = Profile::new();
    let (outer, inner) = (profile.add_method("outer"), profile.add_method("inner"));
    let call = remote(inner, Duration::from_millis(10), 4.0);
    profile.observe_remote(&RemoteCall { caller: Some(outer), ..call });
    profile.observe_local(&LocalCalls { offloaded_within: true, ..local(outer, None, 1, 3) });
    let statistics = profile.method(outer).expect("added");
    assert!(statistics.local(None).is_none());
    assert!(statistics.exclusive(None).is_some());
    assert_eq!(statistics.local_calls(), 1);
}

#[test]
fn calls_that_were_not_timed_took_what_their_neighbours_took() {
    let mut profile = Profile::new();
    let method = profile.add_method("hot");
    let untimed = LocalCalls {
        timed: 0,
        inclusive: Duration::ZERO,
        exclusive: Duration::ZERO,
        ..local(method, None, 98, 0)
    };
    profile.observe_batch(&[local(method, None, 1, 4), local(method, None, 1, 8), untimed]);
    let statistics = profile.method(method).expect("added");
    assert_eq!(statistics.local_calls(), 100);
    assert_eq!(statistics.own_time(), Duration::from_millis(600));
    assert_eq!(statistics.local_time(), Duration::from_millis(600));
}

#[test]
fn untimed_calls_are_counted() {
    let mut profile = Profile::new();
    let method = profile.add_method("hot");
    let time = Duration::from_micros(4);
    let batch = LocalCalls { timed: 2, inclusive: time, exclusive: time, ..local(method, None, 1_000, 0) };
    profile.observe_local(&batch);
    let statistics = profile.method(method).expect("added");
    assert_eq!(statistics.local_time(), Duration::from_millis(2));
    assert_eq!(statistics.local(None).map(|time| time.median().as_micros()), Some(2));
    assert_eq!(Bandwidth::of(statistics.sent(), time), Some(Bandwidth::ZERO));
}
