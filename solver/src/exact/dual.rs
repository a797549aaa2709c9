//! The row priced instead of kept: every price makes one minimum cut, and every cut a bound.
//!
//! For a price `(p, q)` the cut finds the choice with the least `q·row − p·gain`. Whatever meets the row has `row ≤ S`,
//! hence gains at most `(q·S − least) / p`. The price that bounds best is where the cheapest choice changes from one that
//! meets the row to one that does not; the chord of the two that are known leads to it in a handful of cuts (Fisher 1981
//! surveys subgradients for this; with one row Newton's method is exact and finite).

use super::core::Core;
use super::fix;
use super::incumbent::Best;
use super::price::{Point, Price};
use crate::cut::Network;
use crate::steps::Steps;

/// What pricing a core came to.
pub(super) enum Verdict {
    /// Nothing in the core is worthwhile, or what was best in it is the incumbent now.
    Closed {
        /// Nothing in it gains more.
        bound: i64,
    },
    /// Nothing in the core meets the row, whose left side is at least that.
    Infeasible { least: i64 },
    /// Something may be worthwhile.
    Open(Open),
    /// It was to stop. What is in the core gains at most that, as far as is known.
    Stopped { bound: i64 },
}

/// What is known of a core that is not closed.
pub(super) struct Open {
    /// Nothing in it gains more.
    pub(super) bound: i64,
    /// The price that bounds best.
    pub(super) price: Price,
    /// What is worthwhile has these vertices there.
    pub(super) decided: Vec<Option<bool>>,
    /// The weightiest vertex, in the program's numbers, about which the best choices that meet the row and that do not
    /// disagree: a linear program would split it.
    pub(super) pivot: Option<u32>,
}

/// The price is good enough once a better one cannot take more than this part of what is open between the bound and the
/// incumbent.
const CLOSE: i128 = 6;

/// The most cuts after which a price need not be a chord's.
const MOST_BETWEEN: u32 = 64;

/// A choice for the core's vertices.
struct Choice {
    point: Point,
    /// The price at which it is the cheapest.
    price: Option<Price>,
    away: Vec<bool>,
}

/// One core being priced.
pub(super) struct Dual<'a> {
    core: &'a Core,
    pub(super) network: Network,
    /// Absolute sums of gains and costs, and of delays and times.
    sums: (i128, i128),
    slack: i64,
    /// No choice gains more, and the price that says so.
    bound: i64,
    price: Price,
    decided: Vec<Option<bool>>,
    /// The latest choices that meet the row and that do not.
    low: Option<Choice>,
    high: Option<Choice>,
}

/// A cut at a price.
pub(super) struct Cut {
    pub(super) price: Price,
    /// Weights are divided by two to this, rounded down, so that they fit.
    shift: u32,
    /// No choice costs less, in those units.
    least: i64,
}

impl<'a> Dual<'a> {
    pub(super) fn new(core: &'a Core) -> Self {
        let pairs: Vec<(u32, u32)> = core.edges.iter().map(|edge| edge.ends).collect();
        let absolute = |values: &[i64]| values.iter().map(|value| i128::from(value.abs())).sum::<i128>();
        let costs: i128 = core.edges.iter().map(|edge| i128::from(edge.cost)).sum();
        let times: i128 = core.edges.iter().map(|edge| i128::from(edge.time)).sum();
        let positive: i64 = core.gains.iter().map(|gain| gain.max(&0)).sum();
        Self {
            core,
            network: Network::new(core.len(), &pairs),
            sums: (absolute(&core.gains) + costs, absolute(&core.delays) + times),
            slack: core.slack.unwrap_or(0),
            bound: core.banked + positive,
            price: Price::GAIN,
            decided: vec![None; core.len()],
            low: None,
            high: None,
        }
    }

    /// Prices the row, at first as `hint` says, until no price bounds much better.
    pub(super) fn run(mut self, hint: Option<Price>, best: &mut Best, steps: &mut Steps<'_>) -> Verdict {
        if self.core.fits(0) {
            self.consider(None, vec![false; self.core.len()], best);
        }
        let mut price = hint.unwrap_or(Price::GAIN);
        let mut between = MOST_BETWEEN;
        loop {
            let Some(cut) = self.cut(price, steps) else {
                return Verdict::Stopped { bound: self.bound };
            };
            let known = self.low.iter().chain(&self.high).map(|choice| price.of(choice.point)).min();
            let bound = self.bound_of(&cut);
            if bound <= self.bound && price.gain > 0 {
                (self.bound, self.price) = (bound, price);
            }
            let cheapest = self.take(&cut, best);
            if !self.decide(&cut, best) {
                return Verdict::Closed { bound: self.bound };
            }
            price = match (&self.low, &self.high) {
                (Some(low), Some(high)) => {
                    let chord = Price::chord(low.point, high.point);
                    let optimal = low.price == high.price
                        || (price == chord && known.is_some_and(|known| cheapest >= known));
                    if price.gain > 0 && (self.close_enough(chord, best) || optimal) {
                        if !self.decide(&cut, best) {
                            return Verdict::Closed { bound: self.bound };
                        }
                        break;
                    }
                    // A chord's cut finds something cheaper or ends the search, so that it does end.
                    between = between.saturating_sub(1);
                    (if price == chord && between > 0 { self.between() } else { None }).unwrap_or(chord)
                }
                (None, _) if price == Price::ROW => return Verdict::Infeasible { least: cut.least },
                // What gains most meets the row.
                (_, None) if price == Price::GAIN => return Verdict::Closed { bound: self.bound },
                (None, _) => Price::ROW,
                (_, None) => Price::GAIN,
            };
        }
        let pivot = self.pivot();
        Verdict::Open(Open { bound: self.bound, price: self.price, decided: self.decided, pivot })
    }

    /// Decides what a cut decides; says whether there may still be something worthwhile.
    fn decide(&mut self, cut: &Cut, best: &Best) -> bool {
        best.worthwhile().is_none_or(|least| {
            self.bound >= least && fix::decide(&self.network, self.most(cut, least), &mut self.decided)
        })
    }

    /// Whether the best price cannot better the bound by much of what is open. No price bounds better than the chord's
    /// would if nothing were cheaper there than the two choices it is between.
    fn close_enough(&mut self, chord: Price, best: &mut Best) -> bool {
        let (Some(low), Some(high)) = (&self.low, &self.high) else { return false };
        let most = i128::from(chord.row) * i128::from(self.slack) - chord.of(low.point);
        let floor = most.div_euclid(i128::from(chord.gain)) + i128::from(self.core.banked);
        let close = |best: &Best| {
            best.worthwhile().is_some_and(|least| {
                let (open, better) = (self.bound - least, i128::from(self.bound) - floor);
                better * CLOSE <= i128::from(open)
            })
        };
        if !close(best) {
            return false;
        }
        // With a better incumbent less is open, and more is decided.
        best.mix(self.core, &low.away, &high.away);
        if best
            .worthwhile()
            .is_some_and(|least| i128::from(self.bound - least) * 64 > i128::from(self.bound.abs()))
        {
            best.peel(self.core, chord, &high.away);
        }
        close(best)
    }

    /// A price between those of `low` and `high`. The chord alone nears the best price from one side, by little each time.
    fn between(&self) -> Option<Price> {
        let (low, high) = (self.low.as_ref()?, self.high.as_ref()?);
        let over = |choice: &Choice| i128::from(choice.point.row) - i128::from(self.slack);
        Price::between(low.price?, -over(low), high.price?, over(high))
    }

    /// Where to branch: see [`Open::pivot`].
    fn pivot(&self) -> Option<u32> {
        let (low, high) = (self.low.as_ref()?, self.high.as_ref()?);
        let split = |vertex: usize| low.away[vertex] != high.away[vertex] && self.decided[vertex].is_none();
        let mut weights = self.core.weights(self.price);
        for (vertex, weight) in weights.iter_mut().enumerate() {
            if !split(vertex) {
                *weight = -1;
            }
        }
        let (vertex, weight) = weights.iter().enumerate().max_by_key(|(_, weight)| **weight)?;
        (*weight >= 0).then(|| self.core.origin[vertex])
    }

    /// A minimum cut at a price; `None` if it was to stop.
    pub(super) fn cut(&mut self, price: Price, steps: &mut Steps<'_>) -> Option<Cut> {
        let sum = i128::from(price.gain) * self.sums.0 + i128::from(price.row) * self.sums.1;
        // Below 2⁶¹ with what rounding adds, at most one per vertex.
        let mut shift = 0;
        while (sum >> shift) + self.core.len() as i128 >= 1 << 61 {
            shift += 1;
        }
        let scaled = |value: i128| (value >> shift) as i64;
        let mut least = 0;
        for (vertex, (gain, row)) in self.core.gains.iter().zip(&self.core.delays).enumerate() {
            let weight = scaled(price.of(Point { gain: *gain, row: *row }));
            least += weight.min(0);
            self.network.terminal(vertex, -weight);
        }
        for (index, edge) in self.core.edges.iter().enumerate() {
            let capacity = scaled(price.of(Point { gain: -edge.cost, row: edge.time }));
            self.network.capacity(index, capacity, capacity);
        }
        // Setting weights here, measuring the choice and looking at every vertex afterwards.
        steps.spend(4 * self.core.size() as u64);
        least += self.network.solve(steps)?;
        Some(Cut { price, shift, least })
    }

    /// What a choice that meets the row gains at most, by this cut.
    fn bound_of(&self, cut: &Cut) -> i64 {
        if cut.price.gain == 0 {
            return self.bound;
        }
        let least = i128::from(cut.least) << cut.shift;
        let most = i128::from(cut.price.row) * i128::from(self.slack) - least;
        let gain = most.div_euclid(i128::from(cut.price.gain)) + i128::from(self.core.banked);
        i64::try_from(gain).unwrap_or(self.bound)
    }

    /// The least gain for which nothing costs `extra` more than the cut and is worthwhile.
    pub(super) fn target(&self, cut: &Cut, extra: i64) -> i64 {
        let cost = (i128::from(cut.least) + i128::from(extra)) << cut.shift;
        let most = i128::from(cut.price.row) * i128::from(self.slack) - cost;
        let gain = most.div_euclid(i128::from(cut.price.gain)) + 1 + i128::from(self.core.banked);
        i64::try_from(gain).unwrap_or(i64::MIN)
    }

    /// By how much, in the cut's units, a choice that is worthwhile can at most cost more than the cut.
    pub(super) fn most(&self, cut: &Cut, worthwhile: i64) -> i64 {
        let needed = i128::from(worthwhile - self.core.banked);
        let most = i128::from(cut.price.row) * i128::from(self.slack) - i128::from(cut.price.gain) * needed;
        let most = (most >> cut.shift) - i128::from(cut.least);
        i64::try_from(most).unwrap_or(if most < 0 { -1 } else { i64::MAX })
    }

    /// Takes the smallest and the largest cheapest choice; returns what they cost.
    fn take(&mut self, cut: &Cut, best: &mut Best) -> i128 {
        let vertices = 0..self.core.len();
        let smallest: Vec<bool> = vertices.clone().map(|vertex| self.network.is_source(vertex)).collect();
        let largest: Vec<bool> = vertices.map(|vertex| !self.network.reaches_sink(vertex)).collect();
        let differ = smallest != largest;
        let mut cost = cut.price.of(self.consider(Some(cut.price), smallest, best));
        if differ {
            cost = cost.min(cut.price.of(self.consider(Some(cut.price), largest, best)));
        }
        cost
    }

    /// Offers a choice, and keeps it as the latest on its side of the row's bound.
    fn consider(&mut self, price: Option<Price>, away: Vec<bool>, best: &mut Best) -> Point {
        let point = self.core.measure(|vertex| away[vertex]);
        let fits = point.row <= self.slack;
        if fits {
            best.offer(self.core, point.gain, |vertex| away[vertex]);
        }
        let choice = Some(Choice { point, price, away });
        if fits {
            self.low = choice;
        } else {
            self.high = choice;
        }
        point
    }
}
