//! Connections and sessions: kept, lost, tried again.

use std::time::Duration;

use outboard_core::{MethodIndex, ServerIndex, Timestamp};
use outboard_profiler::{PathSample, Quantile};
use outboard_wire::Lost;
use outboard_wire::device::{Event, Output as SessionOutput, Session};
use outboard_wire::frame::{Hello, MethodStatus, PROTOCOL, Refusal, Welcome};

use super::Engine;
use crate::decision::LocalReason;
use crate::output::{Notice, Output};
use crate::quote::is_bulk;
use crate::server::Link;

/// A session that lasted this long was a good one: the next failure is a first one again.
const STABLE: Duration = Duration::from_secs(10);
/// A session is not renewed before that, so that methods that are registered one by one do not renew it one by one.
const SERVED: Duration = Duration::from_secs(1);
/// A refusal that only a person can do something about is not worth asking about more often.
const REFUSED: Duration = Duration::from_secs(30);

impl Engine {
    /// The greeting of the session for which a connection was asked, for a driver that can send it along with the
    /// handshake. It must arrive as the first frame; [`link_up`](Self::link_up) does not give it again. A driver that
    /// does not ask is given it then.
    pub fn greeting(&mut self, now: Timestamp, server: ServerIndex) -> Option<Vec<u8>> {
        let (hello, timing) = (self.hello(server), self.timing(now));
        let entry = self.servers.get_mut(server.position())?;
        let Link::Connecting(asked @ None) = &mut entry.link else { return None };
        let mut session = Session::new(now, hello, timing);
        // A session that begins otherwise cannot send its greeting, and says so when there is a connection.
        let SessionOutput::Transmit { bytes, .. } = session.poll()? else { return None };
        *asked = Some(Box::new(session));
        entry.renew = false;
        Some(bytes)
    }

    /// The connection that was asked for is there; `round_trip` is what the transport measured so far.
    pub fn link_up(&mut self, now: Timestamp, server: ServerIndex, round_trip: Option<Duration>) {
        let (hello, timing) = (self.hello(server), self.timing(now));
        let Some(entry) = self.servers.get_mut(server.position()) else { return };
        let session = match &mut entry.link {
            Link::Connecting(greeted) => greeted.take(),
            Link::Closed | Link::Down { .. } => {
                self.outputs.push_back(Output::Disconnect { server, reason: Lost::WeLeft });
                return;
            }
            // The driver says it twice; the session that is there stays.
            Link::Up(_) => return,
        };
        entry.link = Link::Up(session.unwrap_or_else(|| {
            entry.renew = false;
            Box::new(Session::new(now, hello, timing))
        }));
        entry.heard(now);
        self.pump(now, server.position());
        if let Some(round_trip) = round_trip {
            self.round_trip(now, server, round_trip);
        }
    }

    /// The connection that was asked for cannot be had: why, and what to do where something can be done.
    pub fn link_failed(&mut self, now: Timestamp, server: ServerIndex, why: impl Into<String>) {
        let Some(entry) = self.servers.get(server.position()) else { return };
        if matches!(entry.link, Link::Connecting(_)) {
            self.trouble(server.position(), why.into());
            self.retry(now, server.position(), Duration::ZERO);
        }
    }

    /// The connection broke.
    pub fn link_lost(&mut self, now: Timestamp, server: ServerIndex) {
        if let Some(session) = self.servers.get_mut(server.position()).and_then(|entry| entry.session_mut()) {
            session.handle_lost(now);
            self.pump(now, server.position());
        }
    }

    /// A frame came from a server.
    pub fn handle_frame(&mut self, now: Timestamp, server: ServerIndex, bytes: &[u8]) {
        self.radio.received(now, bytes.len());
        let Some(entry) = self.servers.get_mut(server.position()) else { return };
        if let Link::Up(session) = &mut entry.link {
            session.handle_frame(now, bytes);
            let again = entry.heard(now).then(|| entry.settings.name.clone());
            self.pump(now, server.position());
            if let Some(server) = again {
                self.notice(Notice::Heard { server });
            }
        }
    }

    /// A round trip to a server was measured. While large calls are under way it has their queue in it.
    pub fn round_trip(&mut self, now: Timestamp, server: ServerIndex, round_trip: Duration) {
        let busy = self.moves_bulk(server.position());
        if let Some(entry) = self.servers.get_mut(server.position()) {
            if busy {
                entry.network.observe_round_trip_under_load(now, round_trip);
            } else {
                entry.network.observe_round_trip(now, round_trip);
            }
            entry.generation += 1;
            self.learned(now);
        }
    }

    /// What the transport knows of the path to a server now. Told when a frame of the server was handled and when the
    /// engine's time has come: it costs no packet, and wakes nobody.
    pub fn path(&mut self, now: Timestamp, server: ServerIndex, sample: PathSample) {
        let busy = self.moves_bulk(server.position());
        if let Some(entry) = self.servers.get_mut(server.position()).filter(|entry| entry.is_attached()) {
            entry.generation += u64::from(entry.network.observe_path(now, sample, busy));
        }
    }

    /// Whether so many bytes of calls are on their way to or from a server that they make a queue.
    fn moves_bulk(&self, position: usize) -> bool {
        self.under_way.values().any(|under_way| {
            let method: MethodIndex = under_way.offer.request.method;
            under_way.offer.server.position() == position
                && (under_way.is_large()
                    || self
                        .profile
                        .method(method)
                        .and_then(|statistics| statistics.down(under_way.offer.request.work))
                        .is_some_and(|down| is_bulk(down.median())))
        })
    }

    /// The way to a server is another one now (a new address of ours): what was learned of it is uncertain.
    pub fn path_changed(&mut self, now: Timestamp, server: ServerIndex) {
        if let Some(entry) = self.servers.get_mut(server.position()) {
            entry.network.reset();
            entry.generation += 1;
            self.learned(now);
        }
    }

    /// Takes out of a session what it wants done.
    pub(super) fn pump(&mut self, now: Timestamp, position: usize) {
        let server = ServerIndex(position as u16);
        while let Some(output) = self.servers[position].session_mut().and_then(Session::poll) {
            match output {
                SessionOutput::Transmit { lane, bytes } => {
                    self.radio.sent(now, bytes.len());
                    self.outputs.push_back(Output::Transmit { server, lane, bytes });
                }
                SessionOutput::Event(event) => self.session_event(now, position, event),
                SessionOutput::Close(reason) => {
                    self.outputs.push_back(Output::Disconnect { server, reason: reason.clone() });
                    self.session_over(now, position, &reason);
                }
            }
        }
    }

    fn session_event(&mut self, now: Timestamp, position: usize, event: Event) {
        match event {
            Event::Attached(welcome) => self.attached(now, position, &welcome),
            Event::Refused(refusal) => {
                let wait = if matches!(refusal, Refusal::Busy) { Duration::ZERO } else { REFUSED };
                self.servers[position].refused = Some(wait);
                self.trouble(position, refusal.to_string());
            }
            Event::Replied(reply) => self.replied(now, reply),
            Event::Failed(failed) => self.failed(now, failed),
            Event::Back(back) => self.called_back(now, back),
            Event::Draining => self.refresh_words(now),
            Event::Load(load) => self.servers[position].loaded(now, load),
            Event::Probed(probed) => self.probed(now, position, probed),
            Event::RoundTrip(round_trip) => {
                // Waking the radio is no part of the way.
                let shortest = self.servers[position].network.round_trip(now).at(Quantile::P05);
                let way = self.radio.without_waking(now, round_trip, round_trip, shortest);
                self.round_trip(now, ServerIndex(position as u16), way);
            }
            Event::Lost { reason, unknown } => self.lost(now, &unknown, &reason),
            _ => {}
        }
    }

    fn attached(&mut self, now: Timestamp, position: usize, welcome: &Welcome) {
        let server = &mut self.servers[position];
        let restarted = server.instance.is_some_and(|instance| instance != welcome.server);
        if restarted {
            server.restarted();
        }
        server.instance = Some(welcome.server);
        server.capacity = welcome.capacity;
        server.attached_at = Some(now);
        // The greeting lists the methods in the order of their indices.
        server.statuses.clone_from(&welcome.methods);
        server.last_trouble = None;
        server.busy_until = now;
        server.generation += 1;
        server.loaded(now, welcome.load);
        let name = server.settings.name.clone();
        if restarted {
            // Another run of the server has not done what the last one did.
            for state in &mut self.methods {
                state.recovered(ServerIndex(position as u16));
            }
        }
        self.ask(now, ServerIndex(position as u16), welcome.server);
        self.ask_inner_now(now, position);
        self.planner.dirty(now);
        self.refresh_words(now);
        // Last: whoever reads that it is attached may count on calls going there.
        self.notice(Notice::Attached { server: name.clone() });
        for (state, status) in self.methods.iter().zip(&welcome.methods) {
            if *status != MethodStatus::Accepted && state.bound_here().is_none() {
                let reason = LocalReason::NotOffered(*status).to_string();
                let (server, method) = (name.clone(), state.info.name.clone());
                self.outputs.push_back(Output::Notice(Notice::NotOffered { server, method, reason }));
            }
        }
    }

    fn session_over(&mut self, now: Timestamp, position: usize, reason: &Lost) {
        let server = &mut self.servers[position];
        server.statuses.clear();
        let lasted = server.attached_at.take().map(|since| now.since(since));
        if lasted.is_some_and(|lasted| lasted >= STABLE) {
            server.failures.reset();
        }
        let refused = server.refused.take();
        let renewing = std::mem::take(&mut server.renew) && *reason == Lost::WeLeft;
        if renewing {
            server.link = Link::due(now);
        } else {
            // A refusal was told already; that the app itself leaves is no trouble.
            if refused.is_none() && *reason != Lost::WeLeft {
                self.trouble(position, reason.to_string());
            }
            let violated = matches!(reason, Lost::Violation(_));
            self.retry(now, position, refused.unwrap_or(if violated { REFUSED } else { Duration::ZERO }));
        }
        self.refresh_words(now);
    }

    /// Closes a session that does not list every method, once nothing is under way and it has served a while.
    pub(super) fn renew_if_idle(&mut self, now: Timestamp, position: usize) {
        let due = self.renewal(position).is_some_and(|due| due <= now);
        if let Some(session) = self.servers[position].session_mut().filter(|_| due) {
            session.goodbye(now);
            self.pump(now, position);
        }
    }

    /// When that session is to be closed for a new one that lists every method.
    pub(super) fn renewal(&self, position: usize) -> Option<Timestamp> {
        let server = &self.servers[position];
        let since = server.attached_at.filter(|_| server.renew)?;
        let idle = self.under_way.values().all(|under_way| under_way.offer.server.position() != position)
            && !self.inner.any_to(position);
        idle.then(|| since + SERVED)
    }

    fn trouble(&mut self, position: usize, reason: String) {
        let server = &mut self.servers[position];
        // A dead server is tried again and again; once is enough for the log.
        let known = server.last_trouble.as_ref() == Some(&reason);
        server.last_trouble = Some(reason.clone());
        if !known {
            let server = server.settings.name.clone();
            self.notice(Notice::Trouble { server, reason });
        }
    }

    fn hello(&self, server: ServerIndex) -> Hello {
        let token = self.servers.get(server.position()).map(|server| server.settings.token.clone());
        Hello {
            protocol: PROTOCOL,
            app: self.settings.app.clone(),
            token: token.unwrap_or_default(),
            device: self.settings.device,
            limits: self.settings.limits,
            methods: self.methods.iter().map(|state| state.info.entry()).collect(),
        }
    }
}
