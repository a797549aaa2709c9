use proptest::prelude::*;

use super::*;
use crate::predictor::WorkLaw;

fn any_law() -> impl Strategy<Value = Option<WorkLaw>> {
    let law = (1e-3..1e12f64, 0.0..3.0f64, -1.0..3.0f64, proptest::option::of(0.0..1.0f64))
        .prop_map(|(usual, deviation, exponent, fixed)| WorkLaw { usual, deviation, exponent, fixed });
    proptest::option::of(law)
}

fn any_time() -> impl Strategy<Value = Option<Summary<Duration>>> {
    let time = (1u64..5_000, 1u64..10_000_000, 0.0..3.0f64, any_law()).prop_map(
        |(samples, micros, deviation, work)| Summary {
            samples,
            typical: Duration::from_micros(micros),
            deviation,
            work,
        },
    );
    proptest::option::of(time)
}

fn any_size() -> impl Strategy<Value = Option<Summary<ByteCount>>> {
    let size = (1u64..5_000, 1u64..10_000_000, 0.0..3.0f64, any_law()).prop_map(
        |(samples, bytes, deviation, work)| Summary {
            samples,
            typical: ByteCount::from_bytes(bytes),
            deviation,
            work,
        },
    );
    proptest::option::of(size)
}

fn any_method() -> impl Strategy<Value = MethodSnapshot> {
    let calls = (0u64..1_000_000, 0u64..1_000_000);
    (".{0,20}", 0u64..3, calls, (any_time(), any_time(), any_time(), any_time()), (any_size(), any_size()))
        .prop_map(|(name, body, (local_calls, remote_calls), (local, own, cpu, server), (up, down))| {
            let body = BodyHash(body);
            MethodSnapshot { name, body, local_calls, remote_calls, local, own, cpu, server, up, down }
        })
}

fn any_snapshot() -> impl Strategy<Value = Snapshot> {
    let edge = (proptest::option::of((0u64..5).prop_map(MethodId)), (0u64..5).prop_map(MethodId));
    let methods = proptest::collection::btree_map((0u64..5).prop_map(MethodId), any_method(), 0..5);
    (methods, proptest::collection::btree_map(edge, 0u64..1_000_000, 0..8)).prop_map(|(methods, edges)| {
        let origin = Origin {
            app: "faces".into(),
            version: "1.0.0".into(),
            build: "c0ffee".into(),
            device: "kitchen \"pi\"\n".into(),
        };
        Snapshot { origin, methods, edges }
    })
}

fn sample() -> Snapshot {
    let local = Summary { samples: 9, typical: Duration::from_millis(50), deviation: 0.1, work: None };
    let method = MethodSnapshot::new("faces::detect", BodyHash(7));
    let method = MethodSnapshot { local_calls: 9, local: Some(local), ..method };
    Snapshot {
        methods: BTreeMap::from([(MethodId(1), method)]),
        edges: BTreeMap::from([((None, MethodId(1)), 9)]),
        ..Snapshot::default()
    }
}

/// The error of a file in which something was replaced.
fn error_with(find: &str, replace: &str) -> SnapshotError {
    let text = sample().to_text();
    assert!(text.contains(find), "{text}");
    Snapshot::parse("kept.toml", &text.replacen(find, replace, 1)).expect_err("it is wrong")
}

proptest! {
    #[test]
    fn what_is_written_is_read(snapshot in any_snapshot()) {
        prop_assert_eq!(Snapshot::parse("kept.toml", &snapshot.to_text()), Ok(snapshot));
    }

    #[test]
    fn merging_is_commutative_and_adds_calls_up(one in any_snapshot(), two in any_snapshot()) {
        let merged = one.clone().merge(two.clone());
        prop_assert_eq!(&merged, &two.clone().merge(one.clone()));
        let calls = |snapshot: &Snapshot| snapshot.edges.values().sum::<u64>();
        prop_assert_eq!(calls(&merged), calls(&one) + calls(&two));
        prop_assert_eq!(Snapshot::parse("kept.toml", &merged.to_text()).map(|read| read.edges), Ok(merged.edges));
    }

    /// Nothing is written twice: what was saved earlier is taken off.
    #[test]
    fn what_came_since_makes_up_the_whole(earlier in any_snapshot(), later in any_snapshot()) {
        let mut later = later;
        later.forget_changed(&earlier);
        let mut whole = earlier.clone();
        whole.forget_changed(&later);
        let now = whole.clone().merge(later);
        let calls = |snapshot: &Snapshot| snapshot.edges.values().sum::<u64>();
        prop_assert_eq!(calls(&now.since(&whole)) + calls(&whole), calls(&now));
        prop_assert!(now.since(&now).is_empty());
    }

    /// Whatever a file says, it is read or refused, with the file's name.
    #[test]
    fn any_text_is_read_or_refused(cut in 0usize..400, put in ".{0,8}") {
        let mut text = sample().to_text();
        let cut = (0..=cut.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.insert_str(cut, &put);
        if let Err(error) = Snapshot::parse("kept.toml", &text) {
            prop_assert!(error.to_string().contains("kept.toml"));
        }
    }
}

#[test]
fn errors_name_file_key_and_what_may_stand_there() {
    let cases = [
        ("format = 1", "format = 2", "kept.toml has format 2, and this program reads format 1"),
        ("format = 1", "fromat = 1", "kept.toml: `format` has to be a whole number"),
        ("local_calls = 9", "local_calls = -9", "kept.toml: `method[0].local_calls` has to be"),
        ("local_calls", "calls", "kept.toml: `method[0].calls` is not a key of a profile"),
        ("samples = 9", "samples = 0", "kept.toml: `method[0].local.samples` has to be at least 1"),
        ("deviation = 0.1", "deviation = nan", "kept.toml: `method[0].local.deviation` has to be a number"),
        ("seconds = 0.05", "seconds = inf", "kept.toml: `method[0].local.seconds` has to be a number"),
        ("calls = 9\n", "calls = 9\nfriend = 1\n", "kept.toml: `method[0].friend` is not a key"),
        ("callee = \"0", "callee = \"x", "kept.toml: `edge[0].callee` has to be 16 hexadecimal digits"),
        ("[[edge]]", "[[edge", "kept.toml is not valid TOML"),
    ];
    for (find, replace, message) in cases {
        let error = error_with(find, replace).to_string();
        assert!(error.starts_with(message), "{error}");
    }
}

#[test]
fn a_file_is_bounded() {
    let long = "#".repeat(Snapshot::MOST_BYTES + 1);
    assert!(matches!(Snapshot::parse("kept.toml", &long), Err(SnapshotError::TooMuch { .. })));
    let head = "format = 1\napp = \"\"\nversion = \"\"\nbuild = \"\"\ndevice = \"\"\n";
    let many = format!("{head}method = [{}]", "0,".repeat(Snapshot::MOST_METHODS + 1));
    let error = Snapshot::parse("kept.toml", &many).expect_err("too many");
    assert_eq!(error, SnapshotError::TooMuch { file: "kept.toml".into(), what: "method", most: 10_000 });
}

#[test]
fn a_method_with_another_body_starts_anew() {
    let mut kept = sample();
    let mut present = sample();
    kept.forget_changed(&present);
    assert_eq!(kept.methods.len(), 1);
    if let Some(method) = present.methods.get_mut(&MethodId(1)) {
        method.body = BodyHash(8);
    }
    kept.forget_changed(&present);
    assert!(kept.methods.is_empty());
}
