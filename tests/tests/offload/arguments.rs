//! Every form of argument gives the same on the server as here.

use outboard::{State, remoteable};
use outboard_tests::Edge;
use serde::{Deserialize, Serialize};

#[derive(State, Clone, Debug, Default, PartialEq)]
struct Tally {
    counts: Vec<u32>,
    label: String,
}

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
struct Photo {
    width: u32,
    pixels: Vec<u8>,
}

#[remoteable]
fn by_value(photo: Photo, factor: u64) -> u64 {
    photo.pixels.iter().map(|pixel| u64::from(*pixel)).sum::<u64>() * factor
}

#[remoteable]
fn shared(photo: &Photo, text: &str, numbers: &[f32]) -> String {
    format!("{} {} {}", photo.width, text.to_uppercase(), numbers.iter().sum::<f32>())
}

#[remoteable]
fn optional(photo: Option<&Photo>, text: Option<&str>, numbers: Option<&[u16]>) -> (u32, usize, usize) {
    (photo.map_or(0, |photo| photo.width), text.map_or(0, str::len), numbers.map_or(0, <[u16]>::len))
}

#[remoteable]
fn exclusive(tally: &mut Tally, by: u32) -> usize {
    tally.counts.push(by);
    tally.label.push('!');
    tally.counts.len()
}

#[remoteable]
fn exclusive_slice(numbers: &mut [i64]) {
    numbers.sort_unstable();
}

#[remoteable]
fn exclusive_option(tally: Option<&mut Tally>) -> bool {
    if let Some(tally) = tally {
        tally.counts.clear();
        return true;
    }
    false
}

#[remoteable]
fn patterns((left, right): (u8, u8), [first, ..]: [u16; 3], mut total: u64) -> u64 {
    total += u64::from(left) + u64::from(right) + u64::from(first);
    total
}

#[remoteable]
fn fallible(text: &str) -> Result<i32, String> {
    text.parse().map_err(|_| format!("`{text}` is no number"))
}

#[remoteable]
async fn asynchronous(tally: &mut Tally, text: &str) -> usize {
    tokio::task::yield_now().await;
    tally.label.push_str(text);
    tally.label.len()
}

#[remoteable]
impl Tally {
    #[outboard::local]
    fn new(label: &str) -> Self {
        Self { counts: vec![1, 2, 3], label: label.to_owned() }
    }

    fn total(&self) -> u32 {
        self.counts.iter().sum()
    }

    fn add(&mut self, by: u32) {
        self.counts.push(by);
    }

    fn into_label(self) -> String {
        self.label
    }

    fn made(number: u32) -> Self {
        Self { counts: vec![number], label: String::new() }
    }
}

trait Describe {
    fn describe(&self, prefix: &str) -> String;
}

#[remoteable]
impl Describe for Tally {
    fn describe(&self, prefix: &str) -> String {
        format!("{prefix}{}: {:?}", self.label, self.counts)
    }
}

fn photo() -> Photo {
    Photo { width: 3, pixels: (0..200).collect() }
}

/// Calls everything; what it gives must not depend on where it ran.
fn everything() -> Vec<String> {
    let mut seen = Vec::new();
    let mut see = |what: &dyn std::fmt::Debug| seen.push(format!("{what:?}"));
    see(&by_value(photo(), 3));
    see(&shared(&photo(), "light", &[1.5, 2.25]));
    see(&optional(Some(&photo()), Some("four"), Some(&[1, 2])));
    see(&optional(None, None, None));
    let mut tally = Tally::new("t");
    see(&exclusive(&mut tally, 9));
    see(&tally);
    let mut numbers = [5, -1, 3];
    exclusive_slice(&mut numbers);
    see(&numbers);
    see(&exclusive_option(Some(&mut tally)));
    see(&exclusive_option(None));
    see(&tally);
    see(&patterns((1, 2), [3, 4, 5], 10));
    see(&fallible("12"));
    see(&fallible("twelve"));
    tally.add(4);
    see(&tally.total());
    see(&tally.describe("> "));
    see(&tally.into_label());
    see(&Tally::made(8));
    seen
}

#[test]
fn every_form_gives_the_same_on_the_server_as_here() {
    let here = everything();
    let edge = Edge::start();
    assert_eq!(everything(), here);
    for method in [
        "by_value",
        "shared",
        "exclusive",
        "exclusive_slice",
        "patterns",
        "Tally::add",
        "Tally::total",
        "Tally::into_label",
        "Tally::made",
        "describe",
    ] {
        assert_eq!(edge.remote_calls(method), 1, "{method}");
    }
    assert_eq!((edge.remote_calls("optional"), edge.remote_calls("fallible")), (2, 2));
    assert_eq!(edge.remote_calls("exclusive_option"), 2);
}

#[test]
fn an_async_method_gives_the_same_on_the_server_as_here() {
    async fn twice() -> (usize, usize, Tally) {
        let mut tally = Tally::new("a");
        (asynchronous(&mut tally, "bc").await, asynchronous(&mut tally, "def").await, tally)
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let here = runtime.block_on(twice());
    assert_eq!((here.0, here.1), (3, 6));
    let edge = Edge::start();
    assert_eq!(runtime.block_on(twice()), here);
    assert_eq!(edge.remote_calls("asynchronous"), 2);
}

#[test]
fn an_async_call_can_move_between_threads() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let mut tally = Tally::new("a");
    drop(is_send(asynchronous(&mut tally, "b")));
}
