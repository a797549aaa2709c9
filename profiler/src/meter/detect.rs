//! Which meter a machine has.

use std::fmt;
use std::path::Path;

use super::{Hwmon, MeterError, PowerMeter, PowerSupply, Rapl};

/// What was looked for, and the best of what was found.
pub struct Detection {
    /// The meter that sees most of the device, if there is any.
    pub meter: Option<Box<dyn PowerMeter>>,
    /// Everything that was looked for, in order.
    pub looked_for: Vec<LookedFor>,
}

/// One kind of meter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookedFor {
    /// What it is.
    pub what: &'static str,
    /// Where its figures come from, or why it is of no use.
    pub found: Result<String, MeterError>,
}

/// Looks for meters below a root, `/sys` on a real machine.
///
/// Whatever sees the whole device is preferred, and of these what is read more often: a rail by which the board is
/// fed, then the battery, which many drivers read every few seconds only. Then come the counters of the processors.
pub fn detect(root: &Path) -> Detection {
    let mut detection = Detection { meter: None, looked_for: Vec::new() };
    detection.look("a chip on the supply rail (hwmon)", Hwmon::open(root));
    detection.look("a discharging battery (power_supply)", PowerSupply::open(root));
    detection.look("the processors' energy counters (powercap)", Rapl::open(root));
    detection
}

impl Detection {
    fn look(&mut self, what: &'static str, meter: Result<impl PowerMeter + 'static, MeterError>) {
        let found = meter.map(|meter| {
            let source = meter.label().source.clone();
            self.meter.get_or_insert_with(|| Box::new(meter));
            source
        });
        self.looked_for.push(LookedFor { what, found });
    }
}

impl fmt::Debug for Detection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let meter = self.meter.as_ref().map(|meter| meter.label());
        f.debug_struct("Detection").field("meter", &meter).field("looked_for", &self.looked_for).finish()
    }
}

impl fmt::Display for LookedFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.found {
            Ok(source) => write!(f, "{}: {source}", self.what),
            Err(error) => write!(f, "{}: {error}", self.what),
        }
    }
}
