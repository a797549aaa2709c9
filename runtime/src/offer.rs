//! What a method is offered as: its id, its schema, and what keeps it on the device.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use outboard_core::{MethodId, SchemaHash};
use outboard_wire::frame::MethodEntry;

use crate::method::{Kind, Method};
use crate::registry;
use crate::support::schema_of;

/// A method as both ends of a session are told of it.
#[derive(Clone, Debug)]
pub(crate) struct Offered {
    pub(crate) id: MethodId,
    pub(crate) schema: SchemaHash,
    /// What keeps the method on the device.
    pub(crate) obstacle: Option<String>,
    /// Whether another method has the same id.
    pub(crate) duplicate: bool,
}

/// What a method is offered as. Asked once; it takes the generated schema function.
pub(crate) fn of(method: &'static Method) -> Arc<Offered> {
    static KNOWN: Mutex<BTreeMap<u32, Arc<Offered>>> = Mutex::new(BTreeMap::new());
    let index = registry::register(method).0;
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner).get(&index).cloned();
    known.unwrap_or_else(|| {
        let offered = Arc::new(ask(method, index));
        KNOWN.lock().unwrap_or_else(PoisonError::into_inner).insert(index, Arc::clone(&offered));
        offered
    })
}

/// The entry of a session's method table.
pub(crate) fn entry(method: &'static Method) -> Option<MethodEntry> {
    let descriptor = method.descriptor();
    let offered = of(method);
    (!offered.duplicate).then(|| MethodEntry {
        id: offered.id,
        body: descriptor.body(),
        schema: offered.schema,
        compatible: descriptor.compatible,
    })
}

fn ask(method: &'static Method, index: u32) -> Offered {
    let descriptor = method.descriptor();
    let (schema, stays) = schema_of(descriptor);
    for opaque in &schema.opaque {
        tracing::debug!(
            method = descriptor.title(),
            path = opaque.path,
            type_name = opaque.type_name,
            "nothing is known of a part's schema: a change of it will not be noticed"
        );
    }
    if !schema.unordered.is_empty() {
        let parts: Vec<_> = schema.unordered.iter().map(|part| part.path.as_str()).collect();
        tracing::info!(
            method = descriptor.title(),
            ?parts,
            "parts have another order after each decoding, so that more is sent than changed: use `BTreeMap` and `BTreeSet`"
        );
    }
    let earlier =
        registry::methods_from(0).into_iter().take(index as usize).find(|other| other.id() == method.id());
    if earlier.is_some() {
        let reason = format!(
            "another method has the path or name `{}` too: give one of them a `name`",
            descriptor.title()
        );
        tracing::warn!(method = descriptor.title(), reason, "runs on the device");
        // An id of its own, so that it is counted, and that no other end knows.
        let id = MethodId(method.id().0.wrapping_add(u64::from(index)).wrapping_add(1));
        return Offered { id, schema: schema.hash, obstacle: Some(reason), duplicate: true };
    }
    let obstacle = stays.filter(|_| descriptor.kind == Kind::Remoteable);
    if let Some(reason) = &obstacle {
        tracing::warn!(method = descriptor.title(), reason, "runs on the device");
    }
    Offered { id: method.id(), schema: schema.hash, obstacle, duplicate: false }
}
