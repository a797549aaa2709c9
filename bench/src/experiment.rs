//! What an experiment is, and how long it may take.

use crate::failure::Failure;
use crate::report::Report;
use crate::series::Series;

/// Something that is measured; one file in `experiments/`.
pub(crate) trait Experiment {
    /// Its name in GOALS.
    fn name(&self) -> &'static str;

    /// What it measures, in a line.
    fn about(&self) -> &'static str;

    /// Measures, and reports each figure.
    fn run(&self, effort: Effort, report: &mut Report) -> Result<(), Failure>;
}

/// How many turns an experiment takes, and how long they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// For figures to quote.
    Full,
    /// To see that it works.
    Quick,
}

impl Effort {
    /// How often everything is measured in turn.
    pub(crate) fn turns(self) -> usize {
        match self {
            Self::Full => 15,
            Self::Quick => 3,
        }
    }

    /// How much work a turn is, given what it is in a full run.
    pub(crate) fn work(self, full: usize) -> usize {
        match self {
            Self::Full => full,
            Self::Quick => full / 10 + 1,
        }
    }
}

/// One of the things that are measured in turns.
pub(crate) struct Contender<'a> {
    /// What it is called within its experiment.
    pub(crate) name: &'static str,
    /// Takes a turn and says the figure.
    pub(crate) turn: Box<dyn FnMut() -> Result<f64, Failure> + 'a>,
}

impl<'a> Contender<'a> {
    pub(crate) fn new(name: &'static str, turn: impl FnMut() -> Result<f64, Failure> + 'a) -> Self {
        Self { name, turn: Box::new(turn) }
    }
}

/// Measures the contenders in turns, after one turn each that does not count, and gives their figures in their order.
pub(crate) fn side_by_side(effort: Effort, contenders: &mut [Contender<'_>]) -> Result<Vec<Series>, Failure> {
    let mut series = vec![Series::default(); contenders.len()];
    for turn in 0..=effort.turns() {
        for (contender, series) in contenders.iter_mut().zip(&mut series) {
            let figure = (contender.turn)()?;
            if turn > 0 {
                series.push(figure);
            }
        }
    }
    Ok(series)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[test]
    fn contenders_alternate_and_the_first_turn_does_not_count() {
        let order = RefCell::new(Vec::new());
        let contender = |name: &'static str| {
            let order = &order;
            Contender::new(name, move || {
                order.borrow_mut().push(name);
                Ok(order.borrow().len() as f64)
            })
        };
        let series = side_by_side(Effort::Quick, &mut [contender("a"), contender("b")]).unwrap();
        assert_eq!(*order.borrow(), ["a", "b"].repeat(Effort::Quick.turns() + 1));
        assert_eq!((series[0].median(), series[1].median()), (5.0, 6.0));
    }
}
