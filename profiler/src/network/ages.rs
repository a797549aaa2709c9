//! How good forecasts were, by how old the newest sample was.

use outboard_core::Timestamp;

use super::gauge::{FORECASTERS, Side};
use crate::math::{exp, ln};
use crate::spread::Quantile;

/// How many ages are told apart: octaves from a quarter of a second to 512 s.
pub(super) const AGES: usize = 12;
const YOUNGEST: f64 = 0.25;
/// Guesses of one age that wait for their sample at the same time.
const WAITING: usize = 4;

/// A forecaster that is off by more than this, and by more than twice what is usual, is off: the median matters, and
/// outages must not choose.
const TRUNCATED: f64 = 0.3;
/// What a new loss weighs at least.
const DISCOUNT: f64 = 0.01;
/// Losses are compared on a scale of this share of the best one. Chosen, as are the other constants here, on the first
/// halves of recorded networks (EVDO, HSDPA, 5G, Starlink, Oboe); their second halves were left for the test.
const SHARPNESS: f64 = 0.02;
/// What is known of a forecaster beforehand counts as this many losses.
const BEFOREHAND: f64 = 3.0;
/// Most losses of one age that count; a link that changed is known by its latest ones.
const COUNTED: f64 = 60.0;
/// The last sample has to be beaten by a tenth at ages where nothing much can have happened.
const INCUMBENT: f64 = 0.9;
const YOUNG: usize = 3;
/// How many samples each forecaster looks back over.
const MEMORY: [f64; FORECASTERS] = [0.5, 2.0, 5.0, 20.0, 100.0];
/// What the losses at a neighbouring age count for this one.
const NEIGHBOUR: [f64; 4] = [1.0, 0.3, 0.1, 0.02];

/// Before anything was scored: what a forecast of a quarter of a second is off by, and what each octave adds.
const DEVIATION: f64 = 0.2;
const GROWTH: f64 = 0.3;
/// The prior deviation counts as this many scores.
const PRIOR_SCORES: f64 = 5.0;
/// Nothing is known better than within two per cent: a link that stood still so far may begin to move.
const SHARPEST: f64 = 0.02;
/// A forecast that is off by more counts as this much: a factor of twelve.
const WORST: f64 = 2.5;

/// One age: what the forecasts of that age were off by.
#[derive(Clone, Debug)]
pub(super) struct Age {
    waiting: [Option<Guess>; WAITING],
    losses: [f64; FORECASTERS],
    scores: f64,
    /// The mean error of the mixed forecast.
    error: f64,
    /// How many mean errors away the bound lies that one in ten passes: 1.61 of a normal distribution, learned, since
    /// networks have heavier tails and a bound has to hold.
    reach: f64,
}

/// A forecast that waits for the sample it will be compared with.
#[derive(Clone, Copy, Debug)]
struct Guess {
    at: Timestamp,
    each: [f64; FORECASTERS],
    mixed: f64,
}

impl Age {
    pub(super) fn new() -> Self {
        Self {
            waiting: [None; WAITING],
            losses: [0.0; FORECASTERS],
            scores: 0.0,
            error: 0.0,
            // The mean distance of a normal distribution is √(2/π) of its deviation.
            reach: Quantile::P90.deviations() / 0.797_884_560_802_865_4,
        }
    }

    /// What was learned is of another path: it counts little.
    pub(super) fn doubt(&mut self) {
        self.waiting = [None; WAITING];
        self.scores = self.scores.min(BEFOREHAND);
    }

    /// A sample came: compares it with the guesses that have waited so long.
    pub(super) fn score(&mut self, position: usize, now: Timestamp, log: f64, side: Side) {
        for slot in 0..WAITING {
            let Some(guess) = self.waiting[slot] else { continue };
            let age = now.since(guess.at).as_secs_f64();
            match nearest(age).cmp(&position) {
                std::cmp::Ordering::Less => continue,
                // Its sample came too late: it is another age's affair.
                std::cmp::Ordering::Greater => self.waiting[slot] = None,
                std::cmp::Ordering::Equal if age <= 0.0 => continue,
                std::cmp::Ordering::Equal => {
                    self.waiting[slot] = None;
                    self.learn(&guess, log, side);
                }
            }
        }
    }

    fn learn(&mut self, guess: &Guess, log: f64, side: Side) {
        let weight = (1.0 / (self.scores + 1.0)).max(DISCOUNT);
        let most = TRUNCATED.max(2.0 * self.error);
        for (loss, forecast) in self.losses.iter_mut().zip(guess.each) {
            *loss += weight * ((forecast - log).abs().min(most) - *loss);
        }
        let error = log - guess.mixed;
        let harm = if side == Side::Above { error } else { -error };
        if self.scores >= PRIOR_SCORES {
            // The quantile is followed by small steps up when it was passed and smaller ones down when it was not
            // (Robbins & Monro 1951): one in ten passes it where the steps balance.
            let step = (3.0 / (self.scores + PRIOR_SCORES)).max(0.05);
            let passed = harm > self.error * self.reach;
            self.reach = (self.reach * exp(step * if passed { 0.9 } else { -0.1 })).clamp(0.5, 6.0);
        }
        let weight = weight.max(2.0 * DISCOUNT);
        self.error += weight * (error.abs().min(WORST) - self.error);
        self.scores += 1.0;
    }

    pub(super) fn wants_guess(&self, position: usize, now: Timestamp) -> bool {
        let newest = self.waiting.iter().flatten().map(|guess| guess.at).max();
        let spacing = seconds(position) / WAITING as f64;
        self.waiting.iter().any(Option::is_none)
            && newest.is_none_or(|newest| now.since(newest).as_secs_f64() >= spacing * 0.99)
    }

    pub(super) fn guess(&mut self, now: Timestamp, each: [f64; FORECASTERS], mixed: f64) {
        if let Some(slot) = self.waiting.iter_mut().find(|slot| slot.is_none()) {
            *slot = Some(Guess { at: now, each, mixed });
        }
    }

    /// The distance that one in ten passes.
    fn bound(&self) -> f64 {
        self.error * self.reach
    }
}

/// What each forecaster weighs at that age; together one.
pub(super) fn weights(ages: &[Age; AGES], age: usize) -> [f64; FORECASTERS] {
    let (mut losses, mut count) = ([0.0; FORECASTERS], 0.0);
    for (position, other) in ages.iter().enumerate() {
        let weight = NEIGHBOUR[position.abs_diff(age).min(NEIGHBOUR.len() - 1)] * other.scores.min(COUNTED);
        count += weight;
        for (sum, loss) in losses.iter_mut().zip(other.losses) {
            *sum += weight * loss;
        }
    }
    let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
    let usual = if count > 0.0 { (best / count).max(SHARPEST) } else { 0.2 };
    let horizon = seconds(age) / 2.0 + 1.0;
    for (loss, memory) in losses.iter_mut().zip(MEMORY) {
        // Beforehand, who looks back about as far as ahead is taken for the best.
        let mismatch = (ln((memory + 1.0) / horizon) / std::f64::consts::LN_2).abs();
        *loss = (*loss + BEFOREHAND * usual * (1.0 + mismatch)) / (count + BEFOREHAND);
    }
    if age <= YOUNG {
        losses[0] *= INCUMBENT;
    }
    let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
    let weights = losses.map(|loss| exp((best - loss) / (SHARPNESS * (best + 0.01))));
    let sum: f64 = weights.iter().sum();
    weights.map(|weight| weight / sum)
}

/// The standard deviation at each age: what was learned of it, and beforehand what the younger age has and time adds.
pub(super) fn deviations(ages: &[Age; AGES]) -> [f64; AGES] {
    let prior = |position: usize| DEVIATION * (1.0 + GROWTH * position as f64);
    let mut known = prior(0);
    let mut deviations = [known; AGES];
    for (position, (deviation, other)) in deviations.iter_mut().zip(ages).enumerate() {
        let expected = if position == 0 {
            prior(0)
        } else {
            let (here, before) = (prior(position), prior(position - 1));
            (known * known + here * here - before * before).sqrt()
        };
        let learned = (other.bound() / Quantile::P90.deviations()).max(SHARPEST);
        let trust = other.scores / (other.scores + PRIOR_SCORES);
        let here = exp(trust * ln(learned) + (1.0 - trust) * ln(expected));
        // An older sample is hardly better than a younger one, whatever chance says.
        known = if position == 0 { here } else { here.max(known * 0.9) };
        *deviation = known;
    }
    deviations
}

/// The seconds in the middle of an age.
fn seconds(age: usize) -> f64 {
    YOUNGEST * (1u64 << age) as f64
}

/// The age that so many seconds belong to.
pub(super) fn nearest(seconds: f64) -> usize {
    (octaves(seconds).round().max(0.0) as usize).min(AGES - 1)
}

/// The age below, and how far on the way to the next.
pub(super) fn between(seconds: f64) -> (usize, f64) {
    let octaves = octaves(seconds).clamp(0.0, (AGES - 1) as f64);
    (octaves as usize, octaves.fract())
}

fn octaves(seconds: f64) -> f64 {
    ln((seconds / YOUNGEST).max(1e-3)) / std::f64::consts::LN_2
}
