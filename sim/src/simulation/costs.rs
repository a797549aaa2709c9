//! What methods take on the device.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::app::Cost;

/// What a method takes on the device, without the annotated methods that it calls.
#[derive(Clone)]
pub struct MethodCost(Arc<dyn Fn(Option<f64>) -> Duration + Send + Sync>);

impl MethodCost {
    /// What it is for that much work.
    pub fn time(&self, work: Option<f64>) -> Duration {
        (self.0)(work)
    }
}

impl fmt::Debug for MethodCost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MethodCost({:?} for one unit of work)", self.time(Some(1.0)))
    }
}

/// What can be said of a method's cost.
pub trait IntoCost {
    /// As a cost.
    fn into_cost(self) -> MethodCost;
}

/// Always the same.
impl IntoCost for Duration {
    fn into_cost(self) -> MethodCost {
        MethodCost(Arc::new(move |_| self))
    }
}

/// So much for each call, and so much for each unit of its work.
impl IntoCost for Cost {
    fn into_cost(self) -> MethodCost {
        MethodCost(Arc::new(move |work| self.of(work)))
    }
}

/// A function of the method's work, which is 1 where it has none.
impl<F: Fn(f64) -> Duration + Send + Sync + 'static> IntoCost for F {
    fn into_cost(self) -> MethodCost {
        MethodCost(Arc::new(move |work| self(work.unwrap_or(1.0))))
    }
}

/// The costs of all methods.
#[derive(Clone, Debug, Default)]
pub(super) struct Costs {
    own: BTreeMap<&'static str, MethodCost>,
    others: Option<MethodCost>,
}

impl Costs {
    pub(super) fn set(&mut self, method: &'static str, cost: MethodCost) {
        self.own.insert(method, cost);
    }

    pub(super) fn set_others(&mut self, cost: MethodCost) {
        self.others = Some(cost);
    }

    /// What a run of a method takes on the device; `None` if nobody said.
    pub(super) fn of(&self, method: &str, work: Option<f64>) -> Option<Duration> {
        self.own.get(method).or(self.others.as_ref()).map(|cost| cost.time(work))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_is_a_time_or_follows_work() {
        let mut costs = Costs::default();
        costs.set("fixed", Duration::from_millis(3).into_cost());
        costs.set("square", (|work: f64| Duration::from_secs_f64(work * work)).into_cost());
        assert_eq!(costs.of("fixed", Some(9.0)), Some(Duration::from_millis(3)));
        assert_eq!(costs.of("square", Some(3.0)), Some(Duration::from_secs(9)));
        assert_eq!(costs.of("square", None), Some(Duration::from_secs(1)));
        assert_eq!(costs.of("other", None), None);
        costs.set_others(Cost::per_unit(Duration::from_millis(2)).into_cost());
        assert_eq!(costs.of("other", Some(5.0)), Some(Duration::from_millis(10)));
    }
}
