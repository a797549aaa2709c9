//! A plan: where every method runs, what that is worth, how sure that is, and why.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::problem::{Cost, Objective, Placement, Problem};
use crate::{Energy, MethodIndex};

/// A figure of the objective: energy or time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Value {
    /// Of an energy objective.
    Energy(Energy),
    /// Of the time objective.
    Time(Duration),
}

/// How good a plan is known to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Quality {
    /// No placement is better.
    Optimal,
    /// The search stopped at the gap it was allowed: no placement is better than `bound`.
    GapLimit {
        /// The best that is still possible.
        bound: Value,
    },
    /// The search ran out of time or steps: no placement is better than `bound`.
    TimeLimit {
        /// The best that is still possible.
        bound: Value,
    },
    /// The backend failed or its answer did not stand up to the check; the plan is the best one known besides it.
    Unproven {
        /// The best that is still possible.
        bound: Value,
    },
}

/// Why a method is where it is, in terms of moving it alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Why {
    /// It may run nowhere else.
    Pinned,
    /// Running it in the other place would cost that much more.
    Saves(Value),
    /// Running it in the other place would cost the same.
    Even,
    /// Running it in the other place would be cheaper or even, but pass the time bound by that much.
    TooSlow {
        /// Time past the bound.
        by: Duration,
    },
    /// Running it in the other place would save that much: the plan is not optimal.
    WouldSave(Value),
}

/// One method in a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Which method.
    pub method: MethodIndex,
    /// Its name, for people.
    pub name: String,
    /// Where it runs.
    pub placement: Placement,
    /// Why there.
    pub why: Why,
}

/// A placement for every method of a problem, checked against it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    objective: Objective,
    choices: Vec<Choice>,
    cost: Cost,
    all_local: Cost,
    quality: Quality,
}

impl Plan {
    /// Makes a plan of a placement, one entry per position, after checking it against the problem in integers.
    ///
    /// # Errors
    /// A placement of another length, one that moves a pinned method, or one that passes the time bound.
    pub fn new(problem: &Problem, placements: &[Placement], quality: Quality) -> Result<Self, PlanError> {
        let cost = check(problem, placements)?;
        let choices = problem.vertices().iter().zip(placements).zip(reasons(problem, placements, cost));
        let choices = choices.map(|((vertex, placement), why)| Choice {
            method: vertex.method,
            name: vertex.name.clone(),
            placement: *placement,
            why,
        });
        Ok(Self {
            objective: problem.objective(),
            choices: choices.collect(),
            cost,
            all_local: problem.cost(&problem.all_local()),
            quality,
        })
    }

    /// Where a method runs; `None` if the plan does not know it.
    pub fn placement(&self, method: MethodIndex) -> Option<Placement> {
        self.choice(method).map(|choice| choice.placement)
    }

    /// A method's part of the plan.
    pub fn choice(&self, method: MethodIndex) -> Option<&Choice> {
        let position = self.choices.binary_search_by_key(&method, |choice| choice.method).ok()?;
        Some(&self.choices[position])
    }

    /// Every method's part, by method.
    pub fn choices(&self) -> &[Choice] {
        &self.choices
    }

    /// What the plan minimises.
    pub fn objective(&self) -> Objective {
        self.objective
    }

    /// Energy and time under the plan.
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// Energy and time with everything on the device that can be there.
    pub fn all_local(&self) -> Cost {
        self.all_local
    }

    /// The objective's value under the plan.
    pub fn value(&self) -> Value {
        self.objective.value(self.cost)
    }

    /// The objective's value with everything on the device that can be there.
    pub fn all_local_value(&self) -> Value {
        self.objective.value(self.all_local)
    }

    /// How good the plan is known to be.
    pub fn quality(&self) -> Quality {
        self.quality
    }

    /// Whether any method runs on the server.
    pub fn offloads(&self) -> bool {
        self.choices.iter().any(|choice| choice.placement == Placement::Server)
    }
}

impl Objective {
    /// The part of a cost that this objective minimises.
    pub fn value(self, cost: Cost) -> Value {
        self.value_of(self.measure(cost))
    }

    /// The part of a cost that this objective minimises, as a bare number of microjoules or microseconds.
    pub fn measure(self, cost: Cost) -> u64 {
        match self {
            Self::Energy | Self::EnergyWithin(_) => cost.energy.as_microjoules(),
            Self::Time => u64::try_from(cost.time.as_micros()).unwrap_or(u64::MAX),
        }
    }

    /// A bare number of microjoules or microseconds as a value of this objective.
    pub fn value_of(self, measure: u64) -> Value {
        match self {
            Self::Energy | Self::EnergyWithin(_) => Value::Energy(Energy::from_microjoules(measure)),
            Self::Time => Value::Time(Duration::from_micros(measure)),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Energy(energy) => energy.fmt(f),
            Self::Time(time) => fmt::Debug::fmt(time, f),
        }
    }
}

/// Why a placement is no plan for a problem.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PlanError {
    /// There must be one placement per method.
    #[error("{given} placements were given for {wanted} methods")]
    Length {
        /// How many were given.
        given: usize,
        /// How many methods there are.
        wanted: usize,
    },
    /// A pinned method was moved.
    #[error("`{name}` is placed on the {placed} but pinned to the {pin}", pin = .placed.other())]
    Pin {
        /// The method's name.
        name: String,
        /// Where it was placed.
        placed: Placement,
    },
    /// The time bound does not hold.
    #[error("the placement takes {time:?}, longer than the {limit:?} that are allowed")]
    TooSlow {
        /// The placement's time.
        time: Duration,
        /// The bound.
        limit: Duration,
    },
}

/// The cost of a placement that a plan can be made of.
fn check(problem: &Problem, placements: &[Placement]) -> Result<Cost, PlanError> {
    let (given, wanted) = (placements.len(), problem.vertices().len());
    if given != wanted {
        return Err(PlanError::Length { given, wanted });
    }
    for (vertex, placed) in problem.vertices().iter().zip(placements) {
        if vertex.pin.is_some_and(|pin| pin != *placed) {
            return Err(PlanError::Pin { name: vertex.name.clone(), placed: *placed });
        }
    }
    let cost = problem.cost(placements);
    match problem.time_limit() {
        Some(limit) if cost.time > limit => Err(PlanError::TooSlow { time: cost.time, limit }),
        _ => Ok(cost),
    }
}

/// Why each method is where it is: what moving it alone would change.
fn reasons(problem: &Problem, placements: &[Placement], cost: Cost) -> Vec<Why> {
    // Per vertex, what the other place would add to and take from the cost.
    let mut moves = vec![(Cost::default(), Cost::default()); placements.len()];
    for ((vertex, placement), (added, taken)) in problem.vertices().iter().zip(placements).zip(&mut moves) {
        *added += vertex.cost(placement.other());
        *taken += vertex.cost(*placement);
    }
    for (caller, callee, edge) in problem.edges().filter(|(caller, callee, _)| caller != callee) {
        let apart = placements[caller] != placements[callee];
        for end in [caller, callee] {
            let (added, taken) = &mut moves[end];
            *(if apart { taken } else { added }) += edge.cost();
        }
    }
    let objective = problem.objective();
    let limit = problem.time_limit();
    let why = |(vertex, (added, taken)): (&crate::Vertex, (Cost, Cost))| {
        if vertex.pin.is_some() {
            return Why::Pinned;
        }
        let (more, less) = (objective.measure(added), objective.measure(taken));
        let time = (cost.time + added.time).saturating_sub(taken.time);
        match more.cmp(&less) {
            std::cmp::Ordering::Greater => Why::Saves(objective.value_of(more - less)),
            _ if limit.is_some_and(|limit| time > limit) => {
                Why::TooSlow { by: time.saturating_sub(limit.unwrap_or_default()) }
            }
            std::cmp::Ordering::Equal => Why::Even,
            std::cmp::Ordering::Less => Why::WouldSave(objective.value_of(less - more)),
        }
    };
    problem.vertices().iter().zip(moves).map(why).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::{Edge, TimeBound, Vertex};
    use Placement::{Device, Server};

    const MS: Duration = Duration::from_millis(1);

    /// A device-bound caller of a method that costs 50 mJ and 10 ms here, 0 and 2 ms there.
    fn caller_and_callee(shipping: Energy, objective: Objective) -> Problem {
        let caller = Vertex {
            method: MethodIndex(0),
            name: "caller".into(),
            local_energy: Energy::ZERO,
            local_time: MS,
            remote_time: MS,
            remote_energy: Energy::ZERO,
            pin: Some(Device),
        };
        let callee = Vertex {
            method: MethodIndex(1),
            name: "callee".into(),
            local_energy: Energy::from_millijoules(50),
            local_time: MS * 10,
            remote_time: MS * 2,
            pin: None,
            ..caller.clone()
        };
        let edge = Edge { caller: MethodIndex(0), callee: MethodIndex(1), energy: shipping, time: MS * 10 };
        Problem::new(vec![caller, callee], vec![edge], objective).unwrap()
    }

    fn why(shipping_millijoules: u64, placement: Placement, objective: Objective) -> Why {
        let problem = caller_and_callee(Energy::from_millijoules(shipping_millijoules), objective);
        Plan::new(&problem, &[Device, placement], Quality::Optimal).unwrap().choices()[1].why
    }

    #[test]
    fn reasons_say_what_moving_a_method_would_change() {
        let millijoules = |value| Value::Energy(Energy::from_millijoules(value));
        assert_eq!(why(30, Server, Objective::Energy), Why::Saves(millijoules(20)));
        assert_eq!(why(80, Device, Objective::Energy), Why::Saves(millijoules(30)));
        assert_eq!(why(30, Device, Objective::Energy), Why::WouldSave(millijoules(20)));
        assert_eq!(why(50, Device, Objective::Energy), Why::Even);
        assert_eq!(why(0, Server, Objective::Time), Why::WouldSave(Value::Time(MS * 2)));
        // There it would take 1 + 2 + 10 ms of the 11.55 ms allowed.
        let bounded = why(30, Device, Objective::default());
        assert_eq!(bounded, Why::TooSlow { by: Duration::from_micros(1_450) });
    }

    #[test]
    fn a_plan_answers_by_method() {
        let problem = caller_and_callee(Energy::from_millijoules(30), Objective::Energy);
        let plan = Plan::new(&problem, &[Device, Server], Quality::Optimal).unwrap();
        assert!(plan.offloads());
        assert_eq!(plan.placement(MethodIndex(1)), Some(Server));
        assert_eq!(plan.placement(MethodIndex(2)), None);
        assert_eq!(plan.choice(MethodIndex(0)).map(|choice| choice.why), Some(Why::Pinned));
        assert_eq!(plan.value(), Value::Energy(Energy::from_millijoules(30)));
        assert_eq!(plan.all_local_value(), Value::Energy(Energy::from_millijoules(50)));
    }

    #[test]
    fn a_placement_that_breaks_the_problem_is_no_plan() {
        let shipping = Energy::from_millijoules(30);
        let refused = |problem: Problem, placements: &[Placement]| {
            Plan::new(&problem, placements, Quality::Optimal).unwrap_err().to_string()
        };
        let free = caller_and_callee(shipping, Objective::Energy);
        assert_eq!(refused(free.clone(), &[Device]), "1 placements were given for 2 methods");
        assert_eq!(
            refused(free, &[Server, Server]),
            "`caller` is placed on the server but pinned to the device"
        );
        let bound = TimeBound::Absolute(MS * 12);
        let bounded = caller_and_callee(shipping, Objective::EnergyWithin(bound));
        assert_eq!(
            refused(bounded, &[Device, Server]),
            "the placement takes 13ms, longer than the 12ms that are allowed"
        );
    }
}
