//! Where the attributes stand.

use outboard::remoteable;

#[remoteable]
struct Album;

#[remoteable]
trait Draw {
    fn draw(&self);
}

#[remoteable]
mod pictures {}

#[outboard::local]
fn free() {}

impl Album {
    #[outboard::local(once)]
    fn not_in_an_annotated_impl(&self) {}

    #[outboard::device]
    fn alone(&self) {}
}

#[outboard::device]
const LIMIT: u32 = 1;

fn main() {}
