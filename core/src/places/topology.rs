//! How places are connected, and the links from one to another.

use serde::{Deserialize, Serialize};

use crate::PlaceIndex;

/// How places are connected. Place 0 is the device; costs of an edge are given by link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Topology {
    /// One behind the other, as device – edge – cloud: link `i` joins the places `i` and `i + 1`.
    Chain,
    /// Servers side by side that reach each other over the device only: link `i` joins the device and place `i + 1`.
    Star,
    /// Every place behind another one, as edge servers with clouds of their own: `parents[i]` is the place that place `i + 1`
    /// is behind, one of those before it, and link `i` joins the two.
    Tree {
        /// Per place but the device.
        parents: Vec<PlaceIndex>,
    },
    /// A link of its own between any two places, in the order 0–1, 0–2, …, 1–2, …: servers side by side that reach each other
    /// without the device, or an edge with a cloud that the device reaches as well. Its time is what a call takes over
    /// it, its energy what that costs the device.
    Mesh,
}

impl Topology {
    /// How many links join that many places.
    pub fn links(&self, places: usize) -> usize {
        match self {
            Self::Mesh => places * (places - 1) / 2,
            _ => places - 1,
        }
    }

    /// The place that one is behind; `None` for the device and in a mesh, where none is behind another.
    pub fn parent(&self, place: PlaceIndex) -> Option<PlaceIndex> {
        let number = place.0.checked_sub(1)?;
        match self {
            Self::Chain => Some(PlaceIndex(number)),
            Self::Star => Some(PlaceIndex::DEVICE),
            Self::Tree { parents } => parents.get(usize::from(number)).copied(),
            Self::Mesh => None,
        }
    }

    /// The places in a row, each linked to the next and to no other; `None` if they do not lie so.
    ///
    /// The device need not be at an end: two servers that reach each other over it are a row, too. On a row the best
    /// placement is one minimum cut (Ishikawa 2003).
    pub fn row(&self, places: usize) -> Option<Vec<PlaceIndex>> {
        if *self == Self::Mesh && places > 2 {
            return None;
        }
        let mut ends = [vec![PlaceIndex::DEVICE], Vec::new()];
        for place in (1..places as u16).map(PlaceIndex) {
            let parent = self.parent(place).unwrap_or(PlaceIndex::DEVICE);
            let end = ends.iter_mut().find(|end| {
                // The second side starts at the device as well.
                end.last().copied().unwrap_or(PlaceIndex::DEVICE) == parent
            })?;
            end.push(place);
        }
        let [first, second] = ends;
        Some(second.into_iter().rev().chain(first).collect())
    }

    /// Per pair of places, by `from · places + to`, the links between.
    pub(super) fn routes(&self, places: usize) -> Vec<Vec<usize>> {
        let pairs = (0..places).flat_map(|from| (0..places).map(move |to| (from, to)));
        pairs.map(|(from, to)| self.between(places, from, to)).collect()
    }

    fn between(&self, places: usize, from: usize, to: usize) -> Vec<usize> {
        let (mut near, mut far) = (from.min(to), from.max(to));
        if *self == Self::Mesh && near != far {
            return vec![near * (2 * places - near - 1) / 2 + far - near - 1];
        }
        let mut links = Vec::new();
        // A parent comes before what is behind it, so that the later one of two is never the way to the other.
        while near != far {
            links.push(far - 1);
            let parent = self.parent(PlaceIndex(far as u16)).map_or(0, |parent| usize::from(parent.0));
            (near, far) = (near.min(parent), near.max(parent));
        }
        links
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(parents: &[u16]) -> Topology {
        Topology::Tree { parents: parents.iter().copied().map(PlaceIndex).collect() }
    }

    #[test]
    fn links_add_up_along_the_way() {
        assert_eq!(Topology::Chain.between(4, 1, 3), [2, 1]);
        assert_eq!(Topology::Star.between(4, 3, 1), [2, 0]);
        assert_eq!(Topology::Star.between(4, 2, 0), [1]);
        // Two edge servers with a cloud each: from cloud to cloud over everything.
        assert_eq!(tree(&[0, 0, 1, 2]).between(5, 3, 4), [3, 2, 1, 0]);
        let numbers = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)];
        for (number, (one, other)) in numbers.into_iter().enumerate() {
            assert_eq!(Topology::Mesh.between(4, one, other), [number]);
            assert_eq!(Topology::Mesh.between(4, other, one), [number]);
        }
        assert!(Topology::Mesh.between(4, 2, 2).is_empty());
    }

    #[test]
    fn a_row_may_have_the_device_inside() {
        let row = |topology: Topology, places| {
            topology.row(places).map(|row| row.iter().map(|place| place.0).collect::<Vec<_>>())
        };
        assert_eq!(row(Topology::Chain, 4), Some(vec![0, 1, 2, 3]));
        assert_eq!(row(Topology::Star, 3), Some(vec![2, 0, 1]));
        assert_eq!(row(Topology::Star, 4), None);
        assert_eq!(row(tree(&[0, 0, 2, 1]), 5), Some(vec![3, 2, 0, 1, 4]));
        assert_eq!(row(tree(&[0, 1, 1]), 4), None);
        assert_eq!(row(Topology::Mesh, 2), Some(vec![0, 1]));
        assert_eq!(row(Topology::Mesh, 3), None);
    }
}
