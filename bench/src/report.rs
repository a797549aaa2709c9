//! Figures as they come, and as JSON at the end.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::chart::Chart;
use crate::failure::Failure;
use crate::series::Series;
use crate::table::Table;

/// What a figure must reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Target {
    AtMost(f64),
    AtLeast(f64),
}

/// All figures of a run.
#[derive(Debug, Default)]
pub(crate) struct Report {
    figures: Vec<Figure>,
    tables: Vec<Table>,
    charts: Vec<Chart>,
}

#[derive(Debug)]
struct Figure {
    name: String,
    series: Series,
    unit: &'static str,
    target: Option<Target>,
}

impl Report {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Says which experiment begins.
    pub(crate) fn start(&self, name: &str, about: &str) -> Result<(), Failure> {
        Ok(writeln!(io::stdout(), "# {name}: {about}")?)
    }

    /// Says what there is no figure of, and why.
    pub(crate) fn note(&self, text: &str) -> Result<(), Failure> {
        Ok(writeln!(io::stdout(), "{text}")?)
    }

    /// Reports a figure, at once and for the end.
    pub(crate) fn figure(
        &mut self,
        name: impl Into<String>,
        series: Series,
        unit: &'static str,
        target: Option<Target>,
    ) -> Result<(), Failure> {
        let figure = Figure { name: name.into(), series, unit, target };
        writeln!(io::stdout(), "{}", figure.line())?;
        self.figures.push(figure);
        Ok(())
    }

    /// Reports that a figure could not be measured, and why: no number, and no verdict.
    pub(crate) fn not_measured(
        &mut self,
        name: &str,
        unit: &'static str,
        target: Option<Target>,
        why: &str,
    ) -> Result<(), Failure> {
        writeln!(io::stdout(), "{name:<44} not measured: {why}")?;
        self.figures.push(Figure { name: name.to_owned(), series: Series::default(), unit, target });
        Ok(())
    }

    /// Reports a table, at once and for the end.
    pub(crate) fn table(&mut self, table: Table) -> Result<(), Failure> {
        write!(io::stdout(), "{}", table.text())?;
        self.tables.push(table);
        Ok(())
    }

    /// Reports a chart, at once and for the end.
    pub(crate) fn chart(&mut self, chart: Chart) -> Result<(), Failure> {
        write!(io::stdout(), "{}", chart.text())?;
        self.charts.push(chart);
        Ok(())
    }

    /// Writes each table and chart as a file and as a plot.
    pub(crate) fn write_plots(&self, folder: &Path) -> Result<(), Failure> {
        let write = |path: PathBuf, text: String| {
            std::fs::write(&path, text).map_err(|source| Failure::Write { path, source })
        };
        std::fs::create_dir_all(folder)
            .map_err(|source| Failure::Write { path: folder.to_owned(), source })?;
        for table in &self.tables {
            write(folder.join(format!("{}.csv", table.name)), table.csv())?;
            write(folder.join(format!("{}.svg", table.name)), table.svg())?;
        }
        for chart in &self.charts {
            write(folder.join(format!("{}.csv", chart.name)), chart.csv())?;
            write(folder.join(format!("{}.svg", chart.name)), chart.svg())?;
        }
        Ok(())
    }

    pub(crate) fn write_json(&self, path: &Path) -> Result<(), Failure> {
        std::fs::write(path, self.json()).map_err(|source| Failure::Write { path: path.to_owned(), source })
    }

    fn json(&self) -> String {
        let rows: Vec<String> = self.figures.iter().map(Figure::json).collect();
        format!("[\n{}\n]\n", rows.join(",\n"))
    }
}

impl Figure {
    fn met(&self) -> Option<bool> {
        let value = self.series.median();
        self.target.filter(|_| !value.is_nan()).map(|target| match target {
            Target::AtMost(most) => value <= most,
            Target::AtLeast(least) => value >= least,
        })
    }

    /// Name, median, unit, quartiles, target, met or not.
    fn line(&self) -> String {
        let (low, high) = (self.series.quantile(0.25), self.series.quantile(0.75));
        let spread = format!("({} – {})", digits(low), digits(high));
        let value = digits(self.series.median());
        let mut line = format!("{:<44} {value:>9} {:<5} {spread:<22}", self.name, self.unit);
        if let (Some(target), Some(met)) = (self.target, self.met()) {
            let met = if met { "met" } else { "not met" };
            // Writing to a string cannot fail.
            let _ = write!(line, " {} {}: {met}", target.text(), self.unit);
        }
        line.trim_end().to_owned()
    }

    fn json(&self) -> String {
        let target = self.target.map_or("null".to_owned(), |target| text(&target.text()));
        let met = self.met().map_or("null".to_owned(), |met| met.to_string());
        let value = self.series.median();
        let value = if value.is_finite() { value.to_string() } else { "null".to_owned() };
        format!(
            r#"  {{"name": {}, "value": {value}, "unit": {}, "target": {target}, "met": {met}}}"#,
            text(&self.name),
            text(self.unit),
        )
    }
}

impl Target {
    fn text(self) -> String {
        match self {
            Self::AtMost(most) => format!("≤ {most}"),
            Self::AtLeast(least) => format!("≥ {least}"),
        }
    }
}

/// Three significant digits.
fn digits(value: f64) -> String {
    let size = value.abs();
    let after = match size {
        _ if size >= 100.0 => 0,
        _ if size >= 10.0 => 1,
        _ if size >= 1.0 => 2,
        _ => 3,
    };
    format!("{value:.after$}")
}

/// A JSON string.
fn text(value: &str) -> String {
    let mut quoted = String::from('"');
    for character in value.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control < ' ' => {
                let _ = write!(quoted, "\\u{:04x}", control as u32);
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(name: &str, target: Option<Target>) -> Figure {
        let series = [2.0, 1.0, 3.0].into_iter().collect();
        Figure { name: name.into(), series, unit: "ns", target }
    }

    #[test]
    fn a_line_has_name_value_unit_target_and_verdict() {
        let line = |target| {
            let line = figure("local.idle", target).line();
            line.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(line(Some(Target::AtMost(2.0))), "local.idle 2.00 ns (1.50 – 2.50) ≤ 2 ns: met");
        assert_eq!(line(Some(Target::AtLeast(5.0))), "local.idle 2.00 ns (1.50 – 2.50) ≥ 5 ns: not met");
        assert_eq!(line(None), "local.idle 2.00 ns (1.50 – 2.50)");
    }

    #[test]
    fn what_was_not_measured_has_neither_number_nor_verdict() {
        let mut report = Report::new();
        report.not_measured("a", "%", Some(Target::AtMost(5.0)), "no recordings").unwrap();
        assert_eq!(
            report.json(),
            "[\n  {\"name\": \"a\", \"value\": null, \"unit\": \"%\", \"target\": \"≤ 5\", \"met\": null}\n]\n"
        );
    }

    #[test]
    fn json_keeps_to_the_agreed_keys() {
        let figures = vec![figure("a", Some(Target::AtMost(1.5))), figure("b \"c\"", None)];
        assert_eq!(
            Report { figures, ..Report::default() }.json(),
            "[\n  {\"name\": \"a\", \"value\": 2, \"unit\": \"ns\", \"target\": \"≤ 1.5\", \"met\": false},\n  \
             {\"name\": \"b \\\"c\\\"\", \"value\": 2, \"unit\": \"ns\", \"target\": null, \"met\": null}\n]\n"
        );
    }
}
