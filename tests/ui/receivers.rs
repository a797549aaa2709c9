//! A receiver is `self`, `&self` or `&mut self`.

use std::pin::Pin;
use std::rc::Rc;

use outboard::remoteable;

struct Recognizer;

#[remoteable]
impl Recognizer {
    fn counted(self: Rc<Self>) {}

    fn pinned(self: Pin<&mut Self>) {}

    fn spelled(self: &Self) {}

    fn kept(&'static self) {}
}

#[remoteable]
fn outside(&self) {}

impl Recognizer {
    #[remoteable]
    fn alone(&mut self) {}
}

fn main() {}
