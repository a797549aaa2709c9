//! What an address carries besides host and port: the server's key and the access token.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::digest;
use ring::rand::{SecureRandom as _, SystemRandom};
use rustls::pki_types::SubjectPublicKeyInfoDer;
use subtle::ConstantTimeEq as _;

/// What an address pins: SHA-256 of the server's public key (its SubjectPublicKeyInfo in DER). Public.
///
/// Written as base64url without padding, 43 characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerKey([u8; 32]);

/// Names what its holder may do on a server: 16 random bytes. Secret.
///
/// Written as base64url without padding, 22 characters, by [`reveal`](Self::reveal) alone: neither `Debug` nor a log
/// shows it. Comparing two takes the same time wherever they differ.
#[derive(Clone, Copy)]
pub struct AccessToken([u8; 16]);

/// A text is not base64url of the right length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// A character is not of the alphabet, or the last one has bits that count for nothing.
    #[error("has characters other than letters, digits, `-` and `_`, or was cut in the middle")]
    Alphabet,
    /// It is too short or too long.
    #[error("has {found} characters instead of {expected}")]
    Length {
        /// How many it has.
        found: usize,
        /// How many it should have.
        expected: usize,
    },
}

impl ServerKey {
    /// The key that a certificate or a key pair has.
    pub(crate) fn of(key: &SubjectPublicKeyInfoDer<'_>) -> Self {
        let hash = digest::digest(&digest::SHA256, key);
        Self(hash.as_ref().try_into().expect("SHA-256 is 32 bytes long"))
    }
}

impl AccessToken {
    /// A new one from the system's random source.
    ///
    /// # Errors
    /// When the system has no random numbers to give.
    pub fn generate() -> Result<Self, NoRandomness> {
        let mut bytes = [0; 16];
        SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandomness)?;
        Ok(Self(bytes))
    }

    /// The secret as text: for the address that the operator copies, and for the session's greeting.
    pub fn reveal(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.0)
    }
}

/// The operating system gave no random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gives no random numbers: no secret can be made here")]
pub struct NoRandomness;

impl FromStr for ServerKey {
    type Err = CredentialError;

    fn from_str(text: &str) -> Result<Self, CredentialError> {
        decode(text).map(Self)
    }
}

impl fmt::Display for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64_URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerKey({self})")
    }
}

impl FromStr for AccessToken {
    type Err = CredentialError;

    fn from_str(text: &str) -> Result<Self, CredentialError> {
        decode(text).map(Self)
    }
}

impl PartialEq for AccessToken {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for AccessToken {}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(hidden)")
    }
}

fn decode<const N: usize>(text: &str) -> Result<[u8; N], CredentialError> {
    let expected = (N * 8).div_ceil(6);
    let found = text.chars().count();
    if found != expected {
        return Err(CredentialError::Length { found, expected });
    }
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| CredentialError::Alphabet)?;
    bytes.try_into().map_err(|_| CredentialError::Alphabet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_comes_back_from_its_text() {
        let token = AccessToken::generate().unwrap();
        assert_eq!(token.reveal().len(), 22);
        assert_eq!(token.reveal().parse::<AccessToken>().unwrap(), token);
    }

    #[test]
    fn two_tokens_differ() {
        assert_ne!(AccessToken::generate().unwrap(), AccessToken::generate().unwrap());
    }

    #[test]
    fn a_token_stays_out_of_debug_output() {
        let token = AccessToken::generate().unwrap();
        assert!(!format!("{token:?}").contains(&token.reveal()));
    }

    #[test]
    fn a_cut_or_padded_key_is_told_from_one_with_wrong_characters() {
        let key = ServerKey([7; 32]).to_string();
        assert_eq!(key.parse::<ServerKey>().unwrap(), ServerKey([7; 32]));
        let length = |found| CredentialError::Length { found, expected: 43 };
        assert_eq!(key[..40].parse::<ServerKey>().unwrap_err(), length(40));
        assert_eq!(format!("{key}=").parse::<ServerKey>().unwrap_err(), length(44));
        assert_eq!(key.replace('B', "+").parse::<ServerKey>().unwrap_err(), CredentialError::Alphabet);
    }
}
