//! What the collector did.

use longshore_core::ByteSize;
use longshore_oci::Digest;

use crate::{RecoveryReport, RefName, StoreError};

/// What was removed, or would be.
#[derive(Debug, Default)]
pub struct GcReport {
    /// Content.
    pub blobs: Removed,
    /// Layers, by chain id.
    pub snapshots: Removed,
    /// Transfers that nobody went on with.
    pub partials: Removed,
    /// Damaged content.
    pub quarantined: Removed,
    /// Refs that were dropped for the budget.
    pub evicted: Eviction,
    /// Documents that refs or leases need and that cannot be understood. What they would have named is not kept.
    pub unreadable: Vec<Digest>,
    /// What killed processes had left.
    pub recovered: RecoveryReport,
    /// How many bytes are left.
    pub kept: ByteSize,
    /// Why something that was removed still takes space. The next collection tries again.
    pub stuck: Option<StoreError>,
}

/// Things of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Removed {
    /// Which.
    pub digests: Vec<Digest>,
    /// How much space they took.
    pub bytes: ByteSize,
}

/// What the budget cost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Eviction {
    /// The refs that were dropped.
    pub refs: Vec<RefName>,
    /// By how much the store is still over its budget, because no more may be dropped.
    pub excess: Option<ByteSize>,
}

impl GcReport {
    /// How much space was freed.
    pub fn freed(&self) -> ByteSize {
        let parts = [&self.blobs, &self.snapshots, &self.partials, &self.quarantined];
        ByteSize(parts.iter().fold(0, |sum, part| sum.saturating_add(part.bytes.bytes())))
    }
}
