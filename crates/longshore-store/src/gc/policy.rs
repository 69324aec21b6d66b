//! Which refs may go when the store has more than it should.

use crate::{NamedRef, Namespace, RefName};

/// Decides which refs may be dropped to come within a budget, and which go first.
pub trait RetentionPolicy {
    /// The refs that may be dropped, first the ones that are missed least. Refs that are not named stay.
    fn expendable(&self, refs: &[NamedRef]) -> Vec<RefName>;
}

impl<F: Fn(&[NamedRef]) -> Vec<RefName>> RetentionPolicy for F {
    fn expendable(&self, refs: &[NamedRef]) -> Vec<RefName> {
        self(refs)
    }
}

/// Every ref stays.
#[derive(Debug, Clone, Copy, Default)]
pub struct KeepAll;

impl RetentionPolicy for KeepAll {
    fn expendable(&self, _refs: &[NamedRef]) -> Vec<RefName> {
        Vec::new()
    }
}

/// The refs of some namespaces go, the oldest first.
#[derive(Debug, Clone)]
pub struct OldestFirst(pub Vec<Namespace>);

impl RetentionPolicy for OldestFirst {
    fn expendable(&self, refs: &[NamedRef]) -> Vec<RefName> {
        let mut list: Vec<&NamedRef> =
            refs.iter().filter(|each| self.0.contains(&each.name.namespace())).collect();
        list.sort_by_key(|each| each.record.created);
        list.into_iter().map(|each| each.name.clone()).collect()
    }
}
