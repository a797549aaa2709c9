//! Which processors the calling thread, and what it starts, may use.

use std::io;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::failure::Failure;

/// How client and server share the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cores {
    /// Any processor for either: wake-ups cross from one to the other.
    Any,
    /// The same one for both: what is measured is the length of the path.
    One,
}

impl Cores {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Any => "blocking",
            Self::One => "one-core",
        }
    }

    /// Does something with these processors. Threads and processes that it starts inherit them.
    pub(crate) fn during<T>(self, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
        if self == Self::Any {
            return work();
        }
        let affinity = |error: rustix::io::Errno| Failure::Affinity(io::Error::from(error));
        let allowed = sched_getaffinity(None).map_err(affinity)?;
        let mut one = CpuSet::new();
        if let Some(first) = (0..CpuSet::MAX_CPU).find(|processor| allowed.is_set(*processor)) {
            one.set(first);
        }
        sched_setaffinity(None, &one).map_err(affinity)?;
        let done = work();
        sched_setaffinity(None, &allowed).map_err(affinity)?;
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_core_holds_for_the_work_and_no_longer() {
        let before = sched_getaffinity(None).unwrap();
        let during = Cores::One.during(|| Ok(sched_getaffinity(None).unwrap().count())).unwrap();
        assert_eq!(during, 1);
        assert_eq!(sched_getaffinity(None).unwrap(), before);
    }
}
