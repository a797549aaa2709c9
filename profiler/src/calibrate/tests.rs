//! Fits against what they were made from, and against each other.

use proptest::prelude::*;

use super::*;

fn sample(utilisation: f64, watts: f64) -> PowerSample {
    PowerSample { utilisation, frequency: None, power: Power::from_watts_f64(watts) }
}

fn at(utilisation: f64, watts: f64, megahertz: u64) -> PowerSample {
    PowerSample {
        frequency: Some(Frequency::from_kilohertz(megahertz * 1_000)),
        ..sample(utilisation, watts)
    }
}

fn squares(model: &CpuModel, samples: &[PowerSample]) -> f64 {
    let off = |sample: &PowerSample| {
        let power = model.power(sample.utilisation, sample.frequency).expect("the model knows");
        power.as_watts_f64() - sample.power.as_watts_f64()
    };
    samples.iter().map(|sample| off(sample) * off(sample)).sum()
}

#[test]
fn a_line_is_found_again() {
    let samples = [0.0, 0.1, 0.5, 0.9].map(|load| sample(load, 2.0 + 3.0 * load));
    let model = fit_line(&samples).expect("a line");
    assert_eq!(model.power(0.25, None), Some(Power::from_milliwatts(2_750)));
    assert!(model.error(&samples).expect("samples").mean < 1e-6);
}

#[test]
fn a_curve_bends_where_a_line_cannot() {
    // A processor that speeds up at half load and is at its limit from three quarters on.
    let power = [(0.0, 5.0), (0.25, 7.0), (0.5, 12.0), (0.75, 30.0), (1.0, 30.5)];
    let samples = power.map(|(load, watts)| sample(load, watts));
    let (line, curve) = (fit_line(&samples).expect("a line"), fit_curve(&samples).expect("a curve"));
    assert!(curve.error(&samples).expect("samples").mean < 1e-6);
    assert!(line.error(&samples).expect("samples").median > 0.1);
}

#[test]
fn levels_out_of_order_become_their_mean() {
    let samples = [sample(0.0, 1.0), sample(0.5, 4.0), sample(0.51, 6.0), sample(0.8, 4.0), sample(1.0, 8.0)];
    let curve = fit_curve(&samples).expect("a curve");
    // 0.5 and 0.51 are one level of 5 W, twice; with 4 W once that makes 14/3 W.
    for load in [0.505, 0.6, 0.8] {
        assert_eq!(curve.power(load, None), Some(Power::from_microwatts(4_666_667)), "{load}");
    }
}

#[test]
fn frequencies_get_lines_of_their_own_from_the_same_idle() {
    let watts = |load: f64, slope: f64| 1.5 + slope * load;
    let slow = [0.1, 0.6, 1.0].map(|load| at(load, watts(load, 2.0), 600));
    let fast = [0.2, 0.9].map(|load| at(load, watts(load, 7.0), 1_800));
    let samples = [&slow[..], &fast[..], &[at(0.0, 1.5, 300)]].concat();
    let model = fit_speeds(&samples).expect("two lines");
    let power = |megahertz: u64| model.power(0.5, Some(Frequency::from_kilohertz(megahertz * 1_000)));
    assert_eq!(power(600), Some(Power::from_milliwatts(2_500)));
    assert_eq!(power(1_800), Some(Power::from_milliwatts(5_000)));
    assert_eq!(power(1_200), Some(Power::from_milliwatts(3_750)), "in between");
    assert_eq!(
        fit_speeds(&[slow[0], slow[1], sample(0.3, 2.0)]),
        Err(CalibrationError::NoFrequency { index: 2 })
    );
}

#[test]
fn samples_that_make_no_model_are_refused() {
    let fits = [fit_line, fit_curve];
    for fit in fits {
        let two = [sample(0.0, 1.0), sample(1.0, 2.0)];
        assert_eq!(fit(&two), Err(CalibrationError::TooFew { found: 2, needed: 3 }));
        assert_eq!(fit(&[]), Err(CalibrationError::TooFew { found: 0, needed: 3 }));
        assert_eq!(fit(&[sample(0.5, 1.0); 9]), Err(CalibrationError::NoSpread));
        for utilisation in [f64::NAN, -0.1, 1.1, f64::INFINITY] {
            let samples = [two[0], two[1], sample(utilisation, 1.0)];
            assert_eq!(fit(&samples), Err(CalibrationError::BadSample { index: 2 }));
        }
        assert_eq!(fit(&[sample(0.5, 0.0), two[0], two[1]]), Err(CalibrationError::BadSample { index: 0 }));
        let falling = [sample(0.0, 3.0), sample(0.5, 2.0), sample(1.0, 1.0)];
        assert_eq!(fit(&falling), Err(CalibrationError::Falls));
    }
    assert_eq!(fit_speeds(&[at(0.5, 1.0, 1); 3]), Err(CalibrationError::NoSpread));
    let falling = [at(0.0, 3.0, 1), at(0.5, 2.0, 1), at(1.0, 1.0, 1)];
    assert_eq!(fit_speeds(&falling), Err(CalibrationError::Falls));
    // One load per frequency says nothing about idle.
    let single = [at(0.5, 1.0, 1), at(0.6, 2.0, 2), at(0.7, 3.0, 3)];
    assert_eq!(fit_speeds(&single), Err(CalibrationError::NoSpread));
}

#[test]
fn errors_are_shares_of_what_the_meter_said() {
    let model = CpuModel::line(10.0, 10.0);
    let error = model.error(&[sample(0.0, 10.0), sample(0.5, 8.0), sample(1.0, 20.0)]).expect("samples");
    assert!((error.median - 0.25).abs() < 1e-9 && (error.mean - 0.25).abs() < 1e-9, "{error:?}");
    assert_eq!(model.error(&[]), None);
    assert_eq!(CpuModel::default().error(&[sample(0.0, 1.0)]), None);
}

fn samples() -> impl Strategy<Value = Vec<PowerSample>> {
    let one = (0.0f64..=1.0, 0.1f64..100.0).prop_map(|(load, watts)| sample(load, watts));
    prop::collection::vec(one, 3..40)
}

proptest! {
    #[test]
    fn no_line_is_closer_than_that_of_least_squares(
        samples in samples(), idle in 0.0f64..100.0, busy in 0.0f64..100.0,
    ) {
        if let Ok(line) = fit_line(&samples) {
            // Where the line begins below zero its answers do not, which is closer still or as close.
            prop_assert!(squares(&line, &samples) <= squares(&CpuModel::line(idle, busy), &samples) + 1e-3);
        }
    }

    #[test]
    fn a_curve_never_falls_and_has_no_rival_that_rises(samples in samples(), tilt in 0.0f64..50.0) {
        if let Ok(curve) = fit_curve(&samples) {
            let power = |step: u32| curve.power(f64::from(step) / 100.0, None).expect("known");
            prop_assert!((0..100).all(|step| power(step) <= power(step + 1)));
            let loads = || samples.iter().map(|sample| sample.utilisation);
            // At loads that are levels of their own, no line that rises comes closer.
            let distinct = loads().all(|one| loads().filter(|other| (one - other).abs() < SAME_LEVEL).count() == 1);
            if distinct {
                let rival = CpuModel::line(20.0, 20.0 + tilt);
                prop_assert!(squares(&curve, &samples) <= squares(&rival, &samples) + 1e-3);
            }
        }
    }
}
