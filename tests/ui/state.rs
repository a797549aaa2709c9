//! What the derive of `State` cannot keep is refused where it stands, all of it at once; a field that cannot travel is
//! named once.

use std::cell::Cell;

use outboard::State;
use serde::{Deserialize, Serialize};

struct Plain(u32);

#[derive(State)]
struct Fields {
    fine: u32,
    plain: Plain,
    shared: std::rc::Rc<u32>,
    #[serde(skip)]
    without_default: Plain,
    #[state(opaque)]
    without_serde: Plain,
}

#[derive(State)]
enum Variants {
    Interior(Cell<u8>),
}

#[derive(State)]
struct Attributes<'a> {
    #[serde(flatten)]
    flat: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    sometimes: Option<&'a str>,
    #[serde(with = "elsewhere")]
    with: u32,
    #[serde(skip_serializing)]
    one_way: u32,
    #[serde(skip)]
    #[state(opaque)]
    both: u32,
    #[state(transparent)]
    unknown: u32,
}

#[derive(Serialize, Deserialize, State)]
#[serde(tag = "kind")]
enum Tagged {
    #[serde(skip)]
    Hidden,
    Shown,
}

#[derive(State)]
#[serde(from = "u32")]
#[repr(C, packed)]
struct Converted(u32);

#[derive(State)]
#[state(opaque)]
struct Whole(u32);

#[derive(State)]
union Bits {
    real: f32,
    whole: u32,
}

fn main() {}
