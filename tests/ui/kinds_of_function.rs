//! Functions that mean more than their signature can carry to another machine.

use outboard::remoteable;

#[remoteable]
const fn early() -> u32 {
    1
}

#[remoteable]
unsafe fn careless(n: u32) -> u32 {
    n
}

#[remoteable]
extern "C" fn called_by_foreign_code(n: u32) -> u32 {
    n
}

#[remoteable]
#[track_caller]
fn tells_who_calls() {}

#[remoteable]
fn never() -> ! {
    loop {}
}

#[remoteable]
impl Drop for Held {
    fn drop(&mut self) {}
}

struct Held;

fn main() {}
