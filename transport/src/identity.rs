//! Who a server is: its key, which addresses pin, and its access token.

mod files;
#[cfg_attr(unix, path = "identity/private_unix.rs")]
#[cfg_attr(not(unix), path = "identity/private_elsewhere.rs")]
mod private;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use rcgen::{CertificateParams, KeyPair, PKCS_ED25519, PublicKeyData as _};
use ring::digest;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer};

use crate::address::{Host, ServerAddress};
use crate::credential::{AccessToken, NoRandomness, ServerKey};

/// The name that certificates carry and handshakes ask for. Nobody goes by it: the key counts.
pub(crate) const TLS_NAME: &str = "outboard";

/// A server's key and access token. `Debug` shows neither secret.
pub struct Identity {
    private_key: PrivatePkcs8KeyDer<'static>,
    certificate: CertificateDer<'static>,
    key: ServerKey,
    token: AccessToken,
}

/// There is no identity.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The directory cannot be made.
    #[error("cannot make the directory {}: create it, or name another one", .path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file cannot be read.
    #[error("cannot read {}: make it readable for the user that serves, or name another directory", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}: make its directory writable for the user that serves, or name another one", .path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file holds something else than it should.
    #[error(
        "{} is not {expected}: restore it, or move it away to have a new one made (devices then need the new address)",
        .path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What it should be.
        expected: &'static str,
    },
    /// A file can be read by other users.
    #[error(
        "{} can be read by other users (mode {mode:o}): run `chmod 600` on it; if they may have read it, move it away \
         to have a new one made",
        .path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// No key can be made of what is there.
    #[error("the cryptographic library refuses to make a key or certificate: {0}")]
    Key(#[from] rcgen::Error),
    /// There are no random numbers.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
}

impl Identity {
    /// The identity kept in `directory`; what is missing there is made, once, also when several processes start
    /// together.
    ///
    /// Two files: `server-key.pem` and `access-token`, for their owner alone (mode 0600, in a directory of mode
    /// 0700). Removing `access-token` gives a new token at the next start, with the same key.
    ///
    /// # Errors
    /// When a file is damaged, exposed or unreadable, or cannot be written. Nothing that exists is ever overwritten.
    pub fn load_or_create(directory: impl AsRef<Path>) -> Result<Self, IdentityError> {
        let (key, token) = files::load_or_create(directory.as_ref())?;
        Self::of(&key, token)
    }

    /// An identity that lives as long as the process.
    ///
    /// # Errors
    /// When the system has no random numbers to give.
    pub fn generate() -> Result<Self, IdentityError> {
        Self::of(&new_key()?, AccessToken::generate()?)
    }

    /// The key that addresses pin.
    pub fn key(&self) -> ServerKey {
        self.key
    }

    /// The token that opens this server.
    pub fn token(&self) -> AccessToken {
        self.token
    }

    /// The address under which devices reach this server, when they reach it as `host` and `port`.
    pub fn address(&self, host: impl Into<Host>, port: u16) -> ServerAddress {
        ServerAddress { host: host.into(), port, key: self.key, token: self.token }
    }

    fn of(key_pair: &KeyPair, token: AccessToken) -> Result<Self, IdentityError> {
        let certificate = CertificateParams::new([TLS_NAME.to_owned()])?.self_signed(key_pair)?;
        Ok(Self {
            private_key: PrivatePkcs8KeyDer::from(key_pair.serialize_der()),
            certificate: certificate.der().clone(),
            key: ServerKey::of(&SubjectPublicKeyInfoDer::from(key_pair.subject_public_key_info())),
            token,
        })
    }

    pub(crate) fn certificate(&self) -> CertificateDer<'static> {
        self.certificate.clone()
    }

    pub(crate) fn private_key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(self.private_key.clone_key())
    }

    /// A secret for one purpose that outlives restarts and tells nothing about the key.
    pub(crate) fn derived_secret(&self, purpose: &str) -> [u8; 32] {
        let mut hash = digest::Context::new(&digest::SHA256);
        hash.update(b"outboard derived secret: ");
        hash.update(purpose.as_bytes());
        hash.update(b"\0");
        hash.update(self.private_key.secret_pkcs8_der());
        hash.finish().as_ref().try_into().expect("SHA-256 is 32 bytes long")
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Ed25519: small, fast to sign with, and without a random number in every signature.
fn new_key() -> Result<KeyPair, IdentityError> {
    Ok(KeyPair::generate_for(&PKCS_ED25519)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_two_purposes_differ_and_stay_with_the_key() {
        let identity = Identity::generate().unwrap();
        assert_ne!(identity.derived_secret("a"), identity.derived_secret("b"));
        assert_eq!(identity.derived_secret("a"), identity.derived_secret("a"));
        assert_ne!(identity.derived_secret("a"), Identity::generate().unwrap().derived_secret("a"));
    }

    #[test]
    fn debug_output_shows_no_secret() {
        let identity = Identity::generate().unwrap();
        let shown = format!("{identity:?}");
        assert!(shown.contains(&identity.key().to_string()));
        assert!(!shown.contains(&identity.token().reveal()));
    }
}
