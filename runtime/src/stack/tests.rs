use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::prelude::*;

use super::batch::Sample;
use super::levels::{DEPTH, EDGES};
use super::time::fake;
use super::*;

thread_local! {
    /// What would have been handed over to a device, on threads of tests that look at all of it.
    static KEPT: RefCell<Option<Batch>> = const { RefCell::new(None) };
}

/// Keeps what is handed over, where a test looks at it.
pub(super) fn keep(batch: Batch) -> Option<Batch> {
    let put = |kept: &RefCell<Option<Batch>>| match kept.borrow_mut().as_mut() {
        Some(kept) => {
            kept.calls.extend(batch.calls.iter().copied());
            kept.samples.extend(batch.samples.iter().copied());
            None
        }
        None => Some(batch),
    };
    KEPT.with(put)
}

/// From now on this thread's time is the test's, and what it hands over is kept.
fn begin() {
    fake::start();
    KEPT.set(Some(Batch::default()));
    drop(take_batch());
}

/// All that the thread has seen since.
fn told() -> Batch {
    let last = take_batch();
    assert!(keep(last).is_none(), "the test has begun");
    let mut all = KEPT.replace(Some(Batch::default())).expect("the test has begun");
    all.calls = summed(&all.calls);
    all
}

struct Called(EdgeNumber);

impl Drop for Called {
    fn drop(&mut self) {
        pop(self.0);
    }
}

fn call(method: u32) -> Called {
    Called(push(method, || Some(1.0)))
}

fn edge(caller: Option<u32>, callee: u32, calls: u64) -> EdgeCalls {
    EdgeCalls { caller: caller.map(MethodIndex), callee: MethodIndex(callee), calls }
}

#[test]
fn edges_are_counted_exactly() {
    {
        let _outer = call(1);
        for _ in 0..1000 {
            let _inner = call(2);
        }
    }
    drop(call(2));
    let mut calls = take_batch().calls;
    calls.sort_by_key(|edge| (edge.caller, edge.callee));
    assert_eq!(calls, [edge(None, 1, 1), edge(None, 2, 1), edge(Some(1), 2, 1000)]);
}

#[test]
fn a_quick_method_is_sampled_and_a_first_call_always_timed() {
    let outer = call(7);
    drop(outer);
    let batch = take_batch();
    assert_eq!(batch.samples.len(), 1);
    assert_eq!(batch.samples[0].work, Some(1.0));
    assert_eq!(batch.samples[0].caller, None);
}

#[test]
fn recursion_deeper_than_the_stack_is_counted_and_unwinds() {
    fn recurse(depth: usize) {
        let _frame = call(3);
        if depth > 0 {
            recurse(depth - 1);
        }
    }
    recurse(DEPTH * 2);
    assert_eq!(current(), None);
    let calls: u64 = take_batch().calls.iter().map(|edge| edge.calls).sum();
    assert_eq!(calls, DEPTH as u64 * 2 + 1);
}

#[test]
fn a_full_table_has_room_again_once_its_counts_are_taken() {
    let stack = Stack::new();
    let edges = EDGES as u32;
    assert!((0..edges).all(|method| stack.edge(NOBODY, method).is_some()));
    assert!(stack.edge(NOBODY, edges).is_none(), "there is no place left");
    stack.edge(NOBODY, 3).unwrap().1.calls.set(5);
    assert_eq!(stack.take_calls(), [edge(None, 3, 5)]);
    assert!(stack.edge(NOBODY, edges).is_some(), "there is room again");
}

/// A call and those that it makes.
#[derive(Clone, Debug)]
struct Tree {
    method: u32,
    callees: Vec<Tree>,
}

/// What was called how often, and how long each call took, by the program itself.
#[derive(Debug, Default)]
struct Model {
    calls: BTreeMap<(u32, u32), u64>,
    inclusive: BTreeMap<(u32, u32), Vec<u64>>,
    passed: u64,
}

/// What a method itself takes when that one calls it. The least is more than smoothing rounds away.
fn own(caller: u32, method: u32) -> u64 {
    400 + 800 * u64::from(method) + 80 * u64::from(caller % 7)
}

impl Model {
    fn run(&mut self, caller: u32, tree: &Tree) {
        let begun = self.passed;
        let frame = call(tree.method);
        for callee in &tree.callees {
            self.run(tree.method, callee);
        }
        let own = own(caller, tree.method);
        fake::pass(own);
        self.passed += own;
        drop(frame);
        let edge = (caller, tree.method);
        *self.calls.entry(edge).or_default() += 1;
        self.inclusive.entry(edge).or_default().push(self.passed - begun);
    }

    /// The same with futures: each is polled once before and once after its callees.
    fn run_async(&mut self, caller: u32, tree: &Tree) {
        let begun = self.passed;
        let mut polls = Polls::new(tree.method, Some(1.0));
        let own = own(caller, tree.method);
        {
            let _polled = polls.poll();
            fake::pass(own);
            self.passed += own;
        }
        {
            let _polled = polls.poll();
            tree.callees.iter().for_each(|callee| self.run_async(tree.method, callee));
        }
        polls.finish();
        let edge = (caller, tree.method);
        *self.calls.entry(edge).or_default() += 1;
        self.inclusive.entry(edge).or_default().push(self.passed - begun);
    }

    /// Compares with what the stack has seen.
    fn check(&self, batch: &Batch) -> Result<(), TestCaseError> {
        let key = |caller: Option<MethodIndex>, callee: MethodIndex| {
            (caller.map_or(NOBODY, |caller| caller.0), callee.0)
        };
        let counted: BTreeMap<_, _> =
            batch.calls.iter().map(|edge| (key(edge.caller, edge.callee), edge.calls)).collect();
        prop_assert_eq!(&counted, &self.calls);
        let whole: u64 = counted.iter().map(|((caller, callee), calls)| own(*caller, *callee) * calls).sum();
        prop_assert_eq!(whole, self.passed, "own times add up to the time that passed");
        for sample in &batch.samples {
            let edge = key(sample.caller, sample.callee);
            let inclusive = sample.inclusive.as_nanos() as u64;
            prop_assert!(
                self.inclusive[&edge].contains(&inclusive),
                "{sample:?}: {:?}",
                self.inclusive[&edge]
            );
            prop_assert_eq!(sample.exclusive.as_nanos() as u64, own(edge.0, edge.1), "{:?}", sample);
        }
        prop_assert!(!batch.samples.is_empty());
        Ok(())
    }
}

fn any_tree() -> impl Strategy<Value = Tree> {
    let leaf = (1u32..6).prop_map(|method| Tree { method, callees: Vec::new() });
    leaf.prop_recursive(12, 400, 6, |inner| {
        (1u32..6, proptest::collection::vec(inner, 0..6))
            .prop_map(|(method, callees)| Tree { method, callees })
    })
}

proptest! {
    /// Whoever calls whom, with recursion of all kinds: counts are exact, and what a call itself takes is told apart
    /// from what its callees take, whether or not those were timed.
    #[test]
    fn any_tree_of_calls_adds_up(trees in proptest::collection::vec(any_tree(), 1..12)) {
        begin();
        let mut model = Model::default();
        trees.iter().for_each(|tree| model.run(NOBODY, tree));
        model.check(&told())?;
    }

    #[test]
    fn any_tree_of_async_calls_adds_up(trees in proptest::collection::vec(any_tree(), 1..12)) {
        begin();
        let mut model = Model::default();
        trees.iter().for_each(|tree| model.run_async(NOBODY, tree));
        model.check(&told())?;
    }
}

fn summed(calls: &[EdgeCalls]) -> Vec<EdgeCalls> {
    let mut sums = BTreeMap::new();
    for edge in calls {
        *sums.entry((edge.caller, edge.callee)).or_insert(0) += edge.calls;
    }
    sums.into_iter().map(|((caller, callee), calls)| EdgeCalls { caller, callee, calls }).collect()
}

#[test]
fn a_recursion_deeper_than_the_stack_leaves_little_to_its_first_call() {
    fn recurse(depth: usize) {
        let _frame = call(3);
        fake::pass(1_000);
        if depth > 0 {
            recurse(depth - 1);
        }
    }
    begin();
    (0..20).for_each(|_| recurse(2 * DEPTH));
    let batch = told();
    let outermost = |sample: &&Sample| sample.caller.is_none();
    let own: Vec<_> = batch.samples.iter().filter(outermost).map(|sample| sample.exclusive).collect();
    assert_eq!(own.len(), 20);
    // What is called beyond the stack's end is not timed: what it takes has to be learned by then.
    assert!(own[10..].iter().all(|own| *own == Duration::from_micros(1)), "{own:?}");
}

#[test]
fn a_program_that_repeats_itself_is_sampled_without_bias() {
    begin();
    let (mut sum, mut samples) = (Duration::ZERO, 0u32);
    // Every 64th call is a slow one: a stride of 64 would see only such calls, or none.
    for number in 0..1_280_000u32 {
        let frame = call(4);
        fake::pass(if number.is_multiple_of(64) { 9_000 } else { 2_000 });
        drop(frame);
    }
    for sample in told().samples {
        sum += sample.inclusive;
        samples += 1;
    }
    let mean = sum / samples;
    let truth = Duration::from_nanos(2_000 + 7_000 / 64);
    assert!(samples > 10_000 && samples < 40_000, "{samples}");
    assert!(mean.abs_diff(truth) < Duration::from_nanos(40), "{mean:?} is not {truth:?}");
}

#[test]
fn calls_for_which_there_is_no_room_are_counted_all_the_same() {
    begin();
    let edges = EDGES as u32 + 50;
    let outermost = call(0);
    for _ in 0..3 {
        (1..=edges).for_each(|method| drop(call(method)));
    }
    drop(outermost);
    let calls = told().calls;
    assert_eq!(calls.len(), edges as usize + 1);
    assert!(calls.iter().all(|edge| edge.calls == if edge.caller.is_some() { 3 } else { 1 }), "{calls:?}");
}

#[test]
fn a_future_that_is_dropped_half_way_was_called() {
    begin();
    let mut polls = Polls::new(1, None);
    drop(polls.poll());
    drop(polls);
    drop(Polls::new(1, None));
    let batch = told();
    assert_eq!(batch.calls, [edge(None, 1, 1)], "one of the two was never polled");
    assert!(batch.samples.is_empty());
}

#[test]
fn an_async_call_has_the_cpu_time_of_its_polls_on_every_thread() {
    begin();
    let mut first = Polls::new(1, None);
    drop(first.poll());
    fake::pass(2_000_000);
    first.finish();
    assert_eq!(told().samples[0].cpu, None, "nobody knows yet whether it is long");
    let mut polls = Polls::new(1, None);
    let poll = |polls: &mut Polls| {
        let _polled = polls.poll();
        fake::pass(3_000);
    };
    poll(&mut polls);
    fake::pass(1_000_000);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            fake::start();
            poll(&mut polls);
        });
    });
    poll(&mut polls);
    polls.finish();
    let batch = told();
    assert_eq!(batch.samples.len(), 1);
    assert_eq!(batch.samples[0].cpu, Some(Duration::from_micros(9)));
    assert_eq!(batch.samples[0].inclusive, Duration::from_micros(1_006));
}

#[test]
fn an_async_call_is_counted_once_and_charged_for_its_callees() {
    begin();
    let mut polls = Polls::new(1, Some(2.0));
    for _ in 0..3 {
        let _polled = polls.poll();
        let _inner = call(2);
    }
    polls.finish();
    let batch = told();
    let outer: Vec<_> = batch.samples.iter().filter(|sample| sample.callee == MethodIndex(1)).collect();
    assert_eq!(outer.len(), 1);
    assert!(outer[0].exclusive <= outer[0].inclusive);
    assert!(batch.calls.contains(&edge(None, 1, 1)) && batch.calls.contains(&edge(Some(1), 2, 3)));
}
