//! Options that do not exist, contradict each other or have no such value.

use outboard::remoteable;

#[remoteable(onse, name = "", deadline = "2 weeks", work, compatible = true, compatible, compatible)]
fn several() {}

#[remoteable(hedge = sometimes)]
fn hedged() {}

#[remoteable(hedge = late, remote_only)]
fn twice() {}

#[outboard::device(once, work = 1)]
fn device() {}

#[outboard::device]
#[remoteable]
fn both() {}

#[remoteable(name = "album", work = 3, fast)]
impl Album {
    #[outboard::local(once)]
    fn new() -> Self {
        Self
    }

    #[remoteable]
    #[outboard::device]
    fn show(&self) {}

    #[cfg_attr(debug_assertions, outboard::local)]
    fn count(&self) -> u32 {
        1
    }
}

struct Album;

fn main() {}
