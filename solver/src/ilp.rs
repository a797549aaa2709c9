//! The 0/1 program with an incumbent beside it: whatever the backend does, the answer is checked, honest and never worse than
//! all-local.

use std::time::Duration;

use outboard_core::{Limit, Plan, Problem, Quality};

use crate::backend::{ALL, Answer, Backend, Effort, Ending, MICROLP};
use crate::incumbent::Incumbent;
use crate::port::{Limits, Solve, SolveError};
use crate::reduce::{Goal, Reduced};

/// MAUI's 0/1 program through a solver of such programs: microlp, or one that a feature of this crate adds.
///
/// Limits are left out at first: without them the program is a minimum cut, whose relaxation is integral, so that it
/// needs no branching; most plans keep their limits by themselves.
///
/// What a backend claims is checked in integers, but for one thing: that nothing is better is its word, as far as its floats
/// go, until something better is found.
#[derive(Clone, Copy, Debug)]
pub struct Ilp {
    pub(crate) backend: Backend,
}

impl Ilp {
    /// Through microlp, which is always there.
    ///
    /// It looks at its clock every thousand pivots, so that it took 44 s of 30 on large programs.
    pub const fn microlp() -> Self {
        Self::through(MICROLP)
    }

    /// Through each backend that this build has.
    pub fn all() -> impl Iterator<Item = Self> {
        ALL.iter().copied().map(Self::through)
    }

    pub(crate) const fn through(backend: Backend) -> Self {
        Self { backend }
    }

    /// What the backend is called.
    pub const fn name(self) -> &'static str {
        self.backend.name
    }
}

impl Default for Ilp {
    /// Through microlp.
    fn default() -> Self {
        Self::microlp()
    }
}

impl Solve for Ilp {
    fn solve(&self, problem: &Problem, limits: &Limits<'_>) -> Result<Plan, SolveError> {
        let mut search = |reduced: &Reduced, effort| self.backend.search(reduced, effort);
        solve_with(problem, Time::new(limits), limits.gap, &mut search)
    }
}

/// The time for all searches of a solve together.
struct Time<'a> {
    whole: Duration,
    /// A clock and what it showed at the start.
    since: Option<(&'a dyn Fn() -> Duration, Duration)>,
}

impl<'a> Time<'a> {
    fn new(limits: &Limits<'a>) -> Self {
        Self { whole: limits.time, since: limits.clock.map(|clock| (clock, clock())) }
    }

    /// What one of the searches may take: by the clock all that is left but for what others may need; without a clock, a share
    /// of the whole.
    fn share(&self, quarters: u32, later: u32) -> Duration {
        match self.since {
            Some((clock, start)) => {
                let passed = clock().saturating_sub(start);
                self.whole.saturating_sub(passed).saturating_sub(self.whole / 4 * later)
            }
            None => self.whole / 4 * quarters,
        }
    }
}

/// Something that searches, or says how it ended without an answer.
type Search<'a> = &'a mut dyn FnMut(&Reduced, Effort) -> Result<Answer, Ending>;

fn solve_with(problem: &Problem, time: Time<'_>, gap: u32, search: Search<'_>) -> Result<Plan, SolveError> {
    let mut incumbent = Incumbent::new(problem);
    incumbent.offer(&problem.all_local());
    let limits: Vec<&Limit> = problem.limits().iter().collect();
    let share = if limits.is_empty() { time.whole } else { time.share(1, 3) };

    let unlimited = Reduced::new(problem, Goal::Objective, &[]);
    let mut floor = Floor(unlimited.floor(problem));
    let mut ending = match search(&unlimited, floor.effort(share, gap, unlimited.base(problem))) {
        Ok(answer) => {
            incumbent.offer(&answer.placements);
            floor.learn(problem, &unlimited, &answer);
            answer.ending
        }
        Err(ending) => ending,
    };
    if floor.suffices(&incumbent, gap) {
        ending = Ending::Gap;
    } else if !limits.is_empty() {
        if incumbent.measure().is_none() {
            look_for_any(problem, &mut incumbent, time.share(1, 2), search)?;
        }
        let limited = Reduced::new(problem, Goal::Objective, &limits);
        let effort = floor.effort(time.share(2, 0), gap, limited.base(problem));
        ending = match search(&limited, effort) {
            Ok(answer) => {
                let is_allowed = incumbent.offer(&answer.placements);
                match answer.ending {
                    // The backend's tolerances are wider than the limit.
                    Ending::Proven | Ending::Gap if !is_allowed => Ending::Failed,
                    ending => {
                        floor.learn(problem, &limited, &answer);
                        ending
                    }
                }
            }
            Err(ending) => ending,
        };
    }
    if !floor.proves(&incumbent) {
        incumbent.polish();
    }
    finish(problem, incumbent, floor, ending)
}

/// What no placement can be below, as far as anybody has shown.
#[derive(Clone, Copy)]
struct Floor(u64);

impl Floor {
    /// Rises to what a backend shows of a program that leaves out no better placement.
    fn learn(&mut self, problem: &Problem, reduced: &Reduced, answer: &Answer) {
        let measure = match (answer.ending, answer.bound) {
            (Ending::Proven, _) => problem.objective().measure(problem.cost(&answer.placements)),
            (_, Some(bound)) => {
                let base = i128::from(reduced.base(problem));
                u64::try_from((base - i128::from(bound)).max(0)).unwrap_or(u64::MAX)
            }
            (_, None) => 0,
        };
        self.0 = self.0.max(measure);
    }

    /// What a search is to give. Backends measure gaps by what a placement gains over `base`, plans by what it measures: the
    /// gain is at most what the floor leaves, and the measure at least the floor.
    fn effort(self, time: Duration, gap: u32, base: u64) -> Effort {
        let gain = base.saturating_sub(self.0);
        let gap = if gain == 0 { 0.0 } else { f64::from(gap) / 1e6 * (self.0 as f64 / gain as f64) };
        Effort { time, gap }
    }

    /// Whether the incumbent is at most so many millionths of what it measures from the best.
    fn suffices(self, incumbent: &Incumbent<'_>, gap: u32) -> bool {
        incumbent.measure().is_some_and(|measure| {
            let off = u128::from(measure.saturating_sub(self.0));
            off * 1_000_000 <= u128::from(measure) * u128::from(gap)
        })
    }

    fn proves(self, incumbent: &Incumbent<'_>) -> bool {
        incumbent.measure().is_some_and(|measure| measure <= self.0)
    }
}

/// Looks for what takes least of each limit that all-local passes, to have a placement that keeps them all or to show that
/// none does.
fn look_for_any(
    problem: &Problem,
    incumbent: &mut Incumbent<'_>,
    time: Duration,
    search: Search<'_>,
) -> Result<(), SolveError> {
    let local = problem.all_local();
    let is_passed = |limit: &&Limit| problem.amount(limit, &local) > limit.most();
    let passed: Vec<&Limit> = problem.limits().iter().filter(is_passed).collect();
    let time = time / passed.len().max(1) as u32;
    for limit in passed {
        if let Ok(answer) = search(&Reduced::new(problem, Goal::Least(limit), &[]), Effort { time, gap: 0.0 })
        {
            let least = problem.amount(limit, &answer.placements);
            if !incumbent.offer(&answer.placements) && answer.ending == Ending::Proven && least > limit.most()
            {
                return Err(SolveError::infeasible(limit, least));
            }
        }
    }
    Ok(())
}

fn finish(
    problem: &Problem,
    incumbent: Incumbent<'_>,
    floor: Floor,
    ending: Ending,
) -> Result<Plan, SolveError> {
    // A placement below what the backend called optimal shows that it was wrong, and so is its floor.
    let refuted = incumbent.measure().is_some_and(|measure| measure < floor.0);
    let floor = if refuted { Reduced::new(problem, Goal::Objective, &[]).floor(problem) } else { floor.0 };
    let bound = problem.objective().value_of(floor);
    let quality = match ending {
        _ if incumbent.measure() == Some(floor) => Quality::Optimal,
        _ if refuted => Quality::Unproven { bound },
        Ending::Gap => Quality::GapLimit { bound },
        Ending::Time => Quality::TimeLimit { bound },
        Ending::Proven | Ending::Failed => Quality::Unproven { bound },
    };
    incumbent.into_plan(quality)
}

#[cfg(test)]
mod tests {
    use super::*;
    use outboard_core::{Edge, Energy, MethodIndex, Objective, Placement, Shipping, Value, Vertex};

    /// Two methods that are worth moving only together: 100 mJ each here, 150 mJ between them, 10 ms here and 40 ms there.
    fn pair(objective: Objective) -> Problem {
        let vertices = [0, 1].map(|index| Vertex {
            local_energy: Energy::from_millijoules(100),
            local_time: Duration::from_millis(10),
            remote_time: Duration::from_millis(40),
            ..Vertex::new(MethodIndex(index), format!("method{index}"))
        });
        let ui = Vertex {
            method: MethodIndex(2),
            local_energy: Energy::ZERO,
            pin: Some(Placement::Device),
            ..vertices[0].clone()
        };
        let edge = |caller, callee, millijoules| Edge {
            caller: MethodIndex(caller),
            callee: MethodIndex(callee),
            shipping: Shipping::fixed(Energy::from_millijoules(millijoules), Duration::ZERO),
        };
        let edges = vec![edge(0, 1, 150), edge(2, 0, 120)];
        Problem::new(Vec::from_iter(vertices.into_iter().chain([ui])), edges, objective).unwrap()
    }

    fn time() -> Time<'static> {
        Time::new(&Limits::default())
    }

    fn answer(placements: Vec<Placement>, ending: Ending) -> Answer {
        Answer { placements, ending, bound: None }
    }

    fn millijoules(value: u64) -> Value {
        Value::Energy(Energy::from_millijoules(value))
    }

    #[test]
    fn a_backend_that_fails_leaves_the_plan_local_and_unproven() {
        let plan = solve_with(&pair(Objective::Energy), time(), 0, &mut |_, _| Err(Ending::Failed));
        let plan = plan.unwrap();
        assert!(!plan.offloads());
        // At best the second method costs nothing; the first one is called from here, which costs more than it saves.
        assert_eq!(plan.quality(), Quality::Unproven { bound: millijoules(100) });
    }

    #[test]
    fn a_backend_that_calls_a_bad_answer_optimal_is_not_believed() {
        let mut liar =
            |reduced: &Reduced, _| Ok(answer(reduced.expand(|number| number == 0), Ending::Proven));
        let plan = solve_with(&pair(Objective::Energy), time(), 0, &mut liar).unwrap();
        assert!(!plan.offloads());
        assert!(matches!(plan.quality(), Quality::Unproven { .. }));
    }

    #[test]
    fn an_answer_past_the_time_bound_is_dropped() {
        let mut hasty = |reduced: &Reduced, _| Ok(answer(reduced.expand(|_| true), Ending::Proven));
        let plan = solve_with(&pair(Objective::default()), time(), 0, &mut hasty).unwrap();
        assert!(!plan.offloads());
        assert_eq!(plan.value(), millijoules(200));
        // The first of the two searches left the time bound out, and its answer bounds every other.
        assert_eq!(plan.quality(), Quality::Unproven { bound: millijoules(120) });
    }

    #[test]
    fn a_search_that_ran_out_of_time_keeps_what_it_found() {
        let mut slow = |reduced: &Reduced, _| Ok(answer(reduced.expand(|_| true), Ending::Time));
        let plan = solve_with(&pair(Objective::Energy), time(), 0, &mut slow).unwrap();
        assert_eq!(plan.value(), millijoules(120));
        assert_eq!(plan.quality(), Quality::TimeLimit { bound: millijoules(100) });
    }

    #[test]
    fn a_bound_that_the_backend_reports_is_the_plans() {
        // The first method's edge to here is folded in: with everything on the device 200 mJ, of which it may save at most 90.
        let mut bounding = |reduced: &Reduced, _| {
            Ok(Answer { bound: Some(90_000), ..answer(reduced.expand(|_| true), Ending::Gap) })
        };
        let plan = solve_with(&pair(Objective::Energy), time(), 0, &mut bounding).unwrap();
        assert_eq!(plan.value(), millijoules(120));
        assert_eq!(plan.quality(), Quality::GapLimit { bound: millijoules(110) });
    }

    #[test]
    fn a_bound_that_the_backends_own_answer_refutes_is_not_believed() {
        let mut lying = |reduced: &Reduced, _| {
            Ok(Answer { bound: Some(0), ..answer(reduced.expand(|_| true), Ending::Gap) })
        };
        let plan = solve_with(&pair(Objective::Energy), time(), 0, &mut lying).unwrap();
        assert_eq!(plan.value(), millijoules(120));
        assert_eq!(plan.quality(), Quality::Unproven { bound: millijoules(100) });
    }

    #[test]
    fn by_a_clock_the_last_search_has_what_the_others_left() {
        let now = std::cell::Cell::new(Duration::from_secs(7));
        let clock = || now.get();
        let mut given = Vec::new();
        let mut hasty = |reduced: &Reduced, effort: Effort| {
            given.push(effort.time.as_millis());
            now.set(now.get() + Duration::from_millis(10));
            Ok(answer(reduced.expand(|_| true), Ending::Proven))
        };
        let problem = pair(Objective::default());
        solve_with(&problem, Time::new(&Limits::default().by(&clock)), 0, &mut hasty).unwrap();
        assert_eq!(given, [250, 990]);
        given = Vec::new();
        let mut hasty = |reduced: &Reduced, effort: Effort| {
            given.push(effort.time.as_millis());
            Ok(answer(reduced.expand(|_| true), Ending::Proven))
        };
        solve_with(&problem, time(), 0, &mut hasty).unwrap();
        assert_eq!(given, [250, 500]);
    }

    #[test]
    fn a_gap_is_one_of_what_the_plan_measures() {
        // With everything on the device 200 mJ, at best 100: at most 100 are gained, and 10 % of the measure are 10 at least.
        let asked = std::cell::Cell::new(0.0);
        let mut near = |reduced: &Reduced, effort: Effort| {
            asked.set(effort.gap);
            Ok(Answer { bound: Some(90_000), ..answer(reduced.expand(|_| true), Ending::Gap) })
        };
        let plan = solve_with(&pair(Objective::Energy), time(), 100_000, &mut near).unwrap();
        assert_eq!(asked.get(), 0.1);
        assert_eq!(plan.quality(), Quality::GapLimit { bound: millijoules(110) });
        // All away takes too long, and all here is not near enough.
        let plan = solve_with(&pair(Objective::default()), time(), 100_000, &mut near).unwrap();
        assert_eq!(plan.quality(), Quality::Unproven { bound: millijoules(110) });
    }
}
