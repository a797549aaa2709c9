//! What makes a problem, and what does not.

use super::*;
use crate::{ByteCount, Energy, Power};

const MS: Duration = Duration::from_millis(1);

fn vertex(method: u32, millijoules: u64) -> Vertex {
    Vertex {
        local_energy: Energy::from_millijoules(millijoules),
        local_time: MS * 10,
        remote_time: MS,
        ..Vertex::new(MethodIndex(method), format!("method{method}"))
    }
}

fn edge(caller: u32, callee: u32) -> Edge {
    let (caller, callee) = (MethodIndex(caller), MethodIndex(callee));
    Edge { caller, callee, shipping: Shipping::fixed(Energy::from_millijoules(5), MS * 3) }
}

#[test]
fn an_edge_counts_only_where_its_ends_are_apart() {
    let edges = vec![edge(1, 2), edge(2, 1), edge(2, 2)];
    let problem = Problem::new(vec![vertex(2, 40), vertex(1, 20)], edges, Objective::Energy).unwrap();
    assert_eq!(problem.vertices()[0].method, MethodIndex(1));
    let cost = |placements| problem.cost(placements);
    let apart = cost(&[Placement::Device, Placement::Server]);
    assert_eq!(apart, Cost { energy: Energy::from_millijoules(30), time: MS * 17 });
    let away = cost(&[Placement::Server; 2]);
    assert_eq!(away, Cost { energy: Energy::ZERO, time: MS * 2 });
}

#[test]
fn maui_allows_a_twentieth_more_time_than_local() {
    let problem = Problem::new(vec![vertex(1, 1), vertex(2, 1)], vec![], Objective::default()).unwrap();
    assert_eq!(problem.time_limit(), Some(MS * 21));
    assert_eq!(problem.with_objective(Objective::Time).unwrap().time_limit(), None);
}

#[test]
fn what_only_the_server_can_run_counts_as_local_there() {
    let mut only_there = vertex(2, 1);
    only_there.pin = Some(Placement::Server);
    let problem =
        Problem::new(vec![vertex(1, 1), only_there], vec![edge(1, 2)], Objective::default()).unwrap();
    assert_eq!(problem.all_local(), [Placement::Device, Placement::Server]);
    // 10 ms here, 1 ms there and 3 ms between, and a twentieth of that.
    assert_eq!(problem.time_limit(), Some(Duration::from_micros(14_700)));
}

#[test]
fn a_bad_problem_names_the_place() {
    let new = |vertices, edges| Problem::new(vertices, edges, Objective::Energy).unwrap_err().to_string();
    assert_eq!(
        new(vec![vertex(1, 1), vertex(2, 1), vertex(1, 3)], vec![]),
        "method m1 (`method1`) has more than one vertex: add its figures up"
    );
    assert_eq!(
        new(vec![vertex(1, 1)], vec![edge(1, 9)]),
        "an edge between m9 and m1 names m9, which has no vertex: add one"
    );
    let forever = Edge { shipping: Shipping::fixed(Energy::ZERO, Duration::MAX), ..edge(1, 2) };
    assert_eq!(
        new(vec![vertex(1, 1), vertex(2, 1)], vec![edge(2, 1), forever]),
        "the shipping time of `method1 → method2` takes the sum past 1152921504606846976 µJ, µs or bytes: leave \
         out what cannot happen"
    );
}

#[test]
fn a_weighted_measure_adds_up_to_the_nanojoule() {
    let objective = Objective::battery_life(Power::from_milliwatts(3));
    let cost = Cost { energy: Energy::from_microjoules(7), time: Duration::from_micros(5) };
    assert_eq!(objective.measure(cost), 7_015);
    assert_eq!(objective.measure(cost + cost), 14_030);
    let heavy = Vertex { local_energy: Energy::from_microjoules(1 << 55), ..vertex(1, 0) };
    let light = Problem::new(vec![heavy], vec![], Objective::Energy).unwrap();
    let refused = light.with_objective(objective).unwrap_err();
    assert!(matches!(refused, ProblemError::TooLarge { figure: "local energy", .. }), "{refused}");
}

#[test]
fn methods_that_go_together_share_their_pin_or_are_refused() {
    let pinned = |method, pin| Vertex { pin: Some(pin), ..vertex(method, 1) };
    let group = |methods: &[u32]| methods.iter().map(|method| MethodIndex(*method)).collect();
    let constraints = Constraints { together: vec![group(&[3, 2]), group(&[2, 1])], ..Default::default() };
    let new = |vertices| Problem::constrained(vertices, vec![], Objective::Energy, constraints.clone());
    let problem = new(vec![vertex(1, 1), vertex(2, 1), pinned(3, Placement::Server), vertex(4, 1)]).unwrap();
    assert_eq!([0, 1, 2, 3].map(|position| problem.leader(position)), [0, 0, 0, 3]);
    assert_eq!(problem.pin(0), Some(Placement::Server));
    assert_eq!(problem.pin(3), None);
    let apart = vec![pinned(1, Placement::Server), vertex(2, 1), pinned(3, Placement::Device)];
    assert_eq!(
        new(apart).unwrap_err().to_string(),
        "`method3` and `method1` go together but are pinned to different places: drop one of the pins"
    );
    assert_eq!(
        new(vec![vertex(1, 1), vertex(2, 1)]).unwrap_err().to_string(),
        "a group that goes together names m3, which has no vertex: add one, or leave it out"
    );
}

#[test]
fn a_latency_bound_counts_what_is_called_and_the_way_there() {
    // 1 calls 2, 2 calls 3 and itself, 4 calls 3: the bound on 2 knows of 2, 3, and the edges 1→2, 2→3, 2→2.
    let edges = vec![edge(1, 2), edge(2, 3), edge(2, 2), edge(4, 3)];
    let vertices = (1..=4).map(|method| vertex(method, 1)).collect();
    let latency = vec![LatencyBound { method: MethodIndex(2), most: MS * 16 }];
    let constraints = Constraints { latency, ..Default::default() };
    let problem = Problem::constrained(vertices, edges, Objective::Energy, constraints).unwrap();
    let [limit] = problem.limits() else { panic!("{:?}", problem.limits()) };
    let amount = |placements: [Placement; 4]| problem.amount(limit, &placements);
    use Placement::{Device, Server};
    assert_eq!(amount([Device; 4]), 20_000);
    assert_eq!(amount([Device, Server, Device, Device]), 1_000 + 10_000 + 3_000 + 3_000);
    assert_eq!(amount([Device, Device, Server, Server]), 10_000 + 1_000 + 3_000);
    let exceeded = problem.exceeded(&[Device; 4]).unwrap();
    assert_eq!((exceeded.amount, exceeded.most), (Value::Time(MS * 20), Value::Time(MS * 16)));
    assert_eq!(problem.exceeded(&[Device, Device, Server, Server]), None);
}

#[test]
fn memory_and_energy_are_limited_too() {
    let mib = |count: u64| ByteCount::from_bytes(count << 20);
    let vertices =
        [(1, 110), (2, 20)].map(|(method, count)| Vertex { memory: mib(count), ..vertex(method, 4) });
    let memory = vec![MemoryLimit { place: Placement::Device, most: mib(32) }];
    let constraints = Constraints { memory, ..Default::default() };
    let budget = Objective::TimeWithin(EnergyBound::OfLocal { thousandths: 500 });
    let problem = Problem::constrained(vertices.to_vec(), vec![], budget, constraints).unwrap();
    let exceeded = |placements| problem.exceeded(placements).map(|exceeded| exceeded.resource);
    use Placement::{Device, Server};
    assert_eq!(exceeded(&[Device, Device]), Some(Resource::Energy));
    assert_eq!(exceeded(&[Device, Server]), Some(Resource::Memory(Device)));
    assert_eq!(exceeded(&[Server, Device]), None);
}

#[test]
fn state_that_sits_elsewhere_has_to_be_fetched() {
    let fetch = Shipping::fixed(Energy::from_millijoules(2), MS);
    let resident = Some(Resident { place: Placement::Server, fetch });
    let problem = Problem::new(vec![Vertex { resident, ..vertex(1, 5) }], vec![], Objective::Energy).unwrap();
    let here = problem.cost(&[Placement::Device]);
    assert_eq!(here, Cost { energy: Energy::from_millijoules(7), time: MS * 11 });
    assert_eq!(problem.cost(&[Placement::Server]), Cost { energy: Energy::ZERO, time: MS });
}

#[test]
fn conditions_change_what_depends_on_them() {
    let shipping = Shipping {
        fixed: Cost { energy: Energy::ZERO, time: MS },
        round_trips: Cost { energy: Energy::ZERO, time: MS * 10 },
        payload: Cost { energy: Energy::from_millijoules(8), time: MS * 100 },
    };
    let edges = vec![Edge { shipping, ..edge(1, 2) }];
    let problem = Problem::new(vec![vertex(1, 1), vertex(2, 1)], edges, Objective::Time).unwrap();
    let apart =
        |conditions| problem.under(&conditions).unwrap().cost(&[Placement::Device, Placement::Server]);
    let but = Conditions::but;
    assert_eq!(apart(Conditions::default()).time, MS * 122);
    assert_eq!(apart(but(Condition::Bandwidth, 4.0)).time, MS * 47);
    assert_eq!(apart(but(Condition::Bandwidth, 4.0)).energy, Energy::from_millijoules(3));
    assert_eq!(apart(but(Condition::RoundTrip, 0.5)).time, MS * 117);
    assert_eq!(apart(but(Condition::ServerSpeed, 0.1)).time, MS * 131);
    assert_eq!(apart(but(Condition::Work, 3.0)).time, MS * 144);
    assert!(matches!(
        problem.under(&but(Condition::Bandwidth, 0.0)),
        Err(ProblemError::TooLarge { figure: "shipping energy", .. })
    ));
}
