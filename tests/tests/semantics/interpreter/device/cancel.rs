//! Calls and call-backs that are dropped half-way, as futures are.

use super::super::program::{Flow, Program};
use super::super::report::Report;
use super::{Activity, Around, Device, Purpose, Timestamp};

impl Device {
    /// The caller drops the call that it waits for, where it can. Whether it did.
    pub(crate) fn cancel(&mut self, now: Timestamp, program: &Program, report: &mut Report) -> bool {
        let Some(Activity::Wait(wait)) = self.stack.last() else { return false };
        // Only between two polls: what a call-back does belongs to a poll.
        let Some((number, counted)) = wait.cancellable else { return false };
        self.drop_call(now, program, report);
        self.cancelled.insert(number);
        // A plain run counts nothing of it.
        self.counted = counted;
        self.told_onces.split_off(&counted);
        report.cancelled += 1;
        self.hand(Flow::Cancelled);
        true
    }

    /// Whether a call-back could be dropped: an async one whose attempt is over, which waits or is about to go on.
    pub(super) fn can_drop(&self, program: &Program) -> bool {
        let rest = match self.stack.as_slice() {
            [rest @ .., Activity::Wait(_)] => rest,
            all => all,
        };
        let [.., Activity::Wait(wait), Activity::Run(machine, Purpose::Back(question), _)] = rest else {
            return false;
        };
        wait.is_over() && program.methods[question.method].is_async && machine.is_outermost()
    }

    /// Drops the call-back on top, and the call that it waits for.
    pub(super) fn drop_call_back(&mut self, around: &mut Around<'_>) {
        if let Some(Activity::Wait(_)) = self.stack.last() {
            self.drop_call(around.now, around.program, around.report);
        }
        let Some(Activity::Run(_, Purpose::Back(question), _)) = self.stack.pop() else {
            panic!("only call-backs are dropped")
        };
        self.heap.free_down_to(question.heap);
        around.report.dropped += 1;
    }

    /// Gives up the call on top; nothing of it stays.
    fn drop_call(&mut self, now: Timestamp, program: &Program, report: &mut Report) {
        let Some(Activity::Wait(mut wait)) = self.stack.pop() else { panic!("only calls are given up") };
        if let Some((_, session)) = &mut self.link {
            session.fence(now, wait.attempt);
        }
        self.undo(program, report, &mut wait);
    }
}
