//! When work comes in at a server, and how much.

use std::time::Duration;

use super::calendar;
use super::error::TraceError;
use super::lines::Source;

/// Work that other users bring to a server, in the order in which it comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArrivalTrace {
    arrivals: Vec<Arrival>,
}

/// One request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Since the first one.
    pub at: Duration,
    /// How large what it brings is, in the trace's own measure (tokens to read).
    pub read: u64,
    /// How large what it asks for is (tokens to write).
    pub write: u64,
}

impl ArrivalTrace {
    /// Reads the requests of Azure's language-model traces (Patel et al., ISCA 2024): `TIMESTAMP`, `ContextTokens` and
    /// `GeneratedTokens`.
    ///
    /// # Errors
    ///
    /// A header without these, the line that is not as it says, or that goes back in time.
    pub fn from_azure(file: &str, text: &str) -> Result<Self, TraceError> {
        let source = Source::new(file, text);
        let (header, lines) = source.headed()?;
        let time = header.need("the time (`TIMESTAMP`)", |name| name == "timestamp")?;
        let read = header.need("the size in (`ContextTokens`)", |name| name == "contexttokens")?;
        let write = header.need("the size out (`GeneratedTokens`)", |name| name == "generatedtokens")?;
        let mut arrivals: Vec<Arrival> = Vec::new();
        let mut start = None;
        for line in lines {
            let date = line.field(time);
            let date = calendar::nanoseconds(date)
                .ok_or_else(|| line.no_figure(date, "a date with a time of day"))?;
            let at = date.checked_sub(*start.get_or_insert(date)).map(Duration::from_nanos);
            let last = arrivals.last().map_or(Duration::ZERO, |last| last.at);
            let arrival = Arrival {
                at: at.filter(|&at| at >= last).ok_or_else(|| line.backwards())?,
                read: line.figure(line.field(read), 0, "a number of tokens")?,
                write: line.figure(line.field(write), 0, "a number of tokens")?,
            };
            source.push(&mut arrivals, arrival)?;
        }
        if arrivals.is_empty() { Err(source.empty()) } else { Ok(Self { arrivals }) }
    }

    /// All of it, in order; the first is at zero.
    pub fn arrivals(&self) -> &[Arrival] {
        &self.arrivals
    }

    /// What comes from one moment until before another.
    pub fn between(&self, from: Duration, to: Duration) -> &[Arrival] {
        let position = |at| self.arrivals.partition_point(|arrival| arrival.at < at);
        let (from, to) = (position(from), position(to));
        self.arrivals.get(from..to).unwrap_or(&[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "TIMESTAMP,ContextTokens,GeneratedTokens\n\
                        2023-11-16 18:17:03.9799600,4808,10\n\
                        2023-11-16 18:17:04.0319600,3180,8\n\
                        2023-11-16 18:17:04.0319600,110,27\n";

    #[test]
    fn requests_are_counted_from_the_first() {
        let trace = ArrivalTrace::from_azure("a.csv", TEXT).unwrap();
        let second = Duration::from_millis(52);
        assert_eq!(trace.arrivals()[1], Arrival { at: second, read: 3_180, write: 8 });
        assert_eq!(trace.between(Duration::ZERO, second).len(), 1);
        assert_eq!(trace.between(second, Duration::MAX).len(), 2);
        assert_eq!(trace.between(Duration::MAX, second), []);
    }

    #[test]
    fn errors_name_file_and_line() {
        let read = |text: &str| ArrivalTrace::from_azure("a.csv", text).unwrap_err().to_string();
        let cut = format!("{TEXT}2023-11-16 18:17:05.0,7\n");
        assert_eq!(read(&cut), "a.csv, line 5: a number of tokens is missing: is the line cut off?");
        assert!(read(&format!("{TEXT}2023-11-16 18:17:01.0,7,1\n")).contains("line 5: it is earlier"));
        assert!(read("").contains("a.csv: it has no samples"));
    }
}
