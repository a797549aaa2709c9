//! What is wrong with a problem, and where.

use thiserror::Error;

use super::Problem;
use crate::MethodIndex;

/// What is wrong with a problem, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProblemError {
    /// A method has two vertices.
    #[error("method {method} (`{name}`) has more than one vertex: add its figures up")]
    Duplicate {
        /// The method.
        method: MethodIndex,
        /// Its name.
        name: String,
    },
    /// An edge names a method that has no vertex.
    #[error("an edge between {method} and {other} names {method}, which has no vertex: add one")]
    UnknownMethod {
        /// The method without a vertex.
        method: MethodIndex,
        /// The other end of the edge.
        other: MethodIndex,
    },
    /// A constraint names a method that has no vertex.
    #[error("{place} names {method}, which has no vertex: add one, or leave it out")]
    UnknownConstrained {
        /// The constraint.
        place: &'static str,
        /// The method without a vertex.
        method: MethodIndex,
    },
    /// Methods that go together are pinned apart.
    #[error("`{one}` and `{other}` go together but are pinned to different places: drop one of the pins")]
    Contradiction {
        /// A method pinned to the device.
        one: String,
        /// A method pinned to the server.
        other: String,
    },
    /// A problem that is read has more of something than is taken.
    #[error("{count} {figure} are more than the {most} that are taken")]
    TooMany {
        /// Of what.
        figure: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        most: usize,
    },
    /// Figures are past what a measured run can have; a link without bandwidth, for example, takes forever.
    #[error(
        "the {figure} of `{place}` takes the sum past {} µJ, µs or bytes: leave out what cannot happen",
        Problem::LARGEST_SUM
    )]
    TooLarge {
        /// Which figure.
        figure: &'static str,
        /// The method, or caller and callee.
        place: String,
    },
}
