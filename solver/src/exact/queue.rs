//! What is still to be looked into.

use std::collections::BinaryHeap;

use super::core::Core;
use super::price::Price;

/// A core that may hold something worthwhile, and the vertex to decide next.
pub(super) struct Node {
    /// Nothing in it gains more.
    pub(super) bound: i64,
    pub(super) core: Core,
    pub(super) price: Price,
    pub(super) vertex: usize,
}

/// Nodes, the most promising first, which looks into the fewest. Once too many wait the latest goes first until there is
/// room again: then only one path's nodes are added.
pub(super) struct Queue {
    waiting: BinaryHeap<Waiting>,
    latest: Vec<Node>,
    /// Vertices and edges in `waiting`, and how many there may be.
    size: usize,
    most: usize,
    /// Counts nodes, so that equal ones have an order.
    pushed: u64,
}

struct Waiting {
    number: u64,
    node: Node,
}

impl Queue {
    pub(super) fn new(most: usize) -> Self {
        Self { waiting: BinaryHeap::new(), latest: Vec::new(), size: 0, most, pushed: 0 }
    }

    pub(super) fn push(&mut self, node: Node) {
        self.pushed += 1;
        if self.size > self.most {
            self.latest.push(node);
            return;
        }
        self.size += node.core.size();
        self.waiting.push(Waiting { number: self.pushed, node });
    }

    pub(super) fn pop(&mut self) -> Option<Node> {
        self.latest.pop().or_else(|| {
            let Waiting { node, .. } = self.waiting.pop()?;
            self.size -= node.core.size();
            Some(node)
        })
    }

    /// The most that anything in a node gains.
    pub(super) fn bound(&self) -> Option<i64> {
        let latest = self.latest.iter().map(|node| node.bound).max();
        latest.max(self.waiting.peek().map(|waiting| waiting.node.bound))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.node.bound, self.number).cmp(&(other.node.bound, other.number))
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Waiting {}
