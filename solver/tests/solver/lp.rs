//! The problem as a text for other solvers.

use std::io::{self, Write};
use std::process::Command;
use std::time::Duration;

use outboard_core::{
    ByteCount, Constraints, Edge, Energy, LatencyBound, MemoryLimit, MethodIndex, Objective, Placement,
    Power, Problem, Shipping, TimeBound, Value, Vertex,
};
use outboard_problems::{Recipe, Shape, any, maui};
use outboard_solver::{Automatic, Exhaustive, Limits, Solve, lp};

const MS: Duration = Duration::from_millis(1);

#[test]
fn the_text_has_everything_that_the_problem_has() {
    let vertex = |index, name: &str, energy, pin| Vertex {
        local_energy: Energy::from_microjoules(energy),
        local_time: MS * 10,
        remote_time: MS * 2 + MS / 4,
        memory: ByteCount::from_bytes(1_500),
        pin,
        ..Vertex::new(MethodIndex(index), name)
    };
    let vertices = vec![
        vertex(0, "main loop", 0, Some(Placement::Device)),
        vertex(3, "Album::find<Ω>", 20_500, None),
        vertex(4, "10 %", 7, None),
    ];
    let edge = |caller, callee, micros| Edge {
        caller: MethodIndex(caller),
        callee: MethodIndex(callee),
        shipping: Shipping::fixed(Energy::from_microjoules(micros), MS),
    };
    let edges = vec![edge(0, 3, 1_000), edge(3, 3, 9), edge(3, 4, 2)];
    let constraints = Constraints {
        together: vec![vec![MethodIndex(3), MethodIndex(4)]],
        latency: vec![LatencyBound { method: MethodIndex(4), most: MS * 12 }],
        memory: vec![MemoryLimit { place: Placement::Server, most: ByteCount::from_bytes(3_001) }],
    };
    let objective = Objective::EnergyWithin(TimeBound::Absolute(MS * 31));
    let problem = Problem::constrained(vertices, edges, objective, constraints).unwrap();
    let golden = "\
\\ Placement of 3 methods: minimise energy within 31ms.
\\ x: on the server; s: the caller alone is; d: the callee alone is; all: everything on the device.
\\ Energies in mJ, times in ms, memory in kB.
Minimize
 energy: 20.507 all - 20.5 x3_Album__find___ - 0.007 x4_10__ + 1 s0 + 1 d0 + 0.002 s2 + 0.002 d2
Subject To
 limit0_time: 30 all - 7.75 x0_main_loop - 7.75 x3_Album__find___ - 7.75 x4_10__ + 1 s0 + 1 d0
  + 1 s2 + 1 d2 <= 31
 limit1_latency_m4: 10 all - 7.75 x4_10__ + 1 s2 + 1 d2 <= 12
 limit2_memory_server: 0 all + 1.5 x0_main_loop + 1.5 x3_Album__find___ + 1.5 x4_10__ <= 3.001
 together2: x3_Album__find___ - x4_10__ = 0
 call0: x0_main_loop - x3_Album__find___ - s0 + d0 = 0
 call2: x3_Album__find___ - x4_10__ - s2 + d2 = 0
Bounds
 all = 1
 x0_main_loop = 0
 0 <= x3_Album__find___ <= 1
 0 <= x4_10__ <= 1
 0 <= s0 <= 1
 0 <= d0 <= 1
 0 <= s2 <= 1
 0 <= d2 <= 1
Generals
 x0_main_loop
 x3_Album__find___
 x4_10__
End
";
    assert_eq!(lp(&problem), golden);
}

#[test]
fn names_are_short_and_lines_too() {
    let name = "a_rather_long_name_".repeat(30);
    let vertices = (0..200).map(|index| Vertex {
        local_time: MS * (index + 1),
        ..Vertex::new(MethodIndex(index), name.clone())
    });
    let problem = Problem::new(vertices.collect(), vec![], Objective::Time).unwrap();
    let text = lp(&problem);
    assert!(text.lines().all(|line| line.len() < 130), "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with(" 0 <= x")).count(), 200);
}

/// What the `cbc` command finds, in mJ or ms; `Ok(None)` if it says that there is nothing, `Err` where it is not installed.
fn cbc(problem: &Problem) -> Result<Option<f64>, io::Error> {
    let folder = tempfile::tempdir()?;
    let (file, solution) = (folder.path().join("problem.lp"), folder.path().join("solution.txt"));
    std::fs::write(&file, lp(problem))?;
    let output = Command::new("cbc").arg(&file).args(["-solve", "-solu"]).arg(&solution).output()?;
    let text = std::fs::read_to_string(&solution)?;
    let first = text.lines().next().unwrap_or_default();
    if first.to_lowercase().contains("infeasible") {
        return Ok(None);
    }
    let value = first.strip_prefix("Optimal - objective value ").and_then(|value| value.trim().parse().ok());
    let log = || format!("{first}\n{}\n{}", String::from_utf8_lossy(&output.stdout), lp(problem));
    Ok(Some(value.unwrap_or_else(|| panic!("{}", log()))))
}

fn millis(value: Value) -> f64 {
    match value {
        Value::Energy(energy) => energy.as_microjoules() as f64 / 1e3,
        Value::Time(time) => time.as_micros() as f64 / 1e3,
        Value::Memory(bytes) => bytes.as_bytes() as f64 / 1e3,
    }
}

#[test]
fn cbc_reads_it_and_finds_the_same() {
    let mut problems: Vec<Problem> = (0..60).map(|seed| any(9, seed)).collect();
    problems.extend(maui::applications().map(|(_, problem)| problem));
    problems.push(Recipe { shape: Shape::Recursive, methods: 60, seed: 1 }.loose());
    for (number, problem) in problems.iter().enumerate() {
        let found = match cbc(problem) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound && number == 0 => {
                // Past the harness, which hides what passing tests print.
                let _ = writeln!(io::stderr(), "skipped: `cbc` is not installed (Debian: coinor-cbc)");
                return;
            }
            Err(error) => panic!("{error}"),
        };
        let few = problem.vertices().len() < 12;
        let solver: &dyn Solve = if few { &Exhaustive } else { &Automatic };
        let best = solver.solve(problem, &Limits::default()).ok().map(|plan| millis(plan.value()));
        match (found, best) {
            (Some(found), Some(best)) => {
                // A weighted value is shown in whole microjoules; cbc's tolerance is a millionth.
                assert!(
                    (found - best).abs() <= 0.002 + best * 1e-6,
                    "{number}: {found} {best}\n{}",
                    lp(problem)
                );
            }
            (found, best) => assert_eq!(found, best, "{number}: {}", lp(problem)),
        }
    }
}

#[test]
fn a_weighted_objective_keeps_its_nanojoules() {
    let method = Vertex { local_time: Duration::from_micros(3), ..Vertex::new(MethodIndex(1), "f") };
    let objective = Objective::Weighted { rate: Power::from_milliwatts(7) };
    let text = lp(&Problem::new(vec![method], vec![], objective).unwrap());
    assert!(text.contains(" weighted: 0.000021 all - 0.000021 x1_f\n"), "{text}");
}
