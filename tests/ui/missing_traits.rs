//! What travels has `State`, or at least serde's traits; what is behind `&mut` has `State`.

use std::rc::Rc;

use outboard::remoteable;
use serde::{Deserialize, Serialize};

struct Plain(u32);

#[derive(Serialize, Deserialize)]
struct OnlySerde(u32);

#[remoteable]
fn by_reference(plain: &Plain) -> u32 {
    plain.0
}

#[remoteable]
fn by_value(plain: Plain, all: &[Plain]) -> u32 {
    plain.0 + all.len() as u32
}

#[remoteable]
fn result(n: u32) -> Plain {
    Plain(n)
}

#[remoteable]
fn shared(n: u32) -> Rc<u32> {
    Rc::new(n)
}

#[remoteable]
fn good_result_within(n: u32) -> Result<Plain, String> {
    Ok(Plain(n))
}

#[remoteable]
fn exclusive(state: &mut OnlySerde, all: &mut [Plain]) {
    state.0 += all.len() as u32;
}

#[remoteable]
impl Plain {
    fn read(&self) -> u32 {
        self.0
    }

    fn read_again(&self) -> u32 {
        self.0
    }
}

#[remoteable]
impl OnlySerde {
    fn write(&mut self) {
        self.0 += 1;
    }

    fn write_again(&mut self) {
        self.0 += 1;
    }
}

fn main() {}
