//! Objectives as fields of a file and as an option's value.

use outboard_core::{EnergyBound, Objective, Power, TimeBound};

use super::error::ObjectiveError;
use super::figure::{Thousandths, Whole};
use super::format::{Minimise, ObjectiveFields};

impl ObjectiveFields {
    fn of(minimise: Minimise) -> Self {
        let (within_of_local, within_milliseconds, within_millijoules) = (None, None, None);
        Self { minimise, within_of_local, within_milliseconds, within_millijoules, milliwatts: None }
    }

    /// The objective that the fields stand for.
    pub(super) fn resolve(self) -> Result<Objective, ObjectiveError> {
        let Self { minimise, within_of_local, within_milliseconds, within_millijoules, milliwatts } = self;
        let bounds = [within_of_local, within_milliseconds, within_millijoules];
        let bounds = bounds.iter().flatten().count();
        if bounds > 1 {
            return Err(ObjectiveError::SeveralBounds);
        }
        let share = within_of_local.map(|share| share.thousandths().ok_or(ObjectiveError::Factor));
        let share = share.transpose()?;
        match minimise {
            Minimise::Weighted | Minimise::BatteryLife if bounds > 0 => Err(ObjectiveError::BoundedWeight),
            Minimise::Weighted | Minimise::BatteryLife => {
                let power = milliwatts.ok_or(ObjectiveError::NoPower)?;
                Ok(Objective::Weighted { rate: Power::from_milliwatts(power.parts()) })
            }
            _ if milliwatts.is_some() => Err(ObjectiveError::UnweightedPower),
            Minimise::Energy if within_millijoules.is_some() => Err(ObjectiveError::EnergyByEnergy),
            Minimise::Time if within_milliseconds.is_some() => Err(ObjectiveError::TimeByTime),
            Minimise::Energy => {
                let share = share.map(|thousandths| TimeBound::OfLocal { thousandths });
                let bound =
                    share.or_else(|| within_milliseconds.map(|most| TimeBound::Absolute(most.time())));
                Ok(bound.map_or(Objective::Energy, Objective::EnergyWithin))
            }
            Minimise::Time => {
                let share = share.map(|thousandths| EnergyBound::OfLocal { thousandths });
                let bound =
                    share.or_else(|| within_millijoules.map(|most| EnergyBound::Absolute(most.energy())));
                Ok(bound.map_or(Objective::Time, Objective::TimeWithin))
            }
        }
    }
}

impl From<Objective> for ObjectiveFields {
    fn from(objective: Objective) -> Self {
        let (energy, time) = (Self::of(Minimise::Energy), Self::of(Minimise::Time));
        let share = |thousandths: u32| Some(Thousandths::from(u64::from(thousandths)));
        match objective {
            Objective::Energy => energy,
            Objective::Time => time,
            Objective::Weighted { rate } => {
                let milliwatts = Some(Whole::from(rate.as_microwatts() / 1_000));
                Self { milliwatts, ..Self::of(Minimise::Weighted) }
            }
            Objective::EnergyWithin(TimeBound::OfLocal { thousandths }) => {
                Self { within_of_local: share(thousandths), ..energy }
            }
            Objective::EnergyWithin(TimeBound::Absolute(most)) => {
                Self { within_milliseconds: Some(most.into()), ..energy }
            }
            Objective::TimeWithin(EnergyBound::OfLocal { thousandths }) => {
                Self { within_of_local: share(thousandths), ..time }
            }
            Objective::TimeWithin(EnergyBound::Absolute(most)) => {
                Self { within_millijoules: Some(most.into()), ..time }
            }
        }
    }
}

/// Reads an objective in one word: `energy`, `time`, `energy-within=1.05`, `energy-within=200ms`, `time-within=0.8`,
/// `time-within=90mJ`, `weighted=500mW`, `battery-life=500mW`.
pub(crate) fn parse(word: &str) -> Option<Objective> {
    let (minimise, bound) = word.split_once('=').map_or((word, None), |(word, bound)| (word, Some(bound)));
    let in_unit = |unit| Thousandths::of(bound?.strip_suffix(unit)?.parse().ok()?).ok();
    let share = || Thousandths::of(bound?.parse().ok()?).ok();
    let power = || Whole::of(bound?.strip_suffix("mW")?.parse().ok()?).ok();
    let (energy, time) = (ObjectiveFields::of(Minimise::Energy), ObjectiveFields::of(Minimise::Time));
    let fields = match (minimise, bound) {
        ("energy", None) => energy,
        ("time", None) => time,
        ("energy-within", Some(_)) => {
            ObjectiveFields { within_milliseconds: in_unit("ms"), within_of_local: share(), ..energy }
        }
        ("time-within", Some(_)) => {
            ObjectiveFields { within_millijoules: in_unit("mJ"), within_of_local: share(), ..time }
        }
        ("weighted" | "battery-life", Some(_)) => {
            ObjectiveFields { milliwatts: power(), ..ObjectiveFields::of(Minimise::Weighted) }
        }
        _ => return None,
    };
    let objective = fields.resolve().ok()?;
    // A bound that could not be read would leave the objective without one.
    let bounded = bound.is_some() == !matches!(objective, Objective::Energy | Objective::Time);
    bounded.then_some(objective)
}
