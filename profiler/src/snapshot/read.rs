//! From a file to a snapshot, by hand: errors have to name the key, and everything is bounded.

use outboard_core::{BodyHash, MethodId};
use toml::{Table, Value};

use super::text::Kept;
use super::{MethodSnapshot, Origin, Snapshot, SnapshotError};
use crate::predictor::{Summary, WorkLaw};

/// Longest name.
const MOST_LETTERS: usize = 4_096;
const KEYS: [&str; 7] = ["format", "app", "version", "build", "device", "method", "edge"];
const METHOD_KEYS: [&str; 11] =
    ["id", "name", "body", "local_calls", "remote_calls", "local", "own", "cpu", "server", "up", "down"];
const EDGE_KEYS: [&str; 3] = ["caller", "callee", "calls"];

pub(super) fn snapshot(file: &str, text: &str) -> Result<Snapshot, SnapshotError> {
    if text.len() > Snapshot::MOST_BYTES {
        return Err(too_much(file, "bytes", Snapshot::MOST_BYTES));
    }
    let table = text.parse::<Table>().map_err(|error| SnapshotError::Syntax {
        file: file.to_owned(),
        message: error.message().to_owned(),
    })?;
    let root = Section { file, path: String::new(), table: &table };
    // Before anything else: what another format has is not for this program to judge.
    match root.table.get("format") {
        Some(Value::Integer(Snapshot::FORMAT)) => {}
        Some(Value::Integer(found)) => {
            return Err(SnapshotError::Foreign { file: file.to_owned(), found: *found });
        }
        _ => return Err(root.bad("format", "a whole number")),
    }
    root.only(&KEYS)?;
    let origin = Origin {
        app: root.text("app")?,
        version: root.text("version")?,
        build: root.text("build")?,
        device: root.text("device")?,
    };
    let mut snapshot = Snapshot { origin, ..Snapshot::default() };
    for section in root.list("method", Snapshot::MOST_METHODS)? {
        section.only(&METHOD_KEYS)?;
        let id = MethodId(section.hash("id")?);
        if snapshot.methods.insert(id, method(&section)?).is_some() {
            return Err(section.bad("id", "another one in each method"));
        }
    }
    for section in root.list("edge", Snapshot::MOST_EDGES)? {
        section.only(&EDGE_KEYS)?;
        let caller = section.table.get("caller").map(|_| section.hash("caller")).transpose()?;
        let edge = (caller.map(MethodId), MethodId(section.hash("callee")?));
        if snapshot.edges.insert(edge, section.count("calls")?).is_some() {
            return Err(section.bad("callee", "another one in each edge of a caller"));
        }
    }
    Ok(snapshot)
}

fn method(section: &Section<'_>) -> Result<MethodSnapshot, SnapshotError> {
    Ok(MethodSnapshot {
        name: section.text("name")?,
        body: BodyHash(section.hash("body")?),
        local_calls: section.count("local_calls")?,
        remote_calls: section.count("remote_calls")?,
        local: section.summary("local")?,
        own: section.summary("own")?,
        cpu: section.summary("cpu")?,
        server: section.summary("server")?,
        up: section.summary("up")?,
        down: section.summary("down")?,
    })
}

/// A table with the way to it.
struct Section<'a> {
    file: &'a str,
    path: String,
    table: &'a Table,
}

impl<'a> Section<'a> {
    fn key(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn bad(&self, key: &str, allowed: &str) -> SnapshotError {
        SnapshotError::Value { file: self.file.to_owned(), key: self.key(key), allowed: allowed.to_owned() }
    }

    fn only(&self, allowed: &[&str]) -> Result<(), SnapshotError> {
        match self.table.keys().find(|key| !allowed.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => Err(SnapshotError::UnknownKey {
                file: self.file.to_owned(),
                key: self.key(key),
                allowed: allowed.join(", "),
            }),
        }
    }

    fn text(&self, key: &str) -> Result<String, SnapshotError> {
        match self.table.get(key) {
            Some(Value::String(text)) if text.len() <= MOST_LETTERS => Ok(text.clone()),
            _ => Err(self.bad(key, "a text of at most 4096 bytes")),
        }
    }

    fn hash(&self, key: &str) -> Result<u64, SnapshotError> {
        let digits = match self.table.get(key) {
            Some(Value::String(text)) if text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit()) => {
                text
            }
            _ => return Err(self.bad(key, "16 hexadecimal digits in quotes")),
        };
        u64::from_str_radix(digits, 16).map_err(|_| self.bad(key, "16 hexadecimal digits in quotes"))
    }

    fn count(&self, key: &str) -> Result<u64, SnapshotError> {
        let count = match self.table.get(key) {
            Some(Value::Integer(count)) => u64::try_from(*count).ok(),
            _ => None,
        };
        count.ok_or_else(|| self.bad(key, "a whole number that is not negative"))
    }

    /// A number in a range; `allowed` says which.
    fn number(&self, key: &str, range: [f64; 2], allowed: &str) -> Result<f64, SnapshotError> {
        let number = match self.table.get(key) {
            Some(Value::Float(number)) => Some(*number),
            Some(Value::Integer(number)) => Some(*number as f64),
            _ => None,
        };
        let fits = |number: &f64| *number >= range[0] && *number <= range[1];
        number.filter(fits).ok_or_else(|| self.bad(key, allowed))
    }

    fn list(&self, key: &'static str, most: usize) -> Result<Vec<Section<'a>>, SnapshotError> {
        let list = match self.table.get(key) {
            None => return Ok(Vec::new()),
            Some(Value::Array(list)) if list.len() <= most => list,
            Some(Value::Array(_)) => return Err(too_much(self.file, key, most)),
            Some(_) => return Err(self.bad(key, "a list of tables")),
        };
        let section = |(number, value): (usize, &'a Value)| match value {
            Value::Table(table) => Ok(Section { file: self.file, path: format!("{key}[{number}]"), table }),
            _ => Err(self.bad(key, "a list of tables")),
        };
        list.iter().enumerate().map(section).collect()
    }

    fn summary<T: Kept>(&self, key: &str) -> Result<Option<Summary<T>>, SnapshotError> {
        let table = match self.table.get(key) {
            None => return Ok(None),
            Some(Value::Table(table)) => table,
            Some(_) => return Err(self.bad(key, "a table")),
        };
        let section = Section { file: self.file, path: self.key(key), table };
        section.only(&["samples", T::UNIT, "deviation", "work", "work_deviation", "exponent", "fixed"])?;
        let samples = section.count("samples")?;
        if samples == 0 {
            return Err(section.bad("samples", "at least 1"));
        }
        // A century, and an exabyte.
        let typical = section.number(T::UNIT, [0.0, 1e18], "a number from 0 to 1e18")?;
        let deviation = section.number("deviation", [0.0, 1e3], "a number from 0 to 1000")?;
        let work = match table.contains_key("work") {
            false => None,
            true => Some(WorkLaw {
                usual: section.number("work", [1e-30, 1e30], "a number from 1e-30 to 1e30")?,
                deviation: section.number("work_deviation", [0.0, 1e3], "a number from 0 to 1000")?,
                exponent: section.number("exponent", [-1e6, 1e6], "a number from -1e6 to 1e6")?,
                fixed: match table.contains_key("fixed") {
                    false => None,
                    true => Some(section.number("fixed", [0.0, 1.0], "a share from 0 to 1")?),
                },
            }),
        };
        Ok(Some(Summary { samples, typical: T::from_number(typical), deviation, work }))
    }
}

fn too_much(file: &str, what: &'static str, most: usize) -> SnapshotError {
    SnapshotError::TooMuch { file: file.to_owned(), what, most }
}
