//! A plan over several places: where every method runs, what that is worth, and how sure that is.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::PlacesProblem;
use crate::plan::Quality;
use crate::problem::{Cost, Exceeded, Objective, Resource, Value};
use crate::{MethodIndex, PlaceIndex};

/// A method's part of a plan over several places.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacesChoice {
    /// Which method.
    pub method: MethodIndex,
    /// Its name.
    pub name: String,
    /// Where it runs.
    pub place: PlaceIndex,
}

/// A place for every method of a problem, checked against it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlacesPlan {
    objective: Objective,
    choices: Vec<PlacesChoice>,
    cost: Cost,
    all_local: Cost,
    quality: Quality,
}

impl PlacesPlan {
    /// Makes a plan of a placement, one entry per position, after checking it against the problem in integers.
    ///
    /// # Errors
    /// A placement of another length, one that names a place that is not there, moves a pinned method, or passes the limit.
    pub fn new(
        problem: &PlacesProblem,
        placements: &[PlaceIndex],
        quality: Quality,
    ) -> Result<Self, PlacesPlanError> {
        let (given, wanted) = (placements.len(), problem.vertices().len());
        if given != wanted {
            return Err(PlacesPlanError::Length { given, wanted });
        }
        for (vertex, placed) in problem.vertices().iter().zip(placements) {
            let (name, placed, places) = (&vertex.name, *placed, problem.place_count());
            if usize::from(placed.0) >= places {
                return Err(PlacesPlanError::Place { name: name.clone(), placed, places });
            }
            if let Some(pin) = vertex.pin.filter(|pin| *pin != placed) {
                return Err(PlacesPlanError::Pin { name: name.clone(), placed, pin });
            }
        }
        if let Some(Exceeded { resource, amount, most }) = problem.exceeded(placements) {
            return Err(PlacesPlanError::Exceeded { resource, amount, most });
        }
        let choices = problem.vertices().iter().zip(placements).map(|(vertex, place)| PlacesChoice {
            method: vertex.method,
            name: vertex.name.clone(),
            place: *place,
        });
        Ok(Self {
            objective: problem.objective(),
            choices: choices.collect(),
            cost: problem.cost(placements),
            all_local: problem.cost(&problem.all_local()),
            quality,
        })
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

    /// Where a method runs; `None` if the plan does not know it.
    pub fn place(&self, method: MethodIndex) -> Option<PlaceIndex> {
        let position = self.choices.binary_search_by_key(&method, |choice| choice.method).ok()?;
        Some(self.choices[position].place)
    }

    /// Every method's part, by method.
    pub fn choices(&self) -> &[PlacesChoice] {
        &self.choices
    }

    /// Where every method runs, by position.
    pub fn placements(&self) -> Vec<PlaceIndex> {
        self.choices.iter().map(|choice| choice.place).collect()
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

    /// Whether any method leaves the device.
    pub fn offloads(&self) -> bool {
        self.choices.iter().any(|choice| choice.place != PlaceIndex::DEVICE)
    }
}

/// Why a placement is no plan for a problem over several places.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PlacesPlanError {
    /// There must be one placement per method.
    #[error("{given} placements were given for {wanted} methods")]
    Length {
        /// How many were given.
        given: usize,
        /// How many methods there are.
        wanted: usize,
    },
    /// A method was put where nothing is.
    #[error("`{name}` is at {placed}, but there are {places} places only")]
    Place {
        /// The method's name.
        name: String,
        /// Where it was placed.
        placed: PlaceIndex,
        /// How many places there are.
        places: usize,
    },
    /// A pinned method was moved.
    #[error("`{name}` is at {placed} but pinned to {pin}")]
    Pin {
        /// The method's name.
        name: String,
        /// Where it was placed.
        placed: PlaceIndex,
        /// Where it belongs.
        pin: PlaceIndex,
    },
    /// The limit does not hold.
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
