//! What the app computes: pure functions from a photograph to faces and their descriptors.
//!
//! Nothing here knows of Outboard, of files or of the screen, so the same bits come out on the device and on the
//! server: integer arithmetic throughout, except in the detector, which uses one thread and no fused operations.

mod align;
mod detect;
mod pattern;
mod photo;

pub(crate) use align::{Face, extract};
pub(crate) use detect::{Bounds, Found, faces_on};
pub(crate) use pattern::{Descriptor, Distance};
pub(crate) use photo::Photo;
