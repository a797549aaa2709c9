//! The solvers against the oracle, on small problems of all kinds.

use outboard_core::Quality;
use outboard_problems::any;
use outboard_solver::{Automatic, Exact, Exhaustive, Ilp, Limits, Solve, SolveError};
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

/// With every objective, limit, group and pin there is: what is chosen by itself finds the best, or says that nothing is allowed.
#[test]
fn what_is_chosen_by_itself_finds_what_the_oracle_finds() {
    let limits = Limits::default();
    for seed in 0..3_000 {
        let problem = any(11, seed);
        match (Automatic.solve(&problem, &limits), Exhaustive.solve(&problem, &limits)) {
            (Ok(plan), Ok(best)) => {
                let measure = |cost| problem.objective().measure(cost);
                assert_eq!(measure(plan.cost()), measure(best.cost()), "seed {seed}");
                assert_eq!(plan.quality(), Quality::Optimal, "seed {seed}");
            }
            (Err(found), Err(best)) => assert_eq!(found, best, "seed {seed}"),
            (found, best) => panic!("seed {seed}: it says {found:?}, the oracle {best:?}"),
        }
    }
}

/// What is known of a problem with several limits without trying every placement is honest.
#[test]
fn several_limits_leave_a_gap_that_holds_the_best() {
    let (limits, mut open) = (Limits::default(), 0);
    for seed in 0..3_000 {
        let problem = any(9, seed);
        let Ok(best) = Exhaustive.solve(&problem, &limits) else { continue };
        let measure = |cost| problem.objective().measure(cost);
        match Exact.solve(&problem, &limits) {
            Ok(plan) => {
                assert!(plan.floor() <= measure(best.cost()), "seed {seed}: {plan:?}");
                assert!(measure(best.cost()) <= measure(plan.cost()), "seed {seed}");
                open += u32::from(plan.quality() != Quality::Optimal);
            }
            Err(error) => {
                assert!(matches!(error, SolveError::NoneFound { .. }), "seed {seed}: {error}");
                open += 1;
            }
        }
    }
    assert!((1..300).contains(&open), "{open} of 3,000 are open");
}

/// A gap that is allowed is kept, whatever limits there are, and is stated where it is made use of.
#[test]
fn a_gap_that_is_allowed_is_kept_under_every_limit() {
    let limits = Limits::default().with_gap(100_000);
    let mut used = 0;
    for seed in 0..3_000 {
        let problem = any(11, seed);
        let Ok(best) = Exhaustive.solve(&problem, &limits) else { continue };
        let measure = |cost| problem.objective().measure(cost);
        let plan = Automatic.solve(&problem, &limits).expect("something is allowed");
        assert!(plan.floor() <= measure(best.cost()), "seed {seed}: {plan:?}");
        match plan.quality() {
            Quality::Optimal => assert_eq!(measure(plan.cost()), measure(best.cost()), "seed {seed}"),
            Quality::GapLimit { .. } => {
                // Weighted bounds are kept in whole microjoules.
                assert!(plan.gap() <= 0.1 + 1e-3, "seed {seed}: {plan:?}");
                used += 1;
            }
            other => panic!("seed {seed}: {other:?}"),
        }
    }
    assert!(used > 30, "{used}");
}
