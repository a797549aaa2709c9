//! Faces described by local binary patterns.
//!
//! T. Ahonen, A. Hadid, M. Pietikäinen: Face recognition with local binary patterns, ECCV 2004, and Face description
//! with local binary patterns, IEEE TPAMI 28(12), 2006. Here: the operator LBP(8,1) with uniform patterns (their §2), a
//! grid of 8 × 8 cells, and the chi-square distance (their §3) with all cells weighing the same.

use outboard::State;
use serde::{Deserialize, Serialize};

use super::align::{Face, MARGIN, SIDE};
use super::photo::Photo;

const CELLS: u32 = 8;
const CELL: u32 = SIDE / CELLS;

/// 58 uniform patterns, those with at most two changes between 0 and 1 around the circle, and one for all others.
const LABELS: usize = 59;

const LABEL_OF: [u8; 256] = labels();

/// How often each pattern occurs in each cell of a face.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, State)]
pub(crate) struct Descriptor {
    /// Cell by cell, label by label. A cell has 64 pixels, so a byte holds any count.
    counts: Vec<u8>,
}

/// How different two faces are: 0 for equal ones, 1 for faces with no pattern in common.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize, State)]
pub(crate) struct Distance(f64);

impl Descriptor {
    /// Describes a face as the detector saw it, to be kept.
    pub(crate) fn of(face: &Face) -> Self {
        Self::of_posed(&face.straight())
    }

    /// Describes a face in every pose, to be compared with what is kept.
    pub(crate) fn of_every_pose(face: &Face) -> Vec<Self> {
        face.poses().map(|posed| Self::of_posed(&posed)).collect()
    }

    fn of_posed(face: &Photo) -> Self {
        let mut counts = vec![0_u8; (CELLS * CELLS) as usize * LABELS];
        for y in 0..SIDE {
            for x in 0..SIDE {
                let cell = (y / CELL) * CELLS + x / CELL;
                let label = LABEL_OF[usize::from(pattern(face, x + MARGIN, y + MARGIN))];
                counts[cell as usize * LABELS + usize::from(label)] += 1;
            }
        }
        Self { counts }
    }

    /// The chi-square distance Σ (a − b)² / (a + b), divided by the most it can be.
    ///
    /// Descriptors of different lengths, which only a broken peer sends, have nothing in common.
    pub(crate) fn distance(&self, other: &Self) -> Distance {
        if self.counts.len() != other.counts.len() {
            return Distance(1.0);
        }
        let pairs = self.counts.iter().zip(&other.counts).map(|(a, b)| (f64::from(*a), f64::from(*b)));
        let sum: f64 = pairs.filter(|(a, b)| a + b > 0.0).map(|(a, b)| (a - b) * (a - b) / (a + b)).sum();
        Distance(sum / f64::from(2 * SIDE * SIDE))
    }
}

impl Distance {
    /// That part of the largest distance there is.
    pub(crate) const fn new(part: f64) -> Self {
        Self(part)
    }

    /// As part of the largest distance there is.
    pub(crate) const fn as_f64(self) -> f64 {
        self.0
    }
}

/// One bit for each of the eight neighbours, clockwise from the top left: set where it is at least as bright.
fn pattern(face: &Photo, x: u32, y: u32) -> u8 {
    let (x, y) = (i64::from(x), i64::from(y));
    let centre = face.pixel(x, y);
    let around = [(-1, -1), (0, -1), (1, -1), (1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0)];
    around.iter().fold(0, |bits, (dx, dy)| bits << 1 | u8::from(face.pixel(x + dx, y + dy) >= centre))
}

const fn labels() -> [u8; 256] {
    let mut labels = [LABELS as u8 - 1; 256];
    let (mut pattern, mut next) = (0_usize, 0);
    while pattern < 256 {
        let bits = pattern as u8;
        if (bits ^ bits.rotate_left(1)).count_ones() <= 2 {
            labels[pattern] = next;
            next += 1;
        }
        pattern += 1;
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(paint: impl Fn(u32, u32) -> u8) -> Descriptor {
        let side = SIDE + 2 * MARGIN;
        let pixels = (0..side * side).map(|i| paint(i % side, i / side)).collect();
        Descriptor::of_posed(&Photo::new(side, side, pixels).expect("one pixel for every place"))
    }

    fn speckles(x: u32, y: u32) -> u8 {
        (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)).wrapping_mul(2_246_822_519).to_be_bytes()[0]
    }

    #[test]
    fn there_are_58_uniform_patterns() {
        let uniform = LABEL_OF.iter().filter(|label| usize::from(**label) < LABELS - 1).count();
        assert_eq!(uniform, 58);
    }

    #[test]
    fn a_face_is_itself() {
        assert_eq!(face(speckles).distance(&face(speckles)), Distance::new(0.0));
    }

    #[test]
    fn every_pixel_is_counted_once() {
        let total: u32 = face(speckles).counts.iter().map(|count| u32::from(*count)).sum();
        assert_eq!(total, SIDE * SIDE);
    }

    #[test]
    fn brightness_does_not_matter() {
        let (bright, dark) = (face(|x, y| 60 + speckles(x, y) / 2), face(|x, y| speckles(x, y) / 2));
        assert_eq!(bright.distance(&dark), Distance::new(0.0));
    }

    #[test]
    fn faces_with_no_pattern_in_common_are_as_far_apart_as_can_be() {
        let (flat, slope) = (face(|_, _| 7), face(|x, _| x as u8));
        assert_eq!(flat.distance(&slope), Distance::new(1.0));
    }

    #[test]
    fn a_descriptor_of_another_length_matches_nothing() {
        let cut = Descriptor { counts: vec![0; 3] };
        assert_eq!(face(speckles).distance(&cut), Distance::new(1.0));
    }
}
