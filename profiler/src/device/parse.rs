//! From a TOML table to a profile, by hand: errors have to name the key, and unknown keys are misspellings.

mod battery;
mod cpu;
mod radio;

use outboard_core::Power;
use toml::{Table, Value};

use super::{CpuProfile, DeviceProfile, Figure, FigureQuality, ProfileError, RadioProfile};

/// No list of a profile has as many; it bounds what a file can make of memory.
const MOST_ROWS: usize = 256;

pub(super) fn profile(file: &str, text: &str) -> Result<DeviceProfile, ProfileError> {
    let table = table(file, text)?;
    let root = Section { file, path: String::new(), table: &table };
    root.only(&["battery", "cpu", "name", "radio"])?;
    let name = root.text("name")?.ok_or_else(|| root.missing("name"))?;
    let cpu = match root.section("cpu")? {
        Some(section) => cpu::profile(&section)?,
        None => CpuProfile::default(),
    };
    let radio = match root.section("radio")? {
        Some(section) => radio::profile(&section)?,
        None => RadioProfile::default(),
    };
    let battery = match root.section("battery")? {
        Some(section) => battery::capacity(&section)?,
        None => None,
    };
    Ok(DeviceProfile { name, cpu, radio, battery })
}

pub(super) fn radio(file: &str, text: &str) -> Result<RadioProfile, ProfileError> {
    radio::file(file, text)
}

fn table(file: &str, text: &str) -> Result<Table, ProfileError> {
    text.parse::<Table>()
        .map_err(|error| ProfileError::Syntax { file: file.to_owned(), message: error.message().to_owned() })
}

/// A table with the way to it.
struct Section<'a> {
    file: &'a str,
    path: String,
    table: &'a Table,
}

impl<'a> Section<'a> {
    fn section(&self, key: &str) -> Result<Option<Section<'a>>, ProfileError> {
        match self.table.get(key) {
            None => Ok(None),
            Some(Value::Table(table)) => Ok(Some(Section { file: self.file, path: self.full(key), table })),
            Some(_) => Err(self.bad(key, "a table")),
        }
    }

    fn text(&self, key: &str) -> Result<Option<String>, ProfileError> {
        match self.table.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.bad(key, "a text")),
        }
    }

    fn power(&self, key: &str) -> Result<Option<Figure<Power>>, ProfileError> {
        self.figure(key, "watts", Power::from_watts_f64)
    }

    fn figure<T>(
        &self,
        key: &str,
        unit: &str,
        make: impl Fn(f64) -> T,
    ) -> Result<Option<Figure<T>>, ProfileError> {
        let Some(section) = self.section(key)? else { return Ok(None) };
        section.only(&["quality", "source", unit])?;
        let number = section.number(unit)?;
        let (quality, source) = section.origin()?;
        Ok(Some(Figure { value: make(number), quality, source }))
    }

    /// The power that this table itself is.
    fn power_here(&self) -> Result<Figure<Power>, ProfileError> {
        let watts = self.number("watts")?;
        let (quality, source) = self.origin()?;
        Ok(Figure { value: Power::from_watts_f64(watts), quality, source })
    }

    /// A number that has to be there, up to a megawatt and the like.
    fn number(&self, key: &str) -> Result<f64, ProfileError> {
        // No device comes near the upper end; it keeps sums far from overflow.
        let number = self.number_up_to(key, 1e6, "a number from 0 to 1000000")?;
        number.ok_or_else(|| self.missing(key))
    }

    /// A number from nothing to `most`, which `expected` tells; `None` where it is not there.
    fn number_up_to(
        &self,
        key: &str,
        most: f64,
        expected: &'static str,
    ) -> Result<Option<f64>, ProfileError> {
        let number = match self.table.get(key) {
            None => return Ok(None),
            Some(Value::Float(number)) => *number,
            Some(Value::Integer(number)) => *number as f64,
            Some(_) => f64::NAN,
        };
        if (0.0..=most).contains(&number) { Ok(Some(number)) } else { Err(self.bad(key, expected)) }
    }

    /// How a figure came about, and where it comes from.
    fn origin(&self) -> Result<(FigureQuality, String), ProfileError> {
        let quality = match self.text("quality")?.as_deref() {
            None => return Err(self.missing("quality")),
            Some("measured") => FigureQuality::Measured,
            Some("modelled") => FigureQuality::Modelled,
            Some(_) => return Err(self.bad("quality", "`measured` or `modelled`")),
        };
        Ok((quality, self.text("source")?.ok_or_else(|| self.missing("source"))?))
    }

    /// The rows of a list of tables, none where the key is not there.
    fn list(&self, key: &str) -> Result<Vec<Section<'a>>, ProfileError> {
        let rows = match self.table.get(key) {
            None => return Ok(Vec::new()),
            Some(Value::Array(rows)) if rows.len() <= MOST_ROWS => rows,
            Some(_) => return Err(self.bad(key, "a list of at most 256 tables")),
        };
        let section = |(index, row): (usize, &'a Value)| match row {
            Value::Table(table) => {
                Ok(Section { file: self.file, path: format!("{}[{index}]", self.full(key)), table })
            }
            _ => Err(self.bad(key, "a list of at most 256 tables")),
        };
        rows.iter().enumerate().map(section).collect()
    }

    fn only(&self, allowed: &[&str]) -> Result<(), ProfileError> {
        match self.table.keys().find(|key| !allowed.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => Err(ProfileError::UnknownKey {
                file: self.file.to_owned(),
                key: self.full(key),
                allowed: allowed.join(", "),
            }),
        }
    }

    fn missing(&self, key: &str) -> ProfileError {
        ProfileError::Missing { file: self.file.to_owned(), key: self.full(key) }
    }

    fn bad(&self, key: &str, expected: &'static str) -> ProfileError {
        ProfileError::BadValue { file: self.file.to_owned(), key: self.full(key), expected }
    }

    fn full(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}
