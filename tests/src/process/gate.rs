//! A place in the middle of a method where it waits for the test.

use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};

use super::GUARD;

/// Methods come here half-way through, and wait until they are let go on. Every visit is one run of one method.
#[derive(Debug)]
pub struct Gate {
    address: String,
    visitors: Receiver<Visitor>,
}

/// A gate that stands open.
#[derive(Debug)]
pub struct OpenGate(Arc<AtomicUsize>);

/// A method that waits. Dropped, it goes on.
#[derive(Debug)]
pub struct Visitor {
    /// The process that runs the method.
    pub process: u32,
    _waits: TcpStream,
}

impl Gate {
    /// A gate on a free port of loopback.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "the machine has loopback")]
    pub fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port of loopback can be had");
        let address = listener.local_addr().expect("a bound socket has an address").to_string();
        let (sender, visitors) = channel();
        // Ends when the test has: nobody takes the next visitor any more.
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mut process = String::new();
                let read = BufReader::new(&stream).read_line(&mut process);
                let Some(process) = read.ok().and_then(|_| process.trim().parse().ok()) else { continue };
                if sender.send(Visitor { process, _waits: stream }).is_err() {
                    return;
                }
            }
        });
        Self { address, visitors }
    }

    /// What the method is told.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Waits for the next method to come.
    ///
    /// # Panics
    /// When none does.
    #[track_caller]
    #[must_use]
    pub fn visitor(&self) -> Visitor {
        match self.visitors.recv_timeout(GUARD) {
            Ok(visitor) => visitor,
            Err(_) => panic!("no method came to the gate"),
        }
    }

    /// Lets every method pass from now on, and counts them.
    #[must_use = "the gate stands open either way, but nobody sees who passes"]
    pub fn stand_open(self) -> OpenGate {
        let passed = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&passed);
        std::thread::spawn(move || {
            for visitor in self.visitors {
                counted.fetch_add(1, Ordering::SeqCst);
                visitor.let_go();
            }
        });
        OpenGate(passed)
    }

    /// How many methods have come of which the test knows nothing.
    #[must_use]
    pub fn uninvited(&self) -> usize {
        self.visitors.try_iter().count()
    }
}

impl OpenGate {
    /// How many methods have passed so far.
    #[must_use]
    pub fn passed(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Visitor {
    /// Lets the method go on.
    pub fn let_go(self) {}
}
