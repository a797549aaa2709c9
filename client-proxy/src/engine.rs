//! The engine itself: its parts, its clockwork, and what goes out.

mod attempt;
mod choose;
mod decide;
mod follow;
mod hedge;
mod inner;
mod keep;
mod learn;
mod link;
mod probing;
mod quiet;
mod replan;
mod unknown;
mod words;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use outboard_core::{MethodId, MethodIndex, Objective, Placement, Plan, ServerIndex, Timestamp};
use outboard_profiler::Profile;
use outboard_wire::Lost;
use outboard_wire::frame::Attempt;

use crate::backoff::Jitter;
use crate::exploration::Purse;
use crate::method::{MethodInfo, MethodState};
use crate::output::{Notice, Output};
use crate::quote::Market;
use crate::radio::RadioUse;
use crate::server::{Link, Server};
use crate::settings::{Policy, ServerSettings, Settings};

pub use attempt::Cargo;
use attempt::UnderWay;
pub use inner::Question;
pub use learn::Rerun;
use probing::Prober;
use replan::Planner;
use unknown::Questions;

/// Decides where calls run, and carries the decision out. See the [crate](crate) for how it is driven.
#[derive(Debug)]
pub struct Engine {
    pub(crate) settings: Settings,
    pub(crate) objective: Objective,
    pub(crate) methods: Vec<MethodState>,
    by_id: BTreeMap<MethodId, MethodIndex>,
    pub(crate) profile: Profile,
    kept: keep::Kept,
    pub(crate) servers: Vec<Server>,
    under_way: BTreeMap<Attempt, UnderWay>,
    questions: Questions,
    inner: inner::Open,
    next_call: u64,
    pub(crate) plan: Option<Plan>,
    planner: Planner,
    pub(crate) purse: Purse,
    prober: Prober,
    worth: quiet::Worth,
    pub(crate) radio: RadioUse,
    words_due: Option<Timestamp>,
    jitter: Jitter,
    outputs: VecDeque<Output>,
    /// Methods for which servers call back: those that have to run here, and those that the plan has here.
    callbacks: Callbacks,
}

#[derive(Debug, Default)]
struct Callbacks {
    always: Arc<[MethodId]>,
    planned: Arc<[MethodId]>,
}

impl Engine {
    /// An engine without methods. It asks to connect to its servers at once; where energy counts and the radio's is known, once
    /// calls may be worth that.
    pub fn new(settings: Settings, now: Timestamp) -> Self {
        let objective = settings.feasible_objective();
        let servers = settings.servers.iter().cloned().map(|server| Server::new(now, server)).collect();
        let radio = settings.energy.radio();
        let waits = !objective.is_time() && settings.policy == Policy::Plan && radio.is_some();
        let mut engine = Self {
            objective,
            methods: Vec::new(),
            by_id: BTreeMap::new(),
            profile: Profile::new(),
            kept: keep::Kept::default(),
            servers,
            under_way: BTreeMap::new(),
            questions: Questions::default(),
            inner: inner::Open::default(),
            next_call: 1,
            plan: None,
            planner: Planner::new(settings.replan_interval),
            purse: Purse::new(settings.exploration),
            prober: Prober::new(settings.probing),
            worth: quiet::Worth::new(now, waits),
            radio: RadioUse::new(now, radio),
            words_due: None,
            jitter: Jitter::new(settings.seed),
            outputs: VecDeque::new(),
            callbacks: Callbacks::default(),
            settings,
        };
        engine.connect_due(now);
        engine
    }

    /// Makes a method known. A method that is known already keeps its index.
    ///
    /// Register before the session begins what can be: a session lists the methods that were known at its start, and is
    /// renewed for later ones when nothing is under way.
    pub fn register(&mut self, now: Timestamp, info: MethodInfo) -> MethodIndex {
        if let Some(index) = self.by_id.get(&info.id) {
            return *index;
        }
        let index = self.profile.add_method(info.name.clone());
        self.by_id.insert(info.id, index);
        self.methods.push(MethodState::new(info, self.settings.default_slowdown(), self.settings.hedge));
        self.restore(now, index);
        self.sort_callbacks();
        for server in &mut self.servers {
            server.renew |= matches!(server.link, Link::Up(_) | Link::Connecting(Some(_)));
        }
        if !self.servers.iter().any(Server::is_attached) {
            // Nothing to wait for: the calls of an app without a server must not ask in vain.
            self.refresh_word(now, index);
        }
        self.words_soon(now);
        let info = &self.methods[index.position()].info;
        if info.remote_only || info.fallback {
            self.needs_servers(now);
        }
        index
    }

    /// A server that can be used too, after those that are known; connects to it at once.
    pub fn add_server(&mut self, now: Timestamp, settings: ServerSettings) -> ServerIndex {
        let server = ServerIndex(self.servers.len() as u16);
        self.servers.push(Server::new(now, settings));
        self.connect_due(now);
        self.words_soon(now);
        server
    }

    /// The index of a method that was registered.
    pub fn method_index(&self, id: MethodId) -> Option<MethodIndex> {
        self.by_id.get(&id).copied()
    }

    /// What a method was registered with.
    pub fn method_info(&self, method: MethodIndex) -> Option<&MethodInfo> {
        self.methods.get(method.position()).map(|state| &state.info)
    }

    /// What plans minimise: the objective that was set, or time where the device's energy is unknown.
    pub fn objective(&self) -> Objective {
        self.objective
    }

    /// How fast this device runs the reference loop, in steps per second.
    pub fn device_speed(&mut self, now: Timestamp, speed: u64) {
        self.settings.device_speed = Some(speed);
        for server in &mut self.servers {
            server.generation += 1;
        }
        self.planner.dirty(now);
        self.words_soon(now);
    }

    /// Leaves every server; nothing is offloaded from now on. What is under way ends *lost*.
    pub fn shutdown(&mut self, now: Timestamp) {
        for position in 0..self.servers.len() {
            if let Some(session) = self.servers[position].session_mut() {
                session.goodbye(now);
                self.pump(now, position);
            }
            if matches!(self.servers[position].link, Link::Connecting(_)) {
                let server = ServerIndex(position as u16);
                self.outputs.push_back(Output::Disconnect { server, reason: Lost::WeLeft });
            }
            self.servers[position].link = Link::Closed;
        }
        // Nobody will come back to be asked.
        self.stop_asking(now);
        self.stop_asking_inner();
        self.refresh_words(now);
    }

    /// What to do next, in order.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called; any input may change it.
    pub fn timeout(&self) -> Option<Timestamp> {
        let links = self.servers.iter().filter_map(|server| match &server.link {
            Link::Up(session) => session.timeout(),
            link => self.retry_at(link),
        });
        let renewals = (0..self.servers.len()).filter_map(|position| self.renewal(position));
        links
            .chain(renewals)
            .chain(self.patience())
            .chain(self.inner.patience())
            .chain(self.planner.due())
            .chain(self.words_due)
            .min()
    }

    /// The time of [`timeout`](Self::timeout) has come. Coming early or late does no harm.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        for position in 0..self.servers.len() {
            if let Some(session) = self.servers[position].session_mut() {
                session.handle_timeout(now);
                self.pump(now, position);
                self.renew_if_idle(now, position);
            }
        }
        self.lose_patience(now);
        self.lose_inner_patience(now);
        self.connect_due(now);
        if self.planner.is_due(now) {
            self.probe_if_worth_it(now);
            self.replan(now);
        }
        if self.words_due.is_some_and(|due| due <= now) {
            self.follow(now);
            self.refresh_words(now);
        }
    }

    /// What a prediction for a server is reckoned from.
    pub(crate) fn market(&self, now: Timestamp, index: ServerIndex) -> Market<'_> {
        let server = &self.servers[index.position()];
        Market {
            now,
            network: &server.network,
            energy: &self.settings.energy,
            radio: self.radio.now(),
            usual_radio: self.radio.after(self.radio.silence()),
            speed_ratio: server.speed_ratio(self.settings.device_speed),
            queue: server.queue(),
            ahead: self.ahead(now, index),
        }
    }

    /// How long a bulk frame would wait for those of ours that are on their way to a server.
    fn ahead(&self, now: Timestamp, server: ServerIndex) -> Duration {
        let left = self.servers[server.position()].occupied_until.since(now);
        // What is known of the rate may be wrong: with nothing on its way nothing waits.
        let busy = |under_way: &UnderWay| under_way.occupies() && under_way.offer.server == server;
        if left.is_zero() || !self.under_way.values().any(busy) { Duration::ZERO } else { left }
    }

    fn notice(&mut self, notice: Notice) {
        tracing::trace!(?notice, "notice");
        self.outputs.push_back(Output::Notice(notice));
    }

    /// What each method's calls mean for placing it: how often it would call back, from how often it calls, while it runs
    /// here, what stays here; and whether the plan sends what it calls.
    fn weigh_calls(&mut self) {
        let mut weighed = vec![(0.0, false); self.methods.len()];
        for (caller, callee, calls) in self.profile.edges() {
            let Some(caller) = caller else { continue };
            let seen = self.profile.method(caller).map_or(0, |caller| caller.local_calls());
            let placed = self.methods.get(callee.position()).map(|state| match state.bound_here() {
                Some(_) => Some(Placement::Device),
                None => state.placement,
            });
            let Some((backs, parts)) = weighed.get_mut(caller.position()) else { continue };
            match placed.flatten() {
                Some(Placement::Device) if seen > 0 => *backs += calls as f64 / seen as f64,
                Some(Placement::Server) if callee != caller => *parts = true,
                _ => {}
            }
        }
        for (state, (backs, parts)) in self.methods.iter_mut().zip(weighed) {
            (state.backs, state.parts_away) = (backs, parts);
            state.quotes.clear();
        }
    }

    /// Which methods servers call back for.
    fn sort_callbacks(&mut self) {
        let bound = |state: &&MethodState| state.bound_here().is_some();
        let of_app = || self.methods.iter().filter(|state| !state.info.aside);
        self.callbacks.always = of_app().filter(bound).map(|state| state.info.id).collect();
        let here = |state: &&MethodState| bound(state) || state.placement == Some(Placement::Device);
        self.callbacks.planned = of_app().filter(here).map(|state| state.info.id).collect();
        self.weigh_calls();
    }
}
