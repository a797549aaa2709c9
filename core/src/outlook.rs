//! How a placement changes as a condition does.

use serde::{Deserialize, Serialize};

use crate::problem::{Condition, Placement};

/// The best placements over a range of one condition, the others as they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outlook {
    condition: Condition,
    /// In order; the first from the range's begin.
    pieces: Vec<Piece>,
    /// The range's end.
    until: f64,
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
    /// Without a piece, or if they are not sorted.
    pub fn new(condition: Condition, pieces: Vec<Piece>, until: f64) -> Self {
        assert!(!pieces.is_empty(), "a range has at least one piece");
        assert!(pieces.windows(2).all(|pair| pair[0].from <= pair[1].from), "pieces are sorted");
        Self { condition, pieces, until }
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
        let placement = |number: usize| self.pieces[number].placements[position];
        let flip = |factor, to| Flip { condition: self.condition, factor, to };
        let below = (1..=here)
            .rev()
            .find(|number| placement(number - 1) != placement(here))
            .map(|number| flip(self.pieces[number].from, placement(number - 1)));
        let above = (here + 1..self.pieces.len())
            .find(|number| placement(*number) != placement(here))
            .map(|number| flip(self.pieces[number].from, placement(number)));
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

#[cfg(test)]
mod tests {
    use super::*;
    use Placement::{Device, Server};

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
