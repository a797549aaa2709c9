//! The targets of `fuzz/` on a stable compiler: arbitrary bytes, and the inputs that were kept.
//!
//! `PROPTEST_CASES` sets how many inputs each target gets.

#[path = "../../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "in their own crate the targets are public")]
mod targets;

use std::path::Path;

use proptest::prelude::*;
use targets::TARGETS;

proptest! {
    #[test]
    fn no_input_breaks_a_target(data in prop::collection::vec(any::<u8>(), 0..600)) {
        for (_, target) in TARGETS {
            target(&data);
        }
    }
}

#[test]
fn what_was_kept_breaks_no_target() {
    for (name, target) in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(name);
        let inputs =
            std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut count = 0;
        for input in inputs {
            target(&std::fs::read(input.unwrap().path()).unwrap());
            count += 1;
        }
        assert!(count > 10, "{name} has a corpus of {count}");
    }
}
