//! The best placement known so far, judged in integers.

use std::time::Duration;

use outboard_core::{Cost, Energy, Placement, Problem};

/// The best placement that was offered and that fits the problem.
pub(crate) struct Incumbent<'p> {
    problem: &'p Problem,
    limit: Option<Duration>,
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
        Self { problem, limit: problem.time_limit(), best: None }
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
        let mut walk = Walk::new(self.problem, self.limit, placements.clone());
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

    pub(crate) fn into_best(self) -> Option<Vec<Placement>> {
        self.best.map(|(_, placements)| placements)
    }

    fn rank(&self, placements: &[Placement]) -> Option<Rank> {
        let cost = self.problem.cost(placements);
        if self.limit.is_some_and(|limit| cost.time > limit) {
            return None;
        }
        Some(Rank {
            measure: self.problem.objective().measure(cost),
            time: cost.time,
            energy: cost.energy,
            away: placements.iter().filter(|placement| **placement == Placement::Server).count(),
        })
    }
}

/// Single moves from one placement to the next, each priced by its own edges.
struct Walk<'p> {
    problem: &'p Problem,
    limit: Option<Duration>,
    placements: Vec<Placement>,
    time: Duration,
    /// Per position the other ends of its edges and what it costs to be apart from them.
    neighbours: Vec<Vec<(usize, Cost)>>,
}

impl<'p> Walk<'p> {
    fn new(problem: &'p Problem, limit: Option<Duration>, placements: Vec<Placement>) -> Self {
        let mut neighbours = vec![Vec::new(); placements.len()];
        for (caller, callee, edge) in problem.edges().filter(|(caller, callee, _)| caller != callee) {
            neighbours[caller].push((callee, edge.cost()));
            neighbours[callee].push((caller, edge.cost()));
        }
        let time = problem.cost(&placements).time;
        Self { problem, limit, placements, time, neighbours }
    }

    /// Moves whatever is better off in the other place; says whether anything was.
    fn round(&mut self) -> bool {
        let mut moved = false;
        for position in 0..self.placements.len() {
            moved |= self.step(position);
        }
        moved
    }

    fn step(&mut self, position: usize) -> bool {
        let vertex = &self.problem.vertices()[position];
        if vertex.pin.is_some() {
            return false;
        }
        let here = self.placements[position];
        let (mut taken, mut added) = (vertex.cost(here), vertex.cost(here.other()));
        for (neighbour, apart) in &self.neighbours[position] {
            if self.placements[*neighbour] == here {
                added += *apart;
            } else {
                taken += *apart;
            }
        }
        let time = (self.time + added.time).saturating_sub(taken.time);
        let objective = self.problem.objective();
        let better = objective.measure(added) < objective.measure(taken)
            && self.limit.is_none_or(|limit| time <= limit);
        if better {
            self.placements[position] = here.other();
            self.time = time;
        }
        better
    }
}
