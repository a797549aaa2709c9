use super::levels::EDGES;
use super::*;
use crate::stack::levels::DEPTH;

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
fn a_full_table_leaves_edges_out_until_its_counts_are_taken() {
    let stack = Stack::new();
    let edges = EDGES as u32;
    assert!((0..edges).all(|method| stack.edge(NOBODY, method).is_some()));
    assert!(stack.edge(NOBODY, edges).is_none(), "there is no place left");
    stack.edge(NOBODY, 3).unwrap().1.calls.set(5);
    assert_eq!(stack.take_calls(), [edge(None, 3, 5)]);
    assert!(stack.edge(NOBODY, edges).is_some(), "there is room again");
}

#[test]
fn an_async_call_is_counted_once_and_charged_for_its_callees() {
    let mut polls = Polls::new(1, Some(2.0));
    for _ in 0..3 {
        let _polled = polls.poll();
        let _inner = call(2);
    }
    polls.finish();
    let batch = take_batch();
    let outer: Vec<_> = batch.samples.iter().filter(|sample| sample.callee == MethodIndex(1)).collect();
    assert_eq!(outer.len(), 1);
    assert!(outer[0].exclusive <= outer[0].inclusive);
    assert!(batch.calls.contains(&edge(None, 1, 1)) && batch.calls.contains(&edge(Some(1), 2, 3)));
}
