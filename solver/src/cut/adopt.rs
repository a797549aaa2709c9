//! Orphans look for a new parent in their own tree; those that find none leave it, and their children are orphans next.

use super::{NONE, Network, ORPHAN, TERMINAL, Tree};

/// Further from a terminal than anything.
const UNREACHED: u32 = u32::MAX;

impl Network {
    /// Makes a vertex an orphan, to be looked after before those that are already.
    pub(super) fn abandon(&mut self, vertex: u32) {
        self.nodes[vertex as usize].parent = ORPHAN;
        self.orphans.push_front(vertex);
    }

    pub(super) fn adopt(&mut self) {
        while let Some(orphan) = self.orphans.pop_front() {
            if !self.find_parent(orphan) {
                self.leave(orphan);
            }
        }
    }

    /// Looks for the neighbour in the same tree that is nearest to the terminal and from which flow can come.
    fn find_parent(&mut self, orphan: u32) -> bool {
        let tree = self.nodes[orphan as usize].tree;
        let (mut best, mut nearest) = (NONE, UNREACHED);
        for index in self.arcs_of(orphan) {
            self.looked += 1;
            let arc = self.arcs[index];
            let neighbour = &self.nodes[arc.head as usize];
            if neighbour.tree != tree || neighbour.parent == NONE || !self.open(index, tree) {
                continue;
            }
            let distance = self.distance(arc.head);
            if distance < nearest {
                (best, nearest) = (index as u32, distance);
            }
            if distance < UNREACHED {
                self.remember(arc.head, distance);
            }
        }
        let node = &mut self.nodes[orphan as usize];
        node.parent = best;
        if best == NONE {
            return false;
        }
        node.time = self.time;
        node.distance = nearest + 1;
        true
    }

    /// Leaves the tree. Neighbours from which it could be reached may take it back later, its children are orphans.
    fn leave(&mut self, vertex: u32) {
        let tree = self.nodes[vertex as usize].tree;
        for index in self.arcs_of(vertex) {
            let arc = self.arcs[index];
            let neighbour = &self.nodes[arc.head as usize];
            if neighbour.tree != tree || neighbour.parent == NONE {
                continue;
            }
            let parent = neighbour.parent;
            if self.open(index, tree) {
                self.activate(arc.head);
            }
            if parent != TERMINAL && parent != ORPHAN && self.arcs[parent as usize].head == vertex {
                self.nodes[arc.head as usize].parent = ORPHAN;
                self.orphans.push_back(arc.head);
            }
        }
    }

    /// Whether the arc's head could be its tail's parent.
    fn open(&self, index: usize, tree: Tree) -> bool {
        let arc = &self.arcs[index];
        match tree {
            Tree::Source => self.arcs[arc.sister as usize].residual != 0,
            Tree::Sink => arc.residual != 0,
        }
    }

    /// How many arcs a vertex is from its terminal, which tells whether it still has a way there.
    fn distance(&mut self, mut vertex: u32) -> u32 {
        let mut distance = 0;
        loop {
            self.looked += 1;
            let node = &mut self.nodes[vertex as usize];
            if node.time == self.time {
                return distance + node.distance;
            }
            distance += 1;
            match node.parent {
                TERMINAL => {
                    (node.time, node.distance) = (self.time, 1);
                    return distance;
                }
                ORPHAN => return UNREACHED,
                parent => vertex = self.arcs[parent as usize].head,
            }
        }
    }

    /// Writes down what was found on the way up, so that the next one need not walk it.
    fn remember(&mut self, mut vertex: u32, mut distance: u32) {
        while self.nodes[vertex as usize].time != self.time {
            let node = &mut self.nodes[vertex as usize];
            (node.time, node.distance) = (self.time, distance);
            distance -= 1;
            vertex = self.arcs[node.parent as usize].head;
        }
    }
}
