//! A small annotated program for the tests with real processes: `edge-app serve` is its server.
//!
//! As a device it reads one call per line from standard input and prints one line per call: the number of the call, what
//! came out, the id of the process that ran it, and how many microseconds it took, separated by tabs. A line that begins
//! with `&` is called on a thread of its own, so that the next one need not wait for it.
//!
//! Methods that take a gate knock there in the middle and wait until the test lets them go on: nothing here sleeps, and a
//! test knows exactly when a method is half-way.

mod choices;
mod methods;

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;

use crate::methods::{Ledger, Ran};

fn main() -> ExitCode {
    outboard::main(run)
}

fn run() {
    let ledger = Mutex::new(Ledger::new("drawn by the device"));
    std::thread::scope(|scope| {
        for (number, line) in std::io::stdin().lines().enumerate() {
            let line = line.expect("the test writes text");
            match line.strip_prefix('&') {
                Some(line) => {
                    let (line, ledger) = (line.to_owned(), &ledger);
                    scope.spawn(move || answer(number, &line, ledger));
                }
                None => answer(number, &line, &ledger),
            }
        }
    });
}

/// Makes the call that a line asks for, and prints what came of it.
fn answer(number: usize, line: &str, ledger: &Mutex<Ledger>) {
    let words: Vec<&str> = line.split_whitespace().collect();
    let begun = Instant::now();
    let (value, process) = call(&words, ledger);
    let elapsed = begun.elapsed().as_micros();
    let mut out = std::io::stdout().lock();
    writeln!(out, "{number}\t{value}\t{process}\t{elapsed}").expect("the test reads");
    out.flush().expect("the test reads");
}

fn call(words: &[&str], ledger: &Mutex<Ledger>) -> (String, u32) {
    let number = |text: &str| text.parse::<u64>().expect("a number");
    let text = |(value, process): Ran| (value.to_string(), process);
    let ledger = || ledger.lock().expect("no call panics");
    match words {
        ["add", left, right] => text(methods::add(number(left), number(right))),
        ["double", value] => text(methods::double(number(value))),
        ["halve", value] => text(methods::halve(number(value))),
        ["square", value] => text(methods::square(number(value))),
        ["add-soon", left, right] => text(methods::add_soon(number(left), number(right))),
        ["meet", gate] => text(methods::meet(gate)),
        ["churn", rounds] => text(methods::churn(number(rounds))),
        ["fill", size, gate] => {
            let (filled, process) = methods::fill(number(size), gate);
            (filled.len().to_string(), process)
        }
        ["book", amount] => text(ledger().book(number(amount))),
        ["post", amount, gate] => text(ledger().post(number(amount), gate)),
        ["post-soon", amount, gate] => text(ledger().post_soon(number(amount), gate)),
        ["announce", amount, gate] => text(ledger().announce(number(amount), gate)),
        ["pay", amount, gate] => paid(methods::pay(number(amount), gate)),
        ["buy", amount, gate] => paid(methods::buy(number(amount), gate)),
        ["pay-soon", amount, gate] => paid(methods::pay_soon(number(amount), gate)),
        ["only-there", value, gate] => paid(choices::only_there(number(value), gate)),
        ["exactly", value, gate] => text(choices::exactly(number(value), gate)),
        ["race", value, gate] => text(choices::race(number(value), gate)),
        ["race-and-show", gate] => text(choices::race_and_show(gate)),
        ["ledger"] => (format!("{:?}", *ledger()), std::process::id()),
        _ => panic!("`{}` is no call of this program", words.join(" ")),
    }
}

fn paid(paid: Result<Ran, outboard::CallError>) -> (String, u32) {
    match paid {
        Ok((value, process)) => (value.to_string(), process),
        Err(error) => (format!("{error:?}"), std::process::id()),
    }
}
