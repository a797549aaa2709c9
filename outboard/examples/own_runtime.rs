//! A program that holds its runtime itself: it sets it up in code, waits for a server and prints the report.
//!
//! ```text
//! cargo run --release --example own_runtime
//! cargo run --release --example own_runtime 'outboard://…'              with the address that `serve` printed
//! cargo run --release --example own_runtime serve                       prints such an address
//! ```

#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use outboard::{Objective, Runtime, State, remoteable};

/// A picture of the Mandelbrot set, drawn line by line.
#[derive(State)]
struct Picture {
    width: u32,
    lines: Vec<Vec<u8>>,
}

#[remoteable]
impl Picture {
    #[outboard::local]
    fn new(width: u32) -> Self {
        Self { width, lines: Vec::new() }
    }

    /// Draws the next line, and says how many points of it are in the set.
    fn draw_line(&mut self) -> usize {
        let y = self.lines.len() as f64 / f64::from(self.width) * 3.0 - 1.5;
        let line: Vec<u8> = (0..self.width)
            .map(|x| {
                let x = f64::from(x) / f64::from(self.width) * 3.0 - 2.0;
                steps_outside(x, y)
            })
            .collect();
        let inside = line.iter().filter(|steps| **steps == u8::MAX).count();
        self.lines.push(line);
        inside
    }
}

/// How many steps a point takes to leave; at most 255.
fn steps_outside(x: f64, y: f64) -> u8 {
    let (mut re, mut im) = (0.0, 0.0);
    for step in 0..u8::MAX {
        if re * re + im * im > 4.0 {
            return step;
        }
        (re, im) = (re * re - im * im + x, 2.0 * re * im + y);
    }
    u8::MAX
}

fn draw(server: Option<String>) -> Result<(), Box<dyn Error>> {
    let mut builder = Runtime::builder().objective(Objective::Time);
    if let Some(address) = &server {
        builder = builder.server(address);
    }
    let runtime = builder.start()?;
    // A program need not wait: until there is a session, calls run here.
    if server.is_some() && !runtime.wait_attached(Duration::from_secs(5)) {
        println!("no session: everything runs here");
    }

    let mut picture = Picture::new(300);
    let inside: usize = (0..300).map(|_| picture.draw_line()).sum();
    println!("{inside} of {} points are in the set", 300 * 300);
    print!("{}", runtime.report());
    Ok(())
}

fn main() -> ExitCode {
    let argument = std::env::args().nth(1);
    if argument.as_deref() == Some("serve") {
        // Only as a server: as a device it would start a runtime of its own, and a process has one.
        return outboard::main(|| ExitCode::SUCCESS);
    }
    match draw(argument) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
