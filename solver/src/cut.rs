//! Minimum cuts by the algorithm of Boykov & Kolmogorov (2004, "An experimental comparison of min-cut/max-flow
//! algorithms"), on a network that is built once and weighted many times.
//!
//! Placing every method in one of two places at the least cost is a minimum cut (Stone 1977): the source side is the
//! server, the sink side the device, and an edge costs its capacity when its ends are apart. Call graphs are sparse and
//! have a terminal at nearly every vertex, where this algorithm was three times as fast as push–relabel.
//!
//! ```text
//! Network::new(vertices, edges)      topology: once
//!   terminal, capacity               weights: before every solve, all of them anew
//!   solve                            grow (cut/grow.rs) ─▶ augment ─▶ adopt (cut/adopt.rs), until nothing grows
//!   is_source, reaches_sink          the smallest and the largest source side
//!   residual, residual_*             what the flow left, for bounds on what-if
//! ```
//!
//! Nothing overflows as long as absolute terminal weights add up to at most 2⁶¹ and no capacity is past that: a flow is at
//! most the former, a residual at most an edge's two capacities together.

mod adopt;
mod grow;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use crate::steps::Steps;

/// A capacity that no flow uses up, as long as absolute terminal weights add up to less: an edge of that is never cut.
pub(crate) const INFINITE: i64 = 1 << 60;

/// A graph with two terminals. Weights are zero until they are set; `solve` uses them up.
pub(crate) struct Network {
    nodes: Vec<Node>,
    /// Per vertex where its arcs start in `arcs`, and one more where the last one's end.
    first: Vec<u32>,
    arcs: Vec<Arc>,
    /// Per edge its arc from the first end to the second. The opposite one is that one's sister.
    forward: Vec<u32>,
    active: VecDeque<u32>,
    orphans: VecDeque<u32>,
    /// Counts augmentations, to tell which distances to a terminal are still right.
    time: u32,
    flow: i64,
    /// Arcs looked at and not yet counted as steps.
    looked: u64,
}

/// A vertex in the search: member of the tree that grows from the source, of the one from the sink, or of none.
#[derive(Clone, Copy)]
struct Node {
    /// What can still flow from the source to it, or, negated, from it to the sink.
    terminal: i64,
    /// The arc to its parent, or one of the marks below.
    parent: u32,
    /// When `distance` was last known to be right.
    time: u32,
    distance: u32,
    tree: Tree,
    active: bool,
}

/// Which tree a vertex was last in; says nothing while it has no parent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tree {
    Source,
    Sink,
}

/// One direction of an edge.
#[derive(Clone, Copy)]
struct Arc {
    residual: i64,
    head: u32,
    sister: u32,
}

/// No parent: in no tree.
const NONE: u32 = u32::MAX;
/// The parent is the terminal itself.
const TERMINAL: u32 = u32::MAX - 1;
/// The parent was lost; a new one is being looked for.
const ORPHAN: u32 = u32::MAX - 2;

impl Network {
    /// A network of these pairs. Parallel and opposite pairs are different edges.
    pub(crate) fn new(vertices: usize, edges: &[(u32, u32)]) -> Self {
        assert!(edges.len() < (ORPHAN / 2) as usize, "arcs are numbered in 32 bits");
        let mut first = vec![0_u32; vertices + 1];
        for (tail, head) in edges {
            first[*tail as usize] += 1;
            first[*head as usize] += 1;
        }
        let mut arcs_before = 0;
        for first in &mut first {
            arcs_before += std::mem::replace(first, arcs_before);
        }
        let mut next = first.clone();
        let mut place = |vertex: u32| {
            let next = &mut next[vertex as usize];
            *next += 1;
            *next - 1
        };
        let mut arcs = vec![Arc { residual: 0, head: 0, sister: 0 }; 2 * edges.len()];
        let mut forward = Vec::with_capacity(edges.len());
        for (tail, head) in edges {
            let (there, back) = (place(*tail), place(*head));
            arcs[there as usize] = Arc { residual: 0, head: *head, sister: back };
            arcs[back as usize] = Arc { residual: 0, head: *tail, sister: there };
            forward.push(there);
        }
        let node =
            Node { terminal: 0, parent: NONE, time: 0, distance: 0, tree: Tree::Source, active: false };
        Self {
            nodes: vec![node; vertices],
            first,
            arcs,
            forward,
            active: VecDeque::new(),
            orphans: VecDeque::new(),
            time: 0,
            flow: 0,
            looked: 0,
        }
    }

    /// Sets what it costs to have a vertex on the sink side; a negative weight is what the source side costs.
    pub(crate) fn terminal(&mut self, vertex: usize, weight: i64) {
        self.nodes[vertex].terminal = weight;
    }

    /// Sets what an edge costs that is cut: `forward` with its first end alone on the source side, `backward` with its
    /// second end alone there.
    pub(crate) fn capacity(&mut self, edge: usize, forward: i64, backward: i64) {
        let there = self.forward[edge];
        let back = self.arcs[there as usize].sister;
        self.arcs[there as usize].residual = forward;
        self.arcs[back as usize].residual = backward;
    }

    /// What the cheapest cut costs; `None` if it was to stop before that was known.
    ///
    /// Uses the weights up: set all of them before the next one.
    pub(crate) fn solve(&mut self, steps: &mut Steps<'_>) -> Option<i64> {
        self.start();
        let mut current = None;
        loop {
            if self.looked >= 1024 && !steps.spend(std::mem::take(&mut self.looked)) {
                return None;
            }
            let Some(vertex) = current.take().or_else(|| self.next_active()) else { break };
            self.time += 1;
            if let Some(bridge) = self.grow(vertex) {
                self.augment(bridge);
                self.adopt();
                // It may have more to offer; if it lost its tree it was made active again by whoever needs it.
                if self.nodes[vertex as usize].parent != NONE {
                    current = Some(vertex);
                }
            }
        }
        steps.spend(std::mem::take(&mut self.looked)).then_some(self.flow)
    }

    /// Whether a vertex is on the smallest source side of a minimum cut: the source still reaches it.
    pub(crate) fn is_source(&self, vertex: usize) -> bool {
        let node = &self.nodes[vertex];
        node.parent != NONE && node.tree == Tree::Source
    }

    /// Whether a vertex still reaches the sink. Those that do not are the largest source side of a minimum cut.
    pub(crate) fn reaches_sink(&self, vertex: usize) -> bool {
        let node = &self.nodes[vertex];
        node.parent != NONE && node.tree == Tree::Sink
    }

    /// What the flow left of a vertex's weight: with its sign, as it was set.
    pub(crate) fn residual_terminal(&self, vertex: usize) -> i64 {
        self.nodes[vertex].terminal
    }

    /// What the flow left of the edges at a vertex: the neighbour, what can still flow there, and what back.
    pub(crate) fn residual_edges(&self, vertex: usize) -> impl Iterator<Item = (usize, i64, i64)> {
        self.arcs_of(vertex as u32).map(|arc| {
            let arc = self.arcs[arc];
            (arc.head as usize, arc.residual, self.arcs[arc.sister as usize].residual)
        })
    }

    /// What the flow left of an edge, in the order of [`capacity`](Self::capacity).
    pub(crate) fn residual(&self, edge: usize) -> (i64, i64) {
        let there = self.arcs[self.forward[edge] as usize];
        (there.residual, self.arcs[there.sister as usize].residual)
    }

    fn arcs_of(&self, vertex: u32) -> std::ops::Range<usize> {
        self.first[vertex as usize] as usize..self.first[vertex as usize + 1] as usize
    }

    /// Sends what fits from one terminal to the other over a single edge. Most paths are that short, and trees that lose
    /// and adopt vertices are a costly way to find them.
    fn short_paths(&mut self) {
        for tail in 0..self.nodes.len() {
            let mut from_source = self.nodes[tail].terminal;
            if from_source <= 0 {
                continue;
            }
            for index in self.arcs_of(tail as u32) {
                let arc = self.arcs[index];
                let head = &mut self.nodes[arc.head as usize];
                let fits = from_source.min(arc.residual).min(-head.terminal);
                if fits <= 0 {
                    continue;
                }
                head.terminal += fits;
                from_source -= fits;
                self.arcs[index].residual -= fits;
                self.arcs[arc.sister as usize].residual += fits;
                self.flow += fits;
                if from_source == 0 {
                    break;
                }
            }
            self.nodes[tail].terminal = from_source;
        }
        self.looked += self.arcs.len() as u64;
    }

    fn start(&mut self) {
        (self.flow, self.time, self.looked) = (0, 0, 0);
        self.short_paths();
        self.active.clear();
        self.orphans.clear();
        for (vertex, node) in self.nodes.iter_mut().enumerate() {
            let with_terminal = node.terminal != 0;
            node.tree = if node.terminal < 0 { Tree::Sink } else { Tree::Source };
            node.parent = if with_terminal { TERMINAL } else { NONE };
            (node.time, node.distance, node.active) = (0, 1, with_terminal);
            if with_terminal {
                self.active.push_back(vertex as u32);
            }
        }
        self.looked += self.nodes.len() as u64;
    }
}
