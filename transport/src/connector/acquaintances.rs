//! What is kept of servers that were linked to before.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use quinn_proto::crypto::rustls::QuicClientConfig;

use crate::credential::ServerKey;
use crate::tls::{self, PinnedKey};

/// Servers of which something is kept. An app has a few; of further ones, some begin anew.
const MOST: usize = 64;

/// What is kept of servers, each by its key: tickets of one are never shown to another.
#[derive(Debug, Default)]
pub(super) struct Acquaintances(Mutex<BTreeMap<ServerKey, Acquaintance>>);

/// The TLS of one server. Its tickets come with the check of the key, which a resumed handshake does not repeat.
#[derive(Clone)]
pub(super) struct Acquaintance {
    pub(super) tls: Arc<QuicClientConfig>,
    pub(super) pinned: Arc<PinnedKey>,
}

impl Acquaintances {
    pub(super) fn of(&self, key: ServerKey) -> Result<Acquaintance, rustls::Error> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(acquaintance) = known.get(&key) {
            return Ok(acquaintance.clone());
        }
        if known.len() >= MOST {
            known.pop_first();
        }
        let pinned = PinnedKey::new(key);
        let tls = Arc::new(tls::client(Arc::clone(&pinned))?);
        let acquaintance = Acquaintance { tls, pinned };
        known.insert(key, acquaintance.clone());
        Ok(acquaintance)
    }
}

impl fmt::Debug for Acquaintance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Acquaintance")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Identity;

    #[test]
    fn a_server_is_remembered_by_its_key_and_their_number_is_bounded() {
        let acquaintances = Acquaintances::default();
        let key = || Identity::generate().unwrap().key();
        let known = key();
        let first = acquaintances.of(known).unwrap();
        assert!(Arc::ptr_eq(&first.tls, &acquaintances.of(known).unwrap().tls));
        assert!(!Arc::ptr_eq(&first.tls, &acquaintances.of(key()).unwrap().tls));
        for _ in 0..2 * MOST {
            acquaintances.of(key()).unwrap();
        }
        assert_eq!(acquaintances.0.lock().unwrap().len(), MOST);
    }
}
