//! The two trees grow towards each other; where they meet, flow goes from one terminal to the other.

use super::{NONE, Network, TERMINAL, Tree};

impl Network {
    pub(super) fn next_active(&mut self) -> Option<u32> {
        while let Some(vertex) = self.active.pop_front() {
            let node = &mut self.nodes[vertex as usize];
            node.active = false;
            if node.parent != NONE {
                return Some(vertex);
            }
        }
        None
    }

    pub(super) fn activate(&mut self, vertex: u32) {
        let node = &mut self.nodes[vertex as usize];
        if !node.active {
            node.active = true;
            self.active.push_back(vertex);
        }
    }

    /// Takes a vertex's free neighbours into its tree. Returns an arc from the source's tree into the sink's if it finds
    /// one; the vertex has then more to do.
    pub(super) fn grow(&mut self, vertex: u32) -> Option<u32> {
        let node = self.nodes[vertex as usize];
        for index in self.arcs_of(vertex) {
            self.looked += 1;
            let arc = self.arcs[index];
            let open = match node.tree {
                Tree::Source => arc.residual,
                Tree::Sink => self.arcs[arc.sister as usize].residual,
            };
            if open == 0 {
                continue;
            }
            let neighbour = &mut self.nodes[arc.head as usize];
            if neighbour.parent == NONE {
                neighbour.tree = node.tree;
                neighbour.parent = arc.sister;
                neighbour.time = node.time;
                neighbour.distance = node.distance + 1;
                self.activate(arc.head);
            } else if neighbour.tree != node.tree {
                return Some(if node.tree == Tree::Source { index as u32 } else { arc.sister });
            } else if neighbour.time <= node.time && neighbour.distance > node.distance {
                // A shorter way to the terminal, as far as is known: paths stay short.
                neighbour.parent = arc.sister;
                neighbour.time = node.time;
                neighbour.distance = node.distance + 1;
            }
        }
        None
    }

    /// Sends as much as fits along the path over `bridge`. Whoever's way to its terminal that fills becomes an orphan.
    pub(super) fn augment(&mut self, bridge: u32) {
        let middle = self.arcs[bridge as usize];
        let (source_end, sink_end) = (self.arcs[middle.sister as usize].head, middle.head);
        let fits = middle.residual.min(self.bottleneck(source_end)).min(self.bottleneck(sink_end));
        self.arcs[bridge as usize].residual -= fits;
        self.arcs[middle.sister as usize].residual += fits;
        self.push(source_end, fits);
        self.push(sink_end, fits);
        self.flow += fits;
    }

    /// What fits between a vertex and its terminal.
    fn bottleneck(&mut self, mut vertex: u32) -> i64 {
        let mut fits = i64::MAX;
        loop {
            self.looked += 1;
            let node = &self.nodes[vertex as usize];
            if node.parent == TERMINAL {
                return fits.min(node.terminal.abs());
            }
            let arc = &self.arcs[node.parent as usize];
            let residual = match node.tree {
                Tree::Source => self.arcs[arc.sister as usize].residual,
                Tree::Sink => arc.residual,
            };
            fits = fits.min(residual);
            vertex = arc.head;
        }
    }

    fn push(&mut self, mut vertex: u32, flow: i64) {
        loop {
            let node = &mut self.nodes[vertex as usize];
            if node.parent == TERMINAL {
                node.terminal -= if node.tree == Tree::Source { flow } else { -flow };
                if node.terminal == 0 {
                    self.abandon(vertex);
                }
                return;
            }
            let up = node.parent as usize;
            let sister = self.arcs[up].sister as usize;
            let (with, against) = match node.tree {
                Tree::Source => (sister, up),
                Tree::Sink => (up, sister),
            };
            let parent = self.arcs[up].head;
            self.arcs[against].residual += flow;
            self.arcs[with].residual -= flow;
            if self.arcs[with].residual == 0 {
                self.abandon(vertex);
            }
            vertex = parent;
        }
    }
}
