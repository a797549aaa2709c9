//! A photograph as the vision code wants it: grey, small enough, whole.

use std::fmt;

use image::RgbImage;
use outboard::State;
use serde::{Deserialize, Serialize};

/// A grey photograph, row by row from the top left, one byte a pixel.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, State)]
pub(crate) struct Photo {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

impl Photo {
    /// A photograph of these pixels; `None` if they do not fill it.
    pub(crate) fn new(width: u32, height: u32, pixels: Vec<u8>) -> Option<Self> {
        let photo = Self { width, height, pixels };
        photo.is_whole().then_some(photo)
    }

    /// The grey version of a picture in colour.
    pub(crate) fn from_colour(picture: &RgbImage) -> Self {
        let grey = picture.pixels().map(|pixel| luma(pixel.0)).collect();
        Self { width: picture.width(), height: picture.height(), pixels: grey }
    }

    pub(crate) fn width(&self) -> u32 {
        self.width
    }

    pub(crate) fn height(&self) -> u32 {
        self.height
    }

    pub(crate) fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Whether there is a pixel for every place. What arrives over the network need not keep what [`Photo::new`]
    /// checks, and the detector reads without looking.
    pub(crate) fn is_whole(&self) -> bool {
        let places = u64::from(self.width) * u64::from(self.height);
        places > 0 && places == self.pixels.len() as u64
    }

    /// The pixel at that place; beyond the edge, the nearest one on it. Black where a photograph is not whole.
    pub(crate) fn pixel(&self, x: i64, y: i64) -> u8 {
        let x = x.min(i64::from(self.width) - 1).max(0) as usize;
        let y = y.min(i64::from(self.height) - 1).max(0) as usize;
        self.pixels.get(y * self.width as usize + x).copied().unwrap_or(0)
    }
}

/// Without the pixels, which nobody wants to read.
impl fmt::Debug for Photo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Photo({} × {})", self.width, self.height)
    }
}

/// The luma of ITU-R BT.601, rounded, in integers so that it is the same on every machine.
fn luma([red, green, blue]: [u8; 3]) -> u8 {
    let sum = 299 * u32::from(red) + 587 * u32::from(green) + 114 * u32::from(blue) + 500;
    // At most 255_500 / 1_000.
    (sum / 1_000) as u8
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn black_and_white_stay_what_they_are() {
        let mut picture = RgbImage::from_pixel(2, 1, Rgb([0, 0, 0]));
        picture.put_pixel(1, 0, Rgb([255, 255, 255]));
        assert_eq!(Photo::from_colour(&picture).pixels(), [0, 255]);
    }

    #[test]
    fn green_is_brighter_than_red_than_blue() {
        assert_eq!([luma([255, 0, 0]), luma([0, 255, 0]), luma([0, 0, 255])], [76, 150, 29]);
    }

    #[test]
    fn a_photograph_has_a_pixel_for_every_place() {
        assert!(Photo::new(2, 2, vec![0; 4]).is_some());
        assert_eq!(Photo::new(2, 2, vec![0; 3]), None);
        assert_eq!(Photo::new(0, 2, vec![]), None);
    }

    #[test]
    fn a_photograph_that_lies_about_its_size_is_black_where_it_ends() {
        let liar = Photo { width: 9, height: 9, pixels: vec![200] };
        assert!(!liar.is_whole());
        assert_eq!([liar.pixel(0, 0), liar.pixel(8, 8)], [200, 0]);
        assert_eq!(Photo { width: 0, height: 0, pixels: vec![] }.pixel(3, 3), 0);
    }

    #[test]
    fn beyond_the_edge_lies_the_edge() {
        let photo = Photo::new(2, 1, vec![10, 20]).expect("two pixels");
        assert_eq!([photo.pixel(-5, -5), photo.pixel(9, 9)], [10, 20]);
    }
}
