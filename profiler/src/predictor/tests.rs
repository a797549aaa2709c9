use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::spread::Quantile;
use crate::workload::Workload;

fn after(millis: &[u64]) -> Predictor<Duration> {
    let mut predictor = Predictor::new(Prior::TIME);
    for millis in millis {
        predictor.observe(Duration::from_millis(*millis), None);
    }
    predictor
}

fn taught(workload: Workload, calls: usize) -> Predictor<Duration> {
    let mut predictor = Predictor::new(Prior::TIME);
    workload.calls(1).take(calls).for_each(|(time, work)| predictor.observe(time, work));
    predictor
}

fn median(predictor: &Predictor<Duration>, work: Option<f64>) -> f64 {
    predictor.predict(work).expect("it has samples").median().as_secs_f64() * 1e3
}

fn bound(predictor: &Predictor<Duration>) -> f64 {
    predictor.predict(None).expect("samples").at(Quantile::P95).as_secs_f64() * 1e3
}

#[test]
fn before_the_first_sample_there_is_no_prediction() {
    assert!(after(&[]).predict(None).is_none());
    assert!(after(&[]).summary().is_none());
}

#[test]
fn certainty_comes_with_agreeing_samples() {
    let (one, many) = (after(&[100]), after(&[100; 20]));
    assert!(bound(&one) > 170.0 && bound(&one) < 250.0, "{one:?}");
    assert!(bound(&many) > 100.0 && bound(&many) < 110.0, "{many:?}");
}

#[test]
fn one_outlier_is_cut_and_a_change_is_followed() {
    let mut predictor = after(&[100; 20]);
    predictor.observe(Duration::from_secs(60), None);
    assert!(median(&predictor, None) < 101.0, "{predictor:?}");
    for _ in 0..2 {
        predictor.observe(Duration::from_secs(60), None);
    }
    assert!((median(&predictor, None) - 60_000.0).abs() < 1.0, "{predictor:?}");
}

#[test]
fn time_is_proportional_to_work_until_samples_say_otherwise() {
    let mut predictor = Predictor::new(Prior::TIME);
    predictor.observe(Duration::from_millis(100), Some(1e6));
    assert!((median(&predictor, Some(2e6)) - 200.0).abs() < 1e-6);

    let mut square = Predictor::new(Prior::TIME);
    for n in (1..=40).cycle().take(400) {
        square.observe(Duration::from_micros(n * n * 1_000), Some(n as f64));
    }
    let predicted = median(&square, Some(30.0));
    assert!((predicted / 900.0 - 1.0).abs() < 0.05, "{predicted}");
}

#[test]
fn a_constant_beside_the_work_is_told_apart() {
    let mut predictor = Predictor::new(Prior::TIME);
    for n in [1u64, 5, 20, 90].into_iter().cycle().take(60) {
        predictor.observe(Duration::from_millis(50 + n), Some(n as f64));
    }
    // A power law would have it at 80 or less: little work has hardly any slope, much work has.
    let predicted = median(&predictor, Some(400.0));
    assert!((predicted / 450.0 - 1.0).abs() < 0.1, "{predicted}");
}

#[test]
fn what_comes_in_two_kinds_is_bounded_by_the_slower() {
    let predictor = taught(Workload::Bimodal, 200);
    assert!(bound(&predictor) > 90.0, "{predictor:?}");
}

#[test]
fn noise_that_is_of_little_work_only_leaves_much_work_certain() {
    let predictor = taught(Workload::Uneven, 500);
    let deviation = |work| predictor.predict(Some(work)).expect("samples").deviation();
    assert!(deviation(5e3) > 2.0 * deviation(2e5), "{} {}", deviation(5e3), deviation(2e5));
}

#[test]
fn work_that_is_told_late_does_not_stretch_the_line() {
    let mut predictor = after(&[100; 3]);
    predictor.observe(Duration::from_millis(100), Some(1e9));
    assert!((median(&predictor, Some(1e9)) - 100.0).abs() < 1.0, "{predictor:?}");
}

#[test]
fn what_is_restored_predicts_alike_and_less_certainly_until_samples_outweigh_it() {
    for workload in Workload::ALL {
        let first = taught(workload, 300);
        let summary = first.summary().expect("samples");
        assert_eq!(summary.samples, 300);
        let second = Predictor::restore(Prior::TIME, &summary, Trust::Own);
        assert!(second.summary().is_none(), "it has learned nothing itself");
        for work in [3e3, 3e4, 3e5] {
            let (own, restored) = (first.predict(Some(work)), second.predict(Some(work)));
            let (own, restored) = (own.expect("samples"), restored.expect("samples"));
            let ratio = restored.median().as_secs_f64() / own.median().as_secs_f64();
            assert!((ratio - 1.0).abs() < 0.15, "{workload:?} at {work}: {own:?}, {restored:?}");
        }
        assert!(second.predict(None).expect("restored").deviation() > 0.15);
    }
    let old = after(&[100; 50]).summary().expect("samples");
    for (trust, samples) in [(Trust::Weak, 4), (Trust::Own, 6)] {
        let mut restored = Predictor::restore(Prior::TIME, &old, trust);
        (0..samples).for_each(|_| restored.observe(Duration::from_millis(300), None));
        let now = median(&restored, None);
        assert!((now / 300.0 - 1.0).abs() < 0.25, "{trust:?}: {now}");
    }
}

#[test]
fn what_was_learned_since_counts_only_that() {
    let mut predictor = after(&[100; 5]);
    let earlier = predictor.summary();
    predictor.observe(Duration::from_millis(100), None);
    let now = predictor.summary().expect("samples");
    assert_eq!(now.since(earlier.as_ref()).map(|since| since.samples), Some(1));
    assert!(now.since(Some(&now)).is_none());
}

#[test]
fn a_predictor_stays_small() {
    assert!(size_of::<Predictor<Duration>>() <= 320, "{}", size_of::<Predictor<Duration>>());
}

fn any_summary() -> impl Strategy<Value = Summary<Duration>> {
    let law = (1e-3..1e9f64, 0.0..3.0f64, -1.0..3.0f64, proptest::option::of(0.0..1.0f64))
        .prop_map(|(usual, deviation, exponent, fixed)| WorkLaw { usual, deviation, exponent, fixed });
    (1u64..10_000, 1u64..10_000_000_000, 0.0..2.0f64, proptest::option::of(law)).prop_map(
        |(samples, nanos, deviation, work)| Summary {
            samples,
            typical: Duration::from_nanos(nanos),
            deviation,
            work,
        },
    )
}

proptest! {
    /// Whatever it is fed, what it says is a quantity, and the bound is not below the typical value.
    #[test]
    fn any_history_predicts_something_sound(
        history in proptest::collection::vec((0u64..u64::MAX, proptest::option::of(any::<f64>())), 1..60),
        work in proptest::option::of(any::<f64>()),
    ) {
        let mut predictor = Predictor::<Duration>::new(Prior::TIME);
        for (nanos, work) in history {
            predictor.observe(Duration::from_nanos(nanos), work);
        }
        let spread = predictor.predict(work).expect("samples");
        prop_assert!(!spread.deviation().is_nan());
        prop_assert!(spread.at(Quantile::P95) >= spread.median());
        let summary = predictor.summary().expect("samples");
        prop_assert!(summary.deviation.is_finite());
        let law = summary.work.map_or([0.0; 3], |law| [law.usual, law.deviation, law.exponent]);
        prop_assert!(law.iter().all(|figure| figure.is_finite()), "{law:?}");
        let restored = Predictor::restore(Prior::TIME, &summary, Trust::Own);
        prop_assert!(!restored.predict(work).expect("restored").deviation().is_nan());
    }

    /// The order in which two runs of a program end does not matter, and the larger one weighs more.
    #[test]
    fn merging_is_commutative_and_stays_between(one in any_summary(), two in any_summary()) {
        let merged = one.merge(&two);
        prop_assert_eq!(merged, two.merge(&one));
        prop_assert_eq!(merged.samples, one.samples + two.samples);
        if one.work.is_none() || two.work.is_none() {
            let (low, high) = (one.typical.min(two.typical), one.typical.max(two.typical));
            let room = Duration::from_nanos(2) + high / 1_000_000;
            prop_assert!(merged.typical + room >= low && merged.typical <= high + room, "{merged:?}");
        }
    }

    /// What a run learned twice as often is what it learned.
    #[test]
    fn merging_with_itself_changes_samples_only(one in any_summary()) {
        let merged = one.merge(&one);
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-6 * (1.0 + a.abs());
        prop_assert!(close(merged.typical.as_secs_f64(), one.typical.as_secs_f64()));
        prop_assert!(close(merged.deviation, one.deviation));
    }
}
