//! Where plans are made: on the device, or on a server by a call like any other.
//!
//! Making a plan is a method: a placement problem in, placements and outlooks out. What the macros would have generated for
//! it is written by hand here, and a device whose plans are to be made on servers (MAUI's solver ran there) calls it as an app
//! calls its own methods: the engine decides by the method's figures and the plan in force, a server admits it, it is given
//! up at its bound, and where anything goes wrong the plan is made here. So there is nothing new on the wire, and nothing
//! that waits but the thread for slow work, which calls it.
//!
//! It does not feed back on itself: what is learned of it asks for no plan (`MethodInfo::aside`), and it calls nothing of
//! the app. It is no part of the app's identity, and a process lists it only where it serves or was asked to plan on
//! servers. On a stage plans are made in no time, and never by a call.
//!
//! What a server answers is not believed: see [`check`].

mod check;
mod travel;

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use outboard_client_proxy::Hedge;
use outboard_core::{MethodId, Outlook, Placement, Plan, Problem, Quality};
use outboard_solver::{Limits, SolveError, plan_ahead};
use serde::{Deserialize, Serialize};

use crate::config::Planning;
use crate::context::Context;
use crate::device::{self, Device};
use crate::identity::App;
use crate::method::{Descriptor, Kind, Method, Passing, SlotInfo};
use crate::registry;
use crate::shim::{ShimError, ShimFrame};
use crate::stack::take_batch;
use crate::support::{Entry, MethodSchema, enter_with_work, value};

use check::checked;
use travel::{ANSWER, PROBLEM};

/// Time for a plan and its outlooks, wherever they are made. A problem of a peer holds a core no longer.
const TIME: Duration = Duration::from_secs(1);
/// Time that a server has, the way there and back included.
const DEADLINE: Duration = Duration::from_secs(3);
/// An outlook with more pieces is not sent: it would be as large as many plans, and figures are not known that exactly.
const MOST_PIECES: usize = 128;

/// The making of a plan, as the macros would describe it. Not in `METHODS`: whoever needs it registers it.
static PLAN: Method = Method::new(Descriptor {
    app: App { name: "outboard", version: env!("CARGO_PKG_VERSION"), build: "" },
    path: "outboard::plan",
    name: Some("outboard::plan"),
    signature: "fn (Problem) -> Result<Answer, String>",
    // Whatever changes in between two versions, they do not plan for each other.
    body: MethodId::named(env!("CARGO_PKG_VERSION")).0,
    kind: Kind::Remoteable,
    once: false,
    remote_only: false,
    fallback: false,
    compatible: false,
    deadline: Some(DEADLINE),
    // Nobody waits for it who would be served by a second solver.
    hedge: Some(Hedge::Never),
    asynchronous: false,
    slots: &[SlotInfo { name: "problem", passing: Passing::Value }],
    schema,
    shim,
});

/// A plan as it travels: positions instead of methods, and no names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Answer {
    placements: Vec<Placement>,
    quality: Quality,
    outlooks: Vec<Outlook>,
}

/// Plans are made in this process for devices that ask, or by servers for this one.
pub(crate) fn offer() {
    registry::register(&PLAN);
}

/// Whether a method is the making of plans, and no part of the app.
pub(crate) fn is_planning(method: &'static Method) -> bool {
    std::ptr::eq(method, &PLAN)
}

/// Makes a device's plans, on its thread for slow work.
#[derive(Debug)]
pub(crate) struct Planner {
    asks: bool,
}

impl Planner {
    /// A planner of the process's, before its device greets anybody.
    pub(crate) fn new(planning: Planning) -> Self {
        let asks = planning == Planning::Server;
        if asks {
            offer();
        }
        Self { asks }
    }

    /// The best plan that can be had in the time, wherever it is made.
    pub(crate) fn plan(&mut self, device: &Weak<Device>, problem: &Problem) -> Result<Plan, SolveError> {
        if !self.asks {
            return solve(problem);
        }
        if let Err(reason) = travel::fits(problem) {
            tracing::debug!(reason, "the plan is made here");
            return solve(problem);
        }
        match device.upgrade() {
            Some(device) => self.call(&device, problem),
            None => solve(problem),
        }
    }

    /// Makes it by a call, as an annotated function would.
    fn call(&mut self, device: &Arc<Device>, problem: &Problem) -> Result<Plan, SolveError> {
        let _entered = Context::of_device(Arc::clone(device)).enter();
        let size = problem.vertices().len() + problem.edges().len();
        let plan = match enter_with_work(&PLAN, || size as f64) {
            Entry::Local(frame) => {
                let plan = solve(problem);
                drop(frame);
                plan
            }
            Entry::Remote(attempt) => {
                let nameless = problem.clone().nameless();
                match attempt.run((value(&nameless, PROBLEM), ()), ANSWER) {
                    Ok(answer) => self.take(problem, answer).map_or_else(|| solve(problem), Ok),
                    Err(frame) => {
                        let plan = solve(problem);
                        drop(frame);
                        plan
                    }
                }
            }
        };
        // This thread calls too seldom for its counts to be handed over by themselves.
        device::hand_over(take_batch());
        plan
    }

    /// Makes a plan of what a server answered, if it is one.
    fn take(&mut self, problem: &Problem, answer: Result<Answer, String>) -> Option<Plan> {
        let answer = answer.inspect_err(|reason| {
            tracing::debug!(reason, "the server found no plan; one is looked for here")
        });
        match checked(problem, answer.ok()?) {
            Ok(plan) => {
                tracing::debug!(methods = plan.choices().len(), "a server made the plan");
                Some(plan)
            }
            Err(error) => {
                tracing::warn!(%error, "a server answered with a plan that is none; plans are made here from now on");
                self.asks = false;
                None
            }
        }
    }
}

/// Makes a plan, and says how it changes with the link.
fn solve(problem: &Problem) -> Result<Plan, SolveError> {
    let begun = Instant::now();
    let clock = || begun.elapsed();
    plan_ahead(problem, &Limits::within(TIME).by(&clock))
}

/// The method's body on a server.
fn answer(problem: &Problem) -> Result<Answer, String> {
    let plan = solve(problem).map_err(|error| error.to_string())?;
    let outlooks = plan.outlooks().iter().filter(|outlook| outlook.pieces().len() <= MOST_PIECES);
    Ok(Answer {
        placements: plan.placements(),
        quality: plan.quality(),
        outlooks: outlooks.cloned().collect(),
    })
}

fn schema(schema: &mut MethodSchema<'_>) {
    schema.value(0, PROBLEM);
    schema.result(ANSWER);
}

/// Runs the body itself: there is no check in front of it that would have to be passed by.
fn shim(frame: &mut ShimFrame<'_>) -> Result<(), ShimError> {
    let problem = frame.value(0, PROBLEM)?;
    let answer = frame.run(|| answer(&problem))?;
    frame.reply(&answer, ANSWER)
}

#[cfg(test)]
mod tests;
