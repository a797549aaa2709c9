//! The backends of the 0/1 program that this build has, against the oracle, the exact search and each other.

use std::time::Duration;

use outboard_core::{Plan, Problem, Quality};
use outboard_problems::{Hard, Recipe, Shape, any};
use outboard_solver::{Automatic, Exact, Exhaustive, Ilp, Limits, Solve, SolveError};

fn measure(problem: &Problem, plan: &Plan) -> u64 {
    problem.objective().measure(plan.cost())
}

/// What a backend in floats may be off by while it calls its answer the best: a millionth, and the last digit. Weighted
/// measures are in nanojoules, of which bounds keep the whole microjoules.
fn tolerance(measure: u64) -> u64 {
    measure / 1_000_000 + 1_000
}

fn backends() -> impl Iterator<Item = (&'static str, Ilp)> {
    Ilp::all().map(|backend| (backend.name(), backend))
}

#[test]
fn every_backend_agrees_with_the_oracle() {
    let limits = Limits::default();
    for seed in 0..600 {
        let problem = any(9, seed);
        let oracle = Exhaustive.solve(&problem, &limits);
        for (name, backend) in backends() {
            match (backend.solve(&problem, &limits), &oracle) {
                (Ok(plan), Ok(best)) => {
                    let (found, best) = (measure(&problem, &plan), measure(&problem, best));
                    assert!(
                        plan.floor() <= best + tolerance(best),
                        "{name}, {seed}: bound {} of {best}",
                        plan.floor()
                    );
                    let is_best = found - best <= tolerance(best);
                    assert!(
                        is_best || plan.quality() != Quality::Optimal,
                        "{name}, {seed}: {found}, best {best}"
                    );
                    assert!(is_best || plan.floor() < found, "{name}, {seed}: {found}, best {best}");
                }
                (
                    Err(SolveError::Infeasible { least, .. }),
                    Err(SolveError::Infeasible { least: best, .. }),
                ) => {
                    assert_eq!(least, *best, "{name}, {seed}");
                }
                (Err(_), Err(_)) => {}
                (found, best) => panic!("{name}, {seed}: it says {found:?}, the oracle {best:?}"),
            }
        }
    }
}

#[test]
fn every_backend_agrees_with_the_exact_search() {
    let exact = |problem: &Problem| Exact.solve(problem, &Limits::default()).unwrap();
    for shape in Shape::ALL {
        for seed in 0..3 {
            let recipe = Recipe { shape, methods: 60, seed };
            for problem in [recipe.loose(), recipe.binding(|problem| exact(problem).placements())] {
                let best = exact(&problem);
                assert_eq!(best.quality(), Quality::Optimal, "{shape:?}, {seed}");
                let best = measure(&problem, &best);
                for (name, backend) in backends() {
                    let plan = backend.solve(&problem, &Limits::within(Duration::from_secs(5))).unwrap();
                    let found = measure(&problem, &plan);
                    assert!(plan.floor() <= best + tolerance(best), "{name}, {shape:?}, {seed}");
                    let within =
                        plan.floor() + tolerance(best) >= found || plan.quality() != Quality::Optimal;
                    assert!(within && found >= best, "{name}, {shape:?}, {seed}: {found} of {best}");
                }
            }
        }
    }
}

#[test]
fn a_gap_that_is_allowed_is_kept() {
    let recipe = Recipe { shape: Shape::Layered, methods: 60, seed: 1 };
    let problem = recipe.binding(|problem| Exact.solve(problem, &Limits::default()).unwrap().placements());
    let best = measure(&problem, &Exact.solve(&problem, &Limits::default()).unwrap());
    for (name, backend) in backends() {
        let limits = Limits::within(Duration::from_secs(5)).with_gap(50_000);
        let plan = backend.solve(&problem, &limits).unwrap();
        assert!(plan.floor() <= best, "{name}: {} of {best}", plan.floor());
        assert!(plan.gap() <= 0.05, "{name}: {:?}", plan.quality());
    }
}

fn measure_local(problem: &Problem) -> u64 {
    problem.objective().measure(problem.cost(&problem.all_local()))
}

#[test]
fn hard_families_end_at_their_limit_with_an_honest_gap() {
    for family in Hard::ALL {
        let problem = family.problem(48, 3);
        let mut plans = vec![
            ("exact", Exact.solve(&problem, &Limits::default().with_steps(300_000)).unwrap()),
            ("automatic", Automatic.solve(&problem, &hasty().with_steps(300_000)).unwrap()),
        ];
        plans.extend(backends().map(|(name, backend)| (name, backend.solve(&problem, &hasty()).unwrap())));
        let best = plans.iter().map(|(_, plan)| measure(&problem, plan)).min().expect("there are some");
        for (name, plan) in &plans {
            let found = measure(&problem, plan);
            assert!(found <= measure_local(&problem), "{name}, {family:?}");
            assert!(
                plan.floor() <= best + tolerance(best),
                "{name}, {family:?}: none below {}? {best}",
                plan.floor()
            );
            assert!(
                plan.quality() != Quality::Optimal || found <= best + tolerance(best),
                "{name}, {family:?}"
            );
        }
        if family == Hard::SubsetSum {
            let (_, exact) = &plans[0];
            assert!(
                matches!(exact.quality(), Quality::TimeLimit { .. }) && exact.gap() > 0.0,
                "{:?}",
                exact.quality()
            );
        }
    }
}

fn hasty() -> Limits<'static> {
    Limits::within(Duration::from_millis(200))
}

#[test]
fn backends_have_names_and_microlp_is_the_first() {
    let names: Vec<&str> = Ilp::all().map(Ilp::name).collect();
    assert_eq!(names[0], "microlp");
    assert_eq!(Ilp::default().name(), names[0]);
}
