//! A plan for people: as a table, in sentences, as a graph to be drawn.

use std::fmt::{self, Write as _};

use outboard_core::{Cost, Placement, Plan, Problem};
use outboard_solver::Explanation;

use super::{Solved, Unknown};

/// What the plan is worth, and a row for each method.
pub(super) fn table(solved: &Solved) -> String {
    written(|out| {
        let (plan, told) = (&solved.plan, explanation(solved));
        writeln!(out, "minimises  {}", plan.objective())?;
        writeln!(out, "value      {}", told.worth())?;
        writeln!(out, "energy     {}, all local {}", plan.cost().energy, plan.all_local().energy)?;
        writeln!(out, "time       {:?}, all local {:?}\n", plan.cost().time, plan.all_local().time)?;
        let names = plan.choices().iter().map(|choice| choice.name.chars().count());
        let width = names.chain(["method".len()]).max().unwrap_or(0).min(WIDEST);
        writeln!(out, "{:width$}  runs on  why", "method")?;
        for choice in plan.choices() {
            writeln!(out, "{:width$}  {:7}  {}", choice.name, choice.placement, told.why(choice))?;
        }
        Ok(())
    })
}

/// Wider names move what follows them.
const WIDEST: usize = 60;

/// What the plan is worth, and for each method why it is where it is and what would have to change.
pub(super) fn sentences(solved: &Solved) -> String {
    written(|out| {
        write!(out, "Minimises {}: {}", solved.plan.objective(), explanation(solved))?;
        for Unknown { condition, why } in &solved.unknown {
            writeln!(out, "What another {condition} would change is not known: {why}.")?;
        }
        Ok(())
    })
}

/// The plan as a graph for Graphviz.
pub(super) fn dot(problem: &Problem, plan: &Plan) -> String {
    written(|out| {
        writeln!(out, "digraph plan {{\n  rankdir=LR;\n  node [shape=box];")?;
        for place in [Placement::Device, Placement::Server] {
            writeln!(out, "  subgraph cluster_{place} {{\n    label=\"{place}\";")?;
            for (position, choice) in plan.choices().iter().enumerate() {
                if choice.placement == place {
                    let pinned = if problem.pin(position).is_some() { ", style=bold" } else { "" };
                    let cost = problem.vertices()[position].cost(place);
                    let name = escaped(&choice.name);
                    writeln!(out, "    m{position} [label=\"{name}\\n{}\"{pinned}];", Short(cost))?;
                }
            }
            writeln!(out, "  }}")?;
        }
        for (caller, callee, edge) in problem.edges() {
            let apart = plan.choices()[caller].placement != plan.choices()[callee].placement;
            let style = if apart { ", style=dashed" } else { "" };
            writeln!(out, "  m{caller} -> m{callee} [label=\"{}\"{style}];", Short(edge.cost()))?;
        }
        writeln!(out, "}}")
    })
}

fn explanation(solved: &Solved) -> Explanation<'_> {
    let told = Explanation::new(&solved.plan);
    solved.link.map_or(told, |link| told.on(link))
}

fn written(write: impl FnOnce(&mut String) -> fmt::Result) -> String {
    let mut text = String::new();
    write(&mut text).expect("writing to a string does not fail");
    text
}

/// A cost without the part that is nothing.
struct Short(Cost);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Cost { energy, time } if time.is_zero() => energy.fmt(f),
            Cost { energy, time } if energy == Default::default() => write!(f, "{time:?}"),
            cost => cost.fmt(f),
        }
    }
}

/// A name within the quotes of a label, where Graphviz reads backslashes as escapes.
fn escaped(name: &str) -> String {
    name.replace('\\', "\\\\").replace('"', "\\\"")
}
