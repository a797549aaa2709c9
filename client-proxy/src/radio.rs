//! The device's radio, as far as the engine can know it: from every frame that passes, whichever server it is of.

use std::time::Duration;

use outboard_core::{ByteCount, Energy, Timestamp};
use outboard_profiler::{Exchange, Radio, RadioCost, RadioModel, RadioState, Transfer};

use crate::quote::Spoilt;

/// When the radio was used, and how often it sleeps when a call comes.
#[derive(Clone, Debug)]
pub(crate) struct RadioUse {
    /// `None` where the radio's figures are not known.
    radio: Option<Radio>,
    /// When it was woken last, and how long that took.
    woken: Option<(Timestamp, Duration)>,
    /// When a call was decided on last.
    asked: Option<Timestamp>,
    /// When a call was heard of last, one too that ran here without asking.
    called: Option<Timestamp>,
    /// The usual time between two calls that are decided on, as far as it is shorter than the radio stays awake: in seconds.
    silence: f64,
    /// What calls would have saved since the radio was used last, had it been as it usually is; and the last of them.
    forgone: Energy,
    forgone_at: Option<Timestamp>,
}

/// What is taken for the radio's state when a call is priced.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RadioView<'a> {
    /// Its figures are not known.
    Unknown,
    /// As it is.
    Now(&'a Radio),
    /// Last used that long before.
    After(&'a RadioModel, Duration),
}

/// The weight of a new call in the usual silence: about the last twenty count.
const NEW: f64 = 0.05;

impl RadioUse {
    pub(crate) fn new(now: Timestamp, model: Option<&RadioModel>) -> Self {
        let radio = model.map(|model| Radio::new(*model, now));
        Self {
            radio,
            woken: None,
            asked: None,
            called: None,
            silence: 0.0,
            forgone: Energy::ZERO,
            forgone_at: None,
        }
    }

    /// A frame goes out.
    pub(crate) fn sent(&mut self, now: Timestamp, bytes: usize) {
        let Some(radio) = &mut self.radio else { return };
        let up = ByteCount::from_bytes(bytes as u64);
        let delay = radio.ready(now, up);
        // What goes along with the message that wakes it does not wake it again.
        if delay > Duration::ZERO && radio.state(now) != RadioState::Promoting {
            self.woken = Some((now, delay));
        }
        radio.transfer(Transfer { start: now, end: now, up, down: ByteCount::ZERO });
        self.forgone = Energy::ZERO;
    }

    /// A frame has come: if the radio slept, it was woken for it before, and the frame may have waited until it listened; for
    /// half a period, as far as anybody knows.
    pub(crate) fn received(&mut self, now: Timestamp, bytes: usize) {
        let Some(radio) = &mut self.radio else { return };
        let down = ByteCount::from_bytes(bytes as u64);
        let state = radio.state(now);
        let slept = state == RadioState::Idle;
        let unheard = radio.model().beacon().filter(|_| slept).unwrap_or_default() / 2;
        let waking = radio.ready(now, down);
        let start = before(now, waking);
        if state != RadioState::Promoting && (slept || waking > Duration::ZERO) {
            self.woken = Some((before(start, unheard), waking.saturating_add(unheard)));
        }
        radio.transfer(Transfer { start, end: now, up: ByteCount::ZERO, down });
        self.forgone = Energy::ZERO;
    }

    /// A call is decided on.
    pub(crate) fn asked(&mut self, now: Timestamp) {
        self.called(now);
        let Some(radio) = &self.radio else { return };
        if let Some(before) = self.asked.replace(now) {
            let silence = now.since(before).min(radio.model().awake_for()).as_secs_f64();
            self.silence += NEW * (silence - self.silence);
        }
    }

    /// A call ran, somewhere.
    pub(crate) fn called(&mut self, now: Timestamp) {
        self.called = Some(now);
    }

    /// Whether anything was called after that.
    pub(crate) fn called_since(&self, then: Timestamp) -> bool {
        self.called.is_some_and(|called| called > then)
    }

    /// Whether the radio may be used for a call although that takes more than the call saves.
    ///
    /// Nobody knows how many calls will follow and find the radio awake. Once those that stayed here would have saved what
    /// using it costs, it is used: so calls cost at most about twice what they would, had their number been known (the
    /// rule of the rented skis; Karlin et al., Competitive Snoopy Caching, Algorithmica 1988).
    pub(crate) fn is_worth_using(&self, spoilt: Spoilt) -> bool {
        self.forgone + spoilt.saves >= spoilt.costs
    }

    /// A call stays here because the radio has been silent.
    pub(crate) fn forgo(&mut self, now: Timestamp, spoilt: Spoilt) {
        // One that is decided on for several servers is one.
        if self.forgone_at.replace(now) != Some(now) {
            self.forgone += spoilt.saves;
        }
    }

    /// What is left of the `way` that was measured if waking the radio is no part of it; the radio counts if it was woken within
    /// the last `time`. It does not always take the same time: less than `shortest` is left only where there was less.
    pub(crate) fn without_waking(
        &self,
        now: Timestamp,
        time: Duration,
        way: Duration,
        shortest: Duration,
    ) -> Duration {
        match self.woken {
            Some((at, delay)) if now.since(at) <= time => way.saturating_sub(delay).max(way.min(shortest)),
            _ => way,
        }
    }

    /// Whether something can be sent without waking it first; `None` where its figures are not known.
    pub(crate) fn is_awake(&self, now: Timestamp) -> Option<bool> {
        self.radio.as_ref().map(|radio| radio.ready(now, ByteCount::ZERO).is_zero())
    }

    /// What a kept quote has to agree with: it changes when the radio falls from one state into another.
    pub(crate) fn state(&self, now: Timestamp) -> Option<RadioState> {
        self.radio.as_ref().map(|radio| radio.state(now))
    }

    /// How long the radio would usually have been silent when a call comes, had the one before it gone to a server.
    pub(crate) fn silence(&self) -> Duration {
        Duration::from_secs_f64(self.silence)
    }

    /// The radio as it is.
    pub(crate) fn radio(&self) -> Option<&Radio> {
        self.radio.as_ref()
    }

    /// The radio as it is, for a quote.
    pub(crate) fn now(&self) -> RadioView<'_> {
        self.radio.as_ref().map_or(RadioView::Unknown, RadioView::Now)
    }

    /// The radio that long after it was used.
    pub(crate) fn after(&self, silence: Duration) -> RadioView<'_> {
        self.radio.as_ref().map_or(RadioView::Unknown, |radio| RadioView::After(radio.model(), silence))
    }
}

impl RadioView<'_> {
    pub(crate) fn just_used(self) -> Self {
        match self {
            Self::Unknown => Self::Unknown,
            Self::Now(radio) => Self::After(radio.model(), Duration::ZERO),
            Self::After(model, _) => Self::After(model, Duration::ZERO),
        }
    }

    pub(crate) fn is_known(self) -> bool {
        !matches!(self, Self::Unknown)
    }

    /// What an exchange costs because of the radio; `None` where its figures are not known.
    pub(crate) fn cost(self, now: Timestamp, exchange: &Exchange) -> Option<RadioCost> {
        match self {
            Self::Unknown => None,
            Self::Now(radio) => Some(radio.marginal(now, exchange)),
            Self::After(model, silence) => Some(model.marginal(Some(silence), exchange)),
        }
    }
}

fn before(now: Timestamp, time: Duration) -> Timestamp {
    let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    Timestamp::from_nanos(now.as_nanos().saturating_sub(nanos))
}

#[cfg(test)]
mod tests {
    use outboard_profiler::RadioProfile;

    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::ZERO + Duration::from_millis(millis)
    }

    fn lte() -> RadioUse {
        let profile = RadioProfile::built_in("lte").expect("built in");
        RadioUse::new(Timestamp::ZERO, RadioModel::new(&profile, None).as_ref())
    }

    #[test]
    fn every_frame_keeps_the_radio_awake() {
        let mut radio = lte();
        assert_eq!(radio.state(at(0)), Some(RadioState::Idle));
        radio.sent(at(1_000), 100);
        assert_eq!(radio.state(at(1_100)), Some(RadioState::Promoting));
        radio.received(at(5_000), 100);
        assert_eq!(radio.state(at(16_000)), Some(RadioState::Tail(0)));
        assert_eq!(radio.state(at(17_000)), Some(RadioState::Idle));
    }

    #[test]
    fn waking_is_told_from_the_way() {
        let mut radio = lte();
        radio.sent(at(1_000), 100);
        let shortest = Duration::from_millis(5);
        let left = |radio: &RadioUse, now, millis| {
            let time = Duration::from_millis(millis);
            radio.without_waking(at(now), time, time, shortest).as_millis()
        };
        assert_eq!(left(&radio, 1_310, 310), 50);
        assert_eq!(left(&radio, 1_262, 262), 5, "no way is as short as that");
        let mut along = radio.clone();
        along.sent(at(1_200), 100);
        assert_eq!(left(&along, 1_310, 310), 50, "it was being woken already");
        radio.sent(at(2_000), 100);
        assert_eq!(left(&radio, 2_050, 50), 50, "it was awake");
        // What comes while it sleeps has waited for it.
        radio.received(at(60_000), 100);
        assert_eq!(left(&radio, 60_000, 30_000), 30_000 - 260);
        assert_eq!(radio.state(at(60_001)), Some(RadioState::Tail(0)));
    }

    #[test]
    fn the_usual_silence_follows_the_calls_and_ends_where_the_radio_sleeps() {
        let mut radio = lte();
        for second in 0..200 {
            radio.asked(at(second * 1_000));
        }
        assert!(radio.silence().abs_diff(Duration::from_secs(1)) < Duration::from_millis(1));
        for minute in 10..200 {
            radio.asked(at(minute * 60_000));
        }
        assert!(radio.silence().abs_diff(Duration::from_millis(11_600)) < Duration::from_millis(1));
    }
}
