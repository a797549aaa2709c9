//! Another build of `edge-app` that calls itself the same: one method is the same, one has another body, one has another
//! signature, and the others are not there. Good for `serve` alone.

use std::process::ExitCode;

use outboard::remoteable;

#[remoteable(name = "add")]
fn add(left: u64, right: u64) -> (u64, u32) {
    ran(left + right)
}

#[remoteable(name = "double")]
fn double(value: u64) -> (u64, u32) {
    ran(value + value)
}

#[remoteable(name = "halve")]
fn halve(value: u32) -> (u32, u32) {
    ran(value / 2)
}

fn ran<T>(value: T) -> (T, u32) {
    (value, std::process::id())
}

fn main() -> ExitCode {
    outboard::main(|| ())
}
