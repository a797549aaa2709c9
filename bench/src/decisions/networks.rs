//! The networks that decisions are judged on: recorded ones where they are at hand, and generated ones.

use std::time::Duration;

use outboard_sim::Link;

use crate::experiment::Effort;
use crate::failure::Failure;
use crate::traces;

/// A network to decide on.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    /// Networks of one kind are judged together.
    pub(crate) family: String,
    pub(crate) name: String,
    pub(crate) link: Link,
    /// The device's radio on it, a built-in profile.
    pub(crate) radio: &'static str,
    /// How much of it is played.
    pub(crate) duration: Duration,
}

/// What links draw from: the order of their losses.
const SEED: u64 = 7;

/// Every network.
pub(crate) fn all(effort: Effort) -> Result<Vec<Network>, Failure> {
    let (seeds, most) = match effort {
        Effort::Full => (0..2, Duration::from_secs(1_500)),
        Effort::Quick => (0..1, Duration::from_secs(100)),
    };
    let mut networks = Vec::new();
    let mut add = |families: Vec<traces::Family>, kind: &str| -> Result<(), Failure> {
        for family in families {
            for traces::NamedTrace { name, trace, missing } in family.traces {
                let link = Link::recorded(&trace, &missing, SEED).map_err(Failure::of("a trace"))?;
                let duration = trace.duration().min(most);
                let radio = radio(family.name);
                let family = format!("{kind}{}", family.name);
                networks.push(Network { family, name, link, radio, duration });
            }
        }
        Ok(())
    };
    add(traces::generated(seeds, Duration::from_secs(900)), "generated ")?;
    let folder = traces::folder();
    if folder.is_dir() {
        add(traces::recorded(&folder)?, "")?;
    }
    Ok(networks)
}

/// By which radio a device is on networks of that family.
fn radio(family: &str) -> &'static str {
    let family = family.to_ascii_lowercase();
    let is = |names: &[&str]| names.iter().any(|name| family.contains(name));
    if is(&["lte"]) {
        "lte"
    } else if is(&["evdo", "hsdpa", "3g"]) {
        "3g"
    } else if is(&["5g"]) {
        "5g-low-band"
    } else {
        "wifi"
    }
}
