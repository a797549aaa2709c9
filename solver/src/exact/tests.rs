//! The search against every choice of small programs, and against itself on larger ones.

use proptest::prelude::*;

use super::*;

/// How a program's figures come about.
#[derive(Clone, Copy, Debug)]
enum Figures {
    /// All about the same size, so that many choices are equal.
    Even,
    /// Few large ones decide.
    HeavyTailed,
    /// As large as sums allow, so that prices have to be rounded.
    Huge,
    /// The row is the gain turned around: a subset sum, whose bounds say nothing.
    Proportional,
}

/// How a program's edges come about.
#[derive(Clone, Copy, Debug)]
enum Shape {
    Tree,
    Random,
    /// Few pairs, many edges between them, and edges from a vertex to itself.
    Parallel,
}

fn figure(figures: Figures) -> BoxedStrategy<i64> {
    match figures {
        Figures::HeavyTailed => {
            (0..24_u32, 0..100_i64).prop_map(|(size, rest)| (1_i64 << size) * rest).boxed()
        }
        Figures::Huge => (0..1_i64 << 53).boxed(),
        Figures::Even | Figures::Proportional => (0..30_i64).boxed(),
    }
}

fn signed(figures: Figures) -> impl Strategy<Value = i64> {
    (figure(figures), any::<bool>()).prop_map(|(figure, negative)| if negative { -figure } else { figure })
}

fn edges(shape: Shape, vertices: usize) -> BoxedStrategy<Vec<(u32, u32)>> {
    let all = 0..vertices as u32;
    match shape {
        Shape::Tree => prop::collection::vec(any::<prop::sample::Index>(), vertices)
            .prop_map(|parents| {
                let parent = |(child, parent): (usize, prop::sample::Index)| {
                    (parent.index(child) as u32, child as u32)
                };
                parents.into_iter().enumerate().skip(1).map(parent).collect()
            })
            .boxed(),
        Shape::Random => prop::collection::vec((all.clone(), all), 0..3 * vertices).boxed(),
        Shape::Parallel => {
            let few = 0..vertices.min(4) as u32;
            prop::collection::vec((few.clone(), few), 0..3 * vertices).boxed()
        }
    }
}

/// A program of up to that many vertices; three in four have a row.
fn program(most: usize) -> impl Strategy<Value = Program> {
    let figures = prop_oneof![
        Just(Figures::Even),
        Just(Figures::HeavyTailed),
        Just(Figures::Huge),
        Just(Figures::Proportional)
    ];
    let shape = prop_oneof![Just(Shape::Tree), Just(Shape::Random), Just(Shape::Parallel)];
    (1..=most, figures, shape)
        .prop_flat_map(|(vertices, figures, shape)| (edges(shape, vertices), Just(vertices), Just(figures)))
        .prop_flat_map(|(edges, vertices, figures)| {
            let count = edges.len();
            let values = |count| prop::collection::vec(figure(figures), count);
            let signed = || prop::collection::vec(signed(figures), vertices);
            (
                (Just(edges), Just(figures), signed(), values(count)),
                (signed(), values(count), -0.3..1.2_f64, 0..4_u8),
            )
        })
        .prop_map(|((edges, figures, gains, apart), (mut delays, mut times, tightness, row))| {
            if let Figures::Proportional = figures {
                delays = gains.iter().map(|gain| 3 * gain).collect();
                times = apart.iter().map(|_| 0).collect();
            }
            let used: i64 = delays.iter().map(|delay| delay.max(&0)).sum();
            let slack = (used as f64 * tightness) as i64;
            let row = (row > 0).then_some(Row { delays, times, slack });
            Program { gains, edges, apart, row }
        })
}

/// The most that a choice gains that meets the row, or the least that the row's left side can be.
fn brute_force(program: &Program) -> Result<i64, i64> {
    let (mut most, mut least) = (None, i64::MAX);
    let vertices = program.gains.len();
    for number in 0_u32..1 << vertices {
        let away: Vec<bool> = (0..vertices).map(|vertex| number >> vertex & 1 == 1).collect();
        let (gain, row) = program.measure(&away);
        least = least.min(row);
        if program.row.as_ref().is_none_or(|bound| row <= bound.slack) {
            most = most.max(Some(gain));
        }
    }
    most.ok_or(least)
}

impl Program {
    /// What a choice gains, and the left side of the row, zero if there is none.
    fn measure(&self, away: &[bool]) -> (i64, i64) {
        let chosen = |values: &[i64]| -> i64 {
            values.iter().zip(away).filter(|(_, away)| **away).map(|(value, _)| value).sum()
        };
        let parted = |values: &[i64]| -> i64 {
            let edges = self.edges.iter().zip(values);
            edges.filter(|((u, v), _)| away[*u as usize] != away[*v as usize]).map(|(_, value)| value).sum()
        };
        let row = self.row.as_ref().map_or(0, |row| chosen(&row.delays) + parted(&row.times));
        (chosen(&self.gains) - parted(&self.apart), row)
    }
}

fn solve(program: &Program, steps: u64, gap: u32) -> Outcome {
    search(program, gap_of(program, gap), &mut Steps::new(steps, None))
}

/// A gap in parts per million of what is left of all that could be gained.
fn gap_of(program: &Program, millionths: u32) -> Gap {
    Gap { millionths, base: program.gains.iter().map(|gain| gain.max(&0)).sum() }
}

/// Limits so low that small programs come to every part of the search.
const LOW: Tuning = Tuning { narrowest: 2, part: 3, listing: 60, listing_per_vertex: 4, waiting: 8 };

fn solve_within(tuning: Tuning, program: &Program, steps: u64, gap: u32) -> Outcome {
    let mut steps = Steps::new(steps, None);
    Search::new(program, gap_of(program, gap), &mut steps, tuning).run(Core::new(program))
}

/// An outcome is what it says: allowed, worth its gain, and not above its bound.
fn check(program: &Program, outcome: &Outcome) {
    if let Some(away) = &outcome.away {
        let (gain, row) = program.measure(away);
        assert_eq!(gain, outcome.gain);
        assert!(program.row.as_ref().is_none_or(|bound| row <= bound.slack));
        assert!(gain <= outcome.bound);
        assert!(outcome.ending != Ending::Proven || gain == outcome.bound);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn nothing_gains_more(program in program(11), low in any::<bool>()) {
        let tuning = if low { LOW } else { Tuning::default() };
        let outcome = solve_within(tuning, &program, u64::MAX, 0);
        check(&program, &outcome);
        match brute_force(&program) {
            Ok(most) => prop_assert_eq!((outcome.ending, outcome.gain), (Ending::Proven, most)),
            Err(least) => prop_assert_eq!(outcome.ending, Ending::Infeasible { least }),
        }
    }

    #[test]
    fn a_bound_holds_whenever_the_search_stops(program in program(9), steps in 0..5_000_u64, gap in 0..200_000_u32) {
        let outcome = solve_within(LOW, &program, steps, gap);
        check(&program, &outcome);
        if let Ok(most) = brute_force(&program) {
            prop_assert!(most <= outcome.bound);
            let infeasible = matches!(outcome.ending, Ending::Infeasible { .. });
            prop_assert!(!infeasible);
            if outcome.ending == Ending::Gap {
                prop_assert!(outcome.bound - outcome.gain <= gap_of(&program, gap).beyond(outcome.gain));
            }
        }
    }
}

/// The same program with the vertices in another order and their places exchanged, and what its gains have to be more.
fn mirrored(program: &Program) -> (Program, i64) {
    let vertices = program.gains.len();
    let turned = |values: &[i64]| values.iter().rev().map(|value| -value).collect();
    let other = |vertex: u32| vertices as u32 - 1 - vertex;
    let mirror = Program {
        gains: turned(&program.gains),
        edges: program.edges.iter().map(|(u, v)| (other(*u), other(*v))).collect(),
        apart: program.apart.clone(),
        row: program.row.as_ref().map(|row| Row {
            delays: turned(&row.delays),
            times: row.times.clone(),
            slack: row.slack - row.delays.iter().sum::<i64>(),
        }),
    };
    (mirror, program.gains.iter().sum())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_mirrored_program_gains_the_same(program in program(120)) {
        let (mirror, more) = mirrored(&program);
        let (outcome, mirrored) = (solve(&program, 20_000_000, 0), solve(&mirror, 20_000_000, 0));
        check(&mirror, &mirrored);
        match (outcome.ending, mirrored.ending) {
            (Ending::Proven, Ending::Proven) => prop_assert_eq!(outcome.gain, mirrored.gain + more),
            (Ending::Infeasible { least }, Ending::Infeasible { least: mirrored }) => {
                let delays = program.row.as_ref().map_or(0, |row| row.delays.iter().sum::<i64>());
                prop_assert_eq!(least, mirrored + delays);
            }
            _ => {
                prop_assert!(outcome.gain <= mirrored.bound + more && mirrored.gain + more <= outcome.bound);
            }
        }
    }

    #[test]
    fn whoever_drives_the_search_can_stop_it(program in program(300), asked in 1..30_u32) {
        let left = std::cell::Cell::new(asked);
        let stop = || {
            left.set(left.get() - 1);
            left.get() == 0
        };
        let outcome = search(&program, gap_of(&program, 0), &mut Steps::new(u64::MAX, Some(&stop)));
        check(&program, &outcome);
        let best = solve(&program, 20_000_000, 0);
        if best.away.is_some() {
            prop_assert!(best.gain <= outcome.bound);
        }
    }

    #[test]
    fn a_large_program_is_solved_the_same_way_twice(program in program(120)) {
        let outcome = solve(&program, 20_000_000, 0);
        check(&program, &outcome);
        prop_assert_eq!(&solve(&program, 20_000_000, 0), &outcome);
        let hasty = solve(&program, 20_000, 0);
        check(&program, &hasty);
        if !matches!(outcome.ending, Ending::Infeasible { .. }) {
            prop_assert!(hasty.gain <= outcome.bound && outcome.gain <= hasty.bound);
        }
    }
}
