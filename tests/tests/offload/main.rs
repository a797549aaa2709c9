//! Annotated calls that leave the device, from the attribute to the server and back.

mod arguments;
mod callbacks;
mod cancelling;
mod deltas;
mod endings;
mod failing;
mod futures;
mod hedges;
mod lives;
mod once;
mod planning;
mod servers;
mod shared;
mod stamps;
mod threads;
mod tracked;
mod within;
