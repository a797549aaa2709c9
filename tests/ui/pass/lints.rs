//! Generated code passes the lints of a strict user.
#![deny(
    warnings,
    unused,
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    single_use_lifetimes,
    deprecated
)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery, clippy::allow_attributes_without_reason)]
#![forbid(unsafe_code)]

use outboard::{State, remoteable};
use serde::{Deserialize, Serialize};

/// A counter.
#[derive(Debug, State, Serialize, Deserialize)]
pub struct Counter {
    count: u32,
    names: Vec<String>,
}

#[remoteable]
impl Counter {
    /// A counter at zero.
    #[outboard::local]
    #[must_use]
    pub const fn new() -> Self {
        Self { count: 0, names: Vec::new() }
    }

    /// Counts.
    pub fn count(&mut self, by: u32) {
        self.count += by;
    }

    /// Counts, later.
    ///
    /// # Errors
    /// When there is too much.
    pub async fn count_later(&mut self, by: u32) -> Result<u32, String> {
        std::future::ready(()).await;
        self.count = self.count.checked_add(by).ok_or_else(|| "too much".to_owned())?;
        Ok(self.count)
    }

    /// Both.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        let Self { count, names } = other;
        self.count += count;
        self.names.extend(names);
        self
    }

    /// Shows it.
    #[outboard::device]
    pub fn show(&self, _place: &str) {}
}

impl Default for Counter {
    fn default() -> Self {
        Self::new()
    }
}

/// Patterns.
#[remoteable(work = height)]
#[must_use]
pub fn area((x, y): (u32, u32), height: u32, _: u8) -> u32 {
    x * y * height
}

/// An early return and a question mark.
#[remoteable]
#[must_use]
pub fn half(n: u32) -> Option<u32> {
    let less = n.checked_sub(1)?;
    if less > 3 {
        return None;
    }
    Some(less)
}

/// Not used by anybody.
#[remoteable]
#[expect(unused_variables, reason = "to show that the expectation is met once")]
pub fn expected(n: u32) {}

/// Left behind.
#[remoteable]
#[deprecated = "use `half`"]
#[must_use]
pub fn third(n: u32) -> u32 {
    n / 3
}

/// Changes what it is given.
#[remoteable]
pub fn change(all: &mut [u32], maybe: Option<&mut u32>) {
    if let (Some(first), Some(maybe)) = (all.first_mut(), maybe) {
        std::mem::swap(first, maybe);
    }
}

/// At most once.
///
/// # Errors
/// When the call may have run.
#[remoteable(once)]
pub fn pay(amount: u32) -> Result<u32, outboard::CallError> {
    Ok(amount)
}

/// With a stand-in.
#[remoteable(remote_only, fallback = half)]
#[must_use]
pub fn half_exactly(n: u32) -> Option<u32> {
    n.checked_div(2)
}

/// Runs.
///
/// # Panics
/// When a call gives something else than it should.
pub fn main() {
    let mut counter = Counter::new().merge(Counter::default());
    counter.count(1);
    counter.show("here");
    assert_eq!(counter.count, 1);
}
