//! The best placement of a program under at most one row, and the proof that there is no better one.
//!
//! MAUI's program (§6.2) without its row is one minimum cut. The row, a time that must not be passed, makes it NP-hard,
//! but only just: pricing the row leaves a cut again (Lagrangian relaxation; Fisher 1981, "The Lagrangian relaxation
//! method for solving integer programming problems"), whose value no placement beats. The best price takes a handful of
//! cuts and leaves a small gap. What the gap decides is fixed, and what remains is small:
//!
//! ```text
//! Program ─▶ core ─▶ dual: cuts at ever better prices ─▶ bound, and choices between two cuts ─▶ incumbent
//!             ▲        │ fix: what cannot be elsewhere and better
//!             │        ▼
//!             └── contract ◀── branch: the vertex that the cuts disagree about, in both places
//!                      │           ▲ too many choices to list
//!                      ▼           │
//!                    listing: the choices of each connected part ─▶ pareto: the best that go together
//! ```
//!
//! All of that happens within a guess: that the best is close to the bound. A narrow guess fixes nearly everything and is
//! quickly refuted or proven; each one that is refuted lowers the bound, and the next is wider.
//!
//! Everything is in integers: a bound is rounded so that it stays one, and the same program gives the same answer on
//! every machine. Steps are counted, and whoever drives the search may stop it; the answer then says what is proven.
//! Costs proportional to the row's (a subset sum) are hard for every method; that is where searches end by their steps.

mod branch;
mod core;
mod dual;
mod fix;
mod incumbent;
mod listing;
mod neighbours;
mod pareto;
mod price;
mod queue;
#[cfg(test)]
mod tests;
mod tuning;

use crate::steps::Steps;
use branch::Search;
use core::Core;
use tuning::Tuning;

/// The undecided rest of a problem: maximise `Σ g_v x_v − Σ c_e |x_u − x_v|` subject to at most one row.
///
/// Gains and their prices together have to stay below 2⁶¹ in absolute sum, and so have the row's delays and times.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// `g_v`: what it gains to have a vertex away.
    pub(crate) gains: Vec<i64>,
    /// Pairs of vertices that pay for being apart. Parallel ones add up.
    pub(crate) edges: Vec<(u32, u32)>,
    /// `c_e ≥ 0`, per edge.
    pub(crate) apart: Vec<i64>,
    /// What bounds the choice, if anything does.
    pub(crate) row: Option<Row>,
}

/// `Σ d_v x_v + Σ t_e |x_u − x_v| ≤ S`.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// `d_v`, per vertex; any sign.
    pub(crate) delays: Vec<i64>,
    /// `t_e ≥ 0`, per edge.
    pub(crate) times: Vec<i64>,
    /// `S`; any sign.
    pub(crate) slack: i64,
}

/// What a search found and proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Which vertices are away in the best choice found that meets the row.
    pub(crate) away: Option<Vec<bool>>,
    /// What that choice gains; zero and without meaning if there is none.
    pub(crate) gain: i64,
    /// No choice that meets the row gains more; without meaning if none meets it.
    pub(crate) bound: i64,
    /// How the search ended.
    pub(crate) ending: Ending,
}

/// How a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Nothing gains more.
    Proven,
    /// Nothing gains more than the gap that was asked for allows.
    Gap,
    /// The steps were used up, or the driver said stop.
    Stopped,
    /// Nothing meets the row.
    Infeasible {
        /// The least that the row's left side can be.
        least: i64,
    },
}

/// How far from the best an answer may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gap {
    /// Parts per million of what is left to pay; zero to prove the optimum.
    pub(crate) millionths: u32,
    /// What is to be paid with nothing gained.
    pub(crate) base: i64,
}

impl Gap {
    /// By how much another choice may gain more, where so much is gained.
    fn beyond(self, gain: i64) -> i64 {
        let left = (i128::from(self.base) - i128::from(gain)).max(0);
        (left * i128::from(self.millionths) / 1_000_000) as i64
    }
}

/// Looks for the choice that gains most.
pub(crate) fn search(program: &Program, gap: Gap, steps: &mut Steps<'_>) -> Outcome {
    Search::new(program, gap, steps, Tuning::default()).run(Core::new(program))
}
