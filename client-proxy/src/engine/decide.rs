//! Where a call runs.

use std::time::Duration;

use outboard_core::{ByteCount, MethodIndex, Placement, ServerIndex, Timestamp};

use super::Engine;
use crate::decision::{Decision, LocalReason, Offer, Request};
use crate::hedge::Hedge;
use crate::method::MethodState;
use crate::quote::Quote;

/// The share of a method's local time that attempts may lose which only look whether a server is better than it seems.
const LOOKING: f64 = 0.005;

/// What is less likely is not looked at.
const LEAST_HOPE: f64 = 0.05;

/// What speaks for sending a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Motive {
    /// The figures: even at worst it comes back in time.
    Worth,
    /// Hope: it may well be worth it, and trying tells.
    Try,
    /// Little hope, and enough was saved up for it: what is believed may be wrong.
    Look,
}

impl Engine {
    /// Where a call runs. Neither allocates nor waits: predictions, guards and the plan are at hand.
    pub fn decide(&mut self, now: Timestamp, request: &Request) -> Decision {
        self.radio.asked(now);
        let judged = self.judge(now, request);
        let Some(state) = self.methods.get_mut(request.method.position()) else {
            return Decision::Local(LocalReason::Unknown);
        };
        state.last_reason = judged.err();
        let remote_only = state.info.remote_only;
        let decision = match judged {
            Ok(offer) => Decision::Remote(offer),
            Err(reason) if remote_only => Decision::Refused(reason),
            Err(reason) => Decision::Local(reason),
        };
        self.log(now, request, &decision);
        decision
    }

    /// One line for each decision, with all that it was found from. Nothing is put together that nobody reads.
    fn log(&self, now: Timestamp, request: &Request, decision: &Decision) {
        let method = || self.methods[request.method.position()].info.name.as_str();
        let why = || self.explain(now, request, decision);
        match decision {
            Decision::Remote(_) => tracing::debug!(method = method(), why = why(), "goes to a server"),
            Decision::Local(_) => tracing::trace!(method = method(), why = why(), "runs here"),
            Decision::Refused(_) => tracing::debug!(method = method(), why = why(), "runs nowhere"),
        }
    }

    /// Whether an offer still stands now that the encoded slots are `size`; the offer's figures follow.
    ///
    /// # Errors
    /// Why the call runs on the device after all.
    pub fn confirm(&mut self, now: Timestamp, offer: &mut Offer, size: ByteCount) -> Result<(), LocalReason> {
        let request = offer.request;
        self.profile.observe_encoded(request.method, size, request.work);
        let state = self.methods.get_mut(request.method.position()).ok_or(LocalReason::Unknown)?;
        state.quotes.clear();
        let confirmed = self.reconsider(now, offer, size);
        if let Some(state) = self.methods.get_mut(request.method.position()) {
            state.last_reason = confirmed.err();
        }
        *offer = confirmed?;
        Ok(())
    }

    /// The slots passed the offer's budget while they were encoded. The method is left alone for a while, longer each
    /// time: its state may shrink again.
    pub fn over_budget(&mut self, now: Timestamp, offer: &Offer) -> LocalReason {
        self.left_alone(now, offer, LocalReason::TooLarge)
    }

    /// The slots cannot be encoded as they are. The method is left alone for a while, longer each time.
    pub fn unencodable(&mut self, now: Timestamp, offer: &Offer) -> LocalReason {
        self.left_alone(now, offer, LocalReason::Unencodable)
    }

    /// A shared object of the call is locked by other code of the app. The next call may find it free.
    pub fn locked(&mut self, offer: &Offer) -> LocalReason {
        if let Some(state) = self.methods.get_mut(offer.request.method.position()) {
            state.last_reason = Some(LocalReason::Locked);
        }
        LocalReason::Locked
    }

    fn left_alone(&mut self, now: Timestamp, offer: &Offer, reason: LocalReason) -> LocalReason {
        let jitter = self.jitter.draw();
        if let Some(state) = self.methods.get_mut(offer.request.method.position()) {
            state.trouble.hold(now, reason, jitter);
            state.last_reason = Some(reason);
        }
        reason
    }

    fn reconsider(&mut self, now: Timestamp, offer: &Offer, size: ByteCount) -> Result<Offer, LocalReason> {
        let request = &offer.request;
        let state = &self.methods[request.method.position()];
        let server = offer.server;
        let waits =
            |obstacle: &LocalReason| *obstacle == LocalReason::Silent && self.waits_for_silent(request);
        if let Some(obstacle) = self.obstacle(now, request, server).filter(|obstacle| !waits(obstacle)) {
            return Err(obstacle);
        }
        if size > self.servers[server.position()].frame_limit() {
            return Err(LocalReason::TooLarge);
        }
        let statistics = self.profile.method(request.method).ok_or(LocalReason::Unknown)?;
        let quote = Quote::reckon(
            statistics,
            request.work,
            Some(size),
            state.terms(server),
            &self.market(now, server),
        );
        let fresh = self.offer(now, request, server, &quote);
        if let (Err(LocalReason::RadioSilent), Some(spoilt)) = (&fresh, quote.spoilt) {
            self.radio.forgo(now, spoilt);
        }
        Ok(Offer { asked: offer.asked, ..fresh? })
    }

    /// The terms on which a call may go to a server, if any.
    pub(crate) fn offer(
        &self,
        now: Timestamp,
        request: &Request,
        server: ServerIndex,
        quote: &Quote,
    ) -> Result<Offer, LocalReason> {
        let state = &self.methods[request.method.position()];
        let frame_limit = self.servers[server.position()].frame_limit();
        // A call that is asked about again has used up part of its time.
        let asked = request.tried.since().unwrap_or(now);
        let used = now.since(asked);
        let quote = &Quote { limit: quote.limit.saturating_sub(used), ..*quote };
        let mut offer = Offer {
            server,
            request: *request,
            bound: state.info.deadline.map(|deadline| deadline.saturating_sub(used)),
            budget: frame_limit,
            most: frame_limit,
            goodput: quote.goodput,
            predicted: quote.remote.map_or(Duration::ZERO, |remote| remote.usual),
            delay: quote.delay,
            deviation: quote.deviation,
            local: quote.local,
            energy: quote.energy,
            exploring: false,
            // A part of another call runs on that one's thread.
            hedge: if request.within.is_some() || request.root.is_some() {
                Hedge::Never
            } else {
                state.hedge()
            },
            asked,
        };
        if self.is_forced(state) {
            return if offer.bound == Some(Duration::ZERO) { Err(LocalReason::TooSlow) } else { Ok(offer) };
        }
        if quote.local.is_none() {
            return Err(LocalReason::FirstRun);
        }
        let remote = quote.remote.ok_or(LocalReason::FirstRun)?;
        offer.exploring = match self.motive(state, request, server, quote)? {
            Motive::Worth => false,
            Motive::Look => true,
            Motive::Try if self.purse.allows() => true,
            Motive::Try => return Err(LocalReason::TriedEnough),
        };
        if quote.up > frame_limit {
            return Err(LocalReason::TooLarge);
        }
        if !state.info.once {
            offer.bound = Some(remote.worst.min(quote.limit));
        }
        offer.budget = quote.budget.min(frame_limit);
        Ok(offer)
    }

    /// Whether enough was saved up for a look: what it may lose, as many times as it takes until one is in time.
    ///
    /// A method whose figures speak against every server learns nothing any more, also where one bad sample made them. So
    /// what tries may lose, and did not, goes into looks: the less likely they are to be worth it, the rarer.
    pub(super) fn may_look(&self, state: &MethodState, quote: &Quote) -> bool {
        let hope = quote.hope(self.objective);
        let Some(remote) = quote.remote.filter(|_| hope >= LEAST_HOPE && !state.info.once) else {
            return false;
        };
        let there = quote.energy.map(|(_, there)| there);
        let stake = self.at_stake(remote.worst.min(quote.limit), remote.usual, there);
        self.purse.affords(stake / hope)
    }

    /// What speaks for sending it, or what against it.
    fn motive(
        &self,
        state: &MethodState,
        request: &Request,
        server: ServerIndex,
        quote: &Quote,
    ) -> Result<Motive, LocalReason> {
        let remote = quote.remote.ok_or(LocalReason::FirstRun)?;
        let certain = remote.worst <= quote.limit;
        // Once it has come too late twice in a row its figures do not hold: only tries can tell when they do again.
        let doubtful = state.late_in_a_row(server) >= 2;
        let planned = match state.placement {
            None => return Err(LocalReason::NoPlan),
            Some(Placement::Server) => self.plan_holds(request) || quote.pays(self.objective),
            // A plan knows the usual call; for this one its work says that it is worth it by itself.
            Some(Placement::Device) => request.work.is_some() && quote.pays(self.objective),
        };
        if !certain && self.is_due_a_look(request.method, state, quote) {
            return Ok(Motive::Try);
        }
        // A plan counts on the radio as it usually is.
        let energy = !self.objective.is_time();
        if planned && energy && quote.spoilt.is_some_and(|spoilt| !self.radio.is_worth_using(spoilt)) {
            return Err(LocalReason::RadioSilent);
        }
        // The figures compare with a run that is here all the way down. One that sends its parts, as the plan has it, takes
        // less; what that is the plan knows.
        let parted = state.placement == Some(Placement::Device) && state.parts_away;
        let worth_a_try = quote.is_worth_a_try(self.objective) && !state.info.once && (planned || !parted);
        match (planned, certain) {
            (true, true) if !doubtful => Ok(Motive::Worth),
            (true, _) if worth_a_try || quote.may_be_in_time() && !state.info.once => Ok(Motive::Try),
            (planned, _) if (planned || !parted) && self.may_look(state, quote) => Ok(Motive::Look),
            (true, _) => Err(LocalReason::TooSlow),
            // The plan was made for other figures, for the usual call, or for another server.
            (false, _) if worth_a_try => Ok(Motive::Try),
            (false, _) if state.placement == Some(Placement::Server) => Err(LocalReason::NotAlone),
            (false, _) => Err(LocalReason::Planned),
        }
    }

    /// Whether a try is due although nothing speaks for it.
    ///
    /// A method that no server has run is priced by a ratio of speeds that was measured once, perhaps at a bad moment: it
    /// might stay here for ever. One try tells. All that a method's attempts lose stays within a small share of
    /// the time that it took here.
    pub(super) fn is_due_a_look(&self, method: MethodIndex, state: &MethodState, quote: &Quote) -> bool {
        let Some(statistics) = self.profile.method(method) else { return false };
        let lost = state.counts.lost_time.saturating_add(quote.limit);
        // No server is so fast that it makes up for the way to it.
        let in_reach = quote.way <= quote.limit / 2;
        in_reach
            && !state.info.once
            && !statistics.ran_remotely()
            && lost <= statistics.local_time().mul_f64(LOOKING)
    }

    /// A plan that has both ends of an edge on the server counts on the caller being there; if the call is made here,
    /// the caller is not.
    fn plan_holds(&self, request: &Request) -> bool {
        let caller = request.caller.and_then(|caller| self.methods.get(caller.position()));
        caller.is_none_or(|caller| caller.placement != Some(Placement::Server))
    }
}
