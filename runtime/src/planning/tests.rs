use std::time::Duration;

use outboard_core::Placement::{Device, Server};
use outboard_core::{
    ByteCount, Condition, Constraints, Edge, Energy, LatencyBound, MethodIndex, Objective, Piece, Shipping,
    Value, Vertex,
};
use outboard_wire::codec::{DecodeError, Decoder, Encoder};
use proptest::prelude::*;

use super::check::Refused;
use super::*;
use crate::support::Codec;

const MS: Duration = Duration::from_millis(1);

/// A device-bound caller of as many methods, each of which is worth sending alone.
fn problem(callees: u32, objective: Objective) -> Problem {
    let vertex = |method| Vertex {
        local_energy: Energy::from_millijoules(50),
        local_time: MS * 100,
        remote_time: MS * 10,
        ..Vertex::new(MethodIndex(method), format!("method{method}"))
    };
    let app = Vertex { pin: Some(Device), ..vertex(callees) };
    let shipping = Shipping {
        payload: Shipping::fixed(Energy::from_millijoules(5), MS * 20).fixed,
        ..Shipping::default()
    };
    let edge = |callee| Edge { caller: MethodIndex(callees), callee: MethodIndex(callee), shipping };
    let vertices = (0..callees).map(vertex).chain([app]).collect();
    Problem::new(vertices, (0..callees).map(edge).collect(), objective).unwrap()
}

fn encoded<C: Codec>(codec: C, value: &C::Borrowed) -> Vec<u8> {
    let mut out = Encoder::new();
    codec.encode(value, &mut out).unwrap();
    out.into_bytes()
}

fn decoded<C: Codec>(codec: C, bytes: &[u8]) -> Result<C::Owned, DecodeError> {
    let mut input = Decoder::new(bytes, 64);
    let value = codec.decode(&mut input)?;
    input.finish().map(|()| value)
}

/// What is sent, answered and taken.
fn through_a_server(problem: &Problem) -> Plan {
    let sent = decoded(PROBLEM, &encoded(PROBLEM, &problem.clone().nameless())).unwrap();
    let answered = decoded(ANSWER, &encoded(ANSWER, &answer(&sent))).unwrap();
    checked(problem, answered.unwrap()).unwrap()
}

#[test]
fn a_plan_made_on_a_server_is_the_plan_made_here() {
    for objective in [Objective::Time, Objective::default(), Objective::Energy] {
        let problem = problem(3, objective);
        let here = solve(&problem).unwrap();
        assert!(here.offloads() && here.outlooks().len() == 2);
        assert_eq!(through_a_server(&problem), here, "its names and reasons are found here");
    }
}

#[test]
fn a_plan_that_is_none_is_refused() {
    let problem = problem(2, Objective::Time);
    let good = answer(&problem).unwrap();
    let refused = |spoil: &dyn Fn(&mut Answer)| {
        let mut answer = good.clone();
        spoil(&mut answer);
        checked(&problem, answer).unwrap_err().to_string()
    };
    let bound = |bound| Quality::TimeLimit { bound };
    let outlook = |pieces: &[(f64, &[Placement])]| {
        let piece =
            |(from, placements): &(f64, &[Placement])| Piece { from: *from, placements: placements.to_vec() };
        vec![Outlook::new(Condition::Work, pieces.iter().map(piece).collect(), 10.0)]
    };
    for (spoil, told) in [
        (
            &(|answer: &mut Answer| answer.placements.truncate(1)) as &dyn Fn(&mut Answer),
            "1 placements were given for 3",
        ),
        (
            &|answer| answer.placements = vec![Server; 3],
            "`method2` is placed on the server but pinned to the device",
        ),
        (&|answer| answer.quality = bound(Value::Energy(Energy::ZERO)), "nothing is said to be below"),
        (&|answer| answer.quality = bound(Value::Time(MS * 100_000)), "nothing is said to be below 100s"),
        (
            &|answer| answer.outlooks = [answer.outlooks.clone(), answer.outlooks.clone()].concat(),
            "two outlooks",
        ),
        (&|answer| answer.outlooks = outlook(&[(0.1, &[Device; 2])]), "not of this problem"),
        (
            &|answer| answer.outlooks = outlook(&[(0.1, &[Device; 3]), (0.5, &[Server; 3])]),
            "not of this problem",
        ),
        (&|answer| answer.outlooks = outlook(&[(2.0, &[Device; 3])]), "not of this problem"),
    ] {
        let reason = refused(spoil);
        assert!(reason.contains(told), "{reason}");
    }
    // Here each of them takes 100 ms, there a second.
    let slow = |vertex: &Vertex| Vertex { remote_time: MS * 1_000, ..vertex.clone() };
    let vertices = problem.vertices().iter().map(slow).collect();
    let slow = Problem::new(vertices, vec![], Objective::Time).unwrap();
    let worse = Answer { placements: vec![Server, Device, Device], outlooks: vec![], ..good };
    assert!(matches!(checked(&slow, worse), Err(Refused::Worse { .. })));
}

#[test]
fn what_is_too_large_is_not_looked_at() {
    let refused = |bytes: &[u8]| decoded(PROBLEM, bytes).unwrap_err().to_string();
    assert!(
        refused(&vec![0; (2 << 20) + 1])
            .contains("a placement problem of 2097153 bytes is larger than 2097152")
    );
    let large = problem(4_096, Objective::Time).nameless();
    let told = "a placement problem has 4097 methods, and servers plan for 4096 at most";
    assert_eq!(travel::fits(&large), Err(told.to_owned()), "the device does not even ask");
    assert!(refused(&encoded(PROBLEM, &large)).contains(told));
    let most = problem(4_095, Objective::default()).nameless();
    assert_eq!(travel::fits(&most), Ok(()));
    assert!(encoded(PROBLEM, &most).len() < 2 << 20);
    let latency = vec![LatencyBound { method: MethodIndex(0), most: MS }; 2];
    let vertices = most.vertices()[..1].to_vec();
    let constraints = Constraints { latency, ..Constraints::default() };
    let limited = Problem::constrained(vertices, vec![], Objective::Time, constraints).unwrap();
    assert!(refused(&encoded(PROBLEM, &limited)).contains("has 2 limits"));
}

#[test]
fn the_largest_problem_and_its_answer_fit() {
    let vertex = |method: u32| Vertex {
        resident: Some(outboard_core::Resident { place: Device, fetch: Shipping::default() }),
        pin: Some(Device),
        ..Vertex::new(MethodIndex(method), "")
    };
    let edge = |number: u32| Edge {
        caller: MethodIndex(number % 4_096),
        callee: MethodIndex(number / 4),
        shipping: Shipping::default(),
    };
    let vertices = (0..4_096).map(vertex).collect();
    let problem = Problem::new(vertices, (0..16_384).map(edge).collect(), Objective::default()).unwrap();
    assert_eq!(decoded(PROBLEM, &encoded(PROBLEM, &problem)).unwrap(), problem);
    let pieces = (1..=MOST_PIECES).map(|from| Piece { from: from as f64, placements: vec![Device; 4_096] });
    let outlook = |condition| Outlook::new(condition, pieces.clone().collect(), 1_000.0);
    let outlooks = [Condition::Bandwidth, Condition::RoundTrip].map(outlook).to_vec();
    let answer = Ok(Answer { placements: vec![Device; 4_096], quality: Quality::Optimal, outlooks });
    let plan = checked(&problem, decoded(ANSWER, &encoded(ANSWER, &answer)).unwrap().unwrap());
    assert_eq!(plan.unwrap().outlooks().len(), 2);
}

#[test]
fn plans_are_no_part_of_the_app() {
    let before = crate::identity::of_this_app();
    offer();
    offer();
    assert_eq!(crate::identity::of_this_app(), before);
    let methods = registry::methods_from(0);
    assert_eq!(methods.iter().filter(|method| is_planning(method)).count(), 1);
}

fn any_time() -> impl Strategy<Value = Duration> {
    prop_oneof![
        (0_u64..100_000).prop_map(Duration::from_micros),
        any::<u64>().prop_map(Duration::from_nanos),
        Just(Duration::MAX),
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any_time().prop_map(Value::Time),
        any::<u64>().prop_map(|energy| Value::Energy(Energy::from_microjoules(energy))),
        any::<u64>().prop_map(|bytes| Value::Memory(ByteCount::from_bytes(bytes))),
    ]
}

fn any_placements() -> impl Strategy<Value = Vec<Placement>> {
    prop::collection::vec(prop_oneof![Just(Device), Just(Server)], 0..6)
}

prop_compose! {
    fn any_answer()(
        placements in any_placements(),
        quality in prop_oneof![
            Just(Quality::Optimal),
            any_value().prop_map(|bound| Quality::GapLimit { bound }),
            any_value().prop_map(|bound| Quality::Unproven { bound }),
        ],
        outlooks in prop::collection::vec(
            (0..4_usize, prop::collection::vec((any::<f64>(), any_placements()), 0..4), any::<f64>()),
            0..3,
        ),
    ) -> Answer {
        let outlook = |(condition, pieces, until): (usize, Vec<(f64, Vec<Placement>)>, f64)| {
            let pieces = pieces.into_iter().map(|(from, placements)| Piece { from, placements }).collect();
            Outlook::checked(Condition::ALL[condition], pieces, until).ok()
        };
        Answer { placements, quality, outlooks: outlooks.into_iter().filter_map(outlook).collect() }
    }
}

/// Whatever was taken is what the engine counts on.
fn assert_is_a_plan(problem: &Problem, plan: &Plan) {
    let objective = problem.objective();
    assert!(objective.measure(plan.cost()) <= objective.measure(plan.all_local()));
    assert!(plan.gap().is_finite() && plan.placements().len() == problem.vertices().len());
    for position in 0..problem.vertices().len() {
        let method = problem.vertices()[position].method;
        assert!(plan.flips(method).all(|flip| flip.factor.is_finite() && flip.factor > 0.0));
    }
}

proptest! {
    #[test]
    fn nothing_that_is_answered_panics_or_harms(answer in any_answer(), callees in 0..5_u32) {
        let problem = problem(callees, Objective::Time);
        if let Ok(plan) = checked(&problem, answer) {
            assert_is_a_plan(&problem, &plan);
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let problem = problem(2, Objective::default());
        if let Ok(Ok(answer)) = decoded(ANSWER, &bytes) && let Ok(plan) = checked(&problem, answer) {
            assert_is_a_plan(&problem, &plan);
        }
        if let Ok(problem) = decoded(PROBLEM, &bytes) {
            drop(answer(&problem));
        }
    }

    #[test]
    fn what_was_changed_on_the_way_is_refused_or_harmless(
        at in any::<prop::sample::Index>(),
        to in any::<u8>(),
        objective in 0..3_usize,
    ) {
        let objective = [Objective::Time, Objective::default(), Objective::Energy][objective];
        let problem = problem(2, objective);
        let mut bytes = encoded(ANSWER, &answer(&problem));
        let place = at.index(bytes.len());
        bytes[place] = to;
        if let Ok(Ok(answer)) = decoded(ANSWER, &bytes) && let Ok(plan) = checked(&problem, answer) {
            assert_is_a_plan(&problem, &plan);
        }
        let mut bytes = encoded(PROBLEM, &problem);
        let place = at.index(bytes.len());
        bytes[place] = to;
        if let Ok(problem) = decoded(PROBLEM, &bytes) && let Ok(answered) = answer(&problem) {
            checked(&problem, answered).expect("a server's honest answer is a plan");
        }
    }
}
