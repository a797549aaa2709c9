//! Which server a call goes to: the first, in the user's order, that takes it and is worth it.

use outboard_core::{ServerIndex, Timestamp};

use super::Engine;
use crate::decision::{LocalReason, Offer, Request};
use crate::method::MethodState;
use crate::quote::{Quote, WorkClass};
use crate::settings::Policy;

/// Why no server gets a call: what the first one lacks that would take it, or else what keeps the first from taking it.
#[derive(Default)]
struct Against {
    worth: Option<LocalReason>,
    way: Option<LocalReason>,
}

impl Engine {
    pub(super) fn judge(&mut self, now: Timestamp, request: &Request) -> Result<Offer, LocalReason> {
        if let Some(reason) = self.stays(request) {
            return Err(reason);
        }
        let (mut silent, mut against) = (None, Against::default());
        for server in self.candidates(request) {
            if let Some(obstacle) = self.obstacle(now, request, server) {
                against.way = against.way.or(Some(obstacle));
                silent = silent.or((obstacle == LocalReason::Silent).then_some(server));
                continue;
            }
            match self.judge_at(now, request, server) {
                Ok(offer) => return Ok(offer),
                Err(reason) => against.worth = against.worth.or(Some(reason)),
            }
        }
        match silent.filter(|_| self.waits_for_silent(request)) {
            Some(server) => self.judge_at(now, request, server),
            None => Err(against.reason()),
        }
    }

    /// The same for people, with the server and the figures that the answer is about.
    pub(crate) fn consider(
        &self,
        now: Timestamp,
        request: &Request,
    ) -> (Option<(ServerIndex, Quote)>, Result<Offer, LocalReason>) {
        if let Some(reason) = self.stays(request) {
            return (None, Err(reason));
        }
        let (mut shown, mut against) = (None, Against::default());
        for server in self.candidates(request) {
            if let Some(obstacle) = self.obstacle(now, request, server) {
                against.way = against.way.or(Some(obstacle));
                continue;
            }
            let Some(statistics) = self.profile.method(request.method) else { continue };
            let terms = self.methods[request.method.position()].terms(server);
            let quote = Quote::reckon(statistics, request.work, None, terms, &self.market(now, server));
            let judged = self.held_at(now, request, server).map_or(Ok(()), Err);
            match judged.and_then(|()| self.offer(now, request, server, &quote)) {
                Ok(offer) => return (Some((server, quote)), Ok(offer)),
                Err(reason) => against.worth = against.worth.or(Some(reason)),
            }
            shown = shown.or(Some((server, quote)));
        }
        (shown, Err(against.reason()))
    }

    fn judge_at(
        &mut self,
        now: Timestamp,
        request: &Request,
        server: ServerIndex,
    ) -> Result<Offer, LocalReason> {
        if let Some(reason) = self.held_at(now, request, server) {
            return Err(reason);
        }
        let position = request.method.position();
        let generation = (server, self.servers[server.position()].generation, self.radio.state(now));
        let class = WorkClass::of(request.work);
        if self.methods[position].quotes.get(now, generation, class).is_none() {
            let statistics = self.profile.method(request.method).ok_or(LocalReason::Unknown)?;
            let terms = self.methods[position].terms(server);
            let quote = Quote::reckon(statistics, class.middle(), None, terms, &self.market(now, server));
            self.methods[position].quotes.set(now, generation, class, quote);
        }
        let quote = self.methods[position].quotes.get(now, generation, class).ok_or(LocalReason::Unknown)?;
        let offer = self.offer(now, request, server, quote);
        if let (Err(LocalReason::RadioSilent), Some(spoilt)) = (&offer, quote.spoilt) {
            self.radio.forgo(now, spoilt);
        }
        offer
    }

    /// What keeps a call on the device whatever the servers are like.
    fn stays(&self, request: &Request) -> Option<LocalReason> {
        let Some(state) = self.methods.get(request.method.position()) else {
            return Some(LocalReason::Unknown);
        };
        let policy = self.settings.policy == Policy::Device && !state.info.remote_only;
        state.bound_here().or(policy.then_some(LocalReason::Policy))
    }

    /// The servers that it may go to, best first: that of the attempt whose call-back makes it, or any.
    fn candidates(&self, request: &Request) -> impl Iterator<Item = ServerIndex> + use<> {
        let outer = request.within.map(|outer| self.under_way.get(&outer).map(|outer| outer.offer.server));
        let servers = match outer {
            None => 0..self.servers.len() as u16,
            Some(None) => 0..0,
            Some(Some(server)) => server.0..server.0 + 1,
        };
        servers.map(ServerIndex)
    }

    /// Why that server does not take a call now, if it does not.
    pub(super) fn obstacle(
        &self,
        now: Timestamp,
        request: &Request,
        server: ServerIndex,
    ) -> Option<LocalReason> {
        if request.tried.contains(server) {
            return Some(LocalReason::Tried);
        }
        self.servers[server.position()].obstacle(now, request.method)
    }

    /// A method that can run nowhere else may as well wait for a silent server until its deadline.
    pub(super) fn waits_for_silent(&self, request: &Request) -> bool {
        self.methods.get(request.method.position()).is_some_and(|state| state.info.remote_only)
    }

    /// Why that server is left alone with the method for a while, if it is.
    fn held_at(&self, now: Timestamp, request: &Request, server: ServerIndex) -> Option<LocalReason> {
        let state = self.methods.get(request.method.position())?;
        if self.is_forced(state) { None } else { state.held(now, server) }
    }

    /// Whether it goes to a server whatever the figures say.
    pub(super) fn is_forced(&self, state: &MethodState) -> bool {
        state.info.remote_only || self.settings.policy == Policy::Server
    }
}

impl Against {
    fn reason(self) -> LocalReason {
        self.worth.or(self.way).unwrap_or(LocalReason::NoServer)
    }
}
