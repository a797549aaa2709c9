//! How a placement changes as a condition does.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::problem::{Condition, Placement};

/// The best placements over a range of one condition, the others as they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts")]
pub struct Outlook {
    condition: Condition,
    /// In order; the first from the range's begin.
    pieces: Vec<Piece>,
    /// The range's end.
    until: f64,
}

/// An outlook as it is read, before it is checked.
#[derive(Deserialize)]
#[serde(rename = "Outlook")]
struct Parts {
    condition: Condition,
    pieces: Vec<Piece>,
    until: f64,
}

/// What is wrong with pieces that are to be an outlook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OutlookError {
    /// There is none.
    #[error("a range has at least one piece")]
    Empty,
    /// One begins before the one in front of it, or at no number.
    #[error("pieces are sorted, and begin at a number")]
    Unsorted,
    /// They begin at or below zero, or do not end.
    #[error("a range goes from above zero to a finite end")]
    Range,
    /// They are of different problems.
    #[error("pieces place the same methods")]
    Lengths,
}

/// A part of the range in which one placement is best.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Piece {
    /// Where it begins, as a factor of the condition that the problem was made for.
    pub from: f64,
    /// Where each method runs, by position.
    pub placements: Vec<Placement>,
}

/// A point at which a method changes places.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flip {
    /// What has to change.
    pub condition: Condition,
    /// How far, as a factor of what it is.
    pub factor: f64,
    /// Where the method runs from there on.
    pub to: Placement,
}

impl Outlook {
    /// Makes an outlook of pieces that are sorted by where they begin; `until` is where the last one ends.
    ///
    /// # Panics
    /// Where [`checked`](Self::checked) refuses them.
    pub fn new(condition: Condition, pieces: Vec<Piece>, until: f64) -> Self {
        Self::checked(condition, pieces, until).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The same of pieces that somebody else has made.
    ///
    /// # Errors
    /// Without a piece, if they are not sorted, do not go from above zero to a finite end, or differ in length.
    pub fn checked(condition: Condition, pieces: Vec<Piece>, until: f64) -> Result<Self, OutlookError> {
        let first = pieces.first().ok_or(OutlookError::Empty)?;
        if !pieces.windows(2).all(|pair| pair[0].from <= pair[1].from) {
            return Err(OutlookError::Unsorted);
        }
        let last = pieces.last().map_or(first.from, |last| last.from);
        if !(first.from > 0.0 && last <= until && until.is_finite()) {
            return Err(OutlookError::Range);
        }
        if pieces.iter().any(|piece| piece.placements.len() != first.placements.len()) {
            return Err(OutlookError::Lengths);
        }
        Ok(Self { condition, pieces, until })
    }

    /// What changes.
    pub fn condition(&self) -> Condition {
        self.condition
    }

    /// The range, as factors of the condition that the problem was made for.
    pub fn range(&self) -> (f64, f64) {
        (self.pieces[0].from, self.until)
    }

    /// The pieces in order.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The piece that holds at a factor; past the range, the nearest.
    pub fn at(&self, factor: f64) -> &Piece {
        &self.pieces[self.number(factor)]
    }

    /// The nearest points below and above a factor of 1 at which the method at a position changes places.
    pub fn flips(&self, position: usize) -> impl Iterator<Item = Flip> {
        let here = self.number(1.0);
        let placement = |number: usize| self.pieces[number].placements.get(position).copied();
        let flip = |factor, to| Flip { condition: self.condition, factor, to };
        let below = (1..=here)
            .rev()
            .find(|number| placement(number - 1) != placement(here))
            .and_then(|number| Some(flip(self.pieces[number].from, placement(number - 1)?)));
        let above = (here + 1..self.pieces.len())
            .find(|number| placement(*number) != placement(here))
            .and_then(|number| Some(flip(self.pieces[number].from, placement(number)?)));
        below.into_iter().chain(above)
    }

    /// The factors between which the piece that holds at a factor does.
    pub fn span(&self, factor: f64) -> (f64, f64) {
        let number = self.number(factor);
        (self.pieces[number].from, self.pieces.get(number + 1).map_or(self.until, |next| next.from))
    }

    fn number(&self, factor: f64) -> usize {
        self.pieces.partition_point(|piece| piece.from <= factor).saturating_sub(1)
    }
}

impl TryFrom<Parts> for Outlook {
    type Error = OutlookError;

    fn try_from(Parts { condition, pieces, until }: Parts) -> Result<Self, OutlookError> {
        Self::checked(condition, pieces, until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Placement::{Device, Server};

    #[test]
    fn pieces_that_are_no_outlook_are_refused_and_never_a_panic() {
        let make = |from: &[f64], until: f64| {
            let pieces = from.iter().map(|from| Piece { from: *from, placements: vec![Device] }).collect();
            Outlook::checked(Condition::Work, pieces, until).map(|outlook| outlook.range())
        };
        assert_eq!(make(&[0.1, 0.1, 2.0], 10.0), Ok((0.1, 10.0)));
        assert_eq!(make(&[], 10.0), Err(OutlookError::Empty));
        assert_eq!(make(&[2.0, 1.0], 10.0), Err(OutlookError::Unsorted));
        assert_eq!(make(&[1.0, f64::NAN], 10.0), Err(OutlookError::Unsorted));
        for (from, until) in [(0.0, 1.0), (-1.0, 1.0), (f64::NAN, 1.0), (2.0, 1.0), (1.0, f64::NAN)] {
            assert_eq!(make(&[from], until), Err(OutlookError::Range), "{from} {until}");
        }
        assert_eq!(make(&[1.0], f64::INFINITY), Err(OutlookError::Range));
        let pieces = [vec![Device], vec![]].map(|placements| Piece { from: 1.0, placements });
        assert_eq!(Outlook::checked(Condition::Work, pieces.into(), 2.0), Err(OutlookError::Lengths));
    }

    #[test]
    fn a_method_flips_at_the_nearest_change_on_either_side() {
        let piece = |from, placements: [Placement; 2]| Piece { from, placements: placements.to_vec() };
        let pieces = vec![
            piece(0.01, [Device, Device]),
            piece(0.2, [Device, Server]),
            piece(0.5, [Device, Device]),
            piece(4.0, [Server, Device]),
        ];
        let outlook = Outlook::new(Condition::Bandwidth, pieces, 100.0);
        let flips = |position| outlook.flips(position).map(|flip| (flip.factor, flip.to)).collect::<Vec<_>>();
        assert_eq!(flips(0), [(4.0, Server)]);
        assert_eq!(flips(1), [(0.5, Server)]);
        assert_eq!(outlook.span(1.0), (0.5, 4.0));
        assert_eq!(outlook.span(7.0), (4.0, 100.0));
        assert_eq!(outlook.at(0.3).placements, [Device, Server]);
        assert_eq!(outlook.at(1e-9).placements, [Device, Device]);
        assert_eq!(outlook.at(1e9).placements, [Server, Device]);
        assert_eq!(outlook.range(), (0.01, 100.0));
    }
}
