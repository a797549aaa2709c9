//! The shape of a type that has serde's traits alone: found by watching what its `Deserialize` asks for.
//!
//! The type is built several times from made-up values; each pass enters one more variant of its enums, until all were
//! entered. A type that is already being described is referred to by number, and built in the shortest way that is
//! known (no elements, `None`), so that recursion ends; where that way is itself recursive, the next variant is tried.
//!
//! A type that refuses the made-up values (a checked name, say) keeps its secret and is opaque. So is one that asks serde
//! to look at the input, which this format could not decode anyway.

mod probe;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::de::DeserializeOwned;

use probe::{Probe, Stuck};

/// Nesting of made-up values beyond which a type is taken to recurse.
const DEPTH: u16 = 64;

/// Enough for an enum of a thousand variants; each pass takes microseconds.
const PASSES: usize = 2000;

/// Parts that one pass may build, so that types that use each other often cannot grow it without bound.
const STEPS: usize = 100_000;

/// The shape of `T`, unless it keeps it to itself.
pub(super) fn shape_of<T: DeserializeOwned>() -> Option<String> {
    // A `Deserialize` that panics on odd values is a mistake of its author, but no reason to fail before any call.
    catch_unwind(AssertUnwindSafe(|| Tracer::default().trace::<T>())).ok().flatten()
}

/// What is known so far.
#[derive(Default)]
struct Tracer {
    /// What the present part looks like, as far as it was built.
    text: String,
    numbers: BTreeMap<(&'static str, &'static str), usize>,
    definitions: Vec<Definition>,
    /// Whether some enum still has variants that were not entered.
    incomplete: bool,
    depth: u16,
    steps: usize,
}

/// A type with a name.
#[derive(Default)]
struct Definition {
    /// Whether this pass met it before.
    met: bool,
    /// What it looks like, unless it is an enum.
    fields: String,
    variants: Vec<Variant>,
    /// The variant that is built where nothing is to be learned.
    way_out: usize,
    /// Whether this pass took the way out.
    left: bool,
}

struct Variant {
    name: &'static str,
    fields: String,
    /// Whether everything within was described.
    done: bool,
}

impl Tracer {
    fn trace<T: DeserializeOwned>(mut self) -> Option<String> {
        for _ in 0..PASSES {
            self.begin();
            match T::deserialize(Probe::new(&mut self)) {
                Ok(_) if self.incomplete => {}
                Ok(_) => return Some(self.finish()),
                Err(Stuck::Deep) => self.take_other_way_out()?,
                Err(Stuck::Refused) => return None,
            }
        }
        None
    }

    fn begin(&mut self) {
        self.text.clear();
        (self.incomplete, self.depth, self.steps) = (false, 0, 0);
        for definition in &mut self.definitions {
            (definition.met, definition.left) = (false, false);
        }
    }

    /// The number of a type. Two types may share serde's name or the name that Rust gives them, hardly both.
    fn number_of(&mut self, key: (&'static str, &'static str)) -> usize {
        let next = self.definitions.len();
        let number = *self.numbers.entry(key).or_insert(next);
        if number == next {
            self.definitions.push(Definition::default());
        }
        number
    }

    /// One of the enums that were left by a way that does not lead out is left by its next variant from now on.
    fn take_other_way_out(&mut self) -> Option<()> {
        let untried = |definition: &&mut Definition| {
            definition.left && definition.way_out + 1 < definition.variants.len()
        };
        self.definitions.iter_mut().filter(untried).min_by_key(|definition| definition.way_out)?.way_out += 1;
        Some(())
    }

    fn finish(self) -> String {
        let mut text = self.text;
        for (number, definition) in self.definitions.into_iter().enumerate() {
            text.push_str(&format!(";#{number}={{{}", definition.fields));
            for variant in definition.variants {
                text.push_str(&format!("{:?}{{{}}},", variant.name, variant.fields));
            }
            text.push('}');
        }
        text
    }
}

#[cfg(test)]
mod tests;
