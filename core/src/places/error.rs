//! What is wrong with a problem over several places, and where.

use thiserror::Error;

use super::PlacesProblem;
use crate::{MethodIndex, PlaceIndex};

/// What is wrong with a problem over several places, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PlacesError {
    /// There is nothing to choose, or more than fits.
    #[error("{count} places were given: name the device and 1 to {} more", PlacesProblem::MOST_PLACES - 1)]
    PlaceCount {
        /// How many places there are.
        count: usize,
    },
    /// A tree names too few parents, or too many.
    #[error("a tree of {places} places was given {given} parents: name one for each but the device")]
    ParentCount {
        /// How many places there are.
        places: usize,
        /// How many parents there are.
        given: usize,
    },
    /// A place is behind one that comes after it, or itself.
    #[error(
        "{place} is behind {parent}, which does not come before it: put what is nearer to the device first"
    )]
    Parent {
        /// The place.
        place: PlaceIndex,
        /// What it is said to be behind.
        parent: PlaceIndex,
    },
    /// A method has two vertices.
    #[error("method {method} (`{name}`) has more than one vertex: add its figures up")]
    Duplicate {
        /// The method.
        method: MethodIndex,
        /// Its name.
        name: String,
    },
    /// A method has too few costs, or too many.
    #[error("`{name}` has {given} costs: name one for each of the {wanted} places")]
    Costs {
        /// The method's name.
        name: String,
        /// How many it has.
        given: usize,
        /// How many places there are.
        wanted: usize,
    },
    /// A method is pinned to a place that is not there.
    #[error("`{name}` is pinned to {pin}, but there are {places} places only")]
    Pin {
        /// The method's name.
        name: String,
        /// Where it is pinned.
        pin: PlaceIndex,
        /// How many places there are.
        places: usize,
    },
    /// An edge names a method that has no vertex.
    #[error("an edge between {method} and {other} names {method}, which has no vertex: add one")]
    UnknownMethod {
        /// The method without a vertex.
        method: MethodIndex,
        /// The other end of the edge.
        other: MethodIndex,
    },
    /// An edge has too few costs, or too many.
    #[error("the edge from {caller} to {callee} has {given} costs: name one for each of the {wanted} links")]
    Links {
        /// Who calls.
        caller: MethodIndex,
        /// Who is called.
        callee: MethodIndex,
        /// How many it has.
        given: usize,
        /// How many links there are.
        wanted: usize,
    },
    /// Figures are past what a measured run can have; a link without bandwidth, for example, takes forever.
    #[error(
        "the costs of `{place}` take the sum past {} µJ or µs: leave out what cannot happen",
        PlacesProblem::LARGEST_SUM
    )]
    TooLarge {
        /// The method, or caller and callee.
        place: String,
    },
}
