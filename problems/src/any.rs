//! Small problems with everything that a problem can have.

use std::time::Duration;

use outboard_core::{
    ByteCount, Constraints, Cost, Edge, EnergyBound, LatencyBound, MemoryLimit, MethodIndex, Objective,
    Placement, Power, Problem, ProblemError, Resident, Shipping, TimeBound, Vertex,
};

use crate::random::Random;
use crate::recipe::method;

/// A problem with at most so many methods: any objective, any bound of it, pins to either place, groups, latency bounds, memory
/// limits, state that sits somewhere; loops, parallel and opposite calls; figures of every size, some zero, some equal.
///
/// About one in six allows no placement at all. Small ones are likelier than large ones, so that trying every placement of many
/// problems takes about a millisecond each with 16 methods at most.
pub fn any(most: usize, seed: u64) -> Problem {
    let mut random = Random::new(seed, 32);
    loop {
        match draw(&mut random, most) {
            Ok(problem) => return problem,
            // A group whose methods are pinned to different places is no problem. Nearly every other draw is one.
            Err(ProblemError::Contradiction { .. }) => {}
            Err(error) => unreachable!("the figures are small and the names known: {error}"),
        }
    }
}

fn draw(random: &mut Random, most: usize) -> Result<Problem, ProblemError> {
    let methods = 1 + random.place(most).min(random.place(most));
    let vertices: Vec<Vertex> = (0..methods).map(|position| vertex(random, position)).collect();
    let edges: Vec<Edge> = (0..random.place(2 * methods + 1)).map(|_| edge(random, methods)).collect();
    // A problem without limits says what everything local comes to, to put limits near it.
    let plain = Problem::new(vertices.clone(), edges.clone(), Objective::Energy)?;
    let local = plain.cost(&plain.all_local());
    let constraints = constraints(random, &vertices, local);
    let objective = objective(random, local);
    Problem::constrained(vertices, edges, objective, constraints)
}

fn vertex(random: &mut Random, position: usize) -> Vertex {
    let mut vertex = Vertex::new(method(position), format!("method{position}"));
    vertex.local_energy = random.energy();
    vertex.local_time = random.time();
    if random.once_in(2) {
        vertex.remote_energy = random.energy().scaled(0.125);
    }
    vertex.remote_time = random.time() / if random.once_in(3) { 1 } else { 4 };
    vertex.memory = ByteCount::from_bytes(random.figure());
    vertex.pin = match random.below(10) {
        0 | 1 => Some(Placement::Device),
        2 => Some(Placement::Server),
        _ => None,
    };
    if random.once_in(4) {
        vertex.resident = Some(Resident { place: place(random), fetch: shipping(random) });
    }
    vertex
}

fn edge(random: &mut Random, methods: usize) -> Edge {
    let (caller, callee) = (method(random.place(methods)), method(random.place(methods)));
    Edge { caller, callee, shipping: shipping(random) }
}

fn shipping(random: &mut Random) -> Shipping {
    let cost = |random: &mut Random| Cost { energy: random.energy(), time: random.time() };
    match random.below(3) {
        0 => Shipping { fixed: cost(random), ..Shipping::default() },
        1 => Shipping { payload: cost(random), ..Shipping::default() },
        _ => Shipping { fixed: Cost::ZERO, round_trips: cost(random), payload: cost(random) },
    }
}

fn place(random: &mut Random) -> Placement {
    if random.once_in(2) { Placement::Device } else { Placement::Server }
}

fn objective(random: &mut Random, local: Cost) -> Objective {
    match random.below(10) {
        0 | 1 => Objective::Energy,
        2 => Objective::Time,
        3 => Objective::Weighted { rate: Power::from_milliwatts(random.below(4_000)) },
        4 | 5 => Objective::EnergyWithin(TimeBound::OfLocal { thousandths: thousandths(random) }),
        6 | 7 => Objective::EnergyWithin(TimeBound::Absolute(part(random, local.time))),
        8 => Objective::TimeWithin(EnergyBound::OfLocal { thousandths: thousandths(random) }),
        _ => Objective::TimeWithin(EnergyBound::Absolute(local.energy.scaled(share(random)))),
    }
}

/// Half of the problems have none; the others some of everything.
fn constraints(random: &mut Random, vertices: &[Vertex], local: Cost) -> Constraints {
    let mut constraints = Constraints::default();
    if random.once_in(2) {
        return constraints;
    }
    let any = |random: &mut Random| method(random.place(vertices.len()));
    for _ in 0..random.below(3) {
        let group: Vec<MethodIndex> = (0..random.between(1, 3)).map(|_| any(random)).collect();
        constraints.together.push(group);
    }
    for _ in 0..random.below(3) {
        constraints.latency.push(LatencyBound { method: any(random), most: part(random, local.time) });
    }
    let memory: u64 = vertices.iter().map(|vertex| vertex.memory.as_bytes()).sum();
    for _ in 0..random.below(3) {
        let most = ByteCount::from_bytes(memory * u64::from(thousandths(random)) / 1_200);
        constraints.memory.push(MemoryLimit { place: place(random), most });
    }
    constraints
}

/// From a half to one and a half, mostly above one.
fn thousandths(random: &mut Random) -> u32 {
    (if random.once_in(4) { random.between(500, 1_000) } else { random.between(1_000, 1_500) }) as u32
}

fn share(random: &mut Random) -> f64 {
    f64::from(thousandths(random)) / 1_000.0
}

fn part(random: &mut Random, time: Duration) -> Duration {
    time * thousandths(random) / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use outboard_core::Resource;

    #[test]
    fn everything_turns_up() {
        let problems: Vec<Problem> = (0..2_000).map(|seed| any(16, seed)).collect();
        let count = |of: &dyn Fn(&Problem) -> bool| problems.iter().filter(|problem| of(problem)).count();
        let limited = |of: fn(Resource) -> bool| {
            count(&|problem| problem.limits().iter().any(|limit| of(limit.resource())))
        };
        let seen = [
            count(&|problem| matches!(problem.objective(), Objective::Weighted { .. })),
            count(&|problem| problem.objective() == Objective::Time),
            limited(|resource| resource == Resource::Time),
            limited(|resource| resource == Resource::Energy),
            limited(|resource| matches!(resource, Resource::Latency(_))),
            limited(|resource| resource == Resource::Memory(Placement::Device)),
            limited(|resource| resource == Resource::Memory(Placement::Server)),
            count(&|problem| problem.limits().len() >= 3),
            count(&|problem| (0..problem.vertices().len()).any(|it| problem.leader(it) != it)),
            count(&|problem| problem.vertices().iter().any(|vertex| vertex.resident.is_some())),
            count(&|problem| problem.edges().any(|(caller, callee, _)| caller == callee)),
            count(&|problem| problem.vertices().len() > 12),
            count(&|problem| problem.exceeded(&problem.all_local()).is_some()),
        ];
        assert!(seen.iter().all(|seen| *seen > 60), "{seen:?}");
        assert!(problems.iter().all(|problem| problem.vertices().len() <= 16));
    }
}
