//! HiGHS: simplex, cuts and branching in C++ (Huangfu and Hall 2018, "Parallelizing the dual revised simplex method").
//! Of the free solvers of such programs it was the quickest on large ones.

use good_lp::solvers::highs::highs;
use highs::{HighsModelStatus, HighsSolutionStatus, Model, TrySetOptionError};

use super::{Backend, Claim, Effort, Ending, Question, with_rows};
use crate::Ilp;

pub(super) const HIGHS: Backend = Backend { name: "highs", run };

/// What HiGHS's own arithmetic leaves of a gap that is none.
const NO_GAP: f64 = 1e-9;

impl Ilp {
    /// The 0/1 program through HiGHS: the choice where the program is large and several limits bind. On one thread.
    ///
    /// It looks at its clock between steps that may be long, so that it took 40 s of 30 on large programs.
    pub const fn highs() -> Self {
        Self::through(HIGHS)
    }
}

fn run(question: Question, effort: Effort) -> Result<Claim, Ending> {
    let Question { unsolved, rows, away } = question;
    // Past the adapter, which neither sets every gap nor passes the bound on.
    let mut model = with_rows(unsolved.using(highs), rows).try_into_inner().map_err(|_| Ending::Failed)?;
    set(&mut model, effort).map_err(|_| Ending::Failed)?;

    let solved = model.try_solve().map_err(|_| Ending::Failed)?;
    let gap = solved.mip_gap();
    let ending = match solved.status() {
        HighsModelStatus::Optimal if gap <= NO_GAP => Ending::Proven,
        HighsModelStatus::Optimal => Ending::Gap,
        HighsModelStatus::ReachedTimeLimit => Ending::Time,
        _ => return Err(Ending::Failed),
    };
    if solved.primal_solution_status() != HighsSolutionStatus::Feasible {
        return Err(ending);
    }
    let solution = solved.get_solution();
    let values = solution.columns();
    // The methods' columns were added first, in order.
    let away = (0..away.len()).map(|column| values[column] > 0.5).collect();
    Ok(Claim { away, ending, bound: solved.double_info_value(c"mip_dual_bound").ok() })
}

fn set(model: &mut Model, effort: Effort) -> Result<(), TrySetOptionError> {
    model.try_set_option("time_limit", effort.time.as_secs_f64())?;
    model.try_set_option("mip_rel_gap", effort.gap)?;
    model.try_set_option("mip_abs_gap", 0.0)?;
    // Its own pool of threads would be one that nobody asked for.
    model.try_set_option("threads", 1)
}
