//! The problem as a text that other solvers read, to have a second opinion on it.

use std::fmt::{self, Write};

use outboard_core::{Edge, Limit, Objective, Placement, Problem, Resource, Vertex};

/// MAUI's 0/1 program (§6.2) as a file in CPLEX's LP format, which `cbc FILE.lp`, `highs FILE.lp` and `glpsol --lp FILE.lp` read.
///
/// Nothing is reduced: every method has a variable `x…`, 1 for the server and 0 for the device; every call between two
/// methods a pair, of which `s…` is 1 where only the caller is on the server and `d…` where only the callee is. Pins are bounds,
/// groups are rows, and so are all limits. The variable `all` is fixed to 1 and carries what everything costs on the device, so
/// that the objective's value is the plan's and a limit's row can be compared with the limit. Energies are in mJ, times in ms
/// and memory in kB, with all their decimals.
///
/// ```
/// use std::time::Duration;
/// use outboard_core::{Energy, MethodIndex, Objective, Problem, Vertex};
///
/// let find = Vertex {
///     local_energy: Energy::from_microjoules(900_250),
///     remote_energy: Energy::from_millijoules(100),
///     ..Vertex::new(MethodIndex(7), "Album::find")
/// };
/// let text = outboard_solver::lp(&Problem::new(vec![find], vec![], Objective::Energy)?);
/// assert!(text.contains("Minimize\n energy: 900.25 all - 800.25 x7_Album__find\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn lp(problem: &Problem) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = Lp::new(problem).write(&mut text);
    text
}

/// Lines are broken before they are longer; some readers stop at 255 or 560 characters.
const WIDTH: usize = 100;
/// As much of a method's name goes into its variable's; some readers stop at 100 characters.
const NAME: usize = 48;

struct Lp<'p> {
    problem: &'p Problem,
    /// Per position the method's variable.
    names: Vec<String>,
}

impl<'p> Lp<'p> {
    fn new(problem: &'p Problem) -> Self {
        Self { problem, names: problem.vertices().iter().map(variable).collect() }
    }

    fn write(&self, text: &mut String) -> fmt::Result {
        let objective = self.problem.objective();
        let (measured, digits) = match objective {
            Objective::Energy | Objective::EnergyWithin(_) => ("energy", 3),
            Objective::Time | Objective::TimeWithin(_) => ("time", 3),
            // In nanojoules.
            Objective::Weighted { .. } => ("weighted", 6),
        };
        writeln!(text, "\\ Placement of {} methods: minimise {objective}.", self.names.len())?;
        writeln!(
            text,
            "\\ x: on the server; s: the caller alone is; d: the callee alone is; all: everything on the device."
        )?;
        writeln!(text, "\\ Energies in mJ, times in ms, memory in kB.")?;
        text.push_str("Minimize\n");
        let mut row = Row::new(text, &format!("{measured}:"));
        self.sum(
            &mut row,
            digits,
            |_, vertex, place| objective.measure(vertex.cost(place)),
            |_, edge| objective.measure(edge.cost()),
        );
        row.end("");

        text.push_str("Subject To\n");
        for (number, limit) in self.problem.limits().iter().enumerate() {
            self.limit(text, number, limit);
        }
        for (position, name) in self.names.iter().enumerate() {
            let leader = self.problem.leader(position);
            if leader != position {
                writeln!(text, " together{position}: {} - {name} = 0", self.names[leader])?;
            }
        }
        for (number, (caller, callee, _)) in self.problem.edges().enumerate() {
            if caller != callee {
                let (caller, callee) = (&self.names[caller], &self.names[callee]);
                writeln!(text, " call{number}: {caller} - {callee} - s{number} + d{number} = 0")?;
            }
        }

        text.push_str("Bounds\n all = 1\n");
        for (position, name) in self.names.iter().enumerate() {
            match self.problem.pin(position) {
                None => writeln!(text, " 0 <= {name} <= 1")?,
                Some(Placement::Device) => writeln!(text, " {name} = 0")?,
                Some(Placement::Server) => writeln!(text, " {name} = 1")?,
            }
        }
        for (number, (caller, callee, _)) in self.problem.edges().enumerate() {
            if caller != callee {
                writeln!(text, " 0 <= s{number} <= 1\n 0 <= d{number} <= 1")?;
            }
        }
        // Not as binaries: that section sets the bounds of some readers' variables back to 0 and 1.
        text.push_str("Generals\n");
        for name in &self.names {
            writeln!(text, " {name}")?;
        }
        text.push_str("End\n");
        Ok(())
    }

    fn limit(&self, text: &mut String, number: usize, limit: &Limit) {
        let name = match limit.resource() {
            Resource::Time => "time".to_owned(),
            Resource::Energy => "energy".to_owned(),
            Resource::Latency(method) => format!("latency_{method}"),
            Resource::Memory(place) => format!("memory_{place}"),
        };
        let mut row = Row::new(text, &format!("limit{number}_{name}:"));
        self.sum(
            &mut row,
            3,
            |position, vertex, place| limit.of_vertex(position, vertex, place),
            |number, edge| limit.of_edge(number, edge),
        );
        row.end(&format!(" <= {}", decimal(limit.most().into(), 3)));
    }

    /// `Σ of the device + Σ (server − device) x + Σ apart (s + d)`; of figures in units of 10^−`digits`.
    fn sum(
        &self,
        row: &mut Row<'_>,
        digits: usize,
        vertex: impl Fn(usize, &Vertex, Placement) -> u64,
        apart: impl Fn(usize, &Edge) -> u64,
    ) {
        let mut local = 0;
        let mut moved = Vec::with_capacity(self.names.len());
        for (position, of) in self.problem.vertices().iter().enumerate() {
            let [here, there] =
                [Placement::Device, Placement::Server].map(|place| i128::from(vertex(position, of, place)));
            local += here;
            moved.push(there - here);
        }
        // Some readers want a row to have a term.
        row.term(local, digits, "all", true);
        for (part, name) in moved.into_iter().zip(&self.names) {
            row.term(part, digits, name, false);
        }
        for (number, (caller, callee, edge)) in self.problem.edges().enumerate() {
            if caller != callee {
                let part = apart(number, edge).into();
                row.term(part, digits, &format!("s{number}"), false);
                row.term(part, digits, &format!("d{number}"), false);
            }
        }
    }
}

/// A sum that is being written, over as many lines as it takes.
struct Row<'a> {
    text: &'a mut String,
    column: usize,
    is_empty: bool,
}

impl<'a> Row<'a> {
    fn new(text: &'a mut String, name: &str) -> Self {
        text.push(' ');
        text.push_str(name);
        Self { text, column: 1 + name.len(), is_empty: true }
    }

    fn term(&mut self, part: i128, digits: usize, name: &str, even_none: bool) {
        if part == 0 && !even_none {
            return;
        }
        let sign = match (part < 0, self.is_empty) {
            (true, _) => "- ",
            (false, true) => "",
            (false, false) => "+ ",
        };
        let term = format!("{sign}{} {name}", decimal(part.unsigned_abs(), digits));
        if self.column + 1 + term.len() > WIDTH {
            self.text.push_str("\n ");
            self.column = 1;
        }
        self.text.push(' ');
        self.text.push_str(&term);
        self.column += 1 + term.len();
        self.is_empty = false;
    }

    fn end(self, with: &str) {
        self.text.push_str(with);
        self.text.push('\n');
    }
}

/// A whole number of units of 10^−`digits`, without zeros that say nothing.
fn decimal(value: u128, digits: usize) -> String {
    let unit = 10_u128.pow(digits as u32);
    let text = format!("{}.{:0digits$}", value / unit, value % unit);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The index makes it unique, the method's name readable.
fn variable(vertex: &Vertex) -> String {
    let name: String =
        vertex.name.chars().take(NAME).map(|it| if it.is_ascii_alphanumeric() { it } else { '_' }).collect();
    format!("x{}_{name}", vertex.method.0)
}
