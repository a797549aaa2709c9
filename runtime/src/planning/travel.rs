//! How a problem and its answer travel: by serde, and no larger than the receiver is ready to look at.

use std::marker::PhantomData;

use outboard_core::Problem;
use outboard_wire::SchemaBuilder;
use outboard_wire::codec::{DecodeError, Decoder, EncodeError, Encoder, decode_serde, encode_serde};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Answer;
use crate::support::Codec;

/// Far more annotated methods than an app has, and few enough to look at in the time.
const MOST_METHODS: usize = 4_096;
const MOST_EDGES: usize = 16_384;
/// An engine poses problems under one limit at most. Several may need every placement tried, or a program that keeps no time.
const MOST_LIMITS: usize = 1;

/// A problem on its way to a server. What is too large is told before it is decoded; the call did not run then.
pub(super) const PROBLEM: Within<Problem> =
    Within { name: "placement problem", most: 2 << 20, fits, value: PhantomData };

/// An answer on its way back.
pub(super) const ANSWER: Within<Result<Answer, String>> =
    Within { name: "plan", most: 8 << 20, fits: |_| Ok(()), value: PhantomData };

/// Travels by serde, within bounds.
pub(super) struct Within<T> {
    name: &'static str,
    /// Bytes.
    most: usize,
    fits: fn(&T) -> Result<(), String>,
    value: PhantomData<fn(&T)>,
}

/// Whether a server makes a plan for a problem; the reason, if not.
pub(super) fn fits(problem: &Problem) -> Result<(), String> {
    let counts = [
        ("methods", problem.vertices().len(), MOST_METHODS),
        ("calls between methods", problem.edges().len(), MOST_EDGES),
        ("limits", problem.limits().len(), MOST_LIMITS),
    ];
    if let Some((of, count, most)) = counts.into_iter().find(|(_, count, most)| count > most) {
        return Err(format!("a placement problem has {count} {of}, and servers plan for {most} at most"));
    }
    // What engines pose is solved by leaving everything here. Where it is not, programs that keep no time may have to be asked.
    match problem.exceeded(&problem.all_local()) {
        Some(_) => Err("a placement problem has a limit that everything local passes".to_owned()),
        None => Ok(()),
    }
}

impl<T> Clone for Within<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Within<T> {}

impl<T: Serialize + DeserializeOwned + 'static> Codec for Within<T> {
    type Borrowed = T;
    type Owned = T;

    fn encode(self, value: &T, out: &mut Encoder) -> Result<(), EncodeError> {
        encode_serde(value, out)
    }

    fn decode(self, input: &mut Decoder<'_>) -> Result<T, DecodeError> {
        let bytes = input.remaining();
        if bytes > self.most {
            let Self { name, most, .. } = self;
            return Err(DecodeError::Refused(format!("a {name} of {bytes} bytes is larger than {most}")));
        }
        let value = decode_serde(input)?;
        (self.fits)(&value).map_err(DecodeError::Refused)?;
        Ok(value)
    }

    /// The method's body stands for what is in it: it is another one in each version.
    fn schema(self, schema: &mut SchemaBuilder) {
        schema.leaf(self.name);
    }

    fn borrow(owned: &T) -> &T {
        owned
    }
}
