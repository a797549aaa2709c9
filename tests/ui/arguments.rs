//! Arguments that mean something only in the process that made them.

use outboard::remoteable;

struct Frame<'a>(&'a [u8]);

#[remoteable]
fn twice(text: &&str) -> usize {
    text.len()
}

#[remoteable]
fn text(text: &mut str) {
    text.make_ascii_uppercase();
}

#[remoteable]
fn kept(text: &'static str) -> usize {
    text.len()
}

#[remoteable]
fn several(names: Vec<&str>, pair: (&u8, u8)) -> usize {
    names.len() + usize::from(pair.1)
}

#[remoteable]
fn borrowing(frame: Frame<'_>) -> usize {
    frame.0.len()
}

#[remoteable]
fn pointing(start: *const u8, apply: fn(u8) -> u8) -> u8 {
    let _ = start;
    apply(1)
}

#[remoteable]
fn part(values: Option<&mut [u8]>) {
    let _ = values;
}

#[remoteable]
fn sometimes(#[cfg(unix)] n: u8) {
    let _ = n;
}

#[remoteable]
fn foreign(#[state(skip)] n: &mut u8, #[state(opaque)] text: &str) {
    let _ = (n, text);
}

fn main() {}
