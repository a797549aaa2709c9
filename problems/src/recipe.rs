//! Call graphs of any size.

use std::time::Duration;

use outboard_core::{
    Cost, Edge, Energy, MethodIndex, Objective, Placement, Power, Problem, Shipping, TimeBound, Vertex,
};

use crate::random::Random;

/// Who calls whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Every method has one caller, anyone before it: |V| − 1 edges.
    Tree,
    /// As many layers as methods in each; every method has two callers in the layer before: about 2 |V| edges.
    Layered,
    /// A tree whose methods also call those that called them, others nearby, and now and then themselves: about 2 |V| edges.
    Recursive,
}

impl Shape {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Tree, Self::Layered, Self::Recursive];

    /// In a word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tree => "tree",
            Self::Layered => "layered",
            Self::Recursive => "recursive",
        }
    }
}

/// A call graph whose costs are heavy-tailed: half of the methods run for 2 to 4 ms, one in a thousand for seconds.
///
/// The first method and a fifth of the others are pinned to the device, which draws between 0.8 and 2.4 W while it computes
/// and 0.2 W while it waits. The server is 2 to 20 × as fast. What a call ships takes about a quarter of what a
/// method does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// Who calls whom.
    pub shape: Shape,
    /// How many.
    pub methods: usize,
    /// Equal seeds give equal problems.
    pub seed: u64,
}

impl Recipe {
    /// MAUI's problem with its default bound, which the best placements keep by themselves.
    pub fn loose(self) -> Problem {
        let mut random = Random::new(self.seed, self.shape as u64);
        let vertices = (0..self.methods).map(|position| vertex(&mut random, position)).collect();
        let mut edges = Vec::new();
        for callee in 1..self.methods {
            self.callers(&mut random, callee, &mut edges);
        }
        let edges = edges.into_iter().map(|(caller, callee)| edge(&mut random, caller, callee)).collect();
        problem(vertices, edges, Objective::default())
    }

    /// The same with a time bound that the placement of least energy does not keep, though all-local does.
    ///
    /// `cheapest` finds that placement; see [`binding`](crate::binding()).
    pub fn binding(self, cheapest: impl Fn(&Problem) -> Vec<Placement>) -> Problem {
        let loose = self.loose();
        let cheapest = cheapest(&loose.clone().unlimited());
        crate::binding(&loose, &cheapest)
    }

    fn callers(self, random: &mut Random, callee: usize, edges: &mut Vec<(usize, usize)>) {
        match self.shape {
            Shape::Tree => edges.push((random.place(callee), callee)),
            Shape::Layered => {
                let width = self.methods.isqrt().max(1);
                let layer = callee / width;
                // The first layer is called by its first method, the program's entry.
                let (first, count) = if layer == 0 { (0, 1) } else { ((layer - 1) * width, width) };
                for _ in 0..if layer == 0 { 1 } else { 2 } {
                    edges.push((first + random.place(count), callee));
                }
            }
            Shape::Recursive => {
                let caller = random.place(callee);
                edges.push((caller, callee));
                edges.push(match random.below(20) {
                    0 => (callee, callee),
                    1..10 => (callee, caller),
                    _ => (callee, callee.saturating_sub(1 + random.place(16))),
                });
            }
        }
    }
}

fn vertex(random: &mut Random, position: usize) -> Vertex {
    let local_time = random.heavy_time(2_000);
    let remote_time = local_time * random.between(50, 500) as u32 / 1_000;
    let power = Power::from_milliwatts(random.between(800, 2_400));
    let pinned = position == 0 || random.once_in(5);
    Vertex {
        local_energy: power * local_time,
        local_time,
        remote_time,
        remote_energy: Power::from_milliwatts(200) * remote_time,
        pin: pinned.then_some(Placement::Device),
        ..Vertex::new(method(position), format!("method{position}"))
    }
}

fn edge(random: &mut Random, caller: usize, callee: usize) -> Edge {
    let cost = |milliwatts, time: Duration| Cost { energy: Power::from_milliwatts(milliwatts) * time, time };
    let (exchange, payload) = (random.heavy_time(100), random.heavy_time(400));
    let transferring = random.between(700, 1_300);
    let shipping = Shipping {
        fixed: Cost { energy: Energy::from_microjoules(random.below(50)), time: Duration::ZERO },
        round_trips: cost(300, exchange),
        payload: cost(transferring, payload),
    };
    Edge { caller: method(caller), callee: method(callee), shipping }
}

pub(crate) fn method(position: usize) -> MethodIndex {
    MethodIndex(u32::try_from(position).expect("fewer methods than memory could hold"))
}

pub(crate) fn problem(vertices: Vec<Vertex>, edges: Vec<Edge>, objective: Objective) -> Problem {
    Problem::new(vertices, edges, objective).expect("every figure is small, every edge between two methods")
}

pub(crate) fn within(time: Duration) -> Objective {
    Objective::EnergyWithin(TimeBound::Absolute(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn graphs_have_their_shape() {
        for (shape, edges) in
            [(Shape::Tree, 999..=999), (Shape::Layered, 1_900..=2_000), (Shape::Recursive, 1_998..=1_998)]
        {
            let problem = Recipe { shape, methods: 1_000, seed: 3 }.loose();
            assert!(edges.contains(&problem.edges().len()), "{shape:?}: {}", problem.edges().len());
            let pinned = problem.vertices().iter().filter(|vertex| vertex.pin.is_some()).count();
            assert!((150..250).contains(&pinned), "{shape:?}: {pinned}");
            let backwards = problem.edges().filter(|(caller, callee, _)| caller >= callee).count();
            assert_eq!(backwards > 0, shape == Shape::Recursive, "{shape:?}: {backwards}");
        }
    }

    #[test]
    fn seeds_differ_and_sizes_may_be_tiny() {
        let recipe = |seed, methods| Recipe { shape: Shape::Recursive, methods, seed }.loose();
        assert_ne!(recipe(1, 50), recipe(2, 50));
        for methods in 0..5 {
            assert_eq!(recipe(1, methods).vertices().len(), methods);
        }
    }
}
