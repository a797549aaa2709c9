//! What happened in a run, so that a test can tell whether it tested anything; and defects to be found.

/// A bug that is planted on purpose, to show that it would be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    /// A slot is committed before the rest of the reply is decoded.
    CommitsInPieces,
    /// The reply of an attempt that was given up is taken over.
    TakesFencedReplies,
    /// What call-backs of an abandoned attempt changed stays.
    ForgetsUndo,
    /// Committing replaces the object, skipped fields and all.
    ReplacesSkipped,
    /// A local run makes the calls again that may be made only once.
    ForgetsOnces,
    /// Shared values are committed into new places.
    MovesShared,
    /// A second run takes what became of another call that may run only once.
    TakesAnotherOnce,
    /// A delta is applied to another version than the one that it names.
    AppliesToAnotherBase,
}

macro_rules! report {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// How often things happened.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub(crate) struct Report {
            $($(#[$doc])* pub(crate) $name: u64,)*
        }

        impl std::ops::Add for Report {
            type Output = Self;

            fn add(self, other: Self) -> Self {
                Self { $($name: self.$name + other.$name),* }
            }
        }

        impl Report {
            pub(crate) fn named(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name)),*]
            }
        }
    };
}

report! {
    /// Sessions that opened, and that ended.
    attached, refused, lost,
    /// Calls that the session refused to send.
    not_sent,
    /// Calls that were sent, and those of them within a call-back.
    attempts, nested,
    /// How they ended.
    replied, garbled, not_run, too_late, failed, unknown, expired,
    /// Call-backs served, and slots of them that were the device's own objects.
    backs, places,
    /// Slots that were taken back.
    undone,
    /// Calls that may run once only: those of unknown end, and those of which a second run found what became of them, here
    /// or there, or that they had not run.
    maybe_ran, asked, found_here, found_there, never_ran,
    /// Those that ran on a server within others.
    inner,
    /// Calls and replies with shared values, and call-backs that could have seen them.
    shared_sent, shared_returned, guarded,
    /// State that was told by a version: as it was, by edits, compressed; versions that made room, and that were missed.
    same, edits, packed, evicted, base_missing,
    /// Calls that the device ran too: all, those of which its own result came first, and those that it could not.
    hedges, hedges_won, hedges_void,
    /// Calls that their caller dropped, and async call-backs that were dropped with their attempt.
    cancelled, dropped,
    /// Answers that nobody waited for any more.
    late_answers,
    /// Faults.
    cuts, holes, device_crashes, crashes, drains, restarts, panics,
}
