//! Time bounds that bind.

use std::time::Duration;

use outboard_core::{Cost, Edge, Placement, Problem, Shipping, Vertex};

use crate::recipe::{problem, within};

/// A problem's energies under a time bound that its placement of least energy, `cheapest`, does not keep, though all-local does.
///
/// What happens away from the device is slowed down as much as it takes for that placement to run half again as long as all-local,
/// as beside a crowded server; energies, and with them that placement, stay. The bound is half-way between the two times.
/// Where nothing is worth moving, or takes any time there, nothing can bind, and the bound is the all-local time.
pub fn binding(loose: &Problem, cheapest: &[Placement]) -> Problem {
    let local = loose.cost(&loose.all_local()).time;
    let staying = |(vertex, place): (&Vertex, &Placement)| match place {
        Placement::Device => vertex.local_time,
        Placement::Server => Duration::ZERO,
    };
    let staying: Duration = loose.vertices().iter().zip(cheapest).map(staying).sum();
    let moving = loose.cost(cheapest).time.saturating_sub(staying);
    let wanted = (local * 3 / 2).saturating_sub(staying);
    let thousandths = (wanted.as_micros() * 1_000).div_ceil(moving.as_micros().max(1)).max(1_000);
    let slowed = |time: Duration| micros(time.as_micros() * thousandths / 1_000);

    let vertices = loose.vertices().iter().cloned();
    let vertices =
        vertices.map(|vertex| Vertex { remote_time: slowed(vertex.remote_time), ..vertex }).collect();
    let cost = |cost: Cost| Cost { time: slowed(cost.time), ..cost };
    let edges = loose.edges().map(|(_, _, edge)| {
        let Shipping { fixed, round_trips, payload } = edge.shipping;
        let shipping =
            Shipping { fixed: cost(fixed), round_trips: cost(round_trips), payload: cost(payload) };
        Edge { shipping, ..*edge }
    });
    let slow = problem(vertices, edges.collect(), within(local));
    let longest = slow.cost(cheapest).time;
    let half_way = local + longest.saturating_sub(local) / 2;
    slow.with_objective(within(half_way)).expect("another bound changes no sum")
}

fn micros(micros: u128) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use crate::{Recipe, Shape};
    use outboard_core::{Placement, Problem};

    /// Not the cheapest, but fair: whatever is not pinned is away.
    fn away(problem: &Problem) -> Vec<Placement> {
        (0..problem.vertices().len()).map(|it| problem.pin(it).unwrap_or(Placement::Server)).collect()
    }

    #[test]
    fn the_bound_lies_between_all_local_and_the_cheapest() {
        for shape in Shape::ALL {
            let problem = Recipe { shape, methods: 200, seed: 5 }.binding(away);
            let time = |placements: &[Placement]| problem.cost(placements).time;
            let bound = problem.time_limit().expect("it has one");
            assert!(time(&problem.all_local()) < bound && bound < time(&away(&problem)), "{shape:?}");
        }
    }

    #[test]
    fn where_nothing_moves_the_bound_is_the_time_of_all_local() {
        let problem = Recipe { shape: Shape::Tree, methods: 20, seed: 5 }.binding(Problem::all_local);
        assert_eq!(problem.time_limit(), Some(problem.cost(&problem.all_local()).time));
    }
}
