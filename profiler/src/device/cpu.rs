//! What is known of the power of a device's processors.

use outboard_core::{Frequency, Power};

use super::Figure;

/// Power of the whole device by the state of its processors.
///
/// What lies between `idle` and `busy` can be told in two ways, by load and by frequency:
///
/// ```toml
/// [cpu]
/// cores = 8
/// idle = { watts = 0.3, quality = "measured", source = "a meter on the battery" }
/// speed = { steps_per_second = 100_000_000, quality = "measured", source = "outboard probe" }
/// levels = [
///     { utilisation = 0.0, watts = 0.3, quality = "measured", source = "a meter on the battery" },
///     { utilisation = 0.5, watts = 1.1, quality = "measured", source = "a meter on the battery" },
///     { utilisation = 1.0, watts = 4.2, quality = "measured", source = "a meter on the battery" },
/// ]
///
/// [[cpu.cluster]]
/// cores = 8
/// speeds = [
///     { megahertz = 600, watts = 0.1, quality = "modelled", source = "the maker's power profile" },
///     { megahertz = 1800, watts = 0.5, quality = "modelled", source = "the maker's power profile" },
/// ]
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct CpuProfile {
    /// How many cores share the difference between `idle` and `busy`.
    pub cores: Option<u16>,
    /// The whole device, idle, its radio associated and silent.
    pub idle: Option<Figure<Power>>,
    /// The whole device with every core busy.
    pub busy: Option<Figure<Power>>,
    /// How many steps of the reference loop one core runs in a second ([`reference_steps`](crate::reference_steps)).
    pub speed: Option<Figure<u64>>,
    /// The whole device at utilisations in between, in rising order; empty where only the two ends are known.
    pub levels: Vec<CpuLevel>,
    /// What is drawn besides as long as any core runs, whichever it is; a part of no cluster.
    pub active: Option<Figure<Power>>,
    /// Its cores by kind, with their power at each frequency; empty where that is not known.
    pub clusters: Vec<CpuCluster>,
}

/// The whole device at a utilisation.
#[derive(Clone, Debug, PartialEq)]
pub struct CpuLevel {
    /// The share of all processors in use, 0 to 1.
    pub utilisation: f64,
    /// What the whole device draws.
    pub power: Figure<Power>,
}

/// Cores of one kind, which run at one frequency.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct CpuCluster {
    /// How many there are.
    pub cores: u16,
    /// What is drawn besides as long as any core of this cluster runs.
    pub shared: Option<Figure<Power>>,
    /// Its frequencies, in rising order.
    pub speeds: Vec<CpuSpeed>,
}

/// A core at a frequency.
#[derive(Clone, Debug, PartialEq)]
pub struct CpuSpeed {
    /// The frequency.
    pub frequency: Frequency,
    /// What one core draws when busy, above being idle.
    pub core: Figure<Power>,
}

impl CpuCluster {
    /// A cluster of that many cores with these frequencies, in rising order.
    pub fn new(cores: u16, shared: Option<Figure<Power>>, speeds: Vec<CpuSpeed>) -> Self {
        Self { cores, shared, speeds }
    }
}
