//! Call-backs and their answers.

use outboard_core::MethodId;
use serde::{Deserialize, Serialize};

use super::{Attempt, Image, SlotImage, bounded};

/// Remote code calls a method of the device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackFrame {
    /// The attempt whose code calls.
    pub attempt: Attempt,
    /// Counts the call-backs of an attempt from zero.
    pub sequence: u32,
    /// What to run.
    pub method: MethodId,
    /// The slots, in the order of the signature.
    #[serde(deserialize_with = "bounded::slots")]
    pub slots: Vec<BackSlot>,
    /// How many calls that may run once only the root of the attempt has made by now; `None` where nothing is run again.
    pub onces: Option<u32>,
}

/// A slot of a call-back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BackSlot {
    /// A value of its own. This one and a place may be told by what the outer call carried.
    Copy(SlotImage),
    /// An exclusive slot of the outer call, or a fixed place within one: the method runs on the device's own object,
    /// brought to this version first.
    Place {
        /// Position of the outer slot in the outer signature.
        slot: u16,
        /// The way from the slot to the place, field by field.
        #[serde(deserialize_with = "bounded::steps")]
        path: Vec<u16>,
        /// The place as the server has it.
        image: SlotImage,
    },
}

impl BackSlot {
    /// The value as it travels, wherever it goes.
    pub const fn image(&self) -> &SlotImage {
        let (Self::Copy(image) | Self::Place { image, .. }) = self;
        image
    }
}

/// The answer to a call-back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerFrame {
    /// The attempt whose code called.
    pub attempt: Attempt,
    /// Which of its call-backs.
    pub sequence: u32,
    /// What came of it. A text unwinds the server's method and fails the attempt.
    #[serde(deserialize_with = "outcome")]
    pub outcome: Result<AnswerImage, String>,
    /// How many calls that may run once only the root of the attempt has made by now.
    pub onces: u32,
}

/// What a call-back gives back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerImage {
    /// The encoded result.
    pub result: Image,
    /// The exclusive slots of the call-back as they are now, in the order of its signature.
    #[serde(deserialize_with = "bounded::slots")]
    pub exclusive: Vec<SlotImage>,
}

impl AnswerFrame {
    /// Cuts its text to what a server takes.
    pub(crate) fn clip(mut self) -> Self {
        if let Err(text) = &mut self.outcome {
            bounded::clip(text);
        }
        self
    }
}

/// Decodes a `Result` whose text is bounded; its encoding is that of `Result`.
fn outcome<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Result<AnswerImage, String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(rename = "Result")]
    enum Outcome {
        Ok(AnswerImage),
        Err(#[serde(deserialize_with = "bounded::text")] String),
    }
    Ok(match Outcome::deserialize(deserializer)? {
        Outcome::Ok(image) => Ok(image),
        Outcome::Err(text) => Err(text),
    })
}
