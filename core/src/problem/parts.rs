//! A problem as it is written down: its parts, which are checked again when they are read.
//!
//! Whoever wrote them may be a peer. What reading takes in time and memory is within a small factor of what was read:
//! counts are bounded before anything is made of them.

use serde::{Deserialize, Serialize};

use super::{Constraints, Edge, Objective, Problem, ProblemError, Vertex};

/// What a problem is made of.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Problem")]
pub(super) struct Parts {
    vertices: Vec<Vertex>,
    edges: Vec<Edge>,
    objective: Objective,
    constraints: Constraints,
}

impl From<Problem> for Parts {
    fn from(problem: Problem) -> Self {
        let Problem { vertices, edges, objective, constraints, .. } = problem;
        Self { vertices, edges, objective, constraints }
    }
}

impl TryFrom<Parts> for Problem {
    type Error = ProblemError;

    fn try_from(parts: Parts) -> Result<Self, ProblemError> {
        let Parts { vertices, edges, objective, constraints } = parts;
        let within = |figure, count: usize, most: usize| {
            if count <= most { Ok(()) } else { Err(ProblemError::TooMany { figure, count, most }) }
        };
        within("methods", vertices.len(), Self::MOST_VERTICES)?;
        within("calls between methods", edges.len(), Self::MOST_EDGES)?;
        // Each limit is looked at for every method and call, and a bound on latency remembers for each whether it counts.
        let limits = constraints.latency.len().saturating_add(constraints.memory.len());
        within("limits", limits, Self::MOST_LIMITS)?;
        Self::constrained(vertices, edges, objective, constraints)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::{LatencyBound, Placement, Shipping, TimeBound};
    use super::*;
    use crate::{Energy, MethodIndex};

    fn parts() -> Parts {
        let vertex = |method: u32| Vertex {
            local_energy: Energy::from_millijoules(40),
            local_time: Duration::from_millis(10),
            remote_time: Duration::from_millis(1),
            ..Vertex::new(MethodIndex(method), format!("method{method}"))
        };
        let shipping = Shipping::fixed(Energy::from_millijoules(5), Duration::from_millis(3));
        let (caller, callee) = (MethodIndex(1), MethodIndex(2));
        Parts {
            vertices: vec![vertex(2), vertex(1)],
            edges: vec![Edge { caller, callee, shipping }],
            objective: Objective::EnergyWithin(TimeBound::default()),
            constraints: Constraints::default(),
        }
    }

    #[test]
    fn what_is_read_is_what_was_written_and_was_checked() {
        let problem = Problem::try_from(parts()).unwrap();
        assert_eq!(problem.vertices()[0].method, MethodIndex(1), "it was put in order");
        assert_eq!(Problem::try_from(Parts::from(problem.clone())).unwrap(), problem);
    }

    #[test]
    fn parts_that_make_no_problem_are_refused() {
        let mut torn = parts();
        torn.edges[0].callee = MethodIndex(9);
        assert!(matches!(Problem::try_from(torn), Err(ProblemError::UnknownMethod { .. })));
        let mut endless = parts();
        endless.vertices[0].local_time = Duration::MAX;
        assert!(matches!(Problem::try_from(endless), Err(ProblemError::TooLarge { .. })));
        let mut apart = parts();
        apart.vertices[0].pin = Some(Placement::Device);
        apart.vertices[1].pin = Some(Placement::Server);
        apart.constraints.together = vec![vec![MethodIndex(1), MethodIndex(2)]];
        assert!(matches!(Problem::try_from(apart), Err(ProblemError::Contradiction { .. })));
    }

    #[test]
    fn what_would_take_memory_out_of_proportion_is_refused_before_it_does() {
        let mut many = parts();
        let bound = LatencyBound { method: MethodIndex(1), most: Duration::ZERO };
        many.constraints.latency = vec![bound; Problem::MOST_LIMITS + 1];
        assert_eq!(
            Problem::try_from(many).unwrap_err().to_string(),
            "101 limits are more than the 100 that are taken"
        );
        let mut many = parts();
        many.edges = vec![many.edges[0]; Problem::MOST_EDGES + 1];
        assert!(matches!(Problem::try_from(many), Err(ProblemError::TooMany { .. })));
    }
}
