//! Names of things that travel or are counted. Every id is its own type.

use std::fmt;

use serde::{Deserialize, Serialize};
use xxhash_rust::const_xxh3::xxh3_64;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty), $show:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, $show, self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "(", $show, ")"), self.0)
            }
        }
    };
}

id!(
    /// A method across builds and machines: a hash of its `name`, or of its path and signature.
    MethodId(u64), "{:016x}"
);
id!(
    /// A method within one process: dense, in order of registration.
    MethodIndex(u32), "m{}"
);
id!(
    /// One run of a method, unique within a session.
    CallId(u64), "c{}"
);
id!(
    /// One try of a call on a server. Later attempts of the same call have higher epochs.
    Epoch(u32), "e{}"
);
id!(
    /// One app on one device attached to one server; given by the server.
    SessionId(u64), "s{}"
);
id!(
    /// One run of a program: drawn at random at its start, so that a restart shows.
    InstanceId(u128), "{:032x}"
);
id!(
    /// One of the servers that a device is configured with, in order of preference.
    ServerIndex(u16), "server{}"
);
id!(
    /// One of the places that a placement problem over more than two of them has. Place 0 is the device.
    PlaceIndex(u16), "place{}"
);
id!(
    /// What a method's body is made of: a hash of its tokens.
    BodyHash(u64), "{:016x}"
);
id!(
    /// What a method's slots and result look like when encoded: a hash of their schema.
    SchemaHash(u64), "{:016x}"
);

impl MethodId {
    /// The id of a method without a `name`.
    pub const fn of(path: &str, signature: &str) -> Self {
        // The path's hash seeds the signature's, so that moving text from one to the other makes another id.
        Self(xxhash_rust::const_xxh3::xxh3_64_with_seed(signature.as_bytes(), xxh3_64(path.as_bytes())))
    }

    /// The id of a method that carries a `name`: the same whatever its path and signature become.
    pub const fn named(name: &str) -> Self {
        Self(xxh3_64(name.as_bytes()))
    }
}

impl MethodIndex {
    /// As a position in a table.
    pub const fn position(self) -> usize {
        self.0 as usize
    }
}

impl ServerIndex {
    /// As a position in a table.
    pub const fn position(self) -> usize {
        self.0 as usize
    }
}

impl Epoch {
    /// The epoch of a call's first attempt.
    pub const FIRST: Self = Self(0);

    /// The epoch of the attempt after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_and_signature_both_count() {
        let id = MethodId::of("app::detect", "fn(&Photo) -> Faces");
        assert_eq!(id, MethodId::of("app::detect", "fn(&Photo) -> Faces"));
        assert_ne!(id, MethodId::of("app::detect", "fn(&Photo) -> Face"));
        assert_ne!(id, MethodId::of("app::detec", "tfn(&Photo) -> Faces"));
    }

    #[test]
    fn ids_print_for_people() {
        assert_eq!(format!("{} {:?}", CallId(7), Epoch::FIRST.next()), "c7 Epoch(e1)");
    }
}
