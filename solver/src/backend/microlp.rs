//! microlp: simplex and branch and bound in Rust. Quick on small programs; past some hundred methods others are better.

use good_lp::solvers::{SolutionStatus, WithTimeLimit};
use good_lp::{ResolutionError, Solution, SolverModel, WithMipGap};

use super::{Backend, Claim, Effort, Ending, Question, chosen, with_rows};

pub(crate) const MICROLP: Backend = Backend { name: "microlp", run };

fn run(question: Question, effort: Effort) -> Result<Claim, Ending> {
    let Question { unsolved, rows, away } = question;
    let model = with_rows(unsolved.using(good_lp::microlp), rows)
        .with_time_limit(effort.time.as_secs_f64())
        .with_mip_gap(effort.gap as f32)
        .map_err(|_| Ending::Failed)?;
    let solution = model.solve().map_err(|error| match error {
        // The adapter's only use of this variant.
        ResolutionError::Other(_) => Ending::Time,
        _ => Ending::Failed,
    })?;
    let ending = match solution.status() {
        SolutionStatus::Optimal => Ending::Proven,
        SolutionStatus::GapLimit => Ending::Gap,
        SolutionStatus::TimeLimit => Ending::Time,
    };
    let away = chosen(&solution, &away);
    Ok(Claim { away, ending, bound: solution.into_inner().stats().best_bound })
}
