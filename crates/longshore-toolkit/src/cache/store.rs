//! The store of cache entries.
//!
//! `entries/<scope and version>/<key>/` (both as digests) holds `record.json`, and `tree/<number of the part>` or
//! `archive`. The time of the record's last change is when the entry was used last.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use rustix::fs::{Mode, OFlags, Timespec, Timestamps};

use super::{CacheEntry, CacheKey, CacheScopes, NewCache, Saved, StoredCache};
use crate::StorageError;
use crate::content::slot;
use crate::depot::{Depot, Draft, Turn, directories, hold, remove_empty};
use crate::error::Attempt as _;
use crate::limits::Limits;

pub(super) const RECORD: &str = "record.json";
const ENTRIES: &str = "entries";

/// What a store of caches may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheBounds {
    /// All entries together, in bytes.
    pub total: u64,
    /// For how many days an entry is kept that nobody uses.
    pub idle_days: u32,
    /// One entry.
    pub entry: Limits,
}

/// The caches of one repository, in one directory.
///
/// Several processes may use it at once. Of two that save the same entry one wins, and the other is told.
#[derive(Debug)]
pub struct CacheStore {
    pub(super) depot: Depot,
    pub(super) bounds: CacheBounds,
}

impl Default for CacheBounds {
    /// Those of GitHub: 10 GiB, a week.
    fn default() -> Self {
        let total = 10 << 30;
        Self { total, idle_days: 7, entry: Limits { bytes: total, ..Limits::default() } }
    }
}

impl CacheStore {
    /// Opens the store in a directory, which is made if it is missing.
    pub fn open(directory: &Path, bounds: CacheBounds) -> Result<Self, StorageError> {
        Ok(Self { depot: Depot::open(directory)?, bounds })
    }

    /// What it may hold.
    pub fn bounds(&self) -> CacheBounds {
        self.bounds
    }

    /// Finds the entry to restore, and notes that it was used.
    ///
    /// Each scope is searched before the next; in a scope each key is tried in turn, as a whole and then as a beginning,
    /// of which the newest entry is taken.
    pub fn find(
        &self,
        keys: &[CacheKey],
        version: &str,
        scopes: &CacheScopes,
        now: Timestamp,
    ) -> Result<Option<StoredCache>, StorageError> {
        for scope in &scopes.read {
            let mut known = self.known_at(&shelf(scope, version), now)?;
            while let Some(index) = best(keys, &known) {
                let (entry, path) = known.swap_remove(index);
                // Somebody may evict it just now.
                let Some(directory) = hold(&path)? else { continue };
                let Some(record) = open_record(&directory, &path)? else { continue };
                stamp(&record, now).attempt("write", path.join(RECORD))?;
                return Ok(Some(StoredCache::new(entry, directory, path, self.bounds.entry)));
            }
        }
        Ok(None)
    }

    /// Whether there is an entry already where this one would stand.
    pub fn is_taken(&self, new: &NewCache) -> Result<bool, StorageError> {
        let known = self.known_at(&shelf(&new.scope, &new.version), new.created)?;
        Ok(known.iter().any(|(entry, _)| entry.key == new.key.as_str()))
    }

    /// All entries, newest first.
    pub fn list(&self) -> Result<Vec<CacheEntry>, StorageError> {
        let mut all: Vec<_> = self.all()?.into_iter().filter_map(|(entry, _)| entry).collect();
        all.sort_by_key(|entry| std::cmp::Reverse((entry.created, entry.id)));
        Ok(all)
    }

    /// Removes the entries that are chosen; gives what was removed.
    pub fn delete(
        &self,
        mut chosen: impl FnMut(&CacheEntry) -> bool,
    ) -> Result<Vec<CacheEntry>, StorageError> {
        let turn = self.depot.turn()?;
        self.remove(&turn, |entry| entry.is_none_or(&mut chosen))
    }

    /// Removes what nobody used for too long, and then what was used longest ago until the rest fits.
    pub fn prune(&self, now: Timestamp) -> Result<Vec<CacheEntry>, StorageError> {
        let turn = self.depot.turn()?;
        self.evict(now, None, &turn)
    }

    /// Completes a draft, unless the entry exists.
    pub(super) fn publish(
        &self,
        mut draft: Draft,
        mut entry: CacheEntry,
        key: &CacheKey,
    ) -> Result<Saved, StorageError> {
        if entry.size > self.bounds.total {
            return Err(StorageError::Limit { what: "bytes", limit: self.bounds.total });
        }
        let turn = self.depot.turn()?;
        entry.id = self.depot.next_id(&turn)?;
        draft.write(RECORD, &entry.to_json())?;
        let record = open_record(draft.directory(), draft.path())?;
        record.map_or(Ok(()), |record| stamp(&record, entry.created)).attempt("write", draft.path())?;
        let place = shelf(&entry.scope, &entry.version).join(slot(key.as_str()));
        if !self.depot.publish(&mut draft, &place, &turn)? {
            let old = read(&self.depot.path(&place))?;
            if old.is_some_and(|old| self.is_fresh(&old, entry.created)) {
                return Ok(Saved::Taken);
            }
            self.depot.supersede(draft, &place, &turn)?;
        }
        self.evict(entry.created, Some(entry.id), &turn)?;
        Ok(Saved::New(entry))
    }

    fn evict(
        &self,
        now: Timestamp,
        spared: Option<u64>,
        turn: &Turn,
    ) -> Result<Vec<CacheEntry>, StorageError> {
        let mut known: Vec<_> = self.all()?.into_iter().filter_map(|(entry, _)| entry).collect();
        known.retain(|entry| self.is_fresh(entry, now));
        // What was used last is kept first; what was just saved before all.
        known.sort_by_key(|entry| (Some(entry.id) != spared, std::cmp::Reverse((entry.used, entry.id))));
        let mut total = 0_u64;
        let kept: std::collections::BTreeSet<u64> = known
            .iter()
            .take_while(|entry| {
                total = total.saturating_add(entry.size);
                total <= self.bounds.total
            })
            .map(|entry| entry.id)
            .collect();
        self.remove(turn, |entry| entry.is_none_or(|entry| !kept.contains(&entry.id)))
    }

    fn remove(
        &self,
        _turn: &Turn,
        mut chosen: impl FnMut(Option<&CacheEntry>) -> bool,
    ) -> Result<Vec<CacheEntry>, StorageError> {
        let mut gone = Vec::new();
        for (entry, path) in self.all()? {
            if chosen(entry.as_ref()) {
                self.depot.discard(&path)?;
                gone.extend(entry);
                path.parent().map_or(Ok(()), remove_empty)?;
            }
        }
        Ok(gone)
    }

    fn is_fresh(&self, entry: &CacheEntry, now: Timestamp) -> bool {
        now.duration_since(entry.used) < SignedDuration::from_hours(i64::from(self.bounds.idle_days) * 24)
    }

    fn known_at(&self, place: &Path, now: Timestamp) -> Result<Vec<(CacheEntry, PathBuf)>, StorageError> {
        let mut known = Vec::new();
        for path in directories(&self.depot.path(place))? {
            known.extend(read(&path)?.filter(|entry| self.is_fresh(entry, now)).map(|entry| (entry, path)));
        }
        Ok(known)
    }

    fn all(&self) -> Result<Vec<(Option<CacheEntry>, PathBuf)>, StorageError> {
        let mut all = Vec::new();
        for shelf in directories(&self.depot.path(ENTRIES))? {
            for path in directories(&shelf)? {
                all.push((read(&path)?, path));
            }
        }
        Ok(all)
    }
}

/// Which of some entries a list of keys asks for.
fn best(keys: &[CacheKey], known: &[(CacheEntry, PathBuf)]) -> Option<usize> {
    keys.iter().find_map(|key| {
        let exact = known.iter().position(|(entry, _)| entry.key == key.as_str());
        exact.or_else(|| {
            let begins =
                known.iter().enumerate().filter(|(_, (entry, _))| entry.key.starts_with(key.as_str()));
            begins.max_by_key(|(_, (entry, _))| (entry.created, entry.id)).map(|(index, _)| index)
        })
    })
}

fn shelf(scope: &str, version: &str) -> PathBuf {
    Path::new(ENTRIES).join(slot(&format!("{scope}\0{version}")))
}

fn read(path: &Path) -> Result<Option<CacheEntry>, StorageError> {
    let path = path.join(RECORD);
    let mut file = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.attempt("open", &path)?,
    };
    let used = file.metadata().and_then(|metadata| metadata.modified()).attempt("inspect", &path)?;
    let mut bytes = Vec::new();
    (&mut file).take(1 << 20).read_to_end(&mut bytes).attempt("read", &path)?;
    Ok(Timestamp::try_from(used).ok().and_then(|used| CacheEntry::read(&bytes, used)))
}

fn open_record(directory: &OwnedFd, path: &Path) -> Result<Option<OwnedFd>, StorageError> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat(directory, RECORD, flags, Mode::empty()) {
        Err(rustix::io::Errno::NOENT) => Ok(None),
        other => other.attempt("open", path.join(RECORD)).map(Some),
    }
}

/// Notes when an entry was used.
fn stamp(record: &OwnedFd, now: Timestamp) -> rustix::io::Result<()> {
    let time = Timespec { tv_sec: now.as_second(), tv_nsec: now.subsec_nanosecond().into() };
    rustix::fs::futimens(record, &Timestamps { last_access: time, last_modification: time })
}

/// Makes a directory of a draft.
pub(super) fn make(path: &Path) -> Result<(), StorageError> {
    fs::create_dir(path).attempt("create", path)
}
