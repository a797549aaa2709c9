//! Mistakes in a body, in `work` and in `fallback` show where they were made.

use outboard::remoteable;

#[remoteable]
fn wrong_type(n: u32) -> u32 {
    let text: String = n;
    text.len() as u32
}

#[remoteable]
fn wrong_result(n: u32) -> u32 {
    if n > 3 {
        return "three";
    }
    "n"
}

#[remoteable]
fn no_result(n: u32) -> u32 {
    let _more = n + 1;
}

#[remoteable]
async fn wrong_later(n: u32) -> u32 {
    unknown(n).await
}

#[remoteable]
fn changes(values: &[u32]) {
    values.sort();
}

#[remoteable(work = photo.size())]
fn unknown_work(photo: &[u8]) -> usize {
    photo.len()
}

#[remoteable(work = "much")]
fn no_number(photo: &[u8]) -> usize {
    photo.len()
}

fn other(_n: u64) -> u32 {
    1
}

#[remoteable(fallback = other)]
fn another_signature(n: u32) -> u32 {
    n
}

fn main() {}
