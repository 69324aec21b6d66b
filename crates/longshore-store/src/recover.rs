//! Removing what killed processes left.

use crate::lock::{Claim, Sharing};
use crate::record::{self, Durability};
use crate::unsynced::boot;
use crate::{RefName, Store, StoreError, layout};

/// What was found and removed.
#[derive(Debug, Default)]
pub struct RecoveryReport {
    /// Leases whose processes are dead.
    pub leases: u64,
    /// Content that was being written and had no name yet.
    pub ingests: u64,
    /// Layers that were being unpacked.
    pub snapshots: u64,
    /// Things that were being deleted.
    pub trash: u64,
    /// Refs that a power failure emptied.
    pub refs: Vec<RefName>,
    /// Why something could not be deleted.
    pub stuck: Option<StoreError>,
}

impl RecoveryReport {
    /// Whether there was nothing to do.
    pub fn is_clean(&self) -> bool {
        (self.leases, self.ingests, self.snapshots, self.trash) == (0, 0, 0, 0)
            && self.refs.is_empty()
            && self.stuck.is_none()
    }
}

impl Store {
    /// Removes what processes left that were killed, or went down with the machine. Interrupted downloads stay, because
    /// they can be taken up again; collecting removes them when they are old.
    pub fn recover(&self) -> Result<RecoveryReport, StoreError> {
        let gate = self.tree.gate(Sharing::Exclusive)?;
        let mut report = self.sweep_orphans(false)?;
        drop(gate);
        report.stuck = self.empty_all_trash().err();
        Ok(report)
    }

    /// Moves into the trash what nobody works on any more. The gate must be closed.
    pub(crate) fn sweep_orphans(&self, look_only: bool) -> Result<RecoveryReport, StoreError> {
        let mut report =
            RecoveryReport { leases: self.live_holds(look_only)?.dead, ..RecoveryReport::default() };
        // Another process may be deleting it at this moment.
        report.trash = self.tree.list(layout::TRASH)?.len() as u64;
        for (directory, count) in
            [(layout::INGESTS, &mut report.ingests), (layout::UNPACKING, &mut report.snapshots)]
        {
            for entry in self.tree.list(directory)? {
                let relative = format!("{directory}/{}", entry.name);
                let claim = if entry.directory {
                    self.tree.claim_directory(&relative, false)?
                } else {
                    self.tree.claim_file(&relative, rustix::fs::OFlags::empty(), false)?
                };
                if let Claim::Mine(_claim) = claim {
                    *count += 1;
                    if !look_only {
                        self.discard(&relative)?;
                    }
                }
            }
        }
        if !look_only {
            report.refs = self.remove_torn_once()?;
        }
        Ok(report)
    }

    /// Only a power failure empties refs, so they need not be read more than once after each start of the machine.
    fn remove_torn_once(&self) -> Result<Vec<RefName>, StoreError> {
        let boot = boot()?;
        if self.tree.read(layout::BOOT, 256)?.is_some_and(|known| known == boot) {
            return Ok(Vec::new());
        }
        let torn = self.remove_torn_refs()?;
        record::write(&self.tree, layout::BOOT, boot, Durability::Written)?;
        Ok(torn)
    }
}
