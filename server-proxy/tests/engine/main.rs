//! The server's engine with the devices' session machines at the other ends, in virtual time.

mod admission;
mod callbacks;
mod calls;
mod chaos;
mod drain;
mod limits;
mod logs;
mod once;
mod sessions;
mod world;
