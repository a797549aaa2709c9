//! Picture files: opening them with care, and drawing on them what was found.

mod draw;
mod open;

pub(crate) use draw::drawn;
pub(crate) use open::{PictureError, decode, open, save};
