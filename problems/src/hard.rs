//! What no search is expected to finish, once it is large enough.

use std::time::Duration;

use outboard_core::{Edge, Energy, Objective, Problem, Shipping, Vertex};

use crate::random::Random;
use crate::recipe::{method, problem, within};

/// Families of problems on which bounds say little, so that every search has to try and try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hard {
    /// Every method saves as many microjoules as it costs microseconds, all even, and the bound is odd: the relaxation always
    /// promises one more than there is.
    SubsetSum,
    /// Every method saves what it costs and a constant more (Pisinger 2005, "Where are the hard knapsack problems?").
    Knapsack,
    /// Every method is like every other, and the bound leaves room for half of them and a bit.
    Equal,
    /// Every method calls every other one, and the bound leaves room for a third of them.
    Clique,
}

impl Hard {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::SubsetSum, Self::Knapsack, Self::Equal, Self::Clique];

    /// In a word or two.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SubsetSum => "subset-sum",
            Self::Knapsack => "knapsack",
            Self::Equal => "equal",
            Self::Clique => "clique",
        }
    }

    /// One of them. All-local is always allowed.
    pub fn problem(self, methods: usize, seed: u64) -> Problem {
        let mut random = Random::new(seed, 16 + self as u64);
        let sizes: Vec<u64> = (0..methods).map(|_| self.size(&mut random)).collect();
        let total: u64 = sizes.iter().sum();
        let (more, room) = match self {
            Self::SubsetSum => (0, (total / 2) | 1),
            Self::Knapsack => (100_000, total / 2),
            Self::Equal => (3_001, total / 2 + 500),
            Self::Clique => (0, total / 3),
        };
        let vertices: Vec<Vertex> =
            sizes.iter().enumerate().map(|(position, size)| vertex(position, *size, more)).collect();
        let mut edges = Vec::new();
        if self == Self::Clique {
            for callee in 1..methods {
                edges.extend((0..callee).map(|caller| edge(&mut random, caller, callee, methods)));
            }
        }
        let objective = if room == 0 { Objective::Energy } else { within(Duration::from_micros(room)) };
        problem(vertices, edges, objective)
    }

    fn size(self, random: &mut Random) -> u64 {
        match self {
            Self::SubsetSum => 2 * random.between(1 << 20, 1 << 21),
            Self::Knapsack => random.between(1, 1_000_000),
            Self::Equal => 7_000,
            Self::Clique => random.heavy_tailed(10_000),
        }
    }
}

/// Saves `size` and `more` microjoules on the server, and costs `size` microseconds there.
fn vertex(position: usize, size: u64, more: u64) -> Vertex {
    Vertex {
        local_energy: Energy::from_microjoules(size + more),
        remote_time: Duration::from_micros(size),
        ..Vertex::new(method(position), format!("method{position}"))
    }
}

fn edge(random: &mut Random, caller: usize, callee: usize, methods: usize) -> Edge {
    let size = random.heavy_tailed(10_000) / methods as u64;
    let shipping = Shipping::fixed(Energy::from_microjoules(size / 2), Duration::from_micros(size / 8));
    Edge { caller: method(caller), callee: method(callee), shipping }
}

#[cfg(test)]
mod tests {
    use super::*;
    use outboard_core::Placement;

    #[test]
    fn all_local_is_allowed_and_all_away_is_not() {
        for family in Hard::ALL {
            let problem = family.problem(40, 9);
            assert_eq!(problem.exceeded(&problem.all_local()), None, "{family:?}");
            assert!(problem.exceeded(&[Placement::Server; 40]).is_some(), "{family:?}");
        }
        assert_eq!(Hard::Clique.problem(20, 1).edges().len(), 190);
    }
}
