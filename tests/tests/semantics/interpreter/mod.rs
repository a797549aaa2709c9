//! The interpreter: programs, the two ways of running them, and the comparison.
//!
//! Its own folder and its relative paths let the benchmarks use it too (`faults.equal`).

mod device;
mod generate;
mod machine;
mod plain;
mod program;
mod report;
mod server;
mod shared;
mod show;
mod simpler;
mod tape;
mod value;
mod versions;
mod wire;
mod world;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use outboard_core::{BodyHash, InstanceId, MethodId, SchemaHash};
use outboard_wire::Limits;
use outboard_wire::frame::{AppIdentity, Hello, MethodEntry, PROTOCOL};

use machine::{Effect, Origin};
use plain::{Outcome, Told};
use program::Program;
use tape::Tape;
use value::Object;
use world::Run;

pub(crate) use report::{Defect, Report};
pub(crate) use world::Weather;

/// A case is two tapes: the program is drawn from the one, its run from the other.
fn draw(seed: u64) -> (Program, Tape) {
    (generate::program(&mut Tape::of_seed(seed)), Tape::of_seed(!seed))
}

/// Runs a program both ways. `None` when it takes too long; else what happened, or how the two differ. Gives the tape
/// back with what was drawn from it.
fn compare(
    program: &Program,
    tape: Tape,
    weather: Weather,
    defect: Option<Defect>,
) -> (Option<Result<Report, String>>, Tape) {
    if plain::run(program, &Told::default()).is_none() {
        return (None, tape);
    }
    let whole = tape.clone();
    // A broken invariant is a finding like any other, and is made simpler like any other.
    let run = AssertUnwindSafe(|| world::run(program, tape, weather, defect));
    match catch_unwind(run) {
        Ok(run) => {
            let Some(expected) = plain::run(program, &run.told) else { return (None, run.tape) };
            let difference = difference(&expected, &run, weather);
            (Some(difference.map_or(Ok(run.earlier + run.report), Err)), run.tape)
        }
        Err(payload) => {
            let message = payload.downcast_ref::<String>().cloned();
            let message = message.or_else(|| payload.downcast_ref::<&str>().map(ToString::to_string));
            (Some(Err(format!("a panic: {}", message.unwrap_or_default()))), whole.drawn_to_its_end())
        }
    }
}

/// Runs a case both ways and gives what happened, which is nothing when its program takes too long; `None` when the
/// two differ, and then [`simplest`] tells how.
pub(crate) fn check(seed: u64, weather: Weather, defect: Option<Defect>) -> Option<Report> {
    let (program, tape) = draw(seed);
    match compare(&program, tape, weather, defect).0 {
        None => Some(Report::default()),
        Some(result) => result.ok(),
    }
}

/// All that a run was, as text.
pub(crate) fn transcript(seed: u64) -> String {
    let (program, tape) = draw(seed);
    let Run { outcome, told, earlier, report, tape } = world::run(&program, tape, Weather::Foul, None);
    let tape = tape.into_recorded();
    format!("{program}\n{outcome:?}\n{told:?}\n{earlier:?}\n{report:?}\n{tape:?}")
}

fn difference(expected: &Outcome, run: &Run, weather: Weather) -> Option<String> {
    let Run { outcome: found, told, report, .. } = run;
    let differs =
        |what: &str| Some(format!("{what}: expected {expected:?}\nfound {found:?}\n{told:?}\n{report:?}"));
    let is_sure = |origin: &Origin| origin.sequence.is_none() || !told.doubtful.contains(&origin.call);
    let origins = found.outside.effects.iter().filter_map(|effect| effect.origin).filter(is_sure);
    let once: BTreeSet<Origin> = origins.clone().collect();
    if once.len() != origins.count() {
        return differs("a `once` method ran twice");
    }
    if weather == Weather::Fair && report.unknown + report.expired > 0 {
        return differs("a call was lost in fair weather");
    }
    if told.lost_track {
        return None;
    }
    // The marks of call-backs that ran stay, whatever became of their call: they are on skipped fields.
    let marked = |objects: &[Object]| -> Vec<Object> {
        let keep = |object: &Object| if told.is_nothing() { object.clone() } else { object.unmarked() };
        objects.iter().map(keep).collect()
    };
    let is_same = expected.flow == found.flow && marked(&expected.objects) == marked(&found.objects);
    if !is_same || expected.graph != found.graph {
        return differs("another result or state");
    }
    // What runs of the app did that crashed before is compared with nothing.
    let of_this_life = |effect: &&Effect| effect.life == run.life();
    let effects = |effect: &Effect| (effect.method, effect.value);
    let wanted: Vec<(usize, i64)> = expected.outside.effects.iter().map(effects).collect();
    let had: Vec<(usize, i64)> = found.outside.effects.iter().filter(of_this_life).map(effects).collect();
    // What the program was told may have run may have.
    if if told.is_nothing() { wanted != had } else { !is_part(&wanted, &had) } {
        return differs("other effects of `once` methods");
    }
    // Effects of device methods may repeat after an abandoned attempt, and only then.
    let (wanted, had) = (&expected.outside.shown, &found.outside.shown);
    let abandoned = report.garbled + report.failed + report.unknown + report.expired > 0;
    let as_expected = match (told.is_nothing(), abandoned) {
        (true, false) => wanted == had,
        (true, true) => is_part(wanted, had) && had.iter().all(|shown| wanted.contains(shown)),
        (false, _) => is_part(wanted, had),
    };
    if as_expected { None } else { differs("other effects of device methods") }
}

/// Whether `whole` has all elements of `part` in their order.
fn is_part<T: PartialEq>(part: &[T], whole: &[T]) -> bool {
    let mut rest = whole.iter();
    part.iter().all(|element| rest.any(|other| other == element))
}

/// A case that fails, made as simple as it can be while it does.
pub(crate) struct Simplest {
    seed: u64,
    program: Program,
    difference: String,
}

impl Simplest {
    pub(crate) fn statements(&self) -> usize {
        simpler::statements(&self.program)
    }
}

impl std::fmt::Display for Simplest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "seed {}, made simpler:\n{}\n{}", self.seed, self.program, self.difference)
    }
}

pub(crate) fn simplest(seed: u64, weather: Weather, defect: Option<Defect>) -> Simplest {
    let fails = |program: &Program, tape: Tape| {
        let (result, tape) = compare(program, tape, weather, defect);
        Some((result?.err()?, tape.into_recorded()))
    };
    let (mut program, tape) = draw(seed);
    let (_, mut tape) = fails(&program, tape).expect("the case fails");
    loop {
        tape = tape::simplify(tape, 300, |tape| fails(&program, Tape::replay(tape)).is_some());
        // A smaller program makes other choices, so it may need another run to fail.
        let tapes = || (0..20).map(Tape::of_seed).chain([Tape::replay(tape.clone())]);
        let mut smaller = simpler::smaller(&program).into_iter();
        let found = smaller.find_map(|smaller| {
            let (_, tape) = tapes().find_map(|tape| fails(&smaller, tape))?;
            Some((smaller, tape))
        });
        let Some(found) = found else { break };
        (program, tape) = found;
    }
    let (difference, _) = fails(&program, Tape::replay(tape)).expect("only cases that fail were kept");
    Simplest { seed, program, difference }
}

fn hello(life: u32, methods: usize) -> Hello {
    Hello {
        protocol: PROTOCOL,
        app: AppIdentity::default(),
        token: String::new(),
        device: InstanceId(u128::from(life)),
        limits: Limits::default(),
        methods: (0..methods).map(method_entry).collect(),
    }
}

fn method_entry(number: usize) -> MethodEntry {
    MethodEntry { id: method_id(number), body: BodyHash(1), schema: SchemaHash(1), compatible: false }
}

fn method_id(number: usize) -> MethodId {
    MethodId(1000 + number as u64)
}

fn method_number(id: MethodId) -> Option<usize> {
    id.0.checked_sub(1000).map(|number| number as usize)
}
