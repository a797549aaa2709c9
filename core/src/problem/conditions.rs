//! The same problem on another link, beside another server, with more work.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Problem, ProblemError, Shipping};

/// Something outside of the program that its best placement depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// Bytes per time, both ways.
    Bandwidth,
    /// The time of an exchange without payload.
    RoundTrip,
    /// How fast the server is.
    ServerSpeed,
    /// How much there is to do in each call; what is shipped stays.
    Work,
}

impl Condition {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Bandwidth, Self::RoundTrip, Self::ServerSpeed, Self::Work];
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Bandwidth => "bandwidth",
            Self::RoundTrip => "round trip",
            Self::ServerSpeed => "server speed",
            Self::Work => "work",
        })
    }
}

/// How conditions differ from those that a problem was made for: factors, 1 each by default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conditions {
    /// Times as many bytes per time.
    pub bandwidth: f64,
    /// Times as long a round trip.
    pub round_trip: f64,
    /// Times as fast a server.
    pub server_speed: f64,
    /// Times as much work.
    pub work: f64,
}

impl Default for Conditions {
    fn default() -> Self {
        Self { bandwidth: 1.0, round_trip: 1.0, server_speed: 1.0, work: 1.0 }
    }
}

impl Conditions {
    /// One of them differs by a factor.
    pub fn but(condition: Condition, factor: f64) -> Self {
        let mut conditions = Self::default();
        match condition {
            Condition::Bandwidth => conditions.bandwidth = factor,
            Condition::RoundTrip => conditions.round_trip = factor,
            Condition::ServerSpeed => conditions.server_speed = factor,
            Condition::Work => conditions.work = factor,
        }
        conditions
    }
}

impl Problem {
    /// The problem under other conditions: what bytes cost is divided by the bandwidth's factor, what round trips cost
    /// multiplied by theirs, what the server does divided by its speed's, and what runs multiplied by the work's.
    ///
    /// # Errors
    /// Figures so large that their sum has no meaning, as on a link without bandwidth.
    pub fn under(&self, conditions: &Conditions) -> Result<Self, ProblemError> {
        let mut changed = self.clone();
        for vertex in &mut changed.vertices {
            let (local, remote) = (conditions.work, conditions.work / conditions.server_speed);
            vertex.local_energy = vertex.local_energy.scaled(local);
            vertex.remote_energy = vertex.remote_energy.scaled(remote);
            vertex.local_time = super::scaled(vertex.local_time, local);
            vertex.remote_time = super::scaled(vertex.remote_time, remote);
            if let Some(resident) = &mut vertex.resident {
                resident.fetch = resident.fetch.under(conditions);
            }
        }
        for edge in &mut changed.edges {
            edge.shipping = edge.shipping.under(conditions);
        }
        changed.check_sums()?;
        changed.limit();
        Ok(changed)
    }
}

impl Shipping {
    fn under(self, conditions: &Conditions) -> Self {
        Self {
            fixed: self.fixed,
            round_trips: self.round_trips.scaled(conditions.round_trip),
            payload: self.payload.scaled(1.0 / conditions.bandwidth),
        }
    }
}
