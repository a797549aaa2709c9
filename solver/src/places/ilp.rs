//! The 0/1 program over several places, handed to `good_lp`: a binary variable for each method and place.
//!
//! ```text
//! minimise Σ own(v,a)·x(v,a) + shipping
//! subject to Σ_a x(v,a) = 1 for each method;  Σ taken ≤ S
//! links that add up along the way:  z(u,l) − z(v,l) = s − t for each edge and link, shipping c(l)·(s + t), where
//!                                   z(v,l) = Σ of x(v,a) over the places a behind the link
//! a link between any two places:    Σ_b y(a,b) = x(u,a), Σ_a y(a,b) = x(v,b) for each edge, shipping c(a,b)·y(a,b)
//! ```
//!
//! The first kind of edge is Kleinberg & Tardos (2002), "Approximation algorithms for classification problems with pairwise
//! relationships", the second Chekuri et al. (2004), "A linear programming formulation and approximation algorithms for the
//! metric labeling problem".

use std::time::Duration;

use good_lp::{Constraint, Expression, ProblemVariables, Variable, variable, variables};
use outboard_core::{PlaceIndex, PlacesPlan, PlacesProblem, Topology};

use super::program::Program;
use super::{Attempt, limited, signed};
use crate::Ilp;
use crate::backend::{Backend, Effort, Ending, Question, thousand};
use crate::port::{Limits, SolveError};
use crate::steps::Steps;

impl Ilp {
    /// The 0/1 program alone over several places.
    ///
    /// # Errors
    /// None was found that keeps the objective's bound.
    pub fn solve_places(
        self,
        problem: &PlacesProblem,
        limits: &Limits<'_>,
    ) -> Result<PlacesPlan, SolveError> {
        let mut attempt = Attempt::new(problem, limits.gap, Steps::new(limits.steps, None));
        attempt.ask(self.backend, limits.time);
        attempt.finish()
    }
}

impl Attempt<'_> {
    /// Whether microlp is likely to find anything in a second or so: with more than ten thousand variables it found nothing,
    /// and took twice the time that it was given.
    pub(super) fn has_small_program(&self) -> bool {
        let Program { places, own, edges, links, .. } = &self.goal;
        let shipping = match self.problem.topology() {
            Topology::Mesh => edges.len() * places * places,
            _ => 2 * links.len(),
        };
        own.len() + shipping <= 10_000
    }

    /// Lets the backend look for something better, for at most that time by its own clock.
    pub(super) fn ask(&mut self, backend: Backend, time: Duration) {
        if self.free.len() == 0 {
            return;
        }
        let limit = self.problem.limit().map(|(_, most)| {
            (Program::new(self.problem, &self.free, |cost| limited(self.problem, cost)), signed(most))
        });
        let limit = limit.as_ref().map(|(taken, most)| (taken, *most));
        let topology = self.problem.topology();
        let effort = Effort { time, gap: f64::from(self.gap) / 1e6 };
        let claim = match backend.ask(|| question(&self.goal, limit, topology), effort) {
            Ok(claim) => claim,
            Err(ending) => {
                self.is_late = ending == Ending::Time;
                return;
            }
        };
        self.is_late = claim.ending == Ending::Time;
        let at = |places: &[bool]| places.iter().position(|is_there| *is_there).unwrap_or(0) as u16;
        let labels: Vec<u16> = claim.away.chunks(self.goal.places).map(at).collect();
        let is_allowed = self.incumbent.offer(&self.free.expand(&labels));
        let measure = self.goal.measure(&labels).unsigned_abs();
        let best = self.incumbent.measure();
        // Something better than what it calls best shows that it was wrong.
        if is_allowed && claim.ending == Ending::Proven && best == Some(measure) {
            self.floor = self.floor.max(measure);
        }
        let floor = claim.bound().map(|bound| self.goal.base.saturating_sub(bound));
        let is_refuted = |floor: i64| best.is_some_and(|best| floor > best.cast_signed());
        if let Some(floor) = floor.filter(|floor| is_allowed && !is_refuted(*floor)) {
            self.raise(floor);
        }
    }
}

/// The program, to be maximised with every sign turned.
fn question(goal: &Program, limit: Option<(&Program, i64)>, topology: &Topology) -> Question {
    let mut names = variables!();
    let model = Model::new(goal, topology, &mut names);
    let mut rows = model.rows(goal);
    if let Some((taken, most)) = limit {
        rows.push(model.sum(taken, 1.0).leq(thousand(most - taken.base)));
    }
    Question { unsolved: names.maximise(model.sum(goal, -1.0)), rows, away: model.at }
}

/// The variables of a program.
struct Model {
    /// Per method and place, by `number · places + place`.
    at: Vec<Variable>,
    edges: Edges,
}

enum Edges {
    /// Per edge and link the two ways of being apart, and per link which places are behind it.
    Links { apart: Vec<(Variable, Variable)>, behind: Vec<Vec<usize>> },
    /// Per edge and pair of places whether its ends are there, by `(edge · places + from) · places + to`.
    Pairs(Vec<Variable>),
}

impl Model {
    fn new(program: &Program, topology: &Topology, names: &mut ProblemVariables) -> Self {
        let at = program.own.iter().map(|_| names.add(variable().binary())).collect();
        let mut part = || names.add(variable().clamp(0, 1));
        let edges = match topology {
            Topology::Mesh => {
                let count = program.edges.len() * program.places * program.places;
                Edges::Pairs((0..count).map(|_| part()).collect())
            }
            _ => Edges::Links {
                apart: program.links.iter().map(|_| (part(), part())).collect(),
                behind: behind(topology, program.places),
            },
        };
        Self { at, edges }
    }

    /// What a program measures, but for its base, with that sign.
    fn sum(&self, program: &Program, sign: f64) -> Expression {
        let mut sum = Expression::default();
        for (own, at) in program.own.iter().zip(&self.at) {
            sum.add_mul(sign * thousand(*own), *at);
        }
        match &self.edges {
            Edges::Links { apart, .. } => {
                for (link, (one, other)) in program.links.iter().zip(apart) {
                    sum.add_mul(sign * thousand(*link), *one);
                    sum.add_mul(sign * thousand(*link), *other);
                }
            }
            Edges::Pairs(pairs) => {
                for (apart, pair) in program.tables().into_iter().zip(pairs) {
                    sum.add_mul(sign * thousand(apart), *pair);
                }
            }
        }
        sum
    }

    fn rows(&self, program: &Program) -> Vec<Constraint> {
        let places = program.places;
        let at = |number: u32, place: usize| self.at[number as usize * places + place];
        let all = |number| (0..places).map(|place| Expression::from(at(number, place))).sum::<Expression>();
        let mut rows: Vec<Constraint> = (0..program.len() as u32).map(|number| all(number).eq(1.0)).collect();
        for (edge, (one, other)) in program.edges.iter().enumerate() {
            match &self.edges {
                Edges::Links { apart, behind } => {
                    for (link, behind) in behind.iter().enumerate() {
                        let (more, less) = apart[edge * program.link_count + link];
                        let mut row = Expression::from(less) - more;
                        for place in behind {
                            row.add_mul(1.0, at(*one, *place));
                            row.add_mul(-1.0, at(*other, *place));
                        }
                        rows.push(row.eq(0.0));
                    }
                }
                Edges::Pairs(pairs) => {
                    let pair = |from: usize, to: usize| pairs[(edge * places + from) * places + to];
                    for place in 0..places {
                        let from =
                            (0..places).map(|to| Expression::from(pair(place, to))).sum::<Expression>();
                        rows.push((from - at(*one, place)).eq(0.0));
                        let to =
                            (0..places).map(|from| Expression::from(pair(from, place))).sum::<Expression>();
                        rows.push((to - at(*other, place)).eq(0.0));
                    }
                }
            }
        }
        rows
    }
}

/// Per link the places that are further from the device than it.
fn behind(topology: &Topology, places: usize) -> Vec<Vec<usize>> {
    let ancestors =
        |place: usize| std::iter::successors(Some(PlaceIndex(place as u16)), |place| topology.parent(*place));
    let is_behind =
        |place: usize, link: usize| ancestors(place).any(|above| usize::from(above.0) == link + 1);
    (0..places - 1).map(|link| (0..places).filter(|place| is_behind(*place, link)).collect()).collect()
}
