//! Boxes around faces, and names under them.

use font8x8::{BASIC_FONTS, LATIN_FONTS, UnicodeFonts};
use image::{Rgb, RgbImage};

use crate::Sighting;
use crate::gallery::Match;
use crate::vision::Bounds;

const KNOWN: Rgb<u8> = Rgb([60, 220, 90]);
const UNKNOWN: Rgb<u8> = Rgb([250, 160, 40]);
const PAPER: Rgb<u8> = Rgb([20, 20, 20]);

/// The side of a letter, in dots of the font.
const LETTER: i64 = 8;

/// A copy of the picture with everybody in a box: green with the name, or orange with a question mark.
pub(crate) fn drawn(picture: &RgbImage, sightings: &[Sighting]) -> RgbImage {
    let mut canvas = Canvas { picture: picture.clone() };
    for sighting in sightings {
        let (name, ink) = match &sighting.who {
            Match::Person { name, .. } => (name.as_str(), KNOWN),
            Match::Unknown { .. } => ("?", UNKNOWN),
        };
        canvas.frame(sighting.bounds, ink);
        canvas.label(sighting.bounds, name, ink);
    }
    canvas.picture
}

struct Canvas {
    picture: RgbImage,
}

impl Canvas {
    fn frame(&mut self, bounds: Bounds, ink: Rgb<u8>) {
        const THICK: i64 = 3;
        let (left, top) = (i64::from(bounds.x), i64::from(bounds.y));
        let (width, height) = (i64::from(bounds.width), i64::from(bounds.height));
        self.fill(left, top, width, THICK, ink);
        self.fill(left, top + height - THICK, width, THICK, ink);
        self.fill(left, top, THICK, height, ink);
        self.fill(left + width - THICK, top, THICK, height, ink);
    }

    /// The name under the box, in the middle, but never beyond the edge of the picture.
    fn label(&mut self, bounds: Bounds, name: &str, ink: Rgb<u8>) {
        const GAP: i64 = 3;
        let dot = if self.picture.width() >= 1_200 { 2 } else { 1 };
        let width = name.chars().count() as i64 * LETTER * dot + 2 * GAP;
        let height = LETTER * dot + 2 * GAP;
        let middle = i64::from(bounds.x) + i64::from(bounds.width) / 2;
        let below = i64::from(bounds.y) + i64::from(bounds.height) + GAP;
        let left = (middle - width / 2).min(i64::from(self.picture.width()) - width).max(0);
        let top = below.min(i64::from(self.picture.height()) - height).max(0);
        self.fill(left, top, width, height, PAPER);
        for (letter, place) in name.chars().zip(0..) {
            self.letter(left + GAP + place * LETTER * dot, top + GAP, letter, dot, ink);
        }
    }

    fn letter(&mut self, left: i64, top: i64, letter: char, dot: i64, ink: Rgb<u8>) {
        let rows =
            BASIC_FONTS.get(letter).or_else(|| LATIN_FONTS.get(letter)).or_else(|| BASIC_FONTS.get('?'));
        for (row, y) in rows.unwrap_or_default().iter().zip(0..) {
            for x in (0..LETTER).filter(|x| row >> x & 1 == 1) {
                self.fill(left + x * dot, top + y * dot, dot, dot, ink);
            }
        }
    }

    /// A filled rectangle; what lies beyond the edge is left out.
    fn fill(&mut self, left: i64, top: i64, width: i64, height: i64, ink: Rgb<u8>) {
        let across = left.max(0)..(left + width).min(i64::from(self.picture.width()));
        for y in top.max(0)..(top + height).min(i64::from(self.picture.height())) {
            for x in across.clone() {
                self.picture.put_pixel(x as u32, y as u32, ink);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sighting(x: i32, y: i32, name: Option<&str>) -> Sighting {
        let who = match name {
            Some(name) => {
                Match::Person { name: name.to_owned(), distance: crate::vision::Distance::new(0.1) }
            }
            None => Match::Unknown { nearest: None },
        };
        Sighting { bounds: Bounds { x, y, width: 40, height: 40 }, score: 9.0, who }
    }

    #[test]
    fn a_known_face_gets_a_green_box_an_unknown_one_an_orange_box() {
        let picture =
            drawn(&RgbImage::new(200, 200), &[sighting(10, 10, Some("Ada")), sighting(100, 100, None)]);
        assert_eq!([*picture.get_pixel(10, 10), *picture.get_pixel(100, 139)], [KNOWN, UNKNOWN]);
        assert_eq!(*picture.get_pixel(30, 30), Rgb([0, 0, 0]), "the face itself stays visible");
    }

    #[test]
    fn a_box_beyond_the_edge_is_drawn_as_far_as_there_is_picture() {
        let picture = drawn(&RgbImage::new(50, 50), &[sighting(-20, 30, Some("Émilie du Châtelet"))]);
        assert_eq!(*picture.get_pixel(0, 30), KNOWN);
        assert!(picture.pixels().any(|pixel| *pixel == PAPER), "the name is moved into the picture");
    }

    #[test]
    fn without_faces_the_picture_stays_as_it_was() {
        let picture = RgbImage::from_pixel(9, 9, Rgb([1, 2, 3]));
        assert_eq!(drawn(&picture, &[]), picture);
    }
}
