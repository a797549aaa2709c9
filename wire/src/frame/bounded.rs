//! Texts and lists of frames that are refused before they are allocated when they are longer than anyone needs.

use std::fmt;
use std::marker::PhantomData;

use super::Version;
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

/// Most bytes of a text that explains something; longer ones are cut before they are sent.
pub(super) const TEXT: usize = 4096;
/// Most slots of a method. Rust code with more parameters than this has not been seen.
pub(super) const SLOTS: usize = 256;
/// Most steps from a slot to a place within it.
pub(super) const STEPS: usize = 256;
/// Most versions that one call lets the server forget; a device with more to forget tells the rest with later calls.
pub(super) const VERSIONS: usize = 64;

/// Cuts a text to what the peer takes, at a character.
pub(super) fn clip(text: &mut String) {
    if text.len() > TEXT {
        text.truncate(text.floor_char_boundary(TEXT));
    }
}

/// Decodes a text of at most [`TEXT`] bytes.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    struct Text;
    impl Visitor<'_> for Text {
        type Value = String;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a text of at most {TEXT} bytes")
        }
        fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
            if text.len() > TEXT { Err(E::invalid_length(text.len(), &self)) } else { Ok(text.to_owned()) }
        }
    }
    deserializer.deserialize_str(Text)
}

/// Decodes a list of at most [`SLOTS`] slots.
pub(super) fn slots<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    list::<D, T, SLOTS>(deserializer)
}

/// Decodes a list of at most [`VERSIONS`] versions.
pub(super) fn versions<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Version>, D::Error> {
    list::<D, Version, VERSIONS>(deserializer)
}

/// Decodes a list of at most [`STEPS`] steps.
pub(super) fn steps<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u16>, D::Error> {
    list::<D, u16, STEPS>(deserializer)
}

fn list<'de, D, T, const MOST: usize>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct List<T, const MOST: usize>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for List<T, MOST> {
        type Value = Vec<T>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a list of at most {MOST} elements")
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Vec<T>, A::Error> {
            let claimed = elements.size_hint().unwrap_or(0);
            if claimed > MOST {
                return Err(A::Error::invalid_length(claimed, &self));
            }
            let mut list = Vec::with_capacity(claimed);
            while let Some(element) = elements.next_element()? {
                if list.len() == MOST {
                    return Err(A::Error::invalid_length(MOST + 1, &self));
                }
                list.push(element);
            }
            Ok(list)
        }
    }
    deserializer.deserialize_seq(List::<T, MOST>(PhantomData))
}
