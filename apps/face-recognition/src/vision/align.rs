//! Faces brought to one size, so that the same part of every face falls into the same cell.
//!
//! The detector gives a square, no eyes. A face is therefore extracted with some of its surroundings, and compared in
//! several *poses*: shifted and scaled by about as much as the detector's square wavers.

use outboard::State;
use serde::{Deserialize, Serialize};

use super::{Bounds, Found, Photo};

/// The side of a posed face without its margin, in pixels.
pub(super) const SIDE: u32 = 64;

/// A pattern looks one pixel around, so a posed face has that much more on each side.
pub(super) const MARGIN: u32 = 1;

/// The side of an extracted face, in pixels.
const EXTRACT: u32 = 90;

/// The side of the detector's square within an extracted face: a quarter more is cut out around it.
const INNER: i64 = 72;

/// One step of a shift, in pixels of an extracted face: 4 % of the face.
const SHIFT: i64 = 3;

/// One step of a change of scale, in pixels of an extracted face: 5.6 % of the face.
const STRETCH: i64 = 4;

/// A face cut out of its photograph.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, State)]
pub(crate) struct Face {
    pub(crate) bounds: Bounds,
    /// How sure the detector is; larger is surer.
    pub(crate) score: f64,
    /// The face and a little around it, [`EXTRACT`] pixels wide and high.
    cut: Photo,
}

/// Cuts a face that was found on a photograph out of it.
pub(crate) fn extract(photo: &Photo, found: Found) -> Face {
    let Bounds { x, y, width, height } = found.bounds;
    let around = |side: u32| side / 8;
    let outer = Bounds {
        x: x.saturating_sub_unsigned(around(width)),
        y: y.saturating_sub_unsigned(around(height)),
        width: width.saturating_add(2 * around(width)),
        height: height.saturating_add(2 * around(height)),
    };
    Face { bounds: found.bounds, score: found.score, cut: resized(photo, outer, EXTRACT) }
}

impl Face {
    /// The face as the detector saw it, ready to be described.
    pub(super) fn straight(&self) -> Photo {
        self.posed(0, 0, 0)
    }

    /// The face in all 27 poses: shifted by a step to any side or not at all, smaller, larger or as it is.
    pub(super) fn poses(&self) -> impl Iterator<Item = Photo> {
        let steps = || -1..=1;
        steps().flat_map(move |scale| {
            steps().flat_map(move |down| steps().map(move |right| self.posed(right, down, scale)))
        })
    }

    fn posed(&self, right: i64, down: i64, scale: i64) -> Photo {
        let side = INNER + scale * STRETCH;
        let corner = (i64::from(EXTRACT) - side) / 2;
        let bounds = Bounds {
            x: (corner + right * SHIFT) as i32,
            y: (corner + down * SHIFT) as i32,
            width: side as u32,
            height: side as u32,
        };
        // Grain and the dots of a printed photograph are patterns, too: smoothing twice leaves those of the face.
        smoothed(&smoothed(&resized(&self.cut, bounds, SIDE + 2 * MARGIN)))
    }
}

/// The part of a photograph within the bounds, scaled to a square.
///
/// Shrinking halves first, each pixel the mean of four, and only then interpolates: interpolation alone would skip
/// pixels, and the texture of what is left would depend on the size of the face.
fn resized(photo: &Photo, bounds: Bounds, side: u32) -> Photo {
    let mut cut = cut(photo, bounds);
    while cut.width() >= 2 * side && cut.height() >= 2 * side {
        cut = halved(&cut);
    }
    scaled(&cut, side)
}

fn cut(photo: &Photo, bounds: Bounds) -> Photo {
    let (left, top) = (i64::from(bounds.x), i64::from(bounds.y));
    // The detector's squares are not much larger than the photograph; beyond it there is nothing to see.
    let at_most = |side: u32| side.saturating_mul(2).max(1);
    let width = bounds.width.clamp(1, at_most(photo.width()));
    let height = bounds.height.clamp(1, at_most(photo.height()));
    photo_of(width, height, |x, y| photo.pixel(left + x, top + y))
}

fn halved(photo: &Photo) -> Photo {
    photo_of(photo.width() / 2, photo.height() / 2, |x, y| {
        let around = [(0, 0), (1, 0), (0, 1), (1, 1)];
        let sum: u32 = around.iter().map(|(dx, dy)| u32::from(photo.pixel(2 * x + dx, 2 * y + dy))).sum();
        ((sum + 2) / 4) as u8
    })
}

/// Bilinear interpolation with weights in 256ths: integers, so that no machine rounds differently.
fn scaled(photo: &Photo, side: u32) -> Photo {
    // The centre of target pixel i lies at (i + 1/2) · from / to − 1/2 of the source, here in 256ths.
    let source = |i: i64, from: u32| ((2 * i + 1) * i64::from(from) * 256 / (2 * i64::from(side))) - 128;
    photo_of(side, side, |x, y| {
        let (at_x, at_y) = (source(x, photo.width()), source(y, photo.height()));
        let (left, top) = (at_x.div_euclid(256), at_y.div_euclid(256));
        let (right_part, lower_part) = (at_x.rem_euclid(256), at_y.rem_euclid(256));
        let row = |y: i64| {
            let (here, next) = (i64::from(photo.pixel(left, y)), i64::from(photo.pixel(left + 1, y)));
            here * (256 - right_part) + next * right_part
        };
        ((row(top) * (256 - lower_part) + row(top + 1) * lower_part + (1 << 15)) >> 16) as u8
    })
}

/// Each pixel the mean of the nine around it, weighted 1 2 1 in both directions.
fn smoothed(photo: &Photo) -> Photo {
    const WEIGHTS: [(i64, u32); 3] = [(-1, 1), (0, 2), (1, 1)];
    photo_of(photo.width(), photo.height(), |x, y| {
        let row = |dy| {
            WEIGHTS.iter().map(|(dx, weight)| weight * u32::from(photo.pixel(x + dx, y + dy))).sum::<u32>()
        };
        let sum: u32 = WEIGHTS.iter().map(|(dy, weight)| weight * row(*dy)).sum();
        ((sum + 8) / 16) as u8
    })
}

fn photo_of(width: u32, height: u32, pixel: impl Fn(i64, i64) -> u8) -> Photo {
    let rows = 0..i64::from(height);
    let pixels =
        rows.flat_map(|y| (0..i64::from(width)).map(move |x| (x, y))).map(|(x, y)| pixel(x, y)).collect();
    Photo::new(width, height, pixels).expect("a pixel was made for every place, and there is at least one")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slope(width: u32, height: u32) -> Photo {
        photo_of(width, height, |x, _| (x * 255 / i64::from(width)) as u8)
    }

    fn found(x: i32, y: i32, side: u32) -> Found {
        Found { bounds: Bounds { x, y, width: side, height: side }, score: 9.0 }
    }

    #[test]
    fn every_face_comes_out_in_the_same_size() {
        for side in [0, 1, 17, 98, 500, u32::MAX] {
            let face = extract(&slope(640, 480), found(10, 10, side));
            assert_eq!((face.cut.width(), face.cut.height()), (EXTRACT, EXTRACT));
            assert!(face.poses().all(|pose| pose.width() == SIDE + 2 * MARGIN));
        }
    }

    #[test]
    fn bounds_beyond_the_edge_repeat_the_edge() {
        let face = extract(&slope(100, 100), found(-300, -300, 200));
        assert!(face.straight().pixels().iter().all(|pixel| *pixel == 0));
    }

    #[test]
    fn a_part_of_the_target_size_is_not_touched() {
        let photo = slope(90, 90);
        assert_eq!(resized(&photo, Bounds { x: 0, y: 0, width: 90, height: 90 }, 90), photo);
    }

    #[test]
    fn scaling_keeps_a_slope_a_slope() {
        let small = resized(&slope(700, 700), Bounds { x: 0, y: 0, width: 700, height: 700 }, 66);
        let row = &small.pixels()[..66];
        assert!(row.is_sorted(), "{row:?}");
        assert!(row[0] < 4 && row[65] > 250, "{row:?}");
    }

    #[test]
    fn smoothing_keeps_an_even_surface_and_spreads_a_point() {
        let even = photo_of(3, 3, |_, _| 77);
        assert_eq!(smoothed(&even), even);
        let point = smoothed(&photo_of(3, 3, |x, y| if (x, y) == (1, 1) { 160 } else { 0 }));
        assert_eq!(point.pixels(), [10, 20, 10, 20, 40, 20, 10, 20, 10]);
    }

    #[test]
    fn the_straight_pose_is_among_the_27() {
        let face = extract(&slope(300, 300), found(50, 60, 120));
        assert_eq!(face.poses().count(), 27);
        assert!(face.poses().any(|pose| pose == face.straight()));
    }
}
