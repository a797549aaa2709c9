//! A plan: where every method runs, what that is worth, how sure that is, why, and when it would be another.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::MethodIndex;
use crate::outlook::{Flip, Outlook};
use crate::problem::{
    Condition, Cost, Edge, Exceeded, Limit, Objective, Placement, Problem, Resource, Value,
};

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
    /// The search ended without a proof: it cannot give one, or failed, or its answer did not stand up to the check. The plan
    /// is the best one known.
    Unproven {
        /// The best that is still possible.
        bound: Value,
    },
}

impl Quality {
    /// The best that is still possible; `None` where that is the plan itself.
    pub fn bound(self) -> Option<Value> {
        match self {
            Self::Optimal => None,
            Self::GapLimit { bound } | Self::TimeLimit { bound } | Self::Unproven { bound } => Some(bound),
        }
    }

    /// The same with another bound.
    #[must_use]
    pub fn with_bound(self, bound: Value) -> Self {
        match self {
            Self::Optimal => Self::Optimal,
            Self::GapLimit { .. } => Self::GapLimit { bound },
            Self::TimeLimit { .. } => Self::TimeLimit { bound },
            Self::Unproven { .. } => Self::Unproven { bound },
        }
    }
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
    /// Running it in the other place would be cheaper or even, but pass a limit.
    Exceeds {
        /// What is limited.
        resource: Resource,
        /// How far past the limit.
        by: Value,
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
    /// Why there. Methods that go together move together.
    pub why: Why,
}

/// A placement for every method of a problem, checked against it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    objective: Objective,
    choices: Vec<Choice>,
    cost: Cost,
    all_local: Cost,
    quality: Quality,
    outlooks: Vec<Outlook>,
}

impl Plan {
    /// Makes a plan of a placement, one entry per position, after checking it against the problem in integers.
    ///
    /// # Errors
    /// A placement of another length, one that moves a pinned method or tears a group apart, or one that passes a limit.
    pub fn new(problem: &Problem, placements: &[Placement], quality: Quality) -> Result<Self, PlanError> {
        let cost = check(problem, placements)?;
        let choices = problem.vertices().iter().zip(placements).zip(reasons(problem, placements));
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
            outlooks: Vec::new(),
        })
    }

    /// Whether the plan is one of that problem: of the same methods, under the same objective, at the same costs.
    pub fn is_of(&self, problem: &Problem) -> bool {
        let methods = self.choices.iter().map(|choice| choice.method);
        self.objective == problem.objective()
            && methods.eq(problem.vertices().iter().map(|vertex| vertex.method))
            && self.cost == problem.cost(&self.placements())
            && self.all_local == problem.cost(&problem.all_local())
    }

    /// The same plan, known to be that good.
    #[must_use]
    pub fn with_quality(self, quality: Quality) -> Self {
        Self { quality, ..self }
    }

    /// The least that any placement measures, as far as is known, in the objective's unit.
    pub fn floor(&self) -> u64 {
        let bound = self.quality.bound().map(|bound| self.objective.measure_of(bound));
        bound.unwrap_or_else(|| self.objective.measure(self.cost))
    }

    /// How far from the best the plan may be, as a part of what it measures: zero for an optimal one.
    pub fn gap(&self) -> f64 {
        let measure = self.objective.measure(self.cost);
        measure.saturating_sub(self.floor()) as f64 / measure.max(1) as f64
    }

    /// The same plan, which also tells how it changes with a condition.
    #[must_use]
    pub fn with_outlook(mut self, outlook: Outlook) -> Self {
        self.outlooks.retain(|known| known.condition() != outlook.condition());
        self.outlooks.push(outlook);
        self
    }

    /// How the best placements change with a condition; `None` where nobody looked.
    pub fn outlook(&self, condition: Condition) -> Option<&Outlook> {
        self.outlooks.iter().find(|outlook| outlook.condition() == condition)
    }

    /// How the best placements change with each condition that was looked at.
    pub fn outlooks(&self) -> &[Outlook] {
        &self.outlooks
    }

    /// The nearest points at which a method changes places, two at most for each condition that was looked at.
    pub fn flips(&self, method: MethodIndex) -> impl Iterator<Item = Flip> {
        let position = self.position(method);
        let flips = move |outlook| position.into_iter().flat_map(move |at| Outlook::flips(outlook, at));
        self.outlooks.iter().flat_map(flips)
    }

    /// Where a method runs; `None` if the plan does not know it.
    pub fn placement(&self, method: MethodIndex) -> Option<Placement> {
        self.choice(method).map(|choice| choice.placement)
    }

    /// A method's part of the plan.
    pub fn choice(&self, method: MethodIndex) -> Option<&Choice> {
        self.position(method).map(|position| &self.choices[position])
    }

    /// A method's position in the problem, and in the outlooks.
    pub fn position(&self, method: MethodIndex) -> Option<usize> {
        self.choices.binary_search_by_key(&method, |choice| choice.method).ok()
    }

    /// Every method's part, by method.
    pub fn choices(&self) -> &[Choice] {
        &self.choices
    }

    /// Where every method runs, by position.
    pub fn placements(&self) -> Vec<Placement> {
        self.choices.iter().map(|choice| choice.placement).collect()
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
    /// Methods that go together were placed apart.
    #[error("`{one}` and `{other}` go together but are placed apart")]
    TornApart {
        /// The first of the group.
        one: String,
        /// The one that is elsewhere.
        other: String,
    },
    /// A limit does not hold.
    #[error("{resource} is {amount} under this placement, past the {most} that are allowed")]
    Exceeded {
        /// What is limited.
        resource: Resource,
        /// What the placement takes.
        amount: Value,
        /// The most that is allowed.
        most: Value,
    },
}

/// The cost of a placement that a plan can be made of.
fn check(problem: &Problem, placements: &[Placement]) -> Result<Cost, PlanError> {
    let (given, wanted) = (placements.len(), problem.vertices().len());
    if given != wanted {
        return Err(PlanError::Length { given, wanted });
    }
    let name = |position: usize| problem.vertices()[position].name.clone();
    for (position, placed) in placements.iter().enumerate() {
        if problem.pin(position).is_some_and(|pin| pin != *placed) {
            return Err(PlanError::Pin { name: name(position), placed: *placed });
        }
        let leader = problem.leader(position);
        if placements[leader] != *placed {
            return Err(PlanError::TornApart { one: name(leader), other: name(position) });
        }
    }
    match problem.exceeded(placements) {
        Some(Exceeded { resource, amount, most }) => Err(PlanError::Exceeded { resource, amount, most }),
        None => Ok(problem.cost(placements)),
    }
}

/// Why each method is where it is: what moving it alone, or its group, would change.
fn reasons(problem: &Problem, placements: &[Placement]) -> Vec<Why> {
    let objective = problem.objective();
    let vertex = |position: usize, placement| objective.measure(problem.vertices()[position].cost(placement));
    let measures = Moves::new(problem, placements, vertex, |_, edge| objective.measure(edge.cost()));
    let limits: Vec<(&Limit, u64, Moves)> = problem
        .limits()
        .iter()
        .map(|limit| {
            let vertex = |position: usize, placement| {
                limit.of_vertex(position, &problem.vertices()[position], placement)
            };
            let moves = Moves::new(problem, placements, vertex, |number, edge| limit.of_edge(number, edge));
            (limit, problem.amount(limit, placements), moves)
        })
        .collect();
    let past = |leader: usize| {
        limits.iter().find_map(|(limit, amount, moves)| {
            let after = (amount + moves.added[leader]).saturating_sub(moves.taken[leader]);
            let by = after.checked_sub(limit.most()).filter(|by| *by > 0)?;
            Some(Why::Exceeds { resource: limit.resource(), by: limit.resource().value_of(by) })
        })
    };
    let why = |position: usize| {
        let leader = problem.leader(position);
        if problem.pin(position).is_some() {
            return Why::Pinned;
        }
        let (more, less) = (measures.added[leader], measures.taken[leader]);
        match more.cmp(&less) {
            Ordering::Greater => Why::Saves(objective.value_of(more - less)),
            Ordering::Equal => past(leader).unwrap_or(Why::Even),
            Ordering::Less => past(leader).unwrap_or_else(|| Why::WouldSave(objective.value_of(less - more))),
        }
    };
    (0..placements.len()).map(why).collect()
}

/// What moving a group would add to a sum and take from it, by the group's leader.
struct Moves {
    added: Vec<u64>,
    taken: Vec<u64>,
}

impl Moves {
    fn new(
        problem: &Problem,
        placements: &[Placement],
        vertex: impl Fn(usize, Placement) -> u64,
        edge: impl Fn(usize, &Edge) -> u64,
    ) -> Self {
        let mut moves = Self { added: vec![0; placements.len()], taken: vec![0; placements.len()] };
        for (position, placement) in placements.iter().enumerate() {
            let leader = problem.leader(position);
            moves.added[leader] += vertex(position, placement.other());
            moves.taken[leader] += vertex(position, *placement);
        }
        for (number, (caller, callee, shipped)) in problem.edges().enumerate() {
            let (one, other) = (problem.leader(caller), problem.leader(callee));
            if one == other {
                continue;
            }
            let apart = placements[caller] != placements[callee];
            let sums = if apart { &mut moves.taken } else { &mut moves.added };
            sums[one] += edge(number, shipped);
            sums[other] += edge(number, shipped);
        }
        moves
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    use crate::Energy;
    use crate::problem::{Constraints, Shipping, TimeBound, Vertex};
    use Placement::{Device, Server};

    const MS: Duration = Duration::from_millis(1);

    /// A device-bound caller of a method that costs 50 mJ and 10 ms here, 0 and 2 ms there.
    fn caller_and_callee(shipping: Energy, objective: Objective) -> Problem {
        let caller = Vertex {
            local_time: MS,
            remote_time: MS,
            pin: Some(Device),
            ..Vertex::new(MethodIndex(0), "caller")
        };
        let callee = Vertex {
            local_energy: Energy::from_millijoules(50),
            local_time: MS * 10,
            remote_time: MS * 2,
            ..Vertex::new(MethodIndex(1), "callee")
        };
        let shipping = Shipping::fixed(shipping, MS * 10);
        let edge = Edge { caller: MethodIndex(0), callee: MethodIndex(1), shipping };
        Problem::new(vec![caller, callee], vec![edge], objective).unwrap()
    }

    fn why(shipping_millijoules: u64, placement: Placement, objective: Objective) -> Why {
        let problem = caller_and_callee(Energy::from_millijoules(shipping_millijoules), objective);
        Plan::new(&problem, &[Device, placement], Quality::Optimal).unwrap().choices()[1].why
    }

    #[test]
    fn a_plan_knows_its_problem() {
        let problem = caller_and_callee(Energy::from_millijoules(30), Objective::Energy);
        let plan = Plan::new(&problem, &[Device, Server], Quality::Optimal).unwrap();
        assert!(plan.is_of(&problem) && plan.is_of(&problem.clone().nameless()));
        assert!(!plan.is_of(&caller_and_callee(Energy::from_millijoules(31), Objective::Energy)));
        assert!(!plan.is_of(&problem.with_objective(Objective::Time).unwrap()));
        let other = Problem::new(vec![Vertex::new(MethodIndex(7), "other")], vec![], Objective::Energy);
        assert!(!plan.is_of(&other.unwrap()));
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
        let by = Value::Time(Duration::from_micros(1_450));
        assert_eq!(bounded, Why::Exceeds { resource: Resource::Time, by });
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
            "the run's time is 13ms under this placement, past the 12ms that are allowed"
        );
    }

    #[test]
    fn a_group_is_moved_as_one() {
        let millijoules = Energy::from_millijoules;
        let vertices = [(0, 20), (1, 30)].map(|(method, energy)| Vertex {
            local_energy: millijoules(energy),
            ..Vertex::new(MethodIndex(method), format!("method{method}"))
        });
        let shipping = Shipping::fixed(millijoules(100), MS);
        let edges = vec![Edge { caller: MethodIndex(0), callee: MethodIndex(1), shipping }];
        let together = vec![vec![MethodIndex(1), MethodIndex(0)]];
        let constraints = Constraints { together, ..Default::default() };
        let problem = Problem::constrained(vertices.to_vec(), edges, Objective::Energy, constraints).unwrap();
        let plan = Plan::new(&problem, &[Server; 2], Quality::Optimal).unwrap();
        assert!(plan.choices().iter().all(|choice| choice.why == Why::Saves(Value::Energy(millijoules(50)))));
        let apart = Plan::new(&problem, &[Device, Server], Quality::Optimal).unwrap_err();
        assert_eq!(apart.to_string(), "`method0` and `method1` go together but are placed apart");
    }
}
