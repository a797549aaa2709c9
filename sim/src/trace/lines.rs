//! What the importers have in common: lines with their numbers, fields, limits and errors.

use super::decimal::scaled;
use super::error::{TraceError, shown};
use super::steps::{LONGEST, LinkStep, LinkTrace, MAX_STEPS, TraceEnd, nanos};
use std::time::Duration;

/// A text and the name that its errors have.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    file: &'a str,
    text: &'a str,
}

/// One line of it.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    file: &'a str,
    pub(super) number: usize,
    pub(super) text: &'a str,
}

/// The columns of a comma-separated header, in lower case with their spaces trimmed.
pub(super) struct Header<'a> {
    file: &'a str,
    pub(super) names: Vec<String>,
}

impl<'a> Source<'a> {
    pub(super) fn new(file: &'a str, text: &'a str) -> Self {
        // A mark that some programs put before UTF-8.
        Self { file, text: text.strip_prefix('\u{feff}').unwrap_or(text) }
    }

    /// Lines that say something: neither blank nor a comment.
    pub(super) fn lines(self) -> impl Iterator<Item = Line<'a>> {
        self.all_lines().filter(|line| !line.text.is_empty() && !line.text.starts_with('#'))
    }

    /// What comments say, without their marks.
    pub(super) fn comments(self) -> impl Iterator<Item = Line<'a>> {
        let comment =
            |line: Line<'a>| line.text.strip_prefix('#').map(|text| Line { text: text.trim(), ..line });
        self.all_lines().filter_map(comment)
    }

    /// The first line and the others.
    pub(super) fn headed(self) -> Result<(Header<'a>, impl Iterator<Item = Line<'a>>), TraceError> {
        let mut lines = self.lines();
        let first = lines.next().ok_or_else(|| self.empty())?;
        let names = first.text.split(',').map(|name| name.trim().trim_matches('"').to_lowercase()).collect();
        Ok((Header { file: self.file, names }, lines))
    }

    pub(super) fn empty(self) -> TraceError {
        TraceError::Empty { file: self.file.to_owned() }
    }

    pub(super) fn too_long(self, limit: usize) -> TraceError {
        TraceError::TooLong { file: self.file.to_owned(), limit }
    }

    /// Checks steps; more than are kept are refused.
    pub(super) fn trace(
        self,
        steps: Vec<LinkStep>,
        duration: Duration,
        end: TraceEnd,
    ) -> Result<LinkTrace, TraceError> {
        if steps.is_empty() {
            return Err(self.empty());
        }
        LinkTrace::new(steps, duration, end)
            .map_err(|source| TraceError::Steps { file: self.file.to_owned(), source })
    }

    /// One more step, as long as there is room.
    pub(super) fn push<T>(self, steps: &mut Vec<T>, step: T) -> Result<(), TraceError> {
        if steps.len() >= MAX_STEPS {
            return Err(self.too_long(MAX_STEPS));
        }
        steps.push(step);
        Ok(())
    }

    fn all_lines(self) -> impl Iterator<Item = Line<'a>> {
        let file = self.file;
        self.text.lines().enumerate().map(move |(index, text)| Line {
            file,
            number: index + 1,
            text: text.trim(),
        })
    }
}

impl<'a> Line<'a> {
    /// The field of a comma-separated line; empty where the line is too short.
    pub(super) fn field(self, index: usize) -> &'a str {
        self.text.split(',').nth(index).unwrap_or("").trim().trim_matches('"')
    }

    /// A number in a unit of which ten to the `power` make one of ours.
    pub(super) fn figure(self, field: &str, power: i64, expected: &'static str) -> Result<u64, TraceError> {
        if field.is_empty() {
            return Err(TraceError::NoField { file: self.file.to_owned(), line: self.number, expected });
        }
        scaled(field, power).ok_or_else(|| self.no_figure(field, expected))
    }

    /// A time, in nanoseconds, that is not longer than any trace.
    pub(super) fn time(self, field: &str, power: i64, expected: &'static str) -> Result<u64, TraceError> {
        let time = self.figure(field, power, expected)?;
        if time > nanos(LONGEST) { Err(self.no_figure(field, expected)) } else { Ok(time) }
    }

    pub(super) fn no_figure(self, found: &str, expected: &'static str) -> TraceError {
        let (file, found) = (self.file.to_owned(), shown(found));
        TraceError::NoFigure { file, line: self.number, found, expected }
    }

    pub(super) fn backwards(self) -> TraceError {
        TraceError::Backwards { file: self.file.to_owned(), line: self.number }
    }
}

impl Header<'_> {
    /// The first column that passes.
    pub(super) fn find(&self, passes: impl Fn(&str) -> bool) -> Option<usize> {
        self.names.iter().position(|name| passes(name))
    }

    /// The same, where the format cannot do without.
    pub(super) fn need(
        &self,
        column: &'static str,
        passes: impl Fn(&str) -> bool,
    ) -> Result<usize, TraceError> {
        self.find(passes).ok_or_else(|| self.lacks(column))
    }

    pub(super) fn lacks(&self, column: &'static str) -> TraceError {
        TraceError::NoColumn { file: self.file.to_owned(), column }
    }

    pub(super) fn unknown(&self, column: &str, known: &'static str) -> TraceError {
        TraceError::UnknownColumn { file: self.file.to_owned(), column: shown(column), known }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_samples_than_are_kept_are_refused() {
        let source = Source::new("long", "");
        let mut samples = vec![(); MAX_STEPS - 1];
        assert_eq!(source.push(&mut samples, ()), Ok(()));
        let refused = source.push(&mut samples, ());
        assert_eq!(refused, Err(TraceError::TooLong { file: "long".into(), limit: MAX_STEPS }));
    }

    #[test]
    fn blank_lines_comments_and_marks_are_passed_over_and_counted() {
        let lines: Vec<_> = Source::new("x", "\u{feff}1\r\n\n# said\n 2 ")
            .lines()
            .map(|line| (line.number, line.text))
            .collect();
        assert_eq!(lines, [(1, "1"), (4, "2")]);
    }
}
