//! How busy this machine is: a port, and its adapter over `sysinfo`.

use sysinfo::{CpuRefreshKind, System};

/// Tells how busy the processors are.
pub trait LoadMeter {
    /// The share of all processors in use since the last question, 0 to 1; `None` where it cannot be told.
    fn utilisation(&mut self) -> Option<f64>;
}

/// The load that the operating system reports.
#[derive(Debug)]
pub struct SystemLoad {
    system: System,
    asked: bool,
}

impl SystemLoad {
    /// Nothing is read before the first question.
    pub fn new() -> Self {
        Self { system: System::new(), asked: false }
    }

    /// What the processor calls itself, where it does.
    pub fn processor_name(&self) -> Option<String> {
        let mut system = System::new();
        system.refresh_cpu_list(CpuRefreshKind::nothing());
        let name = system.cpus().first()?.brand().trim().to_owned();
        (!name.is_empty()).then_some(name)
    }
}

impl Default for SystemLoad {
    fn default() -> Self {
        Self::new()
    }
}

impl LoadMeter for SystemLoad {
    fn utilisation(&mut self) -> Option<f64> {
        self.system.refresh_cpu_usage();
        // Usage is the difference of two readings: the first one has nothing to differ from.
        let asked = std::mem::replace(&mut self.asked, true);
        let readable = asked && !self.system.cpus().is_empty();
        readable.then(|| (f64::from(self.system.global_cpu_usage()) / 100.0).clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_question_has_no_answer_and_later_ones_are_shares() {
        let mut load = SystemLoad::new();
        assert_eq!(load.utilisation(), None);
        if let Some(share) = load.utilisation() {
            assert!((0.0..=1.0).contains(&share), "{share}");
        }
    }
}
