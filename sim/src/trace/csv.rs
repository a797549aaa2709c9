//! The project's own format: a header, and a line for each step.

use std::fmt::Write;
use std::time::Duration;

use outboard_core::Bandwidth;

use super::error::TraceError;
use super::lines::{Header, Source};
use super::steps::{LinkStep, LinkTrace, Loss, TraceEnd, nanos};

const KNOWN: &str = "t, rtt (ns, us, ms, s), up, down (bit/s, kbit/s, Mbit/s, Gbit/s), loss (ppm, %, ratio)";

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quantity {
    Time,
    RoundTrip,
    Up,
    Down,
    Loss,
}

/// A quantity, where it is in a line, and the power of ten that its unit has of ours.
#[derive(Clone, Copy)]
struct Column {
    quantity: Quantity,
    index: usize,
    power: i64,
}

impl LinkTrace {
    /// Reads comma-separated steps below a header of `t` and any of `rtt`, `up`, `down` and `loss`, each with its unit in
    /// parentheses: `t (s),rtt (ms),down (Mbit/s)`. Without units these are meant: s, ms, Mbit/s and a ratio. A field that
    /// is empty or `-` was not recorded.
    ///
    /// Comments begin with `#`. Two of them mean something: `# end: loop` (or `hold`, `stop`; loop by default) and
    /// `# duration: 120 s`. Without the latter the last step holds as long as the one before it, and a single one a second.
    ///
    /// # Errors
    ///
    /// A column that is none of these, the line that is not as the header says, or steps that do not begin at zero and go on
    /// in time.
    pub fn from_csv(file: &str, text: &str) -> Result<Self, TraceError> {
        let source = Source::new(file, text);
        let (header, lines) = source.headed()?;
        let columns = columns(&header)?;
        let mut steps: Vec<LinkStep> = Vec::new();
        for line in lines {
            let mut step = LinkStep::at(Duration::ZERO);
            for column in &columns {
                let (field, power) = (line.field(column.index), column.power);
                if matches!(field, "" | "-") && column.quantity != Quantity::Time {
                    continue;
                }
                match column.quantity {
                    Quantity::Time => step.at = Duration::from_nanos(line.time(field, power, "a time")?),
                    Quantity::RoundTrip => {
                        step.round_trip =
                            Some(Duration::from_nanos(line.time(field, power, "a round trip")?));
                    }
                    Quantity::Up => step.up = Some(rate(line.figure(field, power, "a rate")?)),
                    Quantity::Down => step.down = Some(rate(line.figure(field, power, "a rate")?)),
                    Quantity::Loss => {
                        let parts = line.figure(field, power, "a loss")?;
                        let parts =
                            u32::try_from(parts).ok().filter(|&it| it <= Loss::ALL.as_parts_per_million());
                        let parts =
                            parts.ok_or_else(|| line.no_figure(field, "a loss of at most everything"))?;
                        step.loss = Some(Loss::from_parts_per_million(parts));
                    }
                }
            }
            if steps.last().is_some_and(|last| step.at <= last.at) {
                return Err(line.backwards());
            }
            source.push(&mut steps, step)?;
        }
        let (duration, end) = comments(source)?;
        let duration = duration.unwrap_or_else(|| match steps.as_slice() {
            [.., before, last] => last.at + (last.at - before.at),
            _ => Duration::from_secs(1),
        });
        source.trace(steps, duration, end)
    }

    /// Writes what [`from_csv`](Self::from_csv) reads back as it was.
    pub fn to_csv(&self) -> String {
        let end = match self.end() {
            TraceEnd::Loop => "loop",
            TraceEnd::Hold => "hold",
            TraceEnd::Stop => "stop",
        };
        let mut text = format!("# end: {end}\n# duration: {} ns\n", nanos(self.duration()));
        text.push_str("t (ns),rtt (ns),up (bit/s),down (bit/s),loss (ppm)\n");
        for step in self.steps() {
            let figures = [
                step.round_trip.map(nanos),
                step.up.map(Bandwidth::as_bits_per_second),
                step.down.map(Bandwidth::as_bits_per_second),
                step.loss.map(|loss| u64::from(loss.as_parts_per_million())),
            ];
            let _ = write!(text, "{}", nanos(step.at));
            for figure in figures {
                let _ = match figure {
                    Some(figure) => write!(text, ",{figure}"),
                    None => write!(text, ","),
                };
            }
            text.push('\n');
        }
        text
    }
}

fn rate(bits_per_second: u64) -> Bandwidth {
    Bandwidth::from_bits_per_second(bits_per_second)
}

fn columns(header: &Header<'_>) -> Result<Vec<Column>, TraceError> {
    let mut columns: Vec<Column> = Vec::new();
    for (index, name) in header.names.iter().enumerate() {
        let column = column(name).map(|(quantity, power)| Column { quantity, index, power });
        let twice = |column: &Column| columns.iter().any(|other| other.quantity == column.quantity);
        match column.filter(|column| !twice(column)) {
            Some(column) => columns.push(column),
            None => return Err(header.unknown(name, KNOWN)),
        }
    }
    header.need("t", |name| matches!(column(name), Some((Quantity::Time, _))))?;
    Ok(columns)
}

fn column(name: &str) -> Option<(Quantity, i64)> {
    let (name, unit) = match name.split_once('(') {
        Some((name, unit)) => (name.trim(), unit.strip_suffix(')')?.trim()),
        None => (name, ""),
    };
    let quantity = match name {
        "t" => Quantity::Time,
        "rtt" => Quantity::RoundTrip,
        "up" => Quantity::Up,
        "down" => Quantity::Down,
        "loss" => Quantity::Loss,
        _ => return None,
    };
    let power = match (quantity, unit) {
        (Quantity::Time, "") => 9,
        (Quantity::RoundTrip, "") => 6,
        (Quantity::Time | Quantity::RoundTrip, unit) => time_power(unit)?,
        (Quantity::Up | Quantity::Down, "" | "mbit/s") => 6,
        (Quantity::Up | Quantity::Down, "bit/s") => 0,
        (Quantity::Up | Quantity::Down, "kbit/s") => 3,
        (Quantity::Up | Quantity::Down, "gbit/s") => 9,
        (Quantity::Loss, "" | "ratio") => 6,
        (Quantity::Loss, "%") => 4,
        (Quantity::Loss, "ppm") => 0,
        _ => return None,
    };
    Some((quantity, power))
}

fn time_power(unit: &str) -> Option<i64> {
    Some(match unit {
        "ns" => 0,
        "us" | "µs" => 3,
        "ms" => 6,
        "s" => 9,
        _ => return None,
    })
}

fn comments(source: Source<'_>) -> Result<(Option<Duration>, TraceEnd), TraceError> {
    let (mut duration, mut end) = (None, TraceEnd::default());
    for line in source.comments() {
        if let Some(said) = line.text.strip_prefix("end:") {
            end = match said.trim() {
                "loop" => TraceEnd::Loop,
                "hold" => TraceEnd::Hold,
                "stop" => TraceEnd::Stop,
                other => return Err(line.no_figure(other, "`loop`, `hold` or `stop`")),
            };
        } else if let Some(said) = line.text.strip_prefix("duration:") {
            let mut words = said.split_whitespace();
            let (number, unit) = (words.next().unwrap_or(""), words.next().unwrap_or("s"));
            let power =
                time_power(unit).ok_or_else(|| line.no_figure(unit, "one of the units ns, us, ms, s"))?;
            duration = Some(Duration::from_nanos(line.time(number, power, "a duration")?));
        }
    }
    Ok((duration, end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn units_are_in_the_header_or_the_usual_ones() {
        let text = "t,rtt,up (kbit/s),down,loss (%)\n0,20,500,8,1.5\n2.5,-,,4,\n";
        let trace = LinkTrace::from_csv("x.csv", text).unwrap();
        let first = LinkStep {
            at: Duration::ZERO,
            round_trip: Some(Duration::from_millis(20)),
            up: Some(Bandwidth::from_kilobits_per_second(500)),
            down: Some(Bandwidth::from_megabits_per_second(8)),
            loss: Some(Loss::from_parts_per_million(15_000)),
        };
        let second = LinkStep {
            down: Some(Bandwidth::from_megabits_per_second(4)),
            ..LinkStep::at(Duration::from_millis(2_500))
        };
        assert_eq!(trace.steps(), [first, second]);
        assert_eq!((trace.duration(), trace.end()), (Duration::from_secs(5), TraceEnd::Loop));
    }

    #[test]
    fn comments_say_how_it_ends() {
        let text = "# end: hold\n# duration: 1500 ms\nt,up\n0,1\n";
        let trace = LinkTrace::from_csv("x.csv", text).unwrap();
        assert_eq!((trace.duration(), trace.end()), (Duration::from_millis(1_500), TraceEnd::Hold));
    }

    #[test]
    fn errors_name_file_and_line() {
        let read = |text| LinkTrace::from_csv("x.csv", text).unwrap_err().to_string();
        assert!(
            read("rtt,up\n").starts_with("x.csv, line 1: the header has no column for t"),
            "{}",
            read("rtt,up\n")
        );
        assert!(
            read("t,up (MB/s)\n").contains("the column `up (mb/s)` is not one"),
            "{}",
            read("t,up (MB/s)\n")
        );
        assert!(read("t,up,up\n").contains("is there twice"));
        assert_eq!(read("t,up\n0,1\n1,x\n"), "x.csv, line 3: `x` is not a rate");
        assert_eq!(read("t,loss\n0,1.1\n"), "x.csv, line 2: `1.1` is not a loss of at most everything");
        assert_eq!(read("t,up\n,1\n"), "x.csv, line 2: a time is missing: is the line cut off?");
        assert!(read("t,up\n1,1\n").contains("first step is at 1s"), "{}", read("t,up\n1,1\n"));
        assert!(read("t,up\n").contains("it has no samples"));
    }

    fn steps() -> impl Strategy<Value = Vec<LinkStep>> {
        let time = prop::option::of((0..1_u64 << 60).prop_map(Duration::from_nanos));
        let rate = || prop::option::of(any::<u64>().prop_map(Bandwidth::from_bits_per_second));
        let loss = prop::option::of((0..=1_000_000_u32).prop_map(Loss::from_parts_per_million));
        let step = (1..1_u64 << 50, time, rate(), rate(), loss);
        prop::collection::vec(step, 1..20).prop_map(|steps| {
            let mut at = 0;
            let each = |(gap, round_trip, up, down, loss)| {
                let step = LinkStep { at: Duration::from_nanos(at), round_trip, up, down, loss };
                at += gap;
                step
            };
            steps.into_iter().map(each).collect()
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(steps in steps(), rest in 1..1_u64 << 50, end in 0..3_usize) {
            let end = [TraceEnd::Loop, TraceEnd::Hold, TraceEnd::Stop][end];
            let duration = steps.last().unwrap().at + Duration::from_nanos(rest);
            let trace = LinkTrace::new(steps, duration, end).unwrap();
            prop_assert_eq!(LinkTrace::from_csv("own.csv", &trace.to_csv()), Ok(trace));
        }
    }
}
