//! `Shared<T>`: what is one object here is one there, and comes back as the one it was.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};

use outboard::__private::wire::{DecodeError, Decoder, EncodeError, Encoder, SchemaBuilder};
use outboard::{CallError, Shared, State, device, remoteable};
use outboard_tests::Edge;

fn is_on_server() -> bool {
    std::thread::current().name() == Some("outboard-worker")
}

#[derive(State, Clone, Debug, Default)]
struct Pair {
    left: Shared<Vec<u32>>,
    right: Shared<Vec<u32>>,
    calls: u32,
}

impl Pair {
    fn of_one(list: &[u32]) -> Self {
        let left = Shared::new(list.to_vec());
        Self { right: left.clone(), left, calls: 0 }
    }

    fn seen(&self) -> (Vec<u32>, Vec<u32>, bool, u32) {
        let seen = |list: &Shared<Vec<u32>>| list.lock().clone();
        (seen(&self.left), seen(&self.right), self.left.ptr_eq(&self.right), self.calls)
    }
}

#[remoteable]
impl Pair {
    fn push(&mut self, number: u32) -> (usize, bool) {
        self.calls += 1;
        self.left.lock().push(number);
        (self.right.lock().len(), is_on_server())
    }

    fn push_borrowed(&self, number: u32) -> bool {
        self.left.lock().push(number);
        is_on_server()
    }

    fn cross(&mut self) -> bool {
        std::mem::swap(&mut self.left, &mut self.right);
        is_on_server()
    }

    fn part(&mut self) -> bool {
        let copy = self.left.lock().clone();
        self.right = Shared::new(copy);
        self.right.lock().push(0);
        is_on_server()
    }

    async fn push_later(&mut self, number: u32) -> bool {
        tokio::task::yield_now().await;
        self.left.lock().push(number);
        is_on_server()
    }
}

#[remoteable]
fn pour(from: &Shared<Vec<u32>>, into: Shared<Vec<u32>>, also: Option<&mut Pair>) -> bool {
    let poured = std::mem::take(&mut *from.lock());
    into.lock().extend(poured);
    if let Some(pair) = also {
        pair.calls += into.lock().len() as u32;
    }
    is_on_server()
}

#[remoteable]
fn longer(pair: &Pair) -> (Shared<Vec<u32>>, Shared<Vec<u32>>, bool) {
    let longer = if pair.left.lock().len() < pair.right.lock().len() { &pair.right } else { &pair.left };
    (longer.clone(), Shared::new(vec![7]), is_on_server())
}

#[derive(State, Debug, Default)]
struct Node {
    value: u32,
    next: Option<Shared<Node>>,
}

#[remoteable]
fn sum_and_grow(first: &Shared<Node>) -> (u32, bool) {
    let mut node = first.clone();
    let mut sum = 0;
    loop {
        let next = node.lock().next.clone();
        sum += node.lock().value;
        match next {
            // As long as it gets before it meets where it began.
            Some(next) if !next.ptr_eq(first) => node = next,
            Some(_) => return (sum, is_on_server()),
            None => break,
        }
    }
    node.lock().next = Some(Shared::new(Node { value: sum, next: None }));
    (sum, is_on_server())
}

#[test]
fn one_object_within_a_slot_is_one_on_the_server_and_afterwards() {
    let edge = Edge::start();
    let mut pair = Pair::of_one(&[1]);
    let also = pair.left.clone();
    assert_eq!(pair.push(2), (2, true), "what is pushed on the left is seen on the right");
    assert_eq!(pair.seen(), (vec![1, 2], vec![1, 2], true, 1));
    assert!(also.ptr_eq(&pair.left), "it is the object that it was");
    assert!(pair.push_borrowed(3), "behind `&` too, since what is shared is not what is borrowed");
    assert_eq!(*also.lock(), [1, 2, 3]);
    assert_eq!(edge.remote_calls("Pair::push"), 1);
}

#[test]
fn objects_of_several_slots_are_the_same_ones() {
    let _edge = Edge::start();
    let [from, into] = [vec![1, 2], vec![3]].map(Shared::new);
    let mut pair = Pair { left: into.clone(), right: from.clone(), calls: 0 };
    assert!(pour(&from, into.clone(), Some(&mut pair)));
    assert_eq!(pair.seen(), (vec![3, 1, 2], vec![], false, 3));
    assert!(pour(&into, from.clone(), None));
    assert_eq!(pair.seen(), (vec![], vec![3, 1, 2], false, 3));
}

#[test]
fn handles_move_between_objects_and_new_ones_come() {
    let _edge = Edge::start();
    let mut pair = Pair { left: Shared::new(vec![1]), ..Pair::default() };
    let (left, right) = (pair.left.clone(), pair.right.clone());
    assert!(pair.cross());
    assert!(pair.left.ptr_eq(&right) && pair.right.ptr_eq(&left));
    assert!(pair.part());
    assert_eq!(pair.seen(), (vec![], vec![0], false, 0));
    assert!(!pair.right.ptr_eq(&left));
    assert_eq!(*left.lock(), [1]);
}

#[test]
fn a_result_may_be_the_callers_own_object() {
    let _edge = Edge::start();
    let pair = Pair { right: Shared::new(vec![1, 2]), ..Pair::default() };
    let (found, made, remotely) = longer(&pair);
    assert!(remotely && found.ptr_eq(&pair.right));
    assert_eq!(*made.lock(), [7]);
}

#[test]
fn objects_within_objects() {
    let _edge = Edge::start();
    let last = Shared::new(Node { value: 2, next: None });
    let first = Shared::new(Node { value: 1, next: Some(last.clone()) });
    assert_eq!((sum_and_grow(&first), sum_and_grow(&first)), ((3, true), (6, true)));
    let third = last.lock().next.clone().unwrap();
    let third = third.lock();
    assert_eq!((third.value, third.next.is_some()), (3, true));
}

#[test]
fn a_circle_runs_here() {
    let edge = Edge::start();
    let last = Shared::new(Node { value: 2, next: None });
    let first = Shared::new(Node { value: 1, next: Some(last.clone()) });
    last.lock().next = Some(first.clone());
    assert_eq!(sum_and_grow(&first), (3, false));
    assert_eq!(edge.remote_calls("sum_and_grow"), 0);
    last.lock().next = None;
}

#[test]
fn an_async_call_brings_them_too() {
    let _edge = Edge::start();
    let mut pair = Pair::of_one(&[]);
    let also = pair.right.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert!(runtime.block_on(pair.push_later(5)));
    assert_eq!(*also.lock(), [5]);
}

#[remoteable]
fn stumbles(list: &Shared<Vec<u32>>) -> usize {
    let mut list = list.lock();
    list.push(1);
    assert!(!is_on_server(), "with the list locked");
    list.len()
}

#[test]
fn what_a_panic_on_the_server_left_half_done_is_not_seen() {
    let _edge = Edge::start();
    let list = Shared::default();
    assert_eq!(stumbles(&list), 1);
    assert_eq!(*list.lock(), [1]);
}

/// The other thread's part of a story, told when the method runs on the server.
static MEANWHILE: Mutex<Option<(Sender<()>, Receiver<()>)>> = Mutex::new(None);
/// One story at a time.
static STAGE: Mutex<()> = Mutex::new(());

fn meanwhile() {
    if is_on_server() {
        let (arrived, go) = MEANWHILE.lock().unwrap().take().expect("a story is told");
        arrived.send(()).unwrap();
        go.recv().unwrap();
    }
}

/// Calls, and does something on another thread while the server runs the method. What that gives lives until the call
/// has returned.
fn while_away<T, G: Send + 'static>(
    call: impl FnOnce() -> T,
    other: impl FnOnce() -> G + Send + 'static,
) -> T {
    let _one = STAGE.lock().unwrap_or_else(PoisonError::into_inner);
    let ((arrived, hears), (go, waits), (back, returned)) = (channel(), channel(), channel::<()>());
    *MEANWHILE.lock().unwrap() = Some((arrived, waits));
    let thread = std::thread::spawn(move || {
        hears.recv().unwrap();
        let result = other();
        go.send(()).unwrap();
        let _ = returned.recv();
        drop(result);
    });
    let result = call();
    drop(back);
    thread.join().unwrap();
    result
}

#[remoteable]
fn push_meanwhile(pair: &Pair, number: u32) -> (usize, bool) {
    meanwhile();
    pair.left.lock().push(number);
    (pair.left.lock().len(), is_on_server())
}

static ORDERS: AtomicU32 = AtomicU32::new(0);

#[remoteable(once)]
fn push_once(pair: &Pair, number: u32) -> Result<bool, CallError> {
    meanwhile();
    ORDERS.fetch_add(1, Ordering::Relaxed);
    pair.left.lock().push(number);
    Ok(is_on_server())
}

#[test]
fn what_nobody_else_touched_is_committed() {
    let _edge = Edge::start();
    let pair = Pair::default();
    assert_eq!(while_away(|| push_meanwhile(&pair, 1), || ()), (1, true));
    assert_eq!(pair.seen(), (vec![1], vec![], false, 0));
}

#[test]
fn a_call_whose_object_another_thread_changes_runs_here() {
    let edge = Edge::start();
    let pair = Pair::default();
    let others = pair.left.clone();
    assert_eq!(while_away(|| push_meanwhile(&pair, 1), move || others.lock().push(10)), (2, false));
    assert_eq!(pair.seen(), (vec![10, 1], vec![], false, 0));
    assert_eq!(edge.remote_calls("push_meanwhile"), 0);
}

#[test]
fn even_if_the_call_leaves_it_alone_since_it_may_have_read_it() {
    let _edge = Edge::start();
    let pair = Pair::default();
    let others = pair.right.clone();
    assert_eq!(while_away(|| push_meanwhile(&pair, 1), move || others.lock().push(10)), (1, false));
    assert_eq!(pair.seen(), (vec![1], vec![10], false, 0));
}

#[test]
fn a_reader_is_in_nobodys_way() {
    let _edge = Edge::start();
    let pair = Pair::default();
    let others = pair.left.clone();
    assert_eq!(while_away(|| push_meanwhile(&pair, 1), move || others.lock().len()), (1, true));
}

/// Keeps an object locked until told.
fn held(object: Shared<Vec<u32>>) -> (Sender<()>, std::thread::JoinHandle<()>) {
    let ((free, freed), (locked, is_locked)) = (channel::<()>(), channel());
    let thread = std::thread::spawn(move || {
        let _held = object.lock();
        locked.send(()).unwrap();
        let _ = freed.recv();
    });
    is_locked.recv().unwrap();
    (free, thread)
}

#[test]
fn a_locked_object_keeps_its_call_here_before_and_after() {
    let edge = Edge::start();
    let pair = Pair::default();
    // The method leaves the locked object alone, so it need not wait for it.
    let (free, thread) = held(pair.right.clone());
    assert!(!pair.push_borrowed(1));
    assert_eq!(edge.remote_calls("push_borrowed"), 0);
    drop(free);
    thread.join().unwrap();
    assert!(pair.push_borrowed(2), "it is free again");
    let others = pair.right.clone();
    assert_eq!(while_away(|| push_meanwhile(&pair, 3), move || held(others)), (3, false));
    assert_eq!(pair.seen().0, [1, 2, 3]);
}

#[test]
fn a_once_method_whose_objects_changed_says_that_it_ran() {
    let _edge = Edge::start();
    let pair = Pair::default();
    let others = pair.left.clone();
    let before = ORDERS.load(Ordering::Relaxed);
    let ended = while_away(|| push_once(&pair, 1), move || others.lock().push(10));
    let Err(CallError::Remote(text)) = &ended else { panic!("{ended:?}") };
    assert!(text.contains("ran on the server") && text.contains("was changed here"), "{text}");
    assert_eq!(ORDERS.load(Ordering::Relaxed) - before, 1);
    assert_eq!(*pair.left.lock(), [10]);
}

/// Arrives on the server, and not on the device.
#[derive(Debug, Default)]
struct OneWay(u32);

impl State for OneWay {
    fn schema(schema: &mut SchemaBuilder) {
        schema.leaf("one way");
    }

    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
        self.0.encode(out)
    }

    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let number = u32::decode(input)?;
        if is_on_server() { Ok(Self(number)) } else { Err(DecodeError::Refused("it is one way".to_owned())) }
    }
}

#[remoteable]
fn push_and_count(list: &Shared<Vec<u32>>, count: &mut OneWay) -> bool {
    list.lock().push(1);
    count.0 += 1;
    is_on_server()
}

#[remoteable]
fn push_both(list: &Shared<Vec<u32>>, count: &Shared<OneWay>) -> bool {
    list.lock().push(1);
    count.lock().0 += 1;
    is_on_server()
}

#[test]
fn a_reply_that_cannot_be_decoded_commits_nothing() {
    let _edge = Edge::start();
    let (list, mut count) = (Shared::default(), OneWay::default());
    assert!(!push_and_count(&list, &mut count));
    assert_eq!((&list.lock()[..], count.0), (&[1][..], 1), "once, by the run here");
    let count = Shared::new(count);
    assert!(!push_both(&list, &count));
    assert_eq!((&list.lock()[..], count.lock().0), (&[1, 1][..], 2));
}

#[device]
fn show(_what: &str) {}

#[device]
fn show_object(_what: &Shared<Vec<u32>>) {}

#[remoteable]
fn shows_then_changes(list: &Shared<Vec<u32>>) -> bool {
    show("nothing was changed yet");
    list.lock().push(1);
    is_on_server()
}

#[remoteable]
fn changes_then_shows(list: &Shared<Vec<u32>>) -> bool {
    list.lock().push(1);
    show("the device might look at it");
    is_on_server()
}

#[remoteable]
fn shows_the_object(list: &Shared<Vec<u32>>) -> bool {
    show_object(list);
    is_on_server()
}

#[test]
fn the_device_is_not_shown_what_it_does_not_have_yet() {
    let edge = Edge::start();
    let list = Shared::default();
    assert!(shows_then_changes(&list));
    assert!(!changes_then_shows(&list) && !shows_the_object(&list));
    assert_eq!(*list.lock(), [1, 1]);
    let report = edge.runtime().report();
    let why = |name: &str| &report.methods.iter().find(|method| method.name.ends_with(name)).unwrap().why;
    assert!(
        why("changes_then_shows").contains("after it changed a shared object"),
        "{}",
        why("changes_then_shows")
    );
    assert!(why("shows_the_object").contains("with a shared object"), "{}", why("shows_the_object"));
}

#[device]
fn change_on_device() {
    SHOWN.with_borrow(|list| list.as_ref().unwrap().lock().push(100));
}

thread_local! {
    static SHOWN: std::cell::RefCell<Option<Shared<Vec<u32>>>> = const { std::cell::RefCell::new(None) };
}

#[remoteable]
fn has_it_changed(list: &Shared<Vec<u32>>) -> (usize, bool) {
    change_on_device();
    (list.lock().len(), is_on_server())
}

#[test]
fn what_a_call_back_changed_is_seen_by_the_run_here() {
    let _edge = Edge::start();
    let list = Shared::new(vec![1]);
    SHOWN.set(Some(list.clone()));
    let (length, remotely) = has_it_changed(&list);
    assert!(!remotely);
    // What the call-back of the void attempt did stays done: its effects may repeat.
    assert_eq!((length, list.lock().len()), (3, 3));
    SHOWN.set(None);
}

#[derive(State, Debug, Default)]
struct Window {
    #[serde(skip)]
    handle: Option<u32>,
}

#[remoteable]
fn looks_into(window: &Shared<Window>) -> Option<u32> {
    window.lock().handle
}

#[test]
fn a_skipped_field_in_a_shared_object_keeps_its_method_here() {
    let edge = Edge::start();
    assert_eq!(looks_into(&Shared::new(Window { handle: Some(7) })), Some(7));
    let report = edge.runtime().report();
    let method = report.methods.iter().find(|method| method.name.ends_with("looks_into")).unwrap();
    assert!(method.why.contains("is skipped"), "{}", method.why);
}
