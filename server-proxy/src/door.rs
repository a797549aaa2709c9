//! Who may attach, and what they may do.

use std::collections::BTreeSet;

use outboard_core::MethodId;

/// Decides by the token in a greeting. A closure from `&str` to [`Option<Grants>`] is a door too.
///
/// It has to take the same time wherever two tokens differ: a token comes from the network, before anybody is trusted.
pub trait Door: Send {
    /// What the holder of this token may do; `None` when it is not a token of this server.
    fn admit(&self, token: &str) -> Option<Grants>;
}

/// What the holder of a token may do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Grants {
    /// Call every method.
    Everything,
    /// Call these methods.
    Methods(BTreeSet<MethodId>),
}

impl Grants {
    /// Whether the method may be called.
    pub fn allow(&self, method: MethodId) -> bool {
        match self {
            Self::Everything => true,
            Self::Methods(methods) => methods.contains(&method),
        }
    }
}

impl<F: Fn(&str) -> Option<Grants> + Send> Door for F {
    fn admit(&self, token: &str) -> Option<Grants> {
        self(token)
    }
}
