//! Between two plans: as the link gets faster or slower, methods move to where the last plan said that they would.

use outboard_core::{Condition, ServerIndex, Timestamp};
use outboard_profiler::{Quantity, Spread};

use super::Engine;

/// The link that a plan was made for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Footing {
    server: ServerIndex,
    /// Bits per second, the geometric mean of both directions.
    bandwidth: f64,
    /// Seconds.
    round_trip: f64,
    /// How far a condition had come from there when methods were last moved for it.
    followed: Option<(Condition, f64)>,
}

/// A condition has to be so much past a flip point, as a factor, that methods do not move back and forth with it.
const PAST: f64 = 1.1;

impl Footing {
    /// How far conditions have come from here, as factors.
    fn shifts(&self, now: &Self) -> [(Condition, f64); 2] {
        [
            (Condition::Bandwidth, now.bandwidth / self.bandwidth),
            (Condition::RoundTrip, now.round_trip / self.round_trip),
        ]
    }

    fn followed(&self, condition: Condition) -> f64 {
        self.followed.filter(|(followed, _)| *followed == condition).map_or(1.0, |(_, factor)| factor)
    }
}

impl Engine {
    /// The link as it is now; `None` where it was not measured.
    pub(super) fn footing(&self, now: Timestamp, server: ServerIndex) -> Option<Footing> {
        let network = self.market(now, server).network;
        let (up, down) = (number(Some(network.goodput_up(now)))?, number(Some(network.goodput_down(now)))?);
        let round_trip = number(Some(network.round_trip(now)))?;
        Some(Footing { server, bandwidth: (up * down).sqrt(), round_trip, followed: None })
    }

    /// Moves methods to where the plan in force has them on a link such as this has become. Where more than the link, or more
    /// than one of its figures, has left the range for which they stand as they do, that is for a new plan to say.
    pub(super) fn follow(&mut self, now: Timestamp) {
        let Some((plan, footing)) = self.plan.as_ref().zip(self.planner.footing.as_mut()) else { return };
        let server = footing.server;
        if !self.servers[server.position()].is_attached() {
            return;
        }
        let footing = *footing;
        let Some(present) = self.footing(now, server) else { return };
        let mut left = footing.shifts(&present).into_iter().filter_map(|(condition, factor)| {
            let outlook = plan.outlook(condition)?;
            let (from, until) = outlook.span(footing.followed(condition));
            let (first, last) = outlook.range();
            let is_past = from > first && factor * PAST < from || until < last && factor > until * PAST;
            is_past.then_some((condition, factor, outlook))
        });
        let Some((condition, factor, outlook)) = left.next() else { return };
        if left.next().is_some() || footing.followed.is_some_and(|(followed, _)| followed != condition) {
            self.planner.outrun(now);
            return;
        }
        let (mut moved, mut moved_of_app) = (false, false);
        for (choice, placement) in plan.choices().iter().zip(&outlook.at(factor).placements) {
            let Some(state) = self.methods.get_mut(choice.method.position()) else { continue };
            // Taken back or bound since the plan was made, it stays where it is.
            let may_move = state.bound_here().is_none();
            if may_move && state.placement.is_some_and(|before| before != *placement) {
                state.placement = Some(*placement);
                moved = true;
                moved_of_app |= !state.info.aside;
            }
        }
        tracing::debug!(%condition, factor, moved, "the link passed a flip point of the plan");
        self.planner.followed(now, condition, factor);
        if moved_of_app {
            self.planner.plan_moved(now);
        }
        if moved {
            self.sort_callbacks();
        }
    }
}

fn number<T: Quantity>(figure: Option<Spread<T>>) -> Option<f64> {
    figure.map(|figure| figure.median().to_number()).filter(|number| *number > 0.0)
}

impl super::replan::Planner {
    /// Methods are now where the plan has them at that point.
    fn followed(&mut self, now: Timestamp, condition: Condition, factor: f64) {
        if let Some(footing) = &mut self.footing {
            footing.followed = Some((condition, factor));
        }
        self.dirty(now);
    }

    /// Nothing is known of the conditions that hold now: a plan is due, however little figures moved.
    fn outrun(&mut self, now: Timestamp) {
        self.dirty(now);
        self.hurried = true;
    }
}
