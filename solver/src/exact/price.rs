//! Gain and row of a choice, and what a unit of either counts.

/// A choice as far as the search compares it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) gain: i64,
    pub(super) row: i64,
}

/// What a unit of gain and a unit of the row count; only their ratio matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Price {
    pub(super) gain: i64,
    pub(super) row: i64,
}

impl Point {
    pub(super) const ZERO: Self = Self { gain: 0, row: 0 };

    pub(super) fn plus(self, other: Self) -> Self {
        Self { gain: self.gain + other.gain, row: self.row + other.row }
    }
}

impl Price {
    /// The row is free.
    pub(super) const GAIN: Self = Self { gain: 1, row: 0 };
    /// Nothing but the row counts.
    pub(super) const ROW: Self = Self { gain: 0, row: 1 };

    /// What a choice costs.
    pub(super) fn of(self, point: Point) -> i128 {
        i128::from(self.row) * i128::from(point.row) - i128::from(self.gain) * i128::from(point.gain)
    }

    /// The price at which both choices cost the same: `low` meets the row and `high`, which gains more, does not.
    pub(super) fn chord(low: Point, high: Point) -> Self {
        Self { gain: high.row - low.row, row: (high.gain - low.gain).max(0) }
    }

    /// The price at which the row would be met exactly if its use changed evenly between two prices: at the first
    /// `unused` of the row is left, at the second it is passed by `over`. About, and not at all if a number vanishes.
    pub(super) fn between(low: Self, unused: i128, high: Self, over: i128) -> Option<Self> {
        let ((low_gain, low_row), (high_gain, high_row)) = (low.rounded(), high.rounded());
        let (unused, over) = rounded(unused, over, 30);
        let gain = low_gain * high_gain * (unused + over);
        let row = high_row * low_gain * unused + low_row * high_gain * over;
        let (gain, row) = rounded(gain, row, 60);
        let price = Self { gain: gain as i64, row: row as i64 };
        (price.gain > 0 && price.row > 0).then_some(price)
    }

    fn rounded(self) -> (i128, i128) {
        rounded(i128::from(self.gain), i128::from(self.row), 30)
    }
}

/// About the same ratio of two numbers that are not negative, in so many bits.
fn rounded(one: i128, other: i128, bits: u32) -> (i128, i128) {
    let shift = (i128::BITS - (one | other).leading_zeros()).saturating_sub(bits);
    (one >> shift, other >> shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_of_a_chord_cost_the_same() {
        let (low, high) = (Point { gain: 3, row: -5 }, Point { gain: 10, row: 9 });
        let chord = Price::chord(low, high);
        assert_eq!(chord.of(low), chord.of(high));
    }

    #[test]
    fn between_is_nearer_to_where_the_row_is_nearly_met() {
        let (low, high) = (Price { gain: 2, row: 2 }, Price { gain: 4, row: 0 });
        // A quarter of the way from `low`, where one unit is left, to `high`, where three are missing.
        assert_eq!(Price::between(low, 1, high, 3), Some(Price { gain: 32, row: 24 }));
        assert_eq!(
            Price::between(Price::ROW, 1, high, 3),
            None,
            "from a price without end nothing is between"
        );
    }
}
