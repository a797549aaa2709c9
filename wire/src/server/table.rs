//! The server's own methods, against which a device's are compared.

use std::collections::BTreeMap;

use outboard_core::MethodId;

use crate::frame::{MethodEntry, MethodStatus};

/// The methods of this build.
#[derive(Clone, Debug, Default)]
pub struct Table {
    entries: BTreeMap<MethodId, MethodEntry>,
}

impl Table {
    /// What the server makes of each of a device's methods, in their order, where `allowed` says what the device's
    /// token allows.
    pub fn compare(&self, theirs: &[MethodEntry], allowed: impl Fn(MethodId) -> bool) -> Vec<MethodStatus> {
        theirs
            .iter()
            .map(|their| {
                let status = self.status(their);
                if status == MethodStatus::Accepted && !allowed(their.id) {
                    MethodStatus::NotAllowed
                } else {
                    status
                }
            })
            .collect()
    }

    /// Whether this build has the method.
    pub fn contains(&self, method: MethodId) -> bool {
        self.entries.contains_key(&method)
    }

    fn status(&self, their: &MethodEntry) -> MethodStatus {
        let Some(our) = self.entries.get(&their.id) else { return MethodStatus::Absent };
        if our.body != their.body && !(our.compatible && their.compatible) {
            return MethodStatus::BodyDiffers;
        }
        if our.schema != their.schema { MethodStatus::SchemaDiffers } else { MethodStatus::Accepted }
    }
}

impl FromIterator<MethodEntry> for Table {
    fn from_iter<I: IntoIterator<Item = MethodEntry>>(entries: I) -> Self {
        Self { entries: entries.into_iter().map(|entry| (entry.id, entry)).collect() }
    }
}

#[cfg(test)]
mod tests {
    use outboard_core::{BodyHash, SchemaHash};

    use super::*;

    fn method(id: u64) -> MethodEntry {
        MethodEntry { id: MethodId(id), body: BodyHash(1), schema: SchemaHash(1), compatible: false }
    }

    fn status(our: MethodEntry, their: MethodEntry) -> MethodStatus {
        Table::from_iter([our]).compare(&[their], |_| true)[0]
    }

    #[test]
    fn every_method_of_the_device_gets_its_status_in_order() {
        let table = Table::from_iter([method(3), method(1)]);
        let statuses = table.compare(&[method(1), method(2), method(3)], |id| id != MethodId(3));
        assert_eq!(statuses, [MethodStatus::Accepted, MethodStatus::Absent, MethodStatus::NotAllowed]);
    }

    #[test]
    fn another_body_is_fine_only_where_both_sides_say_so() {
        let other = |compatible| MethodEntry { body: BodyHash(2), compatible, ..method(1) };
        let lenient = MethodEntry { compatible: true, ..method(1) };
        assert_eq!(status(method(1), other(false)), MethodStatus::BodyDiffers);
        assert_eq!(status(method(1), other(true)), MethodStatus::BodyDiffers);
        assert_eq!(status(lenient.clone(), other(false)), MethodStatus::BodyDiffers);
        assert_eq!(status(lenient, other(true)), MethodStatus::Accepted);
    }

    #[test]
    fn another_schema_is_never_fine() {
        let other = MethodEntry { schema: SchemaHash(2), compatible: true, ..method(1) };
        assert_eq!(status(MethodEntry { compatible: true, ..method(1) }, other), MethodStatus::SchemaDiffers);
    }
}
