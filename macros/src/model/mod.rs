//! The model: an item whose mistakes have been told, in the terms in which it is expanded.

mod checks;
mod method;
mod self_type;
mod slot;

pub(crate) use checks::generics;
pub(crate) use method::{Method, Role};
pub(crate) use self_type::SelfType;
pub(crate) use slot::{Binding, Payload, Shape, Slot};
