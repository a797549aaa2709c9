//! From a profile to TOML: the other direction of `parse`.

mod radio;

use std::fmt::Write as _;

use outboard_core::Power;
use toml::Value;

use super::{CpuCluster, CpuProfile, DeviceProfile, Figure, FigureQuality};

pub(super) fn profile(profile: &DeviceProfile) -> String {
    let mut out = Text::default();
    out.line("name", &text(&profile.name));
    cpu(&mut out, &profile.cpu);
    radio::section(&mut out, &profile.radio);
    let capacity = row(profile.battery.as_ref(), "joules", |energy| energy.as_joules_f64());
    if capacity.is_some() {
        out.section("[battery]");
        out.some("capacity", capacity);
    }
    out.0
}

fn cpu(out: &mut Text, cpu: &CpuProfile) {
    if *cpu == CpuProfile::default() {
        return;
    }
    out.section("[cpu]");
    if let Some(cores) = cpu.cores {
        out.line("cores", &cores.to_string());
    }
    out.power("idle", cpu.idle.as_ref());
    out.power("busy", cpu.busy.as_ref());
    out.power("active", cpu.active.as_ref());
    if let Some(Figure { value, quality, source }) = &cpu.speed
        && *quality != FigureQuality::Unknown
    {
        let source = text(source);
        out.line(
            "speed",
            &format!(r#"{{ steps_per_second = {value}, quality = "{quality}", source = {source} }}"#),
        );
    }
    let levels = cpu.levels.iter().map(|level| ("utilisation", level.utilisation, &level.power));
    out.table("levels", levels);
    for cluster in &cpu.clusters {
        self::cluster(out, cluster);
    }
}

fn cluster(out: &mut Text, cluster: &CpuCluster) {
    out.section("[[cpu.cluster]]");
    out.line("cores", &cluster.cores.to_string());
    out.power("shared", cluster.shared.as_ref());
    let speeds = cluster.speeds.iter();
    out.table("speeds", speeds.map(|speed| ("megahertz", speed.frequency.as_megahertz_f64(), &speed.core)));
}

/// TOML as it grows. Writing to a string cannot fail.
#[derive(Debug, Default)]
struct Text(String);

impl Text {
    fn section(&mut self, header: &str) {
        let _ = writeln!(self.0, "\n{header}");
    }

    fn line(&mut self, key: &str, value: &str) {
        let _ = writeln!(self.0, "{key} = {value}");
    }

    fn power(&mut self, key: &str, figure: Option<&Figure<Power>>) {
        self.some(key, row(figure, "watts", |power| power.as_watts_f64()));
    }

    fn some(&mut self, key: &str, value: Option<String>) {
        if let Some(value) = value {
            self.line(key, &value);
        }
    }

    /// A list with a line for each of its tables; nothing where there are none.
    fn list(&mut self, key: &str, rows: Vec<String>) {
        if !rows.is_empty() {
            let rows: String = rows.iter().map(|row| format!("    {row},\n")).collect();
            self.line(key, &format!("[\n{rows}]"));
        }
    }

    /// A list with a row for each figure, after what it depends on.
    fn table<'a>(&mut self, key: &str, rows: impl Iterator<Item = (&'static str, f64, &'a Figure<Power>)>) {
        let known = |(by, at, figure): (&str, f64, &Figure<Power>)| {
            let figure = known(figure, "watts", |power| power.as_watts_f64())?;
            Some(format!("{{ {by} = {at:?}, {figure} }}"))
        };
        self.list(key, rows.filter_map(known).collect());
    }
}

/// A figure as an inline table; `None` where there is nothing to say.
fn row<T>(figure: Option<&Figure<T>>, unit: &str, number: impl Fn(&T) -> f64) -> Option<String> {
    Some(format!("{{ {} }}", known(figure?, unit, number)?))
}

/// The inside of such a table.
fn known<T>(figure: &Figure<T>, unit: &str, number: impl Fn(&T) -> f64) -> Option<String> {
    let Figure { value, quality, source } = figure;
    (*quality != FigureQuality::Unknown).then(|| {
        // Debug writes the shortest digits that are read back as the same number, and always as a float of TOML.
        format!(r#"{unit} = {:?}, quality = "{quality}", source = {}"#, number(value), text(source))
    })
}

fn text(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests;
