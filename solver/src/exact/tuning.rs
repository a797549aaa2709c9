//! Where the search changes from one way to another. Answers do not depend on it, only how soon they come.
//!
//! Measured in steps over random call graphs (trees, layers, recursion) with heavy-tailed costs, with costs that follow
//! the row's, and with subset sums. Four times as much listing costs the first up to a tenth, and subset sums twice as
//! much; a quarter of it gains little. How narrow the narrowest search is hardly matters.

/// Limits that were chosen by measuring.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tuning {
    /// How many vertices the narrowest search leaves undecided.
    pub(super) narrowest: usize,
    /// The most vertices of a part whose choices are listed; 64 at most, a bit each.
    pub(super) part: usize,
    /// The steps that listing a core's choices may take. Where that is not enough it is better to branch, which leaves
    /// less to list.
    pub(super) listing: u64,
    /// How many more steps it may take per vertex.
    pub(super) listing_per_vertex: u64,
    /// How many vertices and edges may wait in order of promise: about a hundred megabytes.
    pub(super) waiting: usize,
}

impl Default for Tuning {
    fn default() -> Self {
        Self { narrowest: 24, part: 64, listing: 1 << 12, listing_per_vertex: 24, waiting: 1 << 22 }
    }
}
