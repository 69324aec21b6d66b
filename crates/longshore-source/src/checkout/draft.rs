//! The index of a copy, before its files are there.

use gix::index::entry::{Flags, Mode, Stage, Stat, stat};

use crate::repository::{CommitId, GitError, Repository};

/// The index that a copy of a commit has.
///
/// It holds what the commit holds. Files whose content is known to be that get their [`FileStat`]; the others are read by
/// git when it is asked what changed.
#[derive(Debug)]
pub struct DraftIndex {
    pub(super) state: gix::index::State,
}

/// What an entry of an index is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// A file.
    File,
    /// A file that can be executed.
    Executable,
    /// A symbolic link.
    Link,
    /// Another repository.
    Submodule,
}

/// By what git sees that a file has not changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileStat {
    /// When the content changed: seconds and nanoseconds.
    pub mtime: (u32, u32),
    /// When anything of it changed: seconds and nanoseconds.
    pub ctime: (u32, u32),
    /// The number of the inode.
    pub inode: u32,
    /// The owner.
    pub user: u32,
    /// The owner's group.
    pub group: u32,
    /// The size in bytes, cut off as git does.
    pub size: u32,
}

impl FileStat {
    pub(super) fn of(stat: &Stat) -> Self {
        Self {
            mtime: (stat.mtime.secs, stat.mtime.nsecs),
            ctime: (stat.ctime.secs, stat.ctime.nsecs),
            inode: stat.ino,
            user: stat.uid,
            group: stat.gid,
            size: stat.size,
        }
    }

    fn to_stat(self) -> Stat {
        Stat {
            mtime: stat::Time { secs: self.mtime.0, nsecs: self.mtime.1 },
            ctime: stat::Time { secs: self.ctime.0, nsecs: self.ctime.1 },
            dev: 0,
            ino: self.inode,
            uid: self.user,
            gid: self.group,
            size: self.size,
        }
    }
}

impl Repository {
    /// The index of a commit that has just been checked out, without files.
    ///
    /// # Errors
    /// The commit or its trees cannot be read, or hold names that no checkout may have.
    pub fn index_of(&self, commit: &CommitId) -> Result<DraftIndex, GitError> {
        let id = commit.object_id().ok_or("the commit's id is malformed");
        let id = id.map_err(self.failed("read a commit"))?;
        let tree = self.tree_of(id)?;
        let action = "list the files of a commit";
        let index = if self.git.workdir().is_some() {
            Some(self.git.index_or_empty().map_err(self.failed("read the index"))?)
        } else {
            None
        };
        // An index that carries the tree it stands for, as after a checkout or commit, spares reading all trees.
        let stands_for = |state: &gix::index::State| {
            state.tree().is_some_and(|cached| cached.num_entries.is_some() && cached.id == tree)
                && state.entries().iter().all(|entry| entry.stage() == Stage::Unconflicted)
                && !state.is_sparse()
        };
        let state = match &index {
            Some(index) if stands_for(index) => gix::index::State::clone(index),
            _ => self.git.index_from_tree(&tree).map_err(self.failed(action))?.into_parts().0,
        };
        let mut draft = DraftIndex { state };
        for entry in draft.state.entries_mut() {
            entry.stat = Stat::default();
            entry.flags = Flags::empty();
        }
        // What a sparse work tree leaves out is not deleted.
        let left_out = index.iter().flat_map(|index| {
            let is_left_out = |entry: &&gix::index::Entry| entry.flags.contains(Flags::SKIP_WORKTREE);
            index.entries().iter().filter(is_left_out).map(|entry| entry.path(index))
        });
        for path in left_out {
            if let Some(entry) = draft.find(path) {
                draft.leave_out(entry);
            }
        }
        Ok(draft)
    }

    /// The content of an entry: of a file as the commit has it, of a link its target.
    ///
    /// # Errors
    /// The object is not there or damaged.
    pub fn content(&self, draft: &DraftIndex, entry: usize) -> Result<Vec<u8>, GitError> {
        let action = "read the content of a file";
        let entry = draft.state.entries().get(entry).ok_or("there is no such file");
        let id = entry.map_err(self.failed(action))?.id;
        let mut object = self.git.find_blob(id).map_err(self.failed(action))?;
        Ok(std::mem::take(&mut object.data))
    }

    /// The same repository for another thread.
    #[must_use]
    pub fn for_thread(&self) -> Self {
        Self { git: self.git.clone() }
    }
}

impl DraftIndex {
    /// The index before the first commit.
    pub fn empty() -> Self {
        Self { state: gix::index::State::new(gix::hash::Kind::Sha1) }
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.state.entries().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Paths and kinds, in git's order.
    pub fn entries(&self) -> impl Iterator<Item = (&[u8], EntryKind)> {
        self.state.entries().iter().map(|entry| {
            let path: &[u8] = entry.path(&self.state);
            (path, kind(entry.mode))
        })
    }

    /// Where a path is.
    pub fn find(&self, path: &[u8]) -> Option<usize> {
        self.state.entry_index_by_path_and_stage(path.into(), Stage::Unconflicted)
    }

    /// The commit of a submodule at a path.
    pub fn submodule(&self, path: &[u8]) -> Option<CommitId> {
        let entry = self.state.entries().get(self.find(path)?)?;
        (kind(entry.mode) == EntryKind::Submodule).then(|| CommitId::from(entry.id))
    }

    /// Says that a file has the content of its entry as long as it looks like this.
    pub fn set_stat(&mut self, entry: usize, stat: &FileStat) {
        if let Some(entry) = self.state.entries_mut().get_mut(entry) {
            entry.stat = stat.to_stat();
        }
    }

    /// Says that an entry is left out of the files on purpose.
    pub fn leave_out(&mut self, entry: usize) {
        if let Some(entry) = self.state.entries_mut().get_mut(entry) {
            entry.flags |= Flags::SKIP_WORKTREE | Flags::EXTENDED;
        }
    }

    /// The file `index`.
    ///
    /// # Errors
    /// It cannot be encoded.
    pub fn encode(self, repository: &Repository) -> Result<Vec<u8>, GitError> {
        let mut content = Vec::with_capacity(self.len() * 96 + 64);
        gix::index::File::from_state(self.state, "index")
            .write_to(&mut content, gix::index::write::Options::default())
            .map_err(repository.failed("encode an index"))?;
        Ok(content)
    }
}

pub(super) fn kind(mode: Mode) -> EntryKind {
    match mode {
        Mode::FILE_EXECUTABLE => EntryKind::Executable,
        Mode::SYMLINK => EntryKind::Link,
        Mode::COMMIT => EntryKind::Submodule,
        _ => EntryKind::File,
    }
}
