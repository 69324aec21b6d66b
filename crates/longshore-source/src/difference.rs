//! Which paths differ between a commit and the files at hand.
//!
//! Two comparisons are put together: commit to index, and index to work tree with untracked files. The first costs
//! nothing but the differing directories when git's index carries a valid cache of the tree it stands for, as it does
//! after a commit or checkout. There is no search for renames: a moved file counts as deleted and added, which for
//! `paths` filters only ever matches more, and costs nothing.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice};
use gix::diff::index::ChangeRef;
use gix::diff::tree::{State, recorder};
use gix::objs::TreeRefIter;
use gix::status::index_worktree::Item;
use gix::status::plumbing::index_as_worktree::{Change, EntryStatus};
use gix::status::{Submodule, UntrackedFiles};

use crate::change::{ChangeKind, ChangedPath};
use crate::repository::{GitError, Repository};

/// A path's change and, if the base had it, its mode and the id of its content there.
type Changes = BTreeMap<BString, (ChangeKind, Option<Entry>)>;

/// Mode bits as git stores them, and the id of the content.
type Entry = (u32, ObjectId);

/// What is not in the index: edits, deletions and new files of the work tree.
#[derive(Debug, Default)]
pub(crate) struct Uncommitted {
    edits: Vec<(BString, ChangeKind)>,
}

impl Uncommitted {
    pub(crate) fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }
}

impl Repository {
    /// Compares the index with the work tree. Ignored files do not count; a submodule counts as its one path.
    pub(crate) fn uncommitted(&self) -> Result<Uncommitted, GitError> {
        let action = "compare the index with the work tree";
        if self.git.workdir().is_none() {
            return Ok(Uncommitted::default());
        }
        let submodules =
            Submodule::Given { ignore: gix::submodule::config::Ignore::Dirty, check_dirty: true };
        let items = self
            .git
            .status(gix::progress::Discard)
            .map_err(self.failed(action))?
            .untracked_files(UntrackedFiles::Files)
            .index_worktree_submodules(submodules)
            .index_worktree_rewrites(None)
            .into_index_worktree_iter(None)
            .map_err(self.failed(action))?;
        let mut edits = Vec::new();
        for item in items {
            let item = item.map_err(self.failed(action))?;
            if let Some(kind) = edit_kind(&item) {
                edits.push((item.rela_path().trim_end_with(|c| c == '/').into(), kind));
            }
        }
        Ok(Uncommitted { edits })
    }

    /// The paths that differ between the tree of commit `base` (the empty tree for `None`) and the work tree.
    pub(crate) fn difference(
        &self,
        base: Option<ObjectId>,
        uncommitted: &Uncommitted,
    ) -> Result<Vec<ChangedPath>, GitError> {
        let base_tree = match base {
            Some(commit) => self.tree_of(commit)?,
            None => self.git.empty_tree().id,
        };
        let mut changes = self.base_to_index(base_tree)?;
        for (path, kind) in &uncommitted.edits {
            self.apply(&mut changes, path, *kind);
        }
        let named =
            |(path, (kind, _)): (BString, _)| ChangedPath { path: path.to_str_lossy().into_owned(), kind };
        Ok(changes.into_iter().map(named).collect())
    }

    /// Whether the index holds anything but the tree of `head`.
    pub(crate) fn has_staged(&self, head: ObjectId) -> Result<bool, GitError> {
        Ok(!self.base_to_index(self.tree_of(head)?)?.is_empty())
    }

    pub(crate) fn tree_of(&self, commit: ObjectId) -> Result<ObjectId, GitError> {
        let commit = self.git.find_commit(commit).map_err(self.failed("read a commit"))?;
        Ok(commit.tree_id().map_err(self.failed("read a commit"))?.detach())
    }

    fn base_to_index(&self, base: ObjectId) -> Result<Changes, GitError> {
        if self.git.workdir().is_none() {
            let head = self.head_commit_id()?.map(|head| self.tree_of(head)).transpose()?;
            return self.tree_to_tree(base, head.unwrap_or_else(|| self.git.empty_tree().id));
        }
        let index = self.git.index_or_empty().map_err(self.failed("read the index"))?;
        let cached = index.tree().filter(|tree| tree.num_entries.is_some()).map(|tree| tree.id);
        match cached.filter(|&id| id == base || self.git.has_object(id)) {
            Some(tree) => self.tree_to_tree(base, tree),
            None => self.tree_to_index(base, &index),
        }
    }

    /// Compares trees, reading only directories that differ.
    fn tree_to_tree(&self, old: ObjectId, new: ObjectId) -> Result<Changes, GitError> {
        let action = "compare two trees";
        let mut changes = Changes::new();
        if old == new {
            return Ok(changes);
        }
        let empty = self.git.empty_tree().id;
        let read = |id| {
            if id == empty { Ok(Vec::new()) } else { self.git.find_tree(id).map(|mut tree| tree.take_data()) }
        };
        let (old, new) = (read(old).map_err(self.failed(action))?, read(new).map_err(self.failed(action))?);
        let mut recorder = gix::diff::tree::Recorder::default();
        let trees = [&old, &new].map(|data| TreeRefIter::from_bytes(data, gix::hash::Kind::Sha1));
        let [old, new] = trees;
        gix::diff::tree(old, new, State::default(), &self.git.objects, &mut recorder)
            .map_err(self.failed(action))?;
        for change in recorder.records {
            record(&mut changes, change);
        }
        Ok(changes)
    }

    /// Compares a tree with an index that has staged changes. Reads the whole tree.
    fn tree_to_index(&self, base: ObjectId, index: &gix::index::State) -> Result<Changes, GitError> {
        let mut changes = Changes::new();
        let visit = |change: ChangeRef<'_, '_>, _: &gix::index::State, _: &gix::index::State| {
            let (path, kind, entry) = match &change {
                // Rewrites are not asked for.
                ChangeRef::Addition { location, .. } | ChangeRef::Rewrite { location, .. } => {
                    (location, ChangeKind::Added, None)
                }
                ChangeRef::Deletion { location, entry_mode, id, .. } => {
                    (location, ChangeKind::Deleted, Some((entry_mode, id)))
                }
                ChangeRef::Modification { location, previous_entry_mode, previous_id, .. } => {
                    (location, ChangeKind::Modified, Some((previous_entry_mode, previous_id)))
                }
            };
            let entry = entry.map(|(mode, id)| (mode.bits(), id.as_ref().to_owned()));
            changes.insert(path.as_ref().to_owned(), (kind, entry));
            Ok(std::ops::ControlFlow::Continue(()))
        };
        let renames = gix::status::tree_index::TrackRenames::Disabled;
        self.git
            .tree_index_status(&base, index, None, renames, visit)
            .map_err(self.failed("compare a tree with the index"))?;
        Ok(changes)
    }

    /// Puts an edit of the work tree on top of what the index changed.
    fn apply(&self, changes: &mut Changes, path: &BString, edit: ChangeKind) {
        let before = changes.get(path).copied();
        let base = before.and_then(|(_, entry)| entry);
        match (before, edit) {
            (Some((ChangeKind::Added, _)), ChangeKind::Deleted) => {
                changes.remove(path);
            }
            (Some((ChangeKind::Added, _)), _) => {}
            (_, ChangeKind::Deleted) => {
                changes.insert(path.clone(), (ChangeKind::Deleted, base));
            }
            // The edit may have brought back what the base had.
            (Some((_, Some(entry))), _) if self.entry_at(path.as_ref()) == Some(entry) => {
                changes.remove(path);
            }
            (Some((_, Some(entry))), _) => {
                changes.insert(path.clone(), (ChangeKind::Modified, Some(entry)));
            }
            (_, kind) => {
                changes.insert(path.clone(), (kind, None));
            }
        }
    }

    /// What git would store for the file as it is. Clean filters are not applied: with one, a file that was brought
    /// back counts as modified.
    fn entry_at(&self, path: &BStr) -> Option<Entry> {
        let place = self.git.workdir_path(path)?;
        let metadata = fs::symlink_metadata(&place).ok()?;
        let (mode, bytes) = if metadata.is_symlink() {
            let target = gix::path::into_bstr(fs::read_link(&place).ok()?).ok()?.into_owned();
            (0o120_000, Vec::from(target))
        } else if metadata.is_file() {
            let mode = if metadata.permissions().mode() & 0o100 == 0 { 0o100_644 } else { 0o100_755 };
            (mode, fs::read(&place).ok()?)
        } else {
            return None;
        };
        let id = gix::objs::compute_hash(self.git.object_hash(), gix::objs::Kind::Blob, &bytes).ok()?;
        Some((mode, id))
    }
}

fn edit_kind(item: &Item) -> Option<ChangeKind> {
    match item {
        Item::Modification { status, .. } => match status {
            EntryStatus::Change(Change::Removed) => Some(ChangeKind::Deleted),
            EntryStatus::Change(_) | EntryStatus::Conflict { .. } => Some(ChangeKind::Modified),
            EntryStatus::IntentToAdd => Some(ChangeKind::Added),
            EntryStatus::NeedsUpdate(_) => None,
        },
        Item::DirectoryContents { entry, .. } => {
            let is_new = matches!(entry.status, gix::dir::entry::Status::Untracked);
            is_new.then_some(ChangeKind::Added)
        }
        Item::Rewrite { .. } => Some(ChangeKind::Added),
    }
}

/// Notes a change between trees. Directories are no paths of their own; a file in place of a directory shows as both.
fn record(changes: &mut Changes, change: recorder::Change) {
    use recorder::Change as C;
    let entry = |mode: gix::objs::tree::EntryMode, id| Some((u32::from(mode.value()), id));
    let (path, kind, base) = match change {
        C::Addition { entry_mode, .. } | C::Deletion { entry_mode, .. } if entry_mode.is_tree() => return,
        C::Addition { path, .. } => (path, ChangeKind::Added, None),
        C::Deletion { path, entry_mode, oid, .. } => (path, ChangeKind::Deleted, entry(entry_mode, oid)),
        C::Modification { previous_entry_mode, entry_mode, previous_oid, path, .. } => {
            match (previous_entry_mode.is_tree(), entry_mode.is_tree()) {
                (true, true) => return,
                (true, false) => (path, ChangeKind::Added, None),
                (false, true) => (path, ChangeKind::Deleted, entry(previous_entry_mode, previous_oid)),
                (false, false) => (path, ChangeKind::Modified, entry(previous_entry_mode, previous_oid)),
            }
        }
    };
    changes.insert(path, (kind, base));
}
