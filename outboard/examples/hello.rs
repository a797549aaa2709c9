//! The smallest program: one function that runs where it costs least.
//!
//! ```text
//! cargo run --release --example hello                                   everything runs here
//! cargo run --release --example hello serve                             the same program as a server; prints its address
//! OUTBOARD_SERVER='outboard://…' cargo run --release --example hello    offloads what is worth it
//! ```

#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use std::process::ExitCode;

use outboard::remoteable;

/// How many primes there are below a number.
#[remoteable(work = below)]
fn primes(below: u64) -> usize {
    let is_prime =
        |number: &u64| (2..*number).take_while(|by| by * by <= *number).all(|by| !number.is_multiple_of(by));
    (2..below).filter(is_prime).count()
}

fn main() -> ExitCode {
    outboard::main(|| println!("there are {} primes below 100000", primes(100_000)))
}
