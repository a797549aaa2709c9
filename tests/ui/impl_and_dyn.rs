//! What is decoded has a name.

use std::future::Future;

use outboard::remoteable;

trait Shape {
    fn area(&self) -> u32;
}

#[remoteable]
fn area_of(shape: impl Shape) -> u32 {
    shape.area()
}

#[remoteable]
fn area_behind(shape: &dyn Shape) -> u32 {
    shape.area()
}

#[remoteable]
fn area_owned(shape: Box<dyn Shape>) -> u32 {
    shape.area()
}

#[remoteable]
fn numbers() -> impl Iterator<Item = u32> {
    0..3
}

#[remoteable]
fn later(n: u32) -> impl Future<Output = u32> {
    async move { n }
}

#[remoteable]
fn made() -> Box<dyn Shape> {
    loop {}
}

fn main() {}
