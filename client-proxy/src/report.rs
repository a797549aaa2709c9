//! What the engine did and would do, and why, for people.

use std::fmt;
use std::time::Duration;

use outboard_core::{Bandwidth, ByteCount, Cost, Energy, MethodIndex, Placement, ServerIndex, Timestamp};
use outboard_profiler::{Exchange, FigureQuality, Radio, Spread};

use crate::decision::{Decision, LocalReason, Offer, Request};
use crate::engine::Engine;
use crate::method::{MethodState, Word};
use crate::quote::Quote;
use crate::server::{Link, Server};
use crate::settings::Policy;

/// What the engine did and would do.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// Every method, in order of registration.
    pub methods: Vec<MethodReport>,
    /// Every server, in the user's order.
    pub servers: Vec<ServerReport>,
    /// How far the energies can be trusted.
    pub energy_quality: FigureQuality,
    /// What the plan in force is for, what it costs and what it saves; `None` without a plan.
    pub plan: Option<String>,
}

/// One method.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MethodReport {
    /// Its name.
    pub name: String,
    /// Where its next usual call would run.
    pub placement: Placement,
    /// Why there, with the figures.
    pub why: String,
    /// What the runtime does before it asks.
    pub word: Word,
    /// Runs on the device.
    pub local_calls: u64,
    /// Runs on a server, their replies committed.
    pub remote_calls: u64,
    /// Attempts sent.
    pub attempts: u64,
    /// Attempts given up as late.
    pub late: u64,
    /// Attempts that failed in another way.
    pub failed: u64,
    /// Attempts made in order to learn.
    pub explored: u64,
    /// Runs on the device beside an attempt. Those that neither won nor lost were void.
    pub hedges: u64,
    /// Hedges that were done before the server.
    pub hedges_won: u64,
    /// Hedges that the server was faster than.
    pub hedges_lost: u64,
    /// Time of all runs on the device, what they called included.
    pub local_time: Duration,
    /// Time of all runs on the device without the annotated methods they called: these times add up.
    pub own_time: Duration,
    /// Time of all remote runs, as their callers saw it.
    pub remote_time: Duration,
    /// Time that attempts lost which did not pay.
    pub lost_time: Duration,
    /// Bytes of slots and results to servers, as they travelled, those of its call-backs included.
    pub sent: ByteCount,
    /// The same from servers.
    pub received: ByteCount,
    /// The device's energy of `own_time`; `None` where the device's figures are unknown.
    pub local_energy: Option<Energy>,
    /// The device's energy of the remote runs and of lost attempts.
    pub remote_energy: Option<Energy>,
}

/// One server.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ServerReport {
    /// What people call it.
    pub name: String,
    /// How it is: attached, connecting, away and why.
    pub state: String,
    /// Whether calls can go there now.
    pub attached: bool,
    /// How many times as fast as the device it is, where both were measured.
    pub speed_ratio: Option<f64>,
    /// Its usual round trip, where it was measured.
    pub round_trip: Option<Duration>,
    /// The rate at which it receives, as believed.
    pub goodput_up: Bandwidth,
    /// The rate at which it is received from, as believed.
    pub goodput_down: Bandwidth,
    /// The time that a call waits there before it starts, as believed; `None` while no call has come back from it.
    pub queueing: Option<Duration>,
    /// Looks at the way to it that no call made.
    pub probes: u64,
    /// Attempts whose replies were committed.
    pub replied: u64,
    /// Attempts that failed through the method or the server.
    pub failed: u64,
}

impl Engine {
    /// What the engine did and would do now.
    pub fn report(&self, now: Timestamp) -> Report {
        let methods =
            (0..self.methods.len()).map(|position| self.method_report(now, MethodIndex(position as u32)));
        let servers =
            (0..self.servers.len()).map(|position| self.server_report(now, ServerIndex(position as u16)));
        Report {
            methods: methods.collect(),
            servers: servers.collect(),
            energy_quality: self.settings.energy.quality(),
            plan: self.plan.as_ref().map(|plan| {
                let known = self.settings.energy.is_complete();
                let cost = |cost: Cost| if known { cost.to_string() } else { format!("{:?}", cost.time) };
                format!(
                    "{} instead of {} with everything on the device",
                    cost(plan.cost()),
                    cost(plan.all_local())
                )
            }),
        }
    }

    /// Why a call runs where it was decided to, in a sentence with the figures that speak for it and against it.
    pub fn explain(&self, now: Timestamp, request: &Request, decision: &Decision) -> String {
        let Some(state) = self.methods.get(request.method.position()) else {
            return LocalReason::Unknown.to_string();
        };
        let (shown, _) = self.consider(now, request);
        match decision {
            Decision::Remote(offer) => self.why_remote(now, state, offer, shown.map(|(_, quote)| quote)),
            Decision::Local(reason) | Decision::Refused(reason) => {
                self.why_local(now, request.method, *reason, shown)
            }
        }
    }

    fn method_report(&self, now: Timestamp, method: MethodIndex) -> MethodReport {
        let state = &self.methods[method.position()];
        let statistics = self.profile.method(method).expect("the profile has every registered method");
        let request = Request::new(method);
        let (shown, judged) = self.consider(now, &request);
        MethodReport {
            name: state.info.name.clone(),
            placement: if judged.is_ok() { Placement::Server } else { Placement::Device },
            why: match &judged {
                Ok(offer) => self.why_remote(now, state, offer, shown.map(|(_, quote)| quote)),
                Err(reason) => self.why_local(now, method, *reason, shown),
            },
            word: state.word,
            local_calls: statistics.local_calls(),
            remote_calls: statistics.remote_calls(),
            attempts: state.counts.attempts,
            late: state.counts.late,
            failed: state.counts.failed,
            explored: state.counts.explored,
            hedges: state.counts.hedges,
            hedges_won: state.counts.hedges_won,
            hedges_lost: state.counts.hedges_lost,
            local_time: statistics.local_time(),
            own_time: statistics.own_time(),
            remote_time: statistics.remote_time(),
            lost_time: state.counts.lost_time,
            sent: statistics.sent() + state.counts.answered,
            received: statistics.received() + state.counts.called_back,
            local_energy: self.settings.energy.running(statistics.own_time()),
            remote_energy: self.settings.energy.is_complete().then_some(state.counts.remote_energy),
        }
    }

    fn server_report(&self, now: Timestamp, server: ServerIndex) -> ServerReport {
        let entry = &self.servers[server.position()];
        let speeds = (entry.capacity.speed, self.settings.device_speed.unwrap_or(0));
        ServerReport {
            name: entry.settings.name.clone(),
            state: how(self, entry, now),
            attached: entry.is_attached(),
            speed_ratio: (speeds.0 > 0 && speeds.1 > 0)
                .then(|| entry.speed_ratio(self.settings.device_speed)),
            round_trip: entry.network.is_measured().then(|| entry.network.round_trip(now).median()),
            goodput_up: entry.network.goodput_up(now).median(),
            goodput_down: entry.network.goodput_down(now).median(),
            queueing: (entry.replied > 0).then(|| entry.queueing(now, Duration::ZERO).median()),
            probes: entry.probes,
            replied: entry.replied,
            failed: entry.failed,
        }
    }

    fn why_remote(&self, now: Timestamp, state: &MethodState, offer: &Offer, quote: Option<Quote>) -> String {
        let server = &self.servers[offer.server.position()].settings.name;
        if state.info.remote_only {
            return format!("it can only run remotely; {server} takes it");
        }
        if self.settings.policy == Policy::Server {
            return format!(
                "the policy sends it to {server}; {}",
                self.figures_of(now, state, offer.server, quote)
            );
        }
        let tried = if offer.exploring { ", which is not certain yet and worth a try" } else { "" };
        let energy = match quote.and_then(|quote| quote.energy) {
            Some((here, there)) => format!(", and {there} of energy against {here}"),
            None => String::new(),
        };
        format!("{}{energy}{tried}", self.figures_of(now, state, offer.server, quote))
    }

    fn why_local(
        &self,
        now: Timestamp,
        method: MethodIndex,
        reason: LocalReason,
        shown: Option<(ServerIndex, Quote)>,
    ) -> String {
        let state = &self.methods[method.position()];
        let figures = || {
            shown.map_or(String::new(), |(server, quote)| self.figures_of(now, state, server, Some(quote)))
        };
        match (reason, &state.pin, &state.info.obstacle) {
            (LocalReason::CannotTravel, _, Some(obstacle)) => obstacle.clone(),
            (LocalReason::TakenBack, Some(pin), _) => pin.to_string(),
            (LocalReason::NotAttached, ..) => match self.servers.first() {
                Some(server) => {
                    format!("no server is attached ({}: {})", server.settings.name, how(self, server, now))
                }
                None => reason.to_string(),
            },
            (
                LocalReason::TooSlow
                | LocalReason::Planned
                | LocalReason::NotAlone
                | LocalReason::RadioSilent
                | LocalReason::TriedEnough,
                ..,
            ) => {
                format!("{reason}: {}", figures())
            }
            (LocalReason::Late | LocalReason::Failing, ..) => {
                match shown.and_then(|(server, _)| state.hold(server)) {
                    Some(held) => format!("{reason}; it is tried again in {:.1?}", held.until.since(now)),
                    None => reason.to_string(),
                }
            }
            _ => reason.to_string(),
        }
    }

    /// The inputs of a decision in a sentence.
    fn figures_of(
        &self,
        now: Timestamp,
        state: &MethodState,
        server: ServerIndex,
        quote: Option<Quote>,
    ) -> String {
        let Some((quote, (local, remote))) =
            quote.and_then(|quote| Some((quote, quote.local.zip(quote.remote)?)))
        else {
            return "nothing is known of its times yet".to_owned();
        };
        let entry = &self.servers[server.position()];
        let ratio = entry.speed_ratio(self.settings.device_speed);
        let round_trip = entry.network.round_trip(now).median();
        let waking = match quote.waking {
            Duration::ZERO => String::new(),
            waking => format!("{waking:.1?} to wake the radio, "),
        };
        format!(
            "on {} it takes {:.1?}, at worst {:.1?}, against {local:.1?} here (accepted: {:.2} × that), with {} to send, \
             {waking}a round trip of {round_trip:.1?} and a server {ratio:.2} × as fast",
            entry.settings.name, remote.usual, remote.worst, state.slowdown, quote.up,
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for server in &self.servers {
            writeln!(f, "{}: {}", server.name, server.state)?;
        }
        if let Some(plan) = &self.plan {
            writeln!(f, "plan: {plan}")?;
        }
        for method in &self.methods {
            writeln!(
                f,
                "{} → {} ({}); {} here in {:.1?}, {} remotely in {:.1?}",
                method.name,
                method.placement,
                method.why,
                method.local_calls,
                method.local_time,
                method.remote_calls,
                method.remote_time,
            )?;
        }
        Ok(())
    }
}

fn how(engine: &Engine, server: &Server, now: Timestamp) -> String {
    let trouble =
        || server.last_trouble.as_ref().map_or(String::new(), |trouble| format!(" after: {trouble}"));
    match &server.link {
        Link::Closed => "left".to_owned(),
        Link::Connecting(_) => format!("connecting{}", trouble()),
        link @ Link::Down { .. } => {
            let wait = engine.retry_at(link).map_or(Duration::ZERO, |due| due.since(now));
            format!("away, tried again in {wait:.1?}{}", trouble())
        }
        Link::Up(session) if session.is_open() && server.silent_since.is_some() => {
            "attached, but silent".to_owned()
        }
        Link::Up(session) if session.is_open() => "attached".to_owned(),
        Link::Up(_) if server.attached_at.is_some() => "draining".to_owned(),
        Link::Up(_) => "greeting".to_owned(),
    }
}

/// What an exchange of that many bytes that took that long cost the device, whose radio was as it is given at the beginning.
pub(crate) fn remote_energy(
    engine: &Engine,
    server: &Server,
    (radio, sent): (&Radio, Timestamp),
    now: Timestamp,
    (up, down): (ByteCount, ByteCount),
) -> Option<Energy> {
    let elapsed = now.since(sent);
    let time = |bytes: ByteCount, rate: Spread<Bandwidth>| (bytes / rate.median()).min(elapsed / 2);
    let up_time = time(up, server.network.goodput_up(now));
    let down_time = time(down, server.network.goodput_down(now));
    let passing = radio.ready(sent, up).saturating_add(up_time).saturating_add(down_time);
    let wait = elapsed.saturating_sub(passing);
    let exchange = Exchange { up, down, up_time, wait, down_time };
    engine.settings.energy.remote(elapsed, radio.marginal(sent, &exchange).energy)
}
