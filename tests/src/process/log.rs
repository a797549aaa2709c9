//! What a process writes to standard error, as it comes.

use std::fmt;
use std::io::{BufRead as _, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::GUARD;

/// The lines that a process has logged so far.
pub struct Log {
    shared: Arc<Shared>,
    /// How many lines the test has waited for, those that it passed over included.
    read: usize,
    reader: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    said: Mutex<Said>,
    more: Condvar,
}

#[derive(Debug, Default)]
struct Said {
    lines: Vec<String>,
    ended: bool,
}

impl Log {
    /// Reads along until the process closes its end.
    pub(super) fn of(source: impl Read + Send + 'static) -> Self {
        let shared = Arc::new(Shared::default());
        let writer = Arc::clone(&shared);
        let read = move || {
            for line in BufReader::new(source).lines().map_while(Result::ok) {
                writer.change(|said| said.lines.push(line));
            }
            writer.change(|said| said.ended = true);
        };
        Self { shared, read: 0, reader: Some(std::thread::spawn(read)) }
    }

    /// Waits for the next line with that text: the search begins after the line that was found last.
    ///
    /// # Panics
    /// When the process ends without it.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) -> String {
        let said = self.shared.said.lock().unwrap_or_else(PoisonError::into_inner);
        let is_missing = |said: &mut Said| !said.ended && said.find(self.read, text).is_none();
        let waited = self.shared.more.wait_timeout_while(said, GUARD, is_missing);
        let (said, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match said.find(self.read, text) {
            Some(found) => {
                self.read = found + 1;
                said.lines[found].clone()
            }
            None => panic!("the process never logged `{text}`, only:\n{}", said.lines.join("\n")),
        }
    }

    /// Everything that the process has logged; waits for its end.
    #[must_use]
    pub fn whole(&mut self) -> Vec<String> {
        if let Some(reader) = self.reader.take() {
            // A reader that panicked has said so.
            let _ = reader.join();
        }
        self.shared.said.lock().unwrap_or_else(PoisonError::into_inner).lines.clone()
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = self.shared.said.lock().unwrap_or_else(PoisonError::into_inner);
        write!(f, "it logged:\n{}", said.lines.join("\n"))
    }
}

impl Shared {
    fn change(&self, change: impl FnOnce(&mut Said)) {
        change(&mut self.said.lock().unwrap_or_else(PoisonError::into_inner));
        self.more.notify_all();
    }
}

impl Said {
    fn find(&self, from: usize, text: &str) -> Option<usize> {
        let found = self.lines.iter().skip(from).position(|line| line.contains(text))?;
        Some(from + found)
    }
}
