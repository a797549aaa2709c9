//! When a new plan is asked for, and when it is taken.

use std::time::Duration;

use outboard_core::{MethodIndex, Placement, Plan, Problem, ServerIndex, Timestamp};
use outboard_profiler::{Costing, Profile, Quantity, Spread};

use super::Engine;
use super::follow::Footing;
use crate::output::{Notice, Output};
use crate::quote::Quote;

/// Keeps plans from following every flicker.
///
/// A plan is asked for when a figure that it was made from has moved by a third, or at once when there is something new; never more
/// often than an interval that doubles with each plan that moved a method, and shrinks again in quiet times. A plan
/// that moves methods for less than a twentieth of the objective is not taken.
#[derive(Debug)]
pub(super) struct Planner {
    base: Duration,
    interval: Duration,
    due: Option<Timestamp>,
    asked: Option<Timestamp>,
    moved: Option<Timestamp>,
    pub(super) hurried: bool,
    basis: Vec<f64>,
    pending: Option<(Problem, Option<Footing>)>,
    /// The link that the plan in force was made for.
    pub(super) footing: Option<Footing>,
}

/// Something new is planned for after this long, so that what comes together is planned together.
const HURRY: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(60);
/// A third, as a difference of logarithms.
const DRIFT: f64 = 0.29;
/// What a new plan has to save of the old one's cost.
const WORTH_MOVING: f64 = 0.05;

impl Planner {
    pub(super) fn new(interval: Duration) -> Self {
        Self {
            base: interval,
            interval,
            due: None,
            asked: None,
            moved: None,
            hurried: false,
            basis: Vec::new(),
            pending: None,
            footing: None,
        }
    }

    /// A figure has changed.
    pub(super) fn dirty(&mut self, now: Timestamp) {
        let soonest = self.asked.map_or(now, |asked| asked + self.interval).max(now);
        self.due = Some(self.due.map_or(soonest, |due| due.min(soonest)));
    }

    /// There is something new to plan for.
    pub(super) fn hurry(&mut self, now: Timestamp) {
        let soonest = self.asked.map_or(now, |asked| asked + HURRY).max(now);
        self.due = Some(self.due.map_or(soonest, |due| due.min(soonest)));
        self.hurried = true;
    }

    pub(super) fn due(&self) -> Option<Timestamp> {
        self.due
    }

    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    /// Whether the figures have moved far enough from those of the last plan.
    fn has_drifted(&self, figures: &[f64]) -> bool {
        self.basis.len() != figures.len()
            || self.basis.iter().zip(figures).any(|(a, b)| (a - b).abs() > DRIFT)
    }

    pub(super) fn plan_moved(&mut self, now: Timestamp) {
        self.interval = (self.interval * 2).min(LONGEST.max(self.base));
        self.moved = Some(now);
    }

    fn calm(&mut self, now: Timestamp) {
        if self.moved.is_none_or(|moved| now.since(moved) > LONGEST) {
            self.interval = self.base;
        }
    }
}

impl Engine {
    /// A plan was made of a problem that was asked for. Where a newer one was asked for in the meantime, its plan is waited for:
    /// what this one saves and where it flips is of figures that have changed.
    pub fn plan(&mut self, now: Timestamp, plan: Plan) {
        if self.planner.pending.as_ref().is_some_and(|(problem, _)| !plan.is_of(problem)) {
            tracing::debug!("the new plan is of an older problem");
            return;
        }
        let (problem, footing) = self.planner.pending.take().unzip();
        if problem.is_some_and(|problem| !self.is_worth_moving(&problem, &plan)) {
            tracing::debug!("the new plan saves too little to move anything");
            return;
        }
        self.planner.footing = footing.flatten();
        let mut moved = false;
        for (position, state) in self.methods.iter_mut().enumerate() {
            // A method that the plan does not know stays where it was.
            if let Some(placement) = plan.placement(MethodIndex(position as u32)) {
                moved |= state.placement.is_some_and(|before| before != placement) && !state.info.aside;
                state.placement = Some(placement);
            }
        }
        if moved {
            self.planner.plan_moved(now);
        }
        self.plan = Some(plan);
        self.sort_callbacks();
        self.refresh_words(now);
    }

    /// Asks for a plan, if there is a server to plan for and enough has changed.
    pub(super) fn replan(&mut self, now: Timestamp) {
        self.planner.due = None;
        self.planner.calm(now);
        let Some(server) = self.worth_planning(now) else { return };
        let figures = self.figures(now, server);
        if self.methods.is_empty() || self.profile.is_empty() {
            // Nothing has run yet, now or earlier; the first run hurries.
            return;
        }
        let hurried = std::mem::take(&mut self.planner.hurried);
        if !hurried && !self.planner.has_drifted(&figures) {
            return;
        }
        let market = self.market(now, server);
        let costing = Costing {
            now,
            network: market.network,
            energy: market.energy,
            speed_ratio: market.speed_ratio,
            silence: self.radio.silence(),
            risk: self.settings.risk,
        };
        let graph = self.profile.call_graph(&costing, |method| self.pin(server, method));
        match graph.problem(self.objective) {
            Ok(problem) => {
                self.planner.pending = Some((problem.clone(), self.footing(now, server)));
                self.outputs.push_back(Output::Replan(problem));
            }
            Err(error) => self.notice(Notice::NoProblem { reason: error.to_string() }),
        }
        self.planner.basis = figures;
        self.planner.asked = Some(now);
    }

    /// The server to plan for: the first that is worth something to some method, or else the first.
    fn worth_planning(&self, now: Timestamp) -> Option<ServerIndex> {
        let attached = || {
            let servers = self.servers.iter().enumerate().filter(|(_, server)| server.is_attached());
            servers.map(|(position, _)| ServerIndex(position as u16))
        };
        let is_worth_it = |server: &ServerIndex| {
            let market = self.market(now, *server).usually();
            self.methods.iter().enumerate().any(|(position, state)| {
                let method = MethodIndex(position as u32);
                let Some(statistics) = self.profile.method(method) else { return false };
                self.pin(*server, method).is_none() && {
                    let quote = Quote::reckon(statistics, None, None, state.terms(*server), &market);
                    quote.may_pay(self.objective)
                        && quote.remote.is_some_and(|remote| remote.hoped <= quote.limit)
                }
            })
        };
        attached().find(is_worth_it).or_else(|| attached().next())
    }

    /// Where a method has to run as far as a plan for that server is concerned.
    fn pin(&self, server: ServerIndex, method: MethodIndex) -> Option<Placement> {
        let state = self.methods.get(method.position())?;
        if state.bound_here().is_some() || !self.servers[server.position()].offers(method) {
            return Some(Placement::Device);
        }
        state.info.remote_only.then_some(Placement::Server)
    }

    /// The logarithms of everything that a plan depends on, but for what stands aside.
    fn figures(&self, now: Timestamp, server: ServerIndex) -> Vec<f64> {
        let market = self.market(now, server);
        let mut figures = vec![
            f64::from(server.0),
            log(Some(market.network.round_trip(now))),
            log(Some(market.network.goodput_up(now))),
            log(Some(market.network.goodput_down(now))),
            market.speed_ratio.ln(),
            // Seconds that are few against a minute differ by little.
            (1.0 + self.radio.silence().as_secs_f64()).ln(),
        ];
        for position in 0..self.methods.len() {
            let method = MethodIndex(position as u32);
            let Some(statistics) = self.profile.method(method).filter(|_| !self.is_aside(method)) else {
                continue;
            };
            let pin = match self.pin(server, method) {
                None => 0.0,
                Some(Placement::Device) => 1.0,
                Some(Placement::Server) => 2.0,
            };
            figures.extend([
                pin,
                log(statistics.exclusive(None)),
                log(statistics.on_server(None, market.speed_ratio)),
                log(statistics.up(None)),
                log(statistics.down(None)),
            ]);
        }
        figures
    }

    /// Whether the plan saves enough over what is in force, both reckoned with the new figures.
    fn is_worth_moving(&self, problem: &Problem, plan: &Plan) -> bool {
        let mut current = Vec::with_capacity(problem.vertices().len());
        let mut moves = false;
        for vertex in problem.vertices() {
            let placement = match vertex.pin {
                Some(pin) => Some(pin),
                None if vertex.method == Profile::APP => Some(Placement::Device),
                None => self.methods.get(vertex.method.position()).and_then(|state| state.placement),
            };
            // A method that has no place yet needs one.
            let Some(placement) = placement else { return true };
            moves |= plan.placement(vertex.method) != Some(placement);
            current.push(placement);
        }
        if !moves {
            return true;
        }
        if problem.exceeded(&current).is_some() {
            return true;
        }
        let cost = problem.cost(&current);
        let (before, after) = (problem.objective().measure(cost), problem.objective().measure(plan.cost()));
        after as f64 <= before as f64 * (1.0 - WORTH_MOVING)
    }
}

fn log<T: Quantity>(figure: Option<Spread<T>>) -> f64 {
    figure.map_or(-100.0, |figure| figure.median().to_number().max(1e-9).ln())
}
