//! A problem file's text to a problem.

use std::collections::BTreeMap;

use outboard_core::{
    Constraints, Edge, LatencyBound, LinkPrice, MemoryLimit, MethodIndex, Objective, Placement, Problem,
    Resident, Shipping, Vertex,
};

use super::error::ProblemFileError;
use super::figure::Thousandths;
use super::format::{CostFields, EdgeFields, LinkFields, MethodFields, Object, ProblemFile, ShippingFields};

/// A problem, and the link that it was priced for where the file names one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Posed {
    pub(super) problem: Problem,
    pub(super) link: Option<LinkPrice>,
}

/// More have never been solved.
const MOST_METHODS: usize = 200_000;
const MOST_EDGES: usize = 1_000_000;
/// Each is a look at the whole graph.
const MOST_BOUNDS: usize = 100;

/// Reads a problem file.
pub(super) fn parse(text: &str) -> Result<Posed, ProblemFileError> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let Object(file): Object<ProblemFile> = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| malformed(&error.path().to_string(), error.inner()))?;
    deserializer.end().map_err(|error| malformed(".", &error))?;
    pose(&file)
}

/// An error of the JSON reader, without the place that it ends in.
fn malformed(path: &str, error: &serde_json::Error) -> ProblemFileError {
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    let message = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text);
    let message = match message {
        "number out of range" => "the number is past all that can be counted: give a smaller one".to_owned(),
        "expected value" => "this is no value of JSON, as NaN and infinities are not: give one".to_owned(),
        "trailing characters" => "something follows the problem: drop it".to_owned(),
        _ if error.is_eof() => "the file ends within the problem: add what was cut off".to_owned(),
        _ if message.starts_with("missing field") => format!("{message}: add it"),
        _ if message.starts_with("duplicate field") => format!("{message}: give it once"),
        other => other.to_owned(),
    };
    let place = if path == "." { String::new() } else { format!("{path}: ") };
    ProblemFileError::Json { place: printable(&place), message: printable(&message), line, column }
}

/// Names of fields are the file's own, and could move a terminal's cursor.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

fn pose(file: &ProblemFile) -> Result<Posed, ProblemFileError> {
    for (place, given, most) in [
        ("methods", file.methods.len(), MOST_METHODS),
        ("edges", file.edges.len(), MOST_EDGES),
        ("latency", file.latency.len(), MOST_BOUNDS),
    ] {
        if given > most {
            return Err(ProblemFileError::TooMany { place, given, most });
        }
    }
    let link = file.link.as_ref().map(|fields| link(&fields.0)).transpose()?;
    let names = Names::of(&file.methods)?;
    let vertices: Result<_, _> = file
        .methods
        .iter()
        .enumerate()
        .map(|(number, method)| vertex(number, &method.0, link.as_ref()))
        .collect();
    let objective =
        file.objective.map(|fields| fields.0.resolve()).transpose()?.unwrap_or_else(Objective::default);
    let problem = Problem::constrained(
        vertices?,
        edges(file, &names, link.as_ref())?,
        objective,
        constraints(file, &names)?,
    )?;
    Ok(Posed { problem, link })
}

fn link(fields: &LinkFields) -> Result<LinkPrice, ProblemFileError> {
    if fields.megabits_per_second.parts() == 0 {
        return Err(ProblemFileError::NoBandwidth { place: "link.megabits_per_second" });
    }
    Ok(LinkPrice {
        round_trip: fields.round_trip_milliseconds.time(),
        bandwidth: fields.megabits_per_second.bandwidth(),
        waiting: fields.waiting_milliwatts.power(),
        transferring: fields.transferring_milliwatts.power(),
    })
}

/// The methods by name. A method's index is its place in the file.
struct Names<'f>(BTreeMap<&'f str, usize>);

impl<'f> Names<'f> {
    fn of(methods: &'f [Object<MethodFields>]) -> Result<Self, ProblemFileError> {
        let mut names = BTreeMap::new();
        for (number, Object(method)) in methods.iter().enumerate() {
            let (place, name) = (format!("methods[{number}].name"), method.name.as_str());
            if name.trim().is_empty() || name.chars().any(char::is_control) {
                return Err(ProblemFileError::Name { place, name: name.to_owned() });
            }
            if let Some(first) = names.insert(name, number) {
                let todo = "give every method a name of its own, or add the figures of one up";
                return Err(repeated(place, name, format!("the name of methods[{first}]"), todo));
            }
        }
        Ok(Self(names))
    }

    /// A method by its name; `place` is where it is named.
    fn find(&self, name: &str, place: impl FnOnce() -> String) -> Result<MethodIndex, ProblemFileError> {
        match self.0.get(name) {
            Some(number) => Ok(index(*number)),
            None => Err(ProblemFileError::UnknownMethod { place: place(), name: name.to_owned() }),
        }
    }
}

fn index(number: usize) -> MethodIndex {
    MethodIndex(u32::try_from(number).expect("there are fewer methods"))
}

fn vertex(
    number: usize,
    fields: &MethodFields,
    link: Option<&LinkPrice>,
) -> Result<Vertex, ProblemFileError> {
    let figure = |figure: Option<_>, may: Placement, missing| match figure {
        Some(figure) => Ok(figure),
        None if fields.pin == Some(may.other()) => Ok(Thousandths::default()),
        None => {
            let (place, name) = (format!("methods[{number}]"), fields.name.clone());
            Err(ProblemFileError::NoFigure { place, name, may, missing })
        }
    };
    let resident = fields.resident.as_ref().map(|Object(resident)| {
        let fetch = shipping(resident.shipping(), link, || format!("methods[{number}].resident"))?;
        Ok::<_, ProblemFileError>(Resident { place: resident.place, fetch })
    });
    Ok(Vertex {
        local_energy: figure(fields.local_millijoules, Placement::Device, "local_millijoules")?.energy(),
        local_time: figure(fields.local_milliseconds, Placement::Device, "local_milliseconds")?.time(),
        remote_time: figure(fields.remote_milliseconds, Placement::Server, "remote_milliseconds")?.time(),
        remote_energy: fields.remote_millijoules.energy(),
        pin: fields.pin,
        memory: fields.memory_bytes.bytes(),
        resident: resident.transpose()?,
        ..Vertex::new(index(number), fields.name.as_str())
    })
}

fn edges(
    file: &ProblemFile,
    names: &Names<'_>,
    link: Option<&LinkPrice>,
) -> Result<Vec<Edge>, ProblemFileError> {
    let mut known = BTreeMap::new();
    let edge = |(number, Object(fields)): (usize, &Object<EdgeFields>)| {
        let place = || format!("edges[{number}]");
        let caller = names.find(&fields.caller, || format!("edges[{number}].caller"))?;
        let callee = names.find(&fields.callee, || format!("edges[{number}].callee"))?;
        if let Some(first) = known.insert((caller, callee), number) {
            let name = format!("{} → {}", fields.caller, fields.callee);
            return Err(repeated(place(), &name, format!("edges[{first}]"), "add their figures up"));
        }
        Ok(Edge { caller, callee, shipping: shipping(fields.shipping(), link, place)? })
    };
    file.edges.iter().enumerate().map(edge).collect()
}

/// What shipping costs: whatever parts are given, and what calls and bytes cost on the link.
fn shipping(
    fields: ShippingFields,
    link: Option<&LinkPrice>,
    place: impl FnOnce() -> String,
) -> Result<Shipping, ProblemFileError> {
    let ShippingFields { millijoules, milliseconds, round_trips, payload, calls, bytes } = fields;
    let split = round_trips.is_some() || payload.is_some();
    let (wrong, todo) = match (calls, bytes, link) {
        (None, None, _) if !split && millijoules.is_none() && milliseconds.is_none() => {
            ("nothing says what shipping costs", "give millijoules and milliseconds, or calls and bytes")
        }
        (None, None, _) => {
            let part = |part: Option<Object<CostFields>>| part.unwrap_or_default().0.cost();
            let (round_trips, payload) = (part(round_trips), part(payload));
            return Ok(Shipping { round_trips, payload, ..fixed(millijoules, milliseconds) });
        }
        (Some(_), None, _) => ("there are calls but no bytes", "give bytes as well"),
        (None, Some(_), _) => ("there are bytes but no calls", "give calls as well, one for each round trip"),
        _ if split => ("it is priced twice", "give calls and bytes, or round_trips and payload"),
        (_, _, None) => ("calls and bytes have no price without a link", "add a link to the file"),
        (Some(calls), Some(bytes), Some(link)) => {
            let priced = link.ship(calls.parts(), bytes.bytes());
            return Ok(Shipping { fixed: fixed(millijoules, milliseconds).fixed, ..priced });
        }
    };
    Err(ProblemFileError::Shipping { place: place(), wrong, todo })
}

fn fixed(millijoules: Option<Thousandths>, milliseconds: Option<Thousandths>) -> Shipping {
    Shipping::fixed(millijoules.unwrap_or_default().energy(), milliseconds.unwrap_or_default().time())
}

fn constraints(file: &ProblemFile, names: &Names<'_>) -> Result<Constraints, ProblemFileError> {
    let mut constraints = Constraints::default();
    for (number, group) in file.together.iter().enumerate() {
        let members = group.iter().enumerate();
        let members = members.map(|(at, name)| names.find(name, || format!("together[{number}][{at}]")));
        constraints.together.push(members.collect::<Result<_, _>>()?);
    }
    for (number, Object(bound)) in file.latency.iter().enumerate() {
        let place = || format!("latency[{number}].method");
        let method = names.find(&bound.method, place)?;
        if let Some(first) = constraints.latency.iter().position(|known| known.method == method) {
            return Err(repeated(
                place(),
                &bound.method,
                format!("bounded by latency[{first}]"),
                "keep the tighter one",
            ));
        }
        constraints.latency.push(LatencyBound { method, most: bound.most_milliseconds.time() });
    }
    for (number, Object(limit)) in file.memory.iter().enumerate() {
        if let Some(first) = constraints.memory.iter().position(|known| known.place == limit.place) {
            let (place, first) = (format!("memory[{number}].place"), format!("limited by memory[{first}]"));
            return Err(repeated(place, &limit.place.to_string(), first, "keep the smaller one"));
        }
        constraints.memory.push(MemoryLimit { place: limit.place, most: limit.most_bytes.bytes() });
    }
    Ok(constraints)
}

fn repeated(place: String, name: &str, first: String, todo: &'static str) -> ProblemFileError {
    ProblemFileError::Repeated { place, name: name.to_owned(), first, todo }
}
