//! "Seconds Mbit/s", the format of many collections for adaptive video.

use std::time::Duration;

use outboard_core::Bandwidth;

use super::error::TraceError;
use super::lines::Source;
use super::steps::{LinkStep, LinkTrace, TraceEnd};
use crate::link::Direction;

impl LinkTrace {
    /// Reads lines of a time in seconds and a rate in Mbit/s, apart by spaces or tabs. It has one direction; at the end it
    /// begins again.
    ///
    /// A rate is what was carried since the line before it, as the simulator of Pensieve (Mao et al., SIGCOMM 2017), where
    /// the format comes from, reads it: the rate of a line at 0 covers nothing.
    ///
    /// # Errors
    ///
    /// The line that is no pair of numbers, or is not after the one before it.
    pub fn from_seconds(file: &str, text: &str, direction: Direction) -> Result<Self, TraceError> {
        let source = Source::new(file, text);
        let mut steps = Vec::new();
        let mut end = 0;
        for (index, line) in source.lines().enumerate() {
            let mut fields = line.text.split_whitespace();
            let at = line.time(fields.next().unwrap_or(""), 9, "a time in seconds")?;
            let rate = line.figure(fields.next().unwrap_or(""), 6, "a rate in Mbit/s")?;
            if let Some(more) = fields.next() {
                return Err(line.no_figure(more, "the end of the line"));
            }
            if index > 0 && at <= end {
                return Err(line.backwards());
            }
            if at > end {
                let step = LinkStep::at(Duration::from_nanos(end));
                let rate = Some(Bandwidth::from_bits_per_second(rate));
                let step = match direction {
                    Direction::Up => LinkStep { up: rate, ..step },
                    Direction::Down => LinkStep { down: rate, ..step },
                };
                source.push(&mut steps, step)?;
            }
            end = at;
        }
        source.trace(steps, Duration::from_nanos(end), TraceEnd::Loop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_that_of_the_time_before_it() {
        let trace =
            LinkTrace::from_seconds("norway", "0.0 9.9\n1.5\t0.8\n4 1e-1\n", Direction::Down).unwrap();
        let steps: Vec<_> =
            trace.steps().iter().map(|step| (step.at.as_millis(), step.down.unwrap())).collect();
        let kilobits = Bandwidth::from_kilobits_per_second;
        assert_eq!(steps, [(0, kilobits(800)), (1_500, kilobits(100))]);
        assert_eq!(trace.duration(), Duration::from_secs(4));
    }

    #[test]
    fn a_trace_that_begins_late_has_its_first_rate_from_zero() {
        let trace = LinkTrace::from_seconds("oboe", "0.474 3\n0.905 4\n", Direction::Up).unwrap();
        assert_eq!(trace.steps().len(), 2);
        assert_eq!(trace.steps()[0].up, Some(Bandwidth::from_megabits_per_second(3)));
    }

    #[test]
    fn errors_name_file_and_line() {
        let read = |text| LinkTrace::from_seconds("f", text, Direction::Up).unwrap_err().to_string();
        assert_eq!(read("0 1\n1\n"), "f, line 2: a rate in Mbit/s is missing: is the line cut off?");
        assert_eq!(read("0 1\n1 2 3\n"), "f, line 2: `3` is not the end of the line");
        assert_eq!(read("2 1\n\n2 1\n"), "f, line 3: it is earlier than the line before it: sort the file");
        assert!(read("0 1\n").contains("f: it has no samples"), "one line at zero covers no time");
    }
}
