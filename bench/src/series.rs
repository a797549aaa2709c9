//! Figures of one thing over several turns.

/// Figures in the order in which they were measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Series(Vec<f64>);

impl Series {
    pub(crate) fn push(&mut self, figure: f64) {
        self.0.push(figure);
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The largest figure; not a number without figures.
    pub(crate) fn most(&self) -> f64 {
        self.quantile(1.0)
    }

    /// The figure in the middle; not a number without figures.
    pub(crate) fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// The mean of all figures; not a number without figures.
    pub(crate) fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len() as f64
    }

    /// The figure below which that share of the figures lies, between neighbours in proportion.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
        let place = share.clamp(0.0, 1.0) * last as f64;
        let (below, above) = (place.floor(), place.ceil());
        let (low, high) = (sorted[below as usize], sorted[above as usize]);
        low + (high - low) * (place - below)
    }

    /// This over another, turn by turn.
    pub(crate) fn over(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(own, others)| own / others).collect())
    }

    /// This and a constant.
    pub(crate) fn plus(&self, constant: f64) -> Self {
        self.0.iter().map(|own| own + constant).collect()
    }

    /// This less another, turn by turn.
    pub(crate) fn minus(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(own, others)| own - others).collect())
    }
}

impl FromIterator<f64> for Series {
    fn from_iter<I: IntoIterator<Item = f64>>(figures: I) -> Self {
        Self(figures.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_neighbours() {
        let series: Series = [4.0, 1.0, 3.0, 2.0].into_iter().collect();
        assert_eq!(series.median(), 2.5);
        assert_eq!((series.quantile(0.0), series.quantile(1.0)), (1.0, 4.0));
        assert_eq!(series.mean(), 2.5);
        assert!(Series::default().median().is_nan() && Series::default().mean().is_nan());
    }

    #[test]
    fn a_ratio_is_taken_within_a_turn() {
        // The machine became ten times slower after the first turn: the ratio did not.
        let (one, other): (Series, Series) =
            ([1.0, 10.0].into_iter().collect(), [2.0, 20.0].into_iter().collect());
        assert_eq!(one.over(&other), [0.5, 0.5].into_iter().collect());
    }
}
