//! How much space the store takes.

use longshore_core::ByteSize;

use crate::gc::Inventory;
use crate::{Store, StoreError};

/// How many there are of something, and how many bytes they take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    /// How many.
    pub count: u64,
    /// How many bytes.
    pub bytes: ByteSize,
}

/// How much there is of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Content.
    pub blobs: Amount,
    /// Layers.
    pub snapshots: Amount,
    /// Interrupted or running downloads.
    pub partials: Amount,
    /// Damaged content.
    pub quarantined: Amount,
}

impl Usage {
    /// All of it.
    pub fn total(&self) -> ByteSize {
        let parts = [self.blobs, self.snapshots, self.partials, self.quarantined];
        ByteSize(parts.iter().fold(0, |sum, part| sum.saturating_add(part.bytes.bytes())))
    }
}

impl Store {
    /// How much there is. Looks at every file's length, and counts layers whose size nobody noted.
    pub fn usage(&self) -> Result<Usage, StoreError> {
        let inventory = Inventory::take(self)?;
        let amount = |items: &[crate::gc::Item]| Amount {
            count: items.len() as u64,
            bytes: ByteSize(items.iter().fold(0, |sum, item| sum.saturating_add(item.bytes))),
        };
        Ok(Usage {
            blobs: amount(&inventory.blobs),
            snapshots: amount(&inventory.snapshots),
            partials: amount(&inventory.partials),
            quarantined: amount(&inventory.quarantined),
        })
    }
}
