//! The solvers against the oracle, on small problems of all kinds.

use outboard_core::Quality;
use outboard_solver::{Exact, Exhaustive, Ilp, Limits, Solve, SolveError};
use proptest::prelude::*;

use crate::problems::problems;

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn the_solvers_find_what_the_oracle_finds(problem in problems(9)) {
        let limits = Limits::default();
        let oracle = Exhaustive.solve(&problem, &limits);
        let solvers: [&dyn Solve; 2] = [&Exact, &Ilp::microlp()];
        for solver in solvers {
            match (solver.solve(&problem, &limits), &oracle) {
                (Ok(plan), Ok(best)) => {
                    prop_assert_eq!(plan.value(), best.value());
                    prop_assert_eq!(plan.quality(), Quality::Optimal);
                }
                (Err(SolveError::Infeasible { least, .. }), Err(SolveError::Infeasible { least: best, .. })) => {
                    prop_assert_eq!(least, *best);
                }
                (found, best) => prop_assert!(false, "it says {:?}, the oracle {:?}", found, best),
            }
        }
    }
}
