//! A plan as JSON, in the units of the problem's file.

use outboard_core::{Choice, Condition, Flip, LinkPrice, Placement, Quality, Resource, Value, Why};
use serde::Serialize;

use super::figure::{Thousandths, Whole};
use super::format::{CostFields, ObjectiveFields};
use super::{Solved, Unknown};

#[derive(Debug, Serialize)]
struct PlanFields<'s> {
    objective: ObjectiveFields,
    value: ValueFields,
    all_local_value: ValueFields,
    cost: CostFields,
    all_local: CostFields,
    quality: &'static str,
    bound: ValueFields,
    gap: f64,
    methods: Vec<ChoiceFields<'s>>,
    outlooks: Vec<OutlookFields>,
}

/// A figure in one of three units.
#[derive(Clone, Copy, Debug, Default, Serialize)]
struct ValueFields {
    #[serde(skip_serializing_if = "Option::is_none")]
    millijoules: Option<Thousandths>,
    #[serde(skip_serializing_if = "Option::is_none")]
    milliseconds: Option<Thousandths>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<Whole>,
}

#[derive(Debug, Serialize)]
struct ChoiceFields<'s> {
    name: &'s str,
    place: Placement,
    why: WhyFields<'s>,
    flips: Vec<FlipFields>,
}

#[derive(Debug, Default, Serialize)]
struct WhyFields<'s> {
    reason: &'static str,
    #[serde(flatten)]
    value: ValueFields,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit_of: Option<&'s str>,
}

#[derive(Debug, Serialize)]
struct FlipFields {
    condition: Condition,
    factor: f64,
    to: Placement,
    #[serde(skip_serializing_if = "Option::is_none")]
    megabits_per_second: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    milliseconds: Option<f64>,
}

#[derive(Debug, Default, Serialize)]
struct OutlookFields {
    condition: Option<Condition>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown: Option<String>,
}

/// The plan with all that is known of it, as `cli/README.md` describes it.
pub(super) fn json(solved: &Solved) -> String {
    let plan = &solved.plan;
    let quality = match plan.quality() {
        Quality::Optimal => "optimal",
        Quality::GapLimit { .. } => "gap_limit",
        Quality::TimeLimit { .. } => "time_limit",
        Quality::Unproven { .. } => "unproven",
    };
    let fields = PlanFields {
        objective: plan.objective().into(),
        value: plan.value().into(),
        all_local_value: plan.all_local_value().into(),
        cost: plan.cost().into(),
        all_local: plan.all_local().into(),
        quality,
        bound: plan.quality().bound().unwrap_or_else(|| plan.value()).into(),
        gap: plan.gap(),
        methods: plan.choices().iter().map(|choice| method(solved, choice)).collect(),
        outlooks: outlooks(solved),
    };
    let mut text = serde_json::to_string_pretty(&fields).expect("its keys are strings, its floats finite");
    text.push('\n');
    text
}

fn method<'s>(solved: &'s Solved, choice: &'s Choice) -> ChoiceFields<'s> {
    // As the explanation: an outlook may have begun from another placement that is as good.
    let flips = solved.plan.flips(choice.method).filter(|flip| flip.to != choice.placement);
    let flips = flips.map(|flip| fields(flip, solved.link.as_ref()));
    ChoiceFields {
        name: &choice.name,
        place: choice.placement,
        why: why(solved, choice.why),
        flips: flips.collect(),
    }
}

fn why(solved: &Solved, why: Why) -> WhyFields<'_> {
    let saying = |reason, value: Value| WhyFields { reason, value: value.into(), ..Default::default() };
    match why {
        Why::Pinned => WhyFields { reason: "pinned", ..Default::default() },
        Why::Even => WhyFields { reason: "even", ..Default::default() },
        Why::Saves(value) => saying("saves", value),
        Why::WouldSave(value) => saying("would_save", value),
        Why::Exceeds { resource, by } => {
            let (limit, limit_of) = match resource {
                Resource::Time => ("time", None),
                Resource::Energy => ("energy", None),
                Resource::Latency(method) => {
                    ("latency", solved.plan.choice(method).map(|limited| limited.name.as_str()))
                }
                Resource::Memory(Placement::Device) => ("memory", Some("device")),
                Resource::Memory(Placement::Server) => ("memory", Some("server")),
            };
            WhyFields { limit: Some(limit), limit_of, ..saying("exceeds", by) }
        }
    }
}

fn fields(flip: Flip, link: Option<&LinkPrice>) -> FlipFields {
    let (mut megabits_per_second, mut milliseconds) = (None, None);
    match (flip.condition, link) {
        (Condition::Bandwidth, Some(link)) => {
            let now = link.bandwidth.as_bits_per_second() as f64 / 1e6;
            megabits_per_second = Some(rounded(now * flip.factor));
        }
        (Condition::RoundTrip, Some(link)) => {
            milliseconds = Some(rounded(link.round_trip.as_secs_f64() * 1e3 * flip.factor));
        }
        _ => {}
    }
    let factor = rounded(flip.factor);
    FlipFields { condition: flip.condition, factor, to: flip.to, megabits_per_second, milliseconds }
}

fn outlooks(solved: &Solved) -> Vec<OutlookFields> {
    let known = |condition| {
        let (from, until) = solved.plan.outlook(condition)?.range();
        Some(OutlookFields {
            condition: Some(condition),
            from: Some(from),
            until: Some(until),
            ..Default::default()
        })
    };
    let unknown = solved.unknown.iter().map(|Unknown { condition, why }| OutlookFields {
        condition: Some(*condition),
        unknown: Some(why.clone()),
        ..Default::default()
    });
    Condition::ALL.into_iter().filter_map(known).chain(unknown).collect()
}

/// To four significant digits: more are not known of flip points.
fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

impl From<Value> for ValueFields {
    fn from(value: Value) -> Self {
        match value {
            Value::Energy(energy) => Self { millijoules: Some(energy.into()), ..Self::default() },
            Value::Time(time) => Self { milliseconds: Some(time.into()), ..Self::default() },
            Value::Memory(bytes) => Self { bytes: Some(bytes.as_bytes().into()), ..Self::default() },
        }
    }
}
