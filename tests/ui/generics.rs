//! Nothing generic: the server has to hold the very instance that is called.

use outboard::remoteable;

#[remoteable]
fn of_types<T: Clone>(values: Vec<T>) -> usize {
    values.len()
}

#[remoteable]
fn of_constants<const N: usize>(values: [u8; N]) -> usize {
    values.len()
}

#[remoteable]
fn of_lifetimes<'a>(first: &'a str, _second: &'a str) -> usize {
    first.len()
}

struct Grid<T>(Vec<T>);

#[remoteable]
impl<T> Grid<T> {
    fn scan(&self) -> usize {
        self.0.len()
    }
}

struct Window<'a>(&'a str);

#[remoteable]
impl<'a> Window<'a> {
    fn title(&self) -> usize {
        self.0.len()
    }
}

struct Plain;

#[remoteable]
impl Plain {
    fn convert<T: Into<u32>>(&self, value: T) -> u32 {
        value.into()
    }
}

fn main() {}
