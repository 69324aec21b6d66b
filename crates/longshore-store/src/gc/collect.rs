//! Collecting: look at everything with the gate closed, decide, take the garbage out of sight, open the gate, delete.
//!
//! The gate is closed only while things are listed, documents are read and garbage is renamed. Whoever wants to hold
//! something, to publish content or to change a ref waits for so long.

use std::collections::HashSet;
use std::time::Duration;

use longshore_core::ByteSize;
use longshore_oci::Digest;
use rustix::fs::{OFlags, Timespec};

use super::evict;
use super::inventory::{Inventory, Item};
use super::mark::{Documents, Marked, Node};
use super::policy::{KeepAll, RetentionPolicy};
use super::report::{Eviction, GcReport, Removed};
use crate::lease::Hold;
use crate::lock::{Claim, Sharing};
use crate::{NamedRef, RefName, Store, StoreError, layout};

/// How to collect.
pub struct GcOptions<'p> {
    /// What is younger stays though nobody needs it: somebody may be about to.
    pub keep_newer: Duration,
    /// How much the store should have at most.
    pub budget: Option<ByteSize>,
    /// Which refs may be dropped for that.
    pub policy: &'p dyn RetentionPolicy,
    /// Whether to say only what would be done.
    pub dry_run: bool,
}

impl Default for GcOptions<'_> {
    /// Removes what nobody needs and is older than an hour.
    fn default() -> Self {
        Self { keep_newer: Duration::from_hours(1), budget: None, policy: &KeepAll, dry_run: false }
    }
}

/// What is known once the gate is closed.
pub(super) struct Survey<'s> {
    pub(super) refs: Vec<NamedRef>,
    inventory: Inventory,
    holds: Vec<Hold>,
    documents: Documents<'s>,
    stale: HashSet<Digest>,
    now: Timespec,
    keep_newer: Duration,
}

impl Store {
    /// Removes what no ref and no live lease needs.
    pub fn collect(&self, options: &GcOptions<'_>) -> Result<GcReport, StoreError> {
        let gate = self.tree.gate(Sharing::Exclusive)?;
        let now =
            gate.now().map_err(|errno| self.tree.error("look at the clock with", layout::GATE, errno))?;
        let recovered = self.sweep_orphans(options.dry_run)?;
        let live = self.live_holds(true)?;
        let mut survey = Survey {
            refs: self.all_refs()?,
            inventory: Inventory::take(self)?,
            holds: live.holds,
            documents: Documents::new(self),
            stale: self.stale_snapshots()?,
            now,
            keep_newer: options.keep_newer,
        };
        let evicted = match options.budget {
            Some(budget) => evict::choose(&mut survey, budget, options.policy)?,
            None => Eviction::default(),
        };
        let garbage = survey.garbage(|each| evicted.refs.contains(&each.name))?;
        if !options.dry_run {
            self.drop_refs(&evicted.refs)?;
            self.take_out(&garbage)?;
            let gone = garbage.snapshots.iter().map(|snapshot| &snapshot.digest);
            for digest in gone.chain(&survey.stale) {
                self.forget_note(&layout::snapshot_note(digest)?)?;
            }
            for blob in &garbage.blobs {
                self.forget_note(&layout::blob_note(&blob.digest)?)?;
            }
        }
        drop(gate);
        let mut report = survey.report(&garbage, evicted);
        report.recovered = recovered;
        if !options.dry_run {
            report.stuck = self.empty_all_trash().err();
            self.settle()?;
        }
        Ok(report)
    }

    fn drop_refs(&self, names: &[RefName]) -> Result<(), StoreError> {
        names.iter().try_for_each(|name| self.unlink_ref(name).map(|_| ()))
    }

    /// Renames garbage into the trash. Refs go before, so that a crash in between leaves no ref without content.
    fn take_out(&self, garbage: &Inventory) -> Result<(), StoreError> {
        for partial in &garbage.partials {
            // One that somebody works on is no garbage, however old it is.
            if let Claim::Mine(_claim) = self.tree.claim_file(&partial.relative, OFlags::empty(), false)? {
                self.discard(&partial.relative)?;
            }
        }
        for item in garbage.blobs.iter().chain(&garbage.snapshots).chain(&garbage.quarantined) {
            self.discard(&item.relative)?;
        }
        Ok(())
    }
}

impl Survey<'_> {
    /// How many bytes would be left if some refs were dropped.
    pub(super) fn bytes_without(&mut self, dropped: impl Fn(&NamedRef) -> bool) -> Result<u64, StoreError> {
        Ok(self.inventory.bytes().saturating_sub(self.garbage(dropped)?.bytes()))
    }

    /// What nobody needs if some refs are dropped.
    fn garbage(&mut self, dropped: impl Fn(&NamedRef) -> bool) -> Result<Inventory, StoreError> {
        let targets: Vec<Node> = self
            .refs
            .iter()
            .filter(|each| !dropped(each))
            .map(|each| Node::of(&each.record.target))
            .collect();
        let Marked { blobs, snapshots } = self.documents.mark(&self.holds, &targets)?;
        let old = |item: &&Item| age(self.now, item.modified) >= self.keep_newer;
        let unneeded = |items: &[Item], needed: &HashSet<Digest>| {
            items.iter().filter(|item| !needed.contains(&item.digest)).filter(old).cloned().collect()
        };
        let mut layers: Vec<Item> = unneeded(&self.inventory.snapshots, &snapshots);
        let listed: HashSet<Digest> = layers.iter().map(|item| item.digest.clone()).collect();
        // What a power failure damaged is no use to anybody.
        let stale = |item: &&Item| self.stale.contains(&item.digest) && !listed.contains(&item.digest);
        layers.extend(self.inventory.snapshots.iter().filter(stale).cloned());
        Ok(Inventory {
            blobs: unneeded(&self.inventory.blobs, &blobs),
            snapshots: layers,
            partials: unneeded(&self.inventory.partials, &blobs),
            quarantined: self.inventory.quarantined.iter().filter(old).cloned().collect(),
        })
    }

    fn report(self, garbage: &Inventory, evicted: Eviction) -> GcReport {
        let removed = |items: &[Item]| Removed {
            digests: items.iter().map(|item| item.digest.clone()).collect(),
            bytes: ByteSize(items.iter().fold(0, |sum, item| sum.saturating_add(item.bytes))),
        };
        GcReport {
            blobs: removed(&garbage.blobs),
            snapshots: removed(&garbage.snapshots),
            partials: removed(&garbage.partials),
            quarantined: removed(&garbage.quarantined),
            evicted,
            unreadable: self.documents.unreadable,
            kept: ByteSize(self.inventory.bytes().saturating_sub(garbage.bytes())),
            ..GcReport::default()
        }
    }
}

/// How old something is. What comes from the future is new.
fn age(now: Timespec, then: Timespec) -> Duration {
    let nanoseconds = |time: Timespec| i128::from(time.tv_sec) * 1_000_000_000 + i128::from(time.tv_nsec);
    let age = u128::try_from(nanoseconds(now) - nanoseconds(then)).unwrap_or_default();
    Duration::from_nanos_u128(age)
}
