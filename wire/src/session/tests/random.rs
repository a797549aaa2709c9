//! Both ends under a random load, where frames overtake each other as they can.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::pair::{Pair, Random, attempt, call, failed, hello};
use crate::frame::*;
use crate::{Limits, device, server};

/// What a device knows of an attempt in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    NotRun,
    Replied,
    Failed,
    Unknown,
    GivenUp,
}

struct Story {
    pair: Pair,
    random: Random,
    next_call: u64,
    open: Vec<Attempt>,
    ends: BTreeMap<Attempt, End>,
    waiting: Vec<Attempt>,
    /// With the number of the next call-back.
    running: Vec<(Attempt, u32)>,
    started: BTreeSet<Attempt>,
    asked: Vec<(Attempt, u32)>,
}

impl Story {
    fn new(seed: u64) -> Self {
        let limits = Limits { calls: 6, ..Limits::default() };
        Self {
            pair: Pair::attached_with(seed, hello(), limits),
            random: Random(seed),
            next_call: 0,
            open: vec![],
            ends: BTreeMap::new(),
            waiting: vec![],
            running: vec![],
            started: BTreeSet::new(),
            asked: vec![],
        }
    }

    fn pick<T>(random: &mut Random, list: &mut Vec<T>) -> Option<T> {
        (!list.is_empty()).then(|| list.swap_remove(random.below(list.len() as u64) as usize))
    }

    fn step(&mut self) {
        match self.random.below(10) {
            0..=2 => {
                let attempt = attempt(self.next_call, 0);
                self.next_call += 1;
                let bytes = if self.random.below(3) == 0 { 20_000 } else { 10 };
                let time_left = (self.random.below(4) == 0).then_some(Duration::from_millis(100));
                let frame = CallFrame { time_left, ..call(attempt, bytes) };
                match self.pair.device.call(self.pair.now, frame) {
                    Ok(()) => self.open.push(attempt),
                    Err(_) => assert!(self.ends.insert(attempt, End::NotRun).is_none()),
                }
            }
            3 => {
                if let Some(attempt) = Self::pick(&mut self.random, &mut self.open) {
                    self.pair.fence(attempt);
                    assert!(self.ends.insert(attempt, End::GivenUp).is_none());
                }
            }
            4 | 5 => {
                if let Some(attempt) = Self::pick(&mut self.random, &mut self.waiting)
                    && self.pair.start(attempt).is_ok()
                {
                    self.started.insert(attempt);
                    self.running.push((attempt, 0));
                }
            }
            6 => {
                if let Some((attempt, sequence)) = Self::pick(&mut self.random, &mut self.running) {
                    match self.pair.back(attempt, sequence) {
                        Ok(()) => self.running.push((attempt, sequence + 1)),
                        Err(_) => self.unwind(attempt),
                    }
                }
            }
            7 => {
                if let Some((attempt, sequence)) = Self::pick(&mut self.random, &mut self.asked) {
                    let is_open = self.open.contains(&attempt);
                    assert_eq!(self.pair.answer(attempt, sequence).is_ok(), is_open);
                }
            }
            8 => self.finish_one(),
            _ => self.pair.pass(Duration::from_millis(self.random.below(60))),
        }
        self.look();
    }

    fn finish_one(&mut self) {
        let Some((attempt, _)) = Self::pick(&mut self.random, &mut self.running) else { return };
        if self.random.below(4) == 0 {
            self.unwind(attempt);
        } else {
            self.pair.reply(attempt);
        }
    }

    fn unwind(&mut self, attempt: Attempt) {
        self.pair.server.fail(self.pair.now, failed(attempt, Failure::Panicked("boom".into())));
    }

    fn look(&mut self) {
        self.pair.pass(Duration::ZERO);
        for event in self.pair.server_saw() {
            match event {
                server::Event::Call(frame) => self.waiting.push(frame.attempt),
                server::Event::Fence(attempt) => self.waiting.retain(|&waiting| waiting != attempt),
                server::Event::Answer(_) | server::Event::Gone { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        for event in self.pair.device_saw() {
            match event {
                device::Event::Replied(frame) => self.ended(frame.attempt, End::Replied),
                device::Event::Failed(frame) if frame.failure.never_started() => {
                    self.ended(frame.attempt, End::NotRun);
                }
                device::Event::Failed(frame) => self.ended(frame.attempt, End::Failed),
                device::Event::Back(frame) => {
                    assert!(self.open.contains(&frame.attempt), "a call-back of an attempt nobody waits for");
                    self.asked.push((frame.attempt, frame.sequence));
                }
                device::Event::Lost { unknown, .. } => {
                    unknown.into_iter().for_each(|attempt| self.ended(attempt, End::Unknown));
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn ended(&mut self, attempt: Attempt, end: End) {
        let place = self.open.iter().position(|&open| open == attempt);
        self.open.swap_remove(place.expect("only an attempt that somebody waits for ends, and once"));
        assert!(self.ends.insert(attempt, end).is_none());
    }
}

#[test]
fn every_attempt_ends_once_and_truly() {
    let mut seen = BTreeMap::<End, u32>::new();
    for seed in 0..150 {
        let mut story = Story::new(seed);
        let steps = 50 + story.random.below(300);
        (0..steps).for_each(|_| story.step());
        if seed % 3 == 0 {
            story.pair.cut();
            story.look();
        } else {
            while !(story.waiting.is_empty() && story.running.is_empty() && story.open.is_empty()) {
                story.look();
                let waiting = std::mem::take(&mut story.waiting);
                for attempt in waiting {
                    if story.pair.start(attempt).is_ok() {
                        story.started.insert(attempt);
                        story.running.push((attempt, 0));
                    }
                }
                story.finish_one();
                story.pair.settle();
                story.look();
            }
            story.pair.settle();
            assert_eq!(story.pair.device.credit(), 6, "seed {seed}: every place is free again");
            assert!(story.pair.server.is_idle(), "seed {seed}");
        }
        assert!(story.open.is_empty(), "seed {seed}");
        for (attempt, end) in &story.ends {
            let started = story.started.contains(attempt);
            match end {
                End::NotRun => {
                    assert!(!started, "seed {seed}: {attempt} started, and the device was told it had not")
                }
                End::Replied | End::Failed => assert!(started, "seed {seed}: {attempt} never started"),
                End::Unknown | End::GivenUp => {}
            }
        }
        story.ends.values().for_each(|&end| *seen.entry(end).or_default() += 1);
    }
    assert!(
        seen.len() == 5 && seen.values().all(|&count| count > 100),
        "{seen:?}: the stories are too much alike"
    );
}
