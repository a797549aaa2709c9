//! One direction of a link: when what is sent arrives, if it does. Pure: time and seed are arguments.

use std::time::Duration;

/// What a direction of a link does to datagrams.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conditions {
    /// How long each is under way, at least.
    pub delay: Duration,
    /// How much longer, at most, each by its own chance: larger than the time between two, it makes them change places.
    pub jitter: Duration,
    /// The share that is lost, from 0 to 1.
    pub loss: f64,
    /// The share that arrives twice, from 0 to 1.
    pub repeated: f64,
    /// Bytes per second that pass; `None`: any number.
    pub rate: Option<u64>,
    /// Bytes that wait for their turn where there is a rate; what comes beyond is lost.
    pub queue: u64,
}

impl Default for Conditions {
    /// A perfect link.
    fn default() -> Self {
        Self {
            delay: Duration::ZERO,
            jitter: Duration::ZERO,
            loss: 0.0,
            repeated: 0.0,
            rate: None,
            queue: 256 << 10,
        }
    }
}

/// One direction of a link.
#[derive(Clone, Debug)]
pub struct Path {
    /// What it does from now on.
    pub conditions: Conditions,
    random: u64,
    /// When the last datagram in the queue will have left it.
    busy_until: Duration,
}

impl Path {
    /// A perfect path, with chances of its own.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { conditions: Conditions::default(), random: seed, busy_until: Duration::ZERO }
    }

    /// When a datagram that is sent now arrives, and when once more.
    pub fn send(&mut self, now: Duration, size: usize) -> [Option<Duration>; 2] {
        let Conditions { delay, jitter, loss, repeated, rate, queue } = self.conditions;
        let left = match rate {
            None => now,
            Some(rate) => {
                let begins = self.busy_until.max(now);
                let waiting = (begins - now).as_secs_f64() * rate as f64;
                if waiting > queue as f64 {
                    return [None; 2];
                }
                self.busy_until = begins + Duration::from_secs_f64(size as f64 / rate.max(1) as f64);
                self.busy_until
            }
        };
        let is_lost = self.draw() < loss;
        let is_repeated = self.draw() < repeated;
        let mut arrival = || left + delay + jitter.mul_f64(self.draw());
        let (first, second) = (arrival(), arrival());
        if is_lost { [None; 2] } else { [Some(first), is_repeated.then_some(second)] }
    }

    /// From 0 to below 1: SplitMix64 (Steele, Lea, Flood 2014), the same on every machine.
    fn draw(&mut self) -> f64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1);

    fn path(conditions: Conditions) -> Path {
        Path { conditions, ..Path::new(7) }
    }

    #[test]
    fn a_perfect_path_delivers_each_at_once_and_once() {
        let mut path = Path::new(7);
        for _ in 0..100 {
            assert_eq!(path.send(NOW, 1_200), [Some(NOW), None]);
        }
    }

    #[test]
    fn the_shares_are_kept_and_the_same_seed_has_the_same_chances() {
        let conditions = Conditions { loss: 0.3, repeated: 0.1, ..Conditions::default() };
        let arrivals = |path: &mut Path| (0..10_000).map(|_| path.send(NOW, 100)).collect::<Vec<_>>();
        let (mut one, mut same) = (path(conditions), path(conditions));
        let all = arrivals(&mut one);
        assert_eq!(all, arrivals(&mut same));
        let lost = all.iter().filter(|[first, _]| first.is_none()).count();
        let twice = all.iter().filter(|[_, second]| second.is_some()).count();
        assert!((2_800..3_200).contains(&lost) && (600..800).contains(&twice), "{lost}, {twice}");
    }

    #[test]
    fn jitter_makes_datagrams_change_places_and_none_is_early() {
        let (delay, jitter) = (Duration::from_millis(100), Duration::from_millis(20));
        let mut path = path(Conditions { delay, jitter, ..Conditions::default() });
        let arrivals: Vec<Duration> = (0..100).filter_map(|_| path.send(NOW, 100)[0]).collect();
        assert!(!arrivals.is_sorted());
        assert!(arrivals.iter().all(|at| (NOW + delay..NOW + delay + jitter).contains(at)));
    }

    #[test]
    fn a_rate_makes_datagrams_wait_and_a_full_queue_loses_them() {
        let mut path = path(Conditions { rate: Some(10_000), queue: 2_000, ..Conditions::default() });
        let arrivals: Vec<_> = (0..5).map(|_| path.send(NOW, 1_000)[0]).collect();
        let after = |millis| Some(NOW + Duration::from_millis(millis));
        assert_eq!(arrivals, [after(100), after(200), after(300), None, None]);
        assert_eq!(path.send(NOW + NOW, 1_000)[0], Some(NOW + NOW + Duration::from_millis(100)));
    }
}
