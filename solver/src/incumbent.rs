//! The best placement known so far, judged in integers.

use std::time::Duration;

use outboard_core::{Energy, Exceeded, Placement, Plan, Problem, Quality};

use crate::port::SolveError;

/// The best placement that was offered and that fits the problem.
pub(crate) struct Incumbent<'p> {
    problem: &'p Problem,
    best: Option<(Rank, Vec<Placement>)>,
}

/// How good a placement is, smaller is better. Where the objective does not tell two apart the faster one wins, then the
/// one that spends less, then the one that ships less code away.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    pub(crate) measure: u64,
    time: Duration,
    energy: Energy,
    away: usize,
}

impl<'p> Incumbent<'p> {
    pub(crate) fn new(problem: &'p Problem) -> Self {
        Self { problem, best: None }
    }

    /// Takes a placement if it is allowed and better than the best; says whether it is allowed.
    pub(crate) fn offer(&mut self, placements: &[Placement]) -> bool {
        let Some(rank) = self.rank(placements) else { return false };
        if self.best.as_ref().is_none_or(|(best, _)| rank < *best) {
            self.best = Some((rank, placements.to_vec()));
        }
        true
    }

    /// Moves single methods for as long as that makes the best better, at most a few rounds.
    pub(crate) fn polish(&mut self) {
        let Some((_, placements)) = &self.best else { return };
        let mut walk = Walk::new(self.problem, placements.clone());
        // Every round betters an integer, but by as little as one; later rounds find ever less.
        for _ in 0..8 {
            if !walk.round() {
                break;
            }
        }
        self.offer(&walk.placements);
    }

    /// The objective's value of the best, as a bare number.
    pub(crate) fn measure(&self) -> Option<u64> {
        self.best.as_ref().map(|(rank, _)| rank.measure)
    }

    /// The best as a plan of that quality.
    ///
    /// # Errors
    /// Nothing allowed was offered.
    pub(crate) fn into_plan(self, quality: Quality) -> Result<Plan, SolveError> {
        let problem = self.problem;
        let best = self.into_placements()?;
        Ok(Plan::new(problem, &best, quality).expect("only allowed placements are offered"))
    }

    /// The best.
    ///
    /// # Errors
    /// Nothing allowed was offered.
    pub(crate) fn into_placements(self) -> Result<Vec<Placement>, SolveError> {
        let problem = self.problem;
        self.into_best().ok_or_else(|| {
            let passed = problem.exceeded(&problem.all_local());
            let Exceeded { resource, most, .. } = passed.expect("all-local was offered first");
            SolveError::NoneFound { resource, most }
        })
    }

    pub(crate) fn into_best(self) -> Option<Vec<Placement>> {
        self.best.map(|(_, placements)| placements)
    }

    fn rank(&self, placements: &[Placement]) -> Option<Rank> {
        if self.problem.exceeded(placements).is_some() {
            return None;
        }
        let cost = self.problem.cost(placements);
        Some(Rank {
            measure: self.problem.objective().measure(cost),
            time: cost.time,
            energy: cost.energy,
            away: placements.iter().filter(|placement| **placement == Placement::Server).count(),
        })
    }
}

/// Single moves of groups from one placement to the next, each priced by its own edges: of the objective first, then of each
/// limit.
struct Walk<'p> {
    problem: &'p Problem,
    placements: Vec<Placement>,
    /// What is left of each limit; negative where it does not hold.
    left: Vec<i64>,
    /// Per leader what its group takes in either place.
    own: Vec<[Vec<i64>; 2]>,
    /// Per leader the leaders it shares edges with and what it takes to be apart from them.
    neighbours: Vec<Vec<(usize, Vec<i64>)>>,
}

impl<'p> Walk<'p> {
    fn new(problem: &'p Problem, placements: Vec<Placement>) -> Self {
        let (objective, limits) = (problem.objective(), problem.limits());
        let width = 1 + limits.len();
        let mut own = vec![[vec![0; width], vec![0; width]]; placements.len()];
        for (position, vertex) in problem.vertices().iter().enumerate() {
            for place in [Placement::Device, Placement::Server] {
                let sums = &mut own[problem.leader(position)][place as usize];
                sums[0] += objective.measure(vertex.cost(place)) as i64;
                for (sum, limit) in sums[1..].iter_mut().zip(limits) {
                    *sum += limit.of_vertex(position, vertex, place) as i64;
                }
            }
        }
        let mut neighbours = vec![Vec::new(); placements.len()];
        for (number, (caller, callee, edge)) in problem.edges().enumerate() {
            let (caller, callee) = (problem.leader(caller), problem.leader(callee));
            if caller == callee {
                continue;
            }
            let mut apart = vec![objective.measure(edge.cost()) as i64];
            apart.extend(limits.iter().map(|limit| limit.of_edge(number, edge) as i64));
            neighbours[caller].push((callee, apart.clone()));
            neighbours[callee].push((caller, apart));
        }
        let left = limits.iter().map(|limit| {
            let most = limit.most().min(Problem::LARGEST_SUM) as i64;
            most - problem.amount(limit, &placements) as i64
        });
        let left = left.collect();
        Self { problem, placements, left, own, neighbours }
    }

    /// Moves whatever is better off in the other place; says whether anything was.
    fn round(&mut self) -> bool {
        let mut moved = false;
        for position in 0..self.placements.len() {
            moved |= self.problem.leader(position) == position && self.step(position);
        }
        moved
    }

    fn step(&mut self, leader: usize) -> bool {
        if self.problem.pin(leader).is_some() {
            return false;
        }
        let here = self.placements[leader];
        let mut more: Vec<i64> = self.own[leader][here.other() as usize]
            .iter()
            .zip(&self.own[leader][here as usize])
            .map(|(there, here)| there - here)
            .collect();
        for (neighbour, apart) in &self.neighbours[leader] {
            let sign = if self.placements[*neighbour] == here { 1 } else { -1 };
            for (more, part) in more.iter_mut().zip(apart) {
                *more += sign * part;
            }
        }
        let better = more[0] < 0 && self.left.iter().zip(&more[1..]).all(|(left, more)| more <= left);
        if better {
            for position in 0..self.placements.len() {
                if self.problem.leader(position) == leader {
                    self.placements[position] = here.other();
                }
            }
            for (left, more) in self.left.iter_mut().zip(&more[1..]) {
                *left -= more;
            }
        }
        better
    }
}
