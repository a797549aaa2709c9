//! Lints look at what the user wrote, as they do without the attribute.
#![deny(unused, unreachable_code)]

use outboard::remoteable;

#[remoteable]
pub fn unused_argument(photo: &str, count: u32) -> u32 {
    count
}

#[remoteable]
pub async fn unused_later(photo: String, count: u32) -> u32 {
    count
}

#[remoteable]
pub fn unused_part((width, height): (u32, u32)) -> u32 {
    width
}

#[remoteable]
pub fn unused_mut(mut count: u32) -> u32 {
    count
}

#[remoteable]
pub fn unused_within(count: u32) -> u32 {
    let more = 1;
    return count;
    count + 1
}

#[remoteable]
#[must_use]
pub fn needed() -> u32 {
    1
}

fn main() {
    needed();
}
