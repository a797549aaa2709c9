//! Remote code that calls back: a progress line that shows on the device, wherever the work is done.
//!
//! ```text
//! cargo run --release --example progress                                counts here
//! cargo run --release --example progress serve                          prints an address
//! cargo run --release --example progress 'outboard://…'                 counts there, shows here
//! ```

#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use std::process::ExitCode;
use std::time::Duration;

use outboard::{Policy, Runtime, StartError, State, remoteable};

/// Counts the words of a text. The screen belongs to the device: it does not travel.
#[derive(State, Default)]
struct Counter {
    words: u64,
    #[serde(skip)]
    screen: Screen,
}

/// What the user looks at.
#[derive(Default)]
struct Screen {
    lines: u32,
}

#[remoteable]
impl Counter {
    /// Counts, page by page.
    fn count(&mut self, pages: &[String]) -> u64 {
        for page in pages {
            self.words += page.split_whitespace().count() as u64;
            self.show();
        }
        self.words
    }

    /// Runs on the device, on this very counter, also when `count` runs on a server.
    #[outboard::device]
    fn show(&mut self) {
        self.screen.lines += 1;
        println!("{:>3}. {} words", self.screen.lines, self.words);
    }
}

fn run() {
    let pages: Vec<String> = (1..=5).map(|page| "every word counts ".repeat(page * 100)).collect();
    let mut counter = Counter::default();
    let words = counter.count(&pages);
    println!("{words} words on {} pages, told in {} lines", pages.len(), counter.screen.lines);
}

/// Sends every call to the server, worth it or not: to see that it works.
fn run_there(address: &str) -> Result<(), StartError> {
    let runtime = Runtime::builder().server(address).policy(Policy::Server).start()?;
    runtime.wait_attached(Duration::from_secs(5));
    run();
    print!("{}", runtime.report());
    Ok(())
}

fn main() -> ExitCode {
    match std::env::args().nth(1).filter(|argument| argument != "serve") {
        None => outboard::main(run),
        Some(address) => match run_there(&address) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                println!("error: {error}");
                ExitCode::FAILURE
            }
        },
    }
}
