//! The result in columns.

use std::fmt::{self, Display, Write};
use std::time::Duration;

use super::measured::{Method, Run, Seen};
use crate::gallery::Match;

/// Who is on each photograph: the names from left to right, and how many nobody knows.
pub(super) fn people(out: &mut dyn Write, seen: &[Seen]) -> fmt::Result {
    for Seen { photo, people } in seen {
        let names: Vec<String> = people.iter().filter_map(|sighting| named(&sighting.who)).collect();
        let strangers = people.len() - names.len();
        let faces = if people.len() == 1 { "1 face" } else { &format!("{} faces", people.len()) };
        writeln!(out, "{photo}: {faces}")?;
        for name in &names {
            writeln!(out, "  {name}")?;
        }
        if strangers > 0 {
            writeln!(out, "  and {strangers} unknown")?;
        }
    }
    Ok(())
}

/// One run, method by method.
pub(super) fn methods(out: &mut dyn Write, run: &Run) -> fmt::Result {
    let slowed = &run.slowed;
    writeln!(
        out,
        "\n{}: device at {:.2} of this machine's speed {}, measured {:.2}",
        run.title, slowed.asked, slowed.how, slowed.measured
    )?;
    for server in &run.servers {
        writeln!(out, "  {server}")?;
    }
    if run.methods.is_empty() {
        return Ok(());
    }
    let head = ["method", "device", "server", "time", "energy*", "sent", "received"];
    let rows: Vec<[String; 7]> = run.methods.iter().map(row).collect();
    columns(out, &head.map(str::to_owned), &rows)?;
    writeln!(out, "  the next call runs")?;
    for Method { name, next, why, .. } in &run.methods {
        writeln!(out, "    {name}: on the {next}, because {why}")?;
    }
    Ok(())
}

/// All runs side by side.
pub(super) fn totals(out: &mut dyn Write, runs: &[&Run]) -> fmt::Result {
    writeln!(out)?;
    let mut head = vec!["in all".to_owned()];
    head.extend(runs.iter().map(|run| run.title.clone()));
    let line = |what: &str, value: &dyn Fn(&Run) -> String| {
        let mut cells = vec![what.to_owned()];
        cells.extend(runs.iter().map(|run| value(run)));
        cells
    };
    let rounds = |run: &Run| Some(run.rounds.len()).filter(|rounds| *rounds > 0);
    let rows = [
        line("time", &|run| time(run.time())),
        line("time per round", &|run| or_unknown(rounds(run).map(|n| time(run.time() / n as u32)))),
        line("last round", &|run| or_unknown(run.rounds.last().copied().map(time))),
        line("energy*", &|run| or_unknown(run.energy())),
        line("bytes", &|run| run.bytes().to_string()),
    ];
    columns(out, &head, &rows)?;
    writeln!(out, "* modelled from the device profile, not measured")
}

fn row(method: &Method) -> [String; 7] {
    [
        method.name.clone(),
        method.calls_on_device.to_string(),
        method.calls_on_server.to_string(),
        time(method.time),
        or_unknown(method.energy),
        method.sent.to_string(),
        method.received.to_string(),
    ]
}

fn named(who: &Match) -> Option<String> {
    match who {
        Match::Person { name, distance } => Some(format!("{name} (distance {:.3})", distance.as_f64())),
        Match::Unknown { .. } => None,
    }
}

fn or_unknown(value: Option<impl Display>) -> String {
    value.map_or_else(|| "unknown".to_owned(), |value| value.to_string())
}

/// Three significant digits, in the unit in which they read best.
fn time(time: Duration) -> String {
    let micros = time.as_micros();
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..1_000_000 => three_digits(micros as f64 / 1e3, "ms"),
        _ => three_digits(micros as f64 / 1e6, "s"),
    }
}

fn three_digits(value: f64, unit: &str) -> String {
    let digits = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.digits$} {unit}")
}

/// Names on the left, figures on the right.
fn columns(out: &mut dyn Write, head: &[String], rows: &[impl AsRef<[String]>]) -> fmt::Result {
    let cell = |cells: &[String], i: usize| cells.get(i).cloned().unwrap_or_default();
    let lines = || std::iter::once(head).chain(rows.iter().map(AsRef::as_ref));
    let width = |i: usize| lines().map(|cells| cell(cells, i).chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    for cells in lines() {
        let mut line = String::new();
        for (i, width) in widths.iter().enumerate() {
            let text = cell(cells, i);
            match i {
                0 => write!(line, "  {text:<width$}")?,
                _ => write!(line, "  {text:>width$}")?,
            }
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use outboard::{ByteCount, Energy};

    use super::super::measured::Slowed;
    use super::*;
    use crate::Sighting;
    use crate::vision::{Bounds, Distance};

    fn method(name: &str, calls: (u64, u64), energy: Option<Energy>) -> Method {
        Method {
            name: name.to_owned(),
            calls_on_device: calls.0,
            calls_on_server: calls.1,
            next: "server".to_owned(),
            why: "it is heavy".to_owned(),
            time: Duration::from_millis(1_234),
            energy,
            sent: ByteCount::from_bytes(1_442_756),
            received: ByteCount::from_bytes(512),
        }
    }

    fn run(title: &str, methods: Vec<Method>) -> Run {
        let slowed = Slowed { how: "by a quota".to_owned(), asked: 0.2, measured: 0.197 };
        let rounds = vec![Duration::from_secs(2), Duration::from_millis(500)];
        Run { title: title.to_owned(), slowed, rounds, methods, servers: Vec::new(), seen: Vec::new() }
    }

    fn written(write: impl FnOnce(&mut String) -> fmt::Result) -> String {
        let mut text = String::new();
        write(&mut text).expect("a string takes everything");
        text
    }

    #[test]
    fn methods_stand_in_columns() {
        let joules = Some(Energy::from_millijoules(2_500));
        let run = run(
            "with edge server",
            vec![method("find_match", (1, 2), joules), method("show", (12, 0), None)],
        );
        let expected = "
with edge server: device at 0.20 of this machine's speed by a quota, measured 0.20
  method      device  server    time  energy*     sent  received
  find_match       1       2  1.23 s   2.50 J  1.44 MB     512 B
  show            12       0  1.23 s  unknown  1.44 MB     512 B
  the next call runs
    find_match: on the server, because it is heavy
    show: on the server, because it is heavy
";
        assert_eq!(written(|out| methods(out, &run)), expected);
    }

    #[test]
    fn totals_stand_side_by_side() {
        let joules = Some(Energy::from_millijoules(2_500));
        let alone = run("device alone", Vec::new());
        let edge = run("with edge server", vec![method("find_match", (1, 2), joules)]);
        let expected = "
  in all          device alone  with edge server
  time                  2.50 s            2.50 s
  time per round        1.25 s            1.25 s
  last round            500 ms            500 ms
  energy*              unknown            2.50 J
  bytes                    0 B           1.44 MB
* modelled from the device profile, not measured
";
        assert_eq!(written(|out| totals(out, &[&alone, &edge])), expected);
    }

    #[test]
    fn energy_that_is_partly_unknown_is_unknown() {
        let joules = Some(Energy::from_millijoules(2_500));
        assert_eq!(run("x", vec![method("a", (1, 0), joules), method("b", (1, 0), None)]).energy(), None);
        assert_eq!(run("x", vec![method("a", (1, 0), joules)]).energy(), joules);
    }

    #[test]
    fn people_are_named_and_strangers_counted() {
        let sighting = |who| Sighting { bounds: Bounds { x: 0, y: 0, width: 9, height: 9 }, score: 9.0, who };
        let ada = Match::Person { name: "Ada".to_owned(), distance: Distance::new(0.125) };
        let people_seen = vec![sighting(ada), sighting(Match::Unknown { nearest: None })];
        let seen = [
            Seen { photo: "a.png".to_owned(), people: people_seen },
            Seen { photo: "b.png".to_owned(), people: Vec::new() },
        ];
        let expected = "a.png: 2 faces\n  Ada (distance 0.125)\n  and 1 unknown\nb.png: 0 faces\n";
        assert_eq!(written(|out| people(out, &seen)), expected);
    }

    #[test]
    fn times_have_three_digits() {
        let shown =
            [999, 1_000, 99_940, 999_900, 12_345_000].map(|micros| time(Duration::from_micros(micros)));
        assert_eq!(shown, ["999 µs", "1.00 ms", "99.9 ms", "1000 ms", "12.3 s"]);
    }
}
