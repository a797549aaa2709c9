//! Words: which methods need to ask at all.

use std::time::Duration;

use outboard_core::{MethodIndex, Placement, ServerIndex, Timestamp};

use super::Engine;
use crate::method::{MethodState, Word};
use crate::output::Output;
use crate::quote::Quote;
use crate::server::Server;
use crate::settings::Policy;

/// Words follow what was learned within this time: a call more or less that asks in vain costs a fraction of a microsecond.
const WITHIN: Duration = Duration::from_secs(1);

impl Engine {
    /// Looks at the words again before long.
    pub(super) fn words_soon(&mut self, now: Timestamp) {
        self.words_due = Some(self.words_due.map_or(now + WITHIN, |due| due.min(now + WITHIN)));
    }

    /// Gives every method the word that holds now.
    pub(super) fn refresh_words(&mut self, now: Timestamp) {
        self.words_due = None;
        for position in 0..self.methods.len() {
            self.refresh_word(now, MethodIndex(position as u32));
        }
    }

    /// Gives a method the word that holds now.
    pub(super) fn refresh_word(&mut self, now: Timestamp, method: MethodIndex) {
        let word = self.word_of(now, method, &self.methods[method.position()]);
        let state = &mut self.methods[method.position()];
        if state.word != word {
            state.word = word;
            self.outputs.push_back(Output::Word { method, word });
        }
    }

    /// *Consult* unless nothing can make a call go to a server before the words are looked at again.
    fn word_of(&self, now: Timestamp, method: MethodIndex, state: &MethodState) -> Word {
        if state.info.remote_only || state.info.fallback {
            // It has to ask even where no server is: to be refused, or to be told that its fallback stands in.
            return Word::Consult;
        }
        let takes = |server: &&Server| server.is_attached() && server.offers(method);
        if !self.servers.iter().any(|server| takes(&server)) {
            return Word::Local;
        }
        if state.bound_here().is_some() {
            return Word::Local;
        }
        match self.settings.policy {
            Policy::Plan => {}
            Policy::Device => return Word::Local,
            Policy::Server => return Word::Consult,
        }
        if self.wants_size(now, method) {
            return Word::Consult;
        }
        let Some(statistics) = self.profile.method(method) else { return Word::Local };
        // With work, the next call may be larger than any before.
        let work = (state.largest_work > 0.0).then_some(state.largest_work * 4.0);
        let taking = self.servers.iter().enumerate().filter(|(_, server)| takes(server));
        let may_go = taking.map(|(position, _)| ServerIndex(position as u16)).any(|server| {
            // Another call may have woken the radio by then.
            let market = self.market(now, server).at_best();
            let quote = Quote::reckon(statistics, work, None, state.terms(server), &market);
            let Some(remote) = quote.remote.filter(|_| quote.local.is_some()) else {
                // The first run is timed by itself, so that the second can be compared.
                return true;
            };
            if self.is_due_a_look(method, state, &quote) {
                return true;
            }
            let planned = state.placement == Some(Placement::Server);
            let tried = quote.is_worth_a_try(self.objective);
            let hoped = quote.may_be_in_time();
            state.placement.is_some()
                && (tried
                    || self.may_look(state, &quote)
                    || planned && (hoped || remote.worst <= quote.limit))
        });
        if may_go { Word::Consult } else { Word::Local }
    }
}
