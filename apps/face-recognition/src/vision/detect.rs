//! Where the faces are, by SeetaFace's funnel-structured cascade (Wu, Kan, He, Shan, Chen: Funnel-structured cascade
//! for multi-view face detection with alignment-awareness, Neurocomputing 2017), as `rustface` implements it.

use std::sync::OnceLock;

use outboard::State;
use rustface::{ImageData, Model};
use serde::{Deserialize, Serialize};

use super::Photo;

/// The detector's model is part of the program, so that 1.2 MB need not travel with every call: the server is the same
/// program.
const MODEL: &[u8] = include_bytes!("../../../../assets/models/seeta_fd_frontal_v1.0.bin");

/// The cascade's windows are 40 pixels wide, so that smaller faces are not found.
const SMALLEST_FACE: u32 = 40;

/// How far the window moves at a time, in pixels. Steps of 4 find the same faces in a third of the time, but their squares
/// waver more, and with them the distance between two pictures of one person (0.26 instead of 0.18 at most on the
/// committed photographs).
const STEP: u32 = 2;

/// A face collects the scores of all windows around it: 24 and more on the committed photographs, where folds and
/// buttons stay below 5.
const LOWEST_SCORE: f64 = 10.0;

/// A square or rectangle on a photograph; it may reach beyond the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, State)]
pub(crate) struct Bounds {
    pub(crate) x: i32,
    pub(crate) y: i32,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// A face that the detector found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Found {
    pub(crate) bounds: Bounds,
    /// How sure the detector is; larger is surer.
    pub(crate) score: f64,
}

/// All faces on a photograph, from left to right.
///
/// A photograph that is not whole has none: it came over the network and lies about its size.
pub(crate) fn faces_on(photo: &Photo) -> Vec<Found> {
    if !photo.is_whole() || photo.width().min(photo.height()) < SMALLEST_FACE {
        return Vec::new();
    }
    let mut detector = rustface::create_detector_with_model(model().clone());
    detector.set_min_face_size(SMALLEST_FACE);
    detector.set_score_thresh(LOWEST_SCORE);
    detector.set_pyramid_scale_factor(0.8);
    detector.set_slide_window_step(STEP, STEP);

    let image = ImageData::new(photo.pixels(), photo.width(), photo.height());
    let mut faces: Vec<Found> = detector.detect(&image).iter().map(Found::from).collect();
    faces.sort_by_key(|face| (face.bounds.x, face.bounds.y));
    faces
}

/// Parsed once in a process. It depends on nothing but constant bytes, so a server has the very same one.
fn model() -> &'static Model {
    static PARSED: OnceLock<Model> = OnceLock::new();
    PARSED.get_or_init(|| rustface::read_model(MODEL).expect("the model was checked when it was committed"))
}

impl From<&rustface::FaceInfo> for Found {
    fn from(face: &rustface::FaceInfo) -> Self {
        let bounds = face.bbox();
        Self {
            bounds: Bounds { x: bounds.x(), y: bounds.y(), width: bounds.width(), height: bounds.height() },
            score: face.score(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn painted(width: u32, height: u32, paint: impl Fn(u32, u32) -> u8) -> Photo {
        let pixels = (0..width * height).map(|i| paint(i % width, i / width)).collect();
        Photo::new(width, height, pixels).expect("a pixel for every place")
    }

    #[test]
    fn a_photograph_smaller_than_a_face_has_none() {
        assert_eq!(faces_on(&painted(39, 300, |_, _| 9)), []);
        assert_eq!(faces_on(&painted(1, 1, |_, _| 9)), []);
    }

    #[test]
    fn hard_stripes_and_noise_are_no_faces_and_no_trouble() {
        let stripes = painted(200, 120, |x, _| if x / 8 % 2 == 0 { 255 } else { 0 });
        let noise = painted(200, 120, |x, y| {
            ((x * 7_919) ^ (y * 104_729)).wrapping_mul(2_246_822_519).to_be_bytes()[0]
        });
        assert_eq!(faces_on(&stripes), []);
        assert_eq!(faces_on(&noise), []);
    }

    #[test]
    fn a_photograph_of_the_smallest_size_is_looked_at() {
        assert_eq!(faces_on(&painted(40, 40, |x, y| (x ^ y) as u8)), []);
    }
}
