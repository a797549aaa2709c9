//! The 0/1 program against the oracle, on small problems of all kinds.

use outboard_core::Quality;
use outboard_solver::{Exhaustive, Ilp, Limits, Solve, SolveError};
use proptest::prelude::*;

use crate::problems::problems;

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn the_program_finds_what_the_oracle_finds(problem in problems(9)) {
        let limits = Limits::default();
        match (Ilp.solve(&problem, &limits), Exhaustive.solve(&problem, &limits)) {
            (Ok(plan), Ok(exact)) => {
                prop_assert_eq!(plan.value(), exact.value());
                prop_assert_eq!(plan.quality(), Quality::Optimal);
            }
            (Err(SolveError::Infeasible { least, .. }), Err(SolveError::Infeasible { least: exact, .. })) => {
                prop_assert_eq!(least, exact);
            }
            (found, exact) => prop_assert!(false, "the program says {:?}, the oracle {:?}", found, exact),
        }
    }
}
