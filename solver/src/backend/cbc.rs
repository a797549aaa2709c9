//! CBC, COIN-OR's branch and cut (Forrest and Lougee-Heimer 2005), as an installed library.

use good_lp::solvers::SolutionStatus;
use good_lp::solvers::coin_cbc::coin_cbc;
use good_lp::{ResolutionError, Solution, SolverModel, WithMipGap};

use super::{Backend, Claim, Effort, Ending, Question, chosen, with_rows};
use crate::Ilp;

pub(super) const CBC: Backend = Backend { name: "cbc", run };

impl Ilp {
    /// The 0/1 program through CBC: a second opinion.
    ///
    /// Only one solve at a time runs in a process: the others wait, whatever their limits say. What CBC takes for an internal
    /// error it answers by ending the process.
    pub const fn cbc() -> Self {
        Self::through(CBC)
    }
}

fn run(question: Question, effort: Effort) -> Result<Claim, Ending> {
    let Question { unsolved, rows, away } = question;
    let mut model = with_rows(unsolved.using(coin_cbc), rows);
    // The adapter rounds up to whole seconds, and CBC counts processor time unless told otherwise.
    model.set_parameter("sec", &effort.time.as_secs_f64().to_string());
    model.set_parameter("timeMode", "elapsed");
    if effort.gap > 0.0 {
        model = model.with_mip_gap(effort.gap as f32).map_err(|_| Ending::Failed)?;
    }
    let solution = model.solve().map_err(|error| match error {
        // Without an answer: the relaxation alone took all the time.
        ResolutionError::Other("Stopped") => Ending::Time,
        _ => Ending::Failed,
    })?;
    let ending = match solution.status() {
        SolutionStatus::Optimal => Ending::Proven,
        SolutionStatus::GapLimit => Ending::Gap,
        SolutionStatus::TimeLimit => Ending::Time,
    };
    let (found, bound) = (solution.model().obj_value(), solution.model().best_possible_value());
    // Without a search it leaves the bound at nothing.
    let bound = (bound >= found).then_some(bound);
    Ok(Claim { away: chosen(&solution, &away), ending, bound })
}
