//! A problem file as it is written. The types are the file's fields, in its units; see the format in `cli/README.md`.

use std::fmt;
use std::marker::PhantomData;

use outboard_core::{Cost, Placement};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::figure::{Millionths, Thousandths, Whole};

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProblemFile {
    pub(super) objective: Option<Object<ObjectiveFields>>,
    pub(super) link: Option<Object<LinkFields>>,
    pub(super) methods: Vec<Object<MethodFields>>,
    #[serde(default)]
    pub(super) edges: Vec<Object<EdgeFields>>,
    #[serde(default)]
    pub(super) together: Vec<Vec<String>>,
    #[serde(default)]
    pub(super) latency: Vec<Object<LatencyFields>>,
    #[serde(default)]
    pub(super) memory: Vec<Object<MemoryFields>>,
}

/// What is minimised, and at most one bound.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ObjectiveFields {
    pub(super) minimise: Minimise,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) within_of_local: Option<Thousandths>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) within_milliseconds: Option<Thousandths>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) within_millijoules: Option<Thousandths>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) milliwatts: Option<Whole>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Minimise {
    Energy,
    Time,
    Weighted,
    BatteryLife,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LinkFields {
    pub(super) round_trip_milliseconds: Thousandths,
    pub(super) megabits_per_second: Millionths,
    pub(super) waiting_milliwatts: Thousandths,
    pub(super) transferring_milliwatts: Thousandths,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MethodFields {
    pub(super) name: String,
    pub(super) local_millijoules: Option<Thousandths>,
    pub(super) local_milliseconds: Option<Thousandths>,
    #[serde(default)]
    pub(super) remote_millijoules: Thousandths,
    pub(super) remote_milliseconds: Option<Thousandths>,
    pub(super) pin: Option<Placement>,
    #[serde(default)]
    pub(super) memory_bytes: Whole,
    pub(super) resident: Option<Object<ResidentFields>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResidentFields {
    pub(super) place: Placement,
    pub(super) millijoules: Option<Thousandths>,
    pub(super) milliseconds: Option<Thousandths>,
    pub(super) round_trips: Option<Object<CostFields>>,
    pub(super) payload: Option<Object<CostFields>>,
    pub(super) calls: Option<Whole>,
    pub(super) bytes: Option<Whole>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EdgeFields {
    pub(super) caller: String,
    pub(super) callee: String,
    pub(super) millijoules: Option<Thousandths>,
    pub(super) milliseconds: Option<Thousandths>,
    pub(super) round_trips: Option<Object<CostFields>>,
    pub(super) payload: Option<Object<CostFields>>,
    pub(super) calls: Option<Whole>,
    pub(super) bytes: Option<Whole>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CostFields {
    #[serde(default)]
    pub(super) millijoules: Thousandths,
    #[serde(default)]
    pub(super) milliseconds: Thousandths,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LatencyFields {
    pub(super) method: String,
    pub(super) most_milliseconds: Thousandths,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MemoryFields {
    pub(super) place: Placement,
    pub(super) most_bytes: Whole,
}

/// What shipping costs, of a call or of a resident state: the fields that both have.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShippingFields {
    pub(super) millijoules: Option<Thousandths>,
    pub(super) milliseconds: Option<Thousandths>,
    pub(super) round_trips: Option<Object<CostFields>>,
    pub(super) payload: Option<Object<CostFields>>,
    pub(super) calls: Option<Whole>,
    pub(super) bytes: Option<Whole>,
}

// Flattened fields would let unknown ones through.
impl EdgeFields {
    pub(super) fn shipping(&self) -> ShippingFields {
        let Self { millijoules, milliseconds, round_trips, payload, calls, bytes, .. } = *self;
        ShippingFields { millijoules, milliseconds, round_trips, payload, calls, bytes }
    }
}

impl ResidentFields {
    pub(super) fn shipping(&self) -> ShippingFields {
        let Self { millijoules, milliseconds, round_trips, payload, calls, bytes, .. } = *self;
        ShippingFields { millijoules, milliseconds, round_trips, payload, calls, bytes }
    }
}

/// Fields that are written as an object. Derived structs would be read from lists as well, by position.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(fields))
            }
        }

        deserializer.deserialize_map(Fields(PhantomData)).map(Object)
    }
}

impl CostFields {
    pub(super) fn cost(self) -> Cost {
        Cost { energy: self.millijoules.energy(), time: self.milliseconds.time() }
    }
}

impl From<Cost> for CostFields {
    fn from(cost: Cost) -> Self {
        Self { millijoules: cost.energy.into(), milliseconds: cost.time.into() }
    }
}
