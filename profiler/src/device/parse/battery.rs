//! The `[battery]` section.

use outboard_core::Energy;

use super::Section;
use crate::device::{Figure, ProfileError};

/// Three hundred kilowatt-hours, or a million ampere-hours.
const MOST_JOULES: f64 = 1e9;
const MOST_JOULES_TEXT: &str = "a number from 0 to 1000000000";

pub(super) fn capacity(section: &Section<'_>) -> Result<Option<Figure<Energy>>, ProfileError> {
    section.only(&["capacity"])?;
    let Some(capacity) = section.section("capacity")? else { return Ok(None) };
    capacity.only(&["joules", "milliampere_hours", "quality", "source", "volts"])?;
    let joules = match capacity.number_up_to("joules", MOST_JOULES, MOST_JOULES_TEXT)? {
        Some(_) if capacity.table.contains_key("milliampere_hours") => {
            return Err(capacity.bad("joules", "left out where `milliampere_hours` is given"));
        }
        Some(joules) => joules,
        None => {
            let hours = capacity.number_up_to("milliampere_hours", MOST_JOULES, MOST_JOULES_TEXT)?;
            let hours = hours.ok_or_else(|| capacity.missing("joules"))?;
            // A milliampere-hour is 3.6 coulombs.
            hours * 3.6 * capacity.number("volts")?
        }
    };
    if joules > MOST_JOULES {
        return Err(capacity.bad("volts", "so low that the battery holds at most 1000000000 joules"));
    }
    let (quality, source) = capacity.origin()?;
    Ok(Some(Figure { value: Energy::from_microjoules((joules * 1e6).round() as u64), quality, source }))
}
