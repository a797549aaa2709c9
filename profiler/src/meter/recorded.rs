//! A meter that plays what another one recorded.

use std::time::Duration;

use outboard_core::{Energy, Power, Timestamp};

use super::{Coverage, MeterError, MeterLabel, Metered, PowerMeter};

/// Days of a meter that is read ten times a second.
const MOST_ROWS: usize = 4_000_000;
/// No recording takes longer, in seconds.
const LONGEST: f64 = 1e8;
const MOST_WATTS: f64 = 1e6;

/// Power over time, played from the first question on.
#[derive(Debug)]
pub struct RecordedPower {
    label: MeterLabel,
    file: String,
    /// When a power begins, in rising order; the last one only ends the one before.
    rows: Vec<(Duration, Power)>,
    /// When it was first asked, and how far it was played since.
    asked: Option<(Timestamp, Duration)>,
}

impl RecordedPower {
    /// Reads rows of `seconds,watts`; a power holds until the next row, and the last row ends the recording. Empty lines, lines
    /// that begin with `#` and a first line of names are skipped. `covers` is what the recording meter saw.
    ///
    /// # Errors
    /// A row that is not two numbers in range, times that do not rise, or fewer than two rows; the error names file and line.
    pub fn parse(file: &str, text: &str, covers: Coverage) -> Result<Self, MeterError> {
        let bad = |line, expected| MeterError::BadRow { file: file.to_owned(), line, expected };
        let mut rows: Vec<(Duration, Power)> = Vec::new();
        for (index, row) in text.lines().enumerate() {
            let (row, line) = (row.trim(), index + 1);
            if row.is_empty() || row.starts_with('#') {
                continue;
            }
            let numbers =
                row.split_once(',').map(|(time, power)| (time.trim().parse(), power.trim().parse()));
            let (seconds, watts): (f64, f64) = match numbers {
                Some((Ok(seconds), Ok(watts))) => (seconds, watts),
                Some((Err(_), Err(_))) if rows.is_empty() => continue,
                _ => return Err(bad(line, "`seconds,watts`")),
            };
            if !(0.0..=LONGEST).contains(&seconds) || !(0.0..=MOST_WATTS).contains(&watts) {
                return Err(bad(line, "seconds up to 100000000 and watts up to 1000000, neither negative"));
            }
            let time = Duration::from_secs_f64(seconds);
            if rows.last().is_some_and(|last| last.0 >= time) {
                return Err(bad(line, "a later time than in the row before"));
            }
            if rows.len() == MOST_ROWS {
                return Err(bad(line, "at most 4000000 rows"));
            }
            rows.push((time, Power::from_watts_f64(watts)));
        }
        if rows.len() < 2 {
            return Err(bad(text.lines().count(), "at least two rows"));
        }
        let label = MeterLabel { covers, source: format!("the recording {file}") };
        Ok(Self { label, file: file.to_owned(), rows, asked: None })
    }

    /// How long it can be played.
    pub fn length(&self) -> Duration {
        let end = self.rows.last().zip(self.rows.first());
        end.map_or(Duration::ZERO, |(last, first)| last.0.saturating_sub(first.0))
    }

    /// The energy from one time of the recording, counted from its first row, to another.
    fn energy(&self, from: Duration, to: Duration) -> Energy {
        let start = self.rows[0].0;
        let (from, to) = (start + from, start + to);
        // The row that holds at `from` is the last one that begins by then.
        let first = self.rows.partition_point(|row| row.0 <= from).saturating_sub(1);
        let held = self.rows[first..].windows(2).take_while(|pair| pair[0].0 < to);
        held.map(|pair| pair[0].1 * pair[1].0.min(to).saturating_sub(pair[0].0.max(from))).sum()
    }
}

impl PowerMeter for RecordedPower {
    fn label(&self) -> &MeterLabel {
        &self.label
    }

    fn read(&mut self, now: Timestamp) -> Result<Option<Metered>, MeterError> {
        let Some((first, played)) = self.asked else {
            self.asked = Some((now, Duration::ZERO));
            return Ok(None);
        };
        let to = now.since(first).max(played);
        if to > self.length() {
            return Err(MeterError::TraceEnded { file: self.file.clone() });
        }
        self.asked = Some((first, to));
        Ok(Some(Metered { energy: self.energy(played, to), time: to - played }))
    }
}
