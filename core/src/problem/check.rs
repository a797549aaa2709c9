//! What is looked at before a problem is one: sums that do not overflow, groups, pins that do not contradict each other.

use super::{Cost, Objective, Placement, Problem, ProblemError, Vertex, position};
use crate::MethodIndex;

/// Sums of all figures so far.
pub(super) struct Sums {
    objective: Objective,
    /// Microjoules.
    energy: u128,
    /// Microseconds.
    time: u128,
    /// In the objective's unit.
    measure: u128,
    /// Bytes.
    memory: u128,
}

impl Sums {
    pub(super) fn new(objective: Objective) -> Self {
        Self { objective, energy: 0, time: 0, measure: 0, memory: 0 }
    }

    pub(super) fn add(
        &mut self,
        figure: &'static str,
        cost: Cost,
        place: impl Fn() -> String,
    ) -> Result<(), ProblemError> {
        self.energy += u128::from(cost.energy.as_microjoules());
        self.time += cost.time.as_micros();
        self.measure += u128::from(self.objective.measure(cost));
        self.within(figure, place)
    }

    pub(super) fn add_memory(&mut self, vertex: &Vertex) -> Result<(), ProblemError> {
        self.memory += u128::from(vertex.memory.as_bytes());
        self.within("memory", || vertex.name.clone())
    }

    fn within(&self, figure: &'static str, place: impl Fn() -> String) -> Result<(), ProblemError> {
        let largest = [self.energy, self.time, self.measure, self.memory].into_iter().max();
        match largest {
            Some(largest) if largest > u128::from(Problem::LARGEST_SUM) => {
                Err(ProblemError::TooLarge { figure, place: place() })
            }
            _ => Ok(()),
        }
    }
}

/// Per position the first position of its group.
pub(super) fn leaders(
    vertices: &[Vertex],
    together: &[Vec<MethodIndex>],
) -> Result<Vec<usize>, ProblemError> {
    let mut parents: Vec<usize> = (0..vertices.len()).collect();
    for group in together {
        let mut first = None;
        for method in group {
            let position = position(vertices, *method).ok_or(ProblemError::UnknownConstrained {
                place: "a group that goes together",
                method: *method,
            })?;
            let one = root(&mut parents, position);
            let other = root(&mut parents, *first.get_or_insert(position));
            // The smaller one leads.
            parents[one.max(other)] = one.min(other);
        }
    }
    Ok((0..parents.len()).map(|position| root(&mut parents, position)).collect())
}

/// Whose tree a position is in; shortens the way there.
fn root(parents: &mut [usize], mut position: usize) -> usize {
    while parents[position] != position {
        parents[position] = parents[parents[position]];
        position = parents[position];
    }
    position
}

/// Per position where it has to run, by its own pin or that of its group.
pub(super) fn pins(vertices: &[Vertex], leaders: &[usize]) -> Result<Vec<Option<Placement>>, ProblemError> {
    let mut of_group: Vec<Option<usize>> = vec![None; vertices.len()];
    for (position, vertex) in vertices.iter().enumerate().filter(|(_, vertex)| vertex.pin.is_some()) {
        let known = *of_group[leaders[position]].get_or_insert(position);
        if vertices[known].pin != vertex.pin {
            let mut names = [vertices[known].name.clone(), vertex.name.clone()];
            if vertex.pin == Some(Placement::Device) {
                names.reverse();
            }
            let [one, other] = names;
            return Err(ProblemError::Contradiction { one, other });
        }
    }
    Ok(leaders.iter().map(|leader| of_group[*leader].and_then(|position| vertices[position].pin)).collect())
}
