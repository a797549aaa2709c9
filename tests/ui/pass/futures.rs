//! The future of an annotated `async fn` is `Send` where the plain one is, and need not be.

use std::cell::Cell;
use std::rc::Rc;

use outboard::{State, remoteable};
use serde::{Deserialize, Serialize};

#[derive(State, Serialize, Deserialize)]
struct Counter {
    count: u32,
}

#[remoteable]
impl Counter {
    async fn count(&mut self, by: &str, all: &mut [u32], last: Vec<u8>) -> usize {
        std::future::ready(()).await;
        self.count += 1;
        all.len() + by.len() + last.len()
    }
}

#[remoteable(fallback = stand_in)]
async fn alone(text: String) -> String {
    let shared = Rc::new(Cell::new(1));
    std::future::ready(()).await;
    shared.set(2);
    text
}

async fn stand_in(text: String) -> String {
    text
}

fn sends<T: Send>(_: T) {}

fn main() {
    let mut counter = Counter { count: 0 };
    sends(counter.count("one", &mut [1], Vec::new()));
    drop(alone(String::new()));
}
