//! Every form of argument, receiver and result, in a process without a runtime: calls simply run.

use std::borrow::Cow;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use outboard::{CallError, State, remoteable};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Photo(Vec<u8>);

#[derive(Debug, PartialEq, State, Serialize, Deserialize)]
struct Recognizer {
    seen: u32,
}

#[remoteable(compatible)]
impl Recognizer {
    const SIZES: usize = 2;

    #[outboard::local]
    const fn new() -> Self {
        Self { seen: 0 }
    }

    #[remoteable(work = photo.0.len(), deadline = "2s", name = "detect")]
    fn detect(&mut self, photo: &Photo) -> usize {
        self.seen += 1;
        photo.0.len()
    }

    fn sizes(&self, text: &str, faces: &[u16]) -> [usize; Self::SIZES] {
        [text.len(), faces.len()]
    }

    fn merge(self, other: Self) -> Self {
        Self { seen: self.seen + other.seen }
    }

    fn advance(mut self) -> Self {
        self.seen += 1;
        self
    }

    fn any(&self, photo: Option<&Photo>, name: Option<&str>, marks: Option<&[u8]>) -> bool {
        photo.is_some() || name.is_some() || marks.is_some()
    }

    #[outboard::device]
    fn show(&self, done: f32) -> bool {
        done >= 1.0
    }

    async fn later(&mut self, mut by: u32, text: String) -> Result<u32, std::num::ParseIntError> {
        by += text.parse::<u32>()?;
        std::future::ready(()).await;
        self.seen += by;
        Ok(self.seen)
    }

    fn cow(&self, text: Cow<'static, str>) -> Cow<'static, str> {
        text
    }
}

#[remoteable]
fn patterns((a, mut b): (u32, u32), _: u8, [c, ..]: &[u32; 3], mut d: u32) -> u32 {
    b += 1;
    d += 1;
    a + b + c + d
}

#[remoteable]
fn exclusive(first: &mut u32, all: &mut [u32], maybe: Option<&mut u32>) {
    *first += 1;
    all[0] += 1;
    if let Some(maybe) = maybe {
        *maybe += 1;
    }
}

#[remoteable]
fn foreign(#[state(opaque)] photo: &mut Photo, #[state(opaque)] more: Photo) {
    photo.0.extend(more.0);
}

#[remoteable(once)]
fn pay(amount: u32) -> Result<u32, CallError> {
    Ok(amount)
}

#[remoteable(remote_only, fallback = roughly)]
fn exactly(photo: &Photo, n: u32) -> u32 {
    photo.0.len() as u32 + n
}

fn roughly(photo: &Photo, n: u32) -> u32 {
    exact_length(photo) + n
}

#[remoteable(fallback = exact_length)]
fn length(photo: &Photo) -> u32 {
    exact_length(photo)
}

fn exact_length(photo: &Photo) -> u32 {
    photo.0.len() as u32
}

#[remoteable]
fn read(name: &str) -> std::io::Result<String> {
    if name.is_empty() { Err(std::io::Error::other("no name")) } else { Ok(name.to_owned()) }
}

#[remoteable]
fn any_error(n: u32) -> Result<u32, Box<dyn std::error::Error + Send + Sync>> {
    if n == 0 { Err("zero".into()) } else { Ok(n) }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
}

fn main() {
    let mut recognizer = Recognizer::new();
    assert_eq!(recognizer.detect(&Photo(vec![1, 2])), 2);
    assert_eq!(recognizer.sizes("abc", &[1]), [3, 1]);
    assert!(recognizer.any(None, Some("x"), None) && !recognizer.any(None, None, None));
    assert!(recognizer.show(1.0));
    assert_eq!(block_on(recognizer.later(3, "4".to_owned())), Ok(8));
    assert!(block_on(recognizer.later(3, "four".to_owned())).is_err());
    assert_eq!(recognizer.cow("x".into()), "x");
    assert_eq!(recognizer.merge(Recognizer { seen: 1 }).advance(), Recognizer { seen: 10 });

    assert_eq!(patterns((1, 2), 3, &[4, 5, 6], 7), 16);
    let (mut first, mut all, mut maybe) = (1, [2, 3], 4);
    exclusive(&mut first, &mut all, Some(&mut maybe));
    exclusive(&mut first, &mut all[1..], None);
    assert_eq!((first, all, maybe), (3, [3, 4], 5));

    let mut photo = Photo(vec![1]);
    foreign(&mut photo, Photo(vec![2]));
    assert_eq!(photo, Photo(vec![1, 2]));
    assert_eq!(pay(3), Ok(3));
    assert_eq!(exactly(&photo, 1), 3);
    assert_eq!(length(&photo), 2);
    assert!(read("").is_err() && read("x").is_ok());
    assert!(any_error(0).is_err() && any_error(1).is_ok());
}
