//! `faults.equal`: random programs run plainly, and through both engines under faults, and compared.
//!
//! The interpreter is that of the test of the same semantics (`tests/tests/semantics`), where a seed that is found here
//! is run again: `OUTBOARD_SEMANTICS_SEED=<seed> cargo test -p outboard-tests --test semantics replay`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use crate::experiment::{Effort, Experiment};
use crate::failure::Failure;
use crate::report::{Report, Target};

#[expect(dead_code, reason = "the test plants defects too, and looks at what happened in detail")]
#[path = "../../../tests/tests/semantics/interpreter/mod.rs"]
mod interpreter;

use interpreter::{Weather, check, simplest};

const PROGRAMS: u64 = 1_000_000;
const PROGRAMS_QUICK: u64 = 10_000;
/// Programs that a thread takes at a time.
const BATCH: u64 = 100;

pub(crate) struct FaultsEqual;

impl Experiment for FaultsEqual {
    fn name(&self) -> &'static str {
        "faults.equal"
    }

    fn about(&self) -> &'static str {
        "random programs under random faults, beside the same programs run plainly"
    }

    fn run(&self, effort: Effort, report: &mut Report) -> Result<(), Failure> {
        let programs = match effort {
            Effort::Full => PROGRAMS,
            Effort::Quick => PROGRAMS_QUICK,
        };
        let start = Instant::now();
        let Tally { equal, first_other, happened } = run_all(programs);
        let seconds = start.elapsed().as_secs_f64();
        let share = 100.0 * equal as f64 / programs as f64;
        report.figure("faults.equal/programs", one(programs as f64), "", None)?;
        report.figure("faults.equal/equal", one(share), "%", Some(Target::AtLeast(100.0)))?;
        report.figure("faults.equal/rate", one(programs as f64 / seconds), "/s", None)?;
        for (name, count) in
            [("attempts", happened.attempts), ("call-backs", happened.backs), ("faults", faults(&happened))]
        {
            report.figure(format!("faults.equal/{name}"), one(count as f64), "", None)?;
        }
        match first_other {
            None => Ok(()),
            Some(seed) => {
                let simplest = simplest(seed, Weather::Foul, None);
                Err(Failure::of("a program under faults")(simplest.to_string()))
            }
        }
    }
}

/// What came of a range of seeds. It is the same however the seeds are shared out among threads.
#[derive(Default)]
struct Tally {
    equal: u64,
    first_other: Option<u64>,
    happened: interpreter::Report,
}

/// Runs the programs of all seeds below this on all processors.
fn run_all(programs: u64) -> Tally {
    let next = AtomicU64::new(0);
    let run = || {
        let mut tally = Tally::default();
        loop {
            let first = next.fetch_add(BATCH, Ordering::Relaxed);
            if first >= programs {
                return tally;
            }
            (first..programs.min(first + BATCH)).for_each(|seed| tally.take(seed));
        }
    };
    let threads = thread::available_parallelism().map_or(1, |threads| threads.get());
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        let tallies = threads.into_iter().map(|thread| thread.join().expect("a run's panics are caught"));
        tallies.fold(Tally::default(), Tally::and)
    })
}

impl Tally {
    fn take(&mut self, seed: u64) {
        match check(seed, Weather::Foul, None) {
            Some(report) => {
                self.equal += 1;
                self.happened = self.happened + report;
            }
            None => self.first_other = Some(self.first_other.map_or(seed, |first| first.min(seed))),
        }
    }

    fn and(self, other: Self) -> Self {
        let first_other = self.first_other.into_iter().chain(other.first_other).min();
        Self { equal: self.equal + other.equal, first_other, happened: self.happened + other.happened }
    }
}

/// How often something went wrong.
fn faults(happened: &interpreter::Report) -> u64 {
    happened.expired + happened.cuts + happened.holes + happened.crashes + happened.drains + happened.panics
}

fn one(figure: f64) -> crate::series::Series {
    [figure].into_iter().collect()
}
