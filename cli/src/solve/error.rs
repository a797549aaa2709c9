//! What is wrong with a problem file, and where.

use outboard_core::{Placement, ProblemError};
use thiserror::Error;

/// What is wrong with a problem file, and where: a path like `edges[3].callee`, counted from 0.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub(crate) enum ProblemFileError {
    /// It is no JSON, or not of the format's shape.
    #[error("line {line}, column {column}: {place}{message}")]
    Json {
        /// With a colon, or empty where it is the whole file.
        place: String,
        message: String,
        line: usize,
        column: usize,
    },
    #[error("{place}: give at most {most}, there are {given}")]
    TooMany { place: &'static str, given: usize, most: usize },
    #[error("{place}: {name:?} is no name: give one or more characters, none of which controls a terminal")]
    Name { place: String, name: String },
    #[error("{place}: `{name}` is {first} already: {todo}")]
    Repeated { place: String, name: String, first: String, todo: &'static str },
    #[error("{place}: no method is called {name:?}: add it to the methods, or correct the name")]
    UnknownMethod { place: String, name: String },
    #[error(
        "{place}: `{name}` may run on the {may} but has no {missing}: give it, or pin the method to the {}", may.other()
    )]
    NoFigure { place: String, name: String, may: Placement, missing: &'static str },
    #[error("{place}: {wrong}: {todo}")]
    Shipping { place: String, wrong: &'static str, todo: &'static str },
    #[error("{place}: a link without bandwidth carries nothing: give more than 0")]
    NoBandwidth { place: &'static str },
    #[error("objective: {0}")]
    Objective(#[from] ObjectiveError),
    /// What only shows once figures, groups and pins are put together.
    #[error(transparent)]
    Problem(#[from] ProblemError),
}

/// Why fields or words make no objective.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub(crate) enum ObjectiveError {
    #[error(
        "there are several bounds: give one of within_of_local, within_milliseconds and within_millijoules"
    )]
    SeveralBounds,
    #[error("energy is bounded by time: give within_milliseconds or within_of_local")]
    EnergyByEnergy,
    #[error("time is bounded by energy: give within_millijoules or within_of_local")]
    TimeByTime,
    #[error("a weighted objective has no bound: drop it, or minimise energy or time")]
    BoundedWeight,
    #[error("energy or time alone has no milliwatts: drop them, or minimise weighted or battery_life")]
    UnweightedPower,
    #[error("what a second is worth is missing: give milliwatts")]
    NoPower,
    #[error("within_of_local is past any factor: give 4294967 at most")]
    Factor,
}
