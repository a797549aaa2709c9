//! How fast this machine is, for comparison with another.

use std::hint::black_box;
use std::time::{Duration, Instant};

use outboard_profiler::reference_steps;

/// Steps of the reference loop between two looks at the clock: some tens of microseconds.
const CHUNK: u64 = 20_000;
/// How long is measured. Long against the slices in which a scheduler or a CPU quota gives time.
const MEASURED: Duration = Duration::from_millis(60);

/// Steps per second of the reference loop on one core, as the process gets it: a limited process is slow.
pub(crate) fn measure() -> u64 {
    let start = Instant::now();
    let mut steps = 0;
    while start.elapsed() < MEASURED {
        black_box(reference_steps(black_box(CHUNK)));
        steps += CHUNK;
    }
    (steps as f64 / start.elapsed().as_secs_f64()) as u64
}
