//! The files that a copy of the work tree has: those that git tracks, and new ones that it does not ignore.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use gix::bstr::ByteSlice as _;
use gix::dir::entry::{Kind, Status};
use gix::index::entry::{Mode, stat};

use super::draft::{DraftIndex, FileStat};
use crate::repository::{GitError, Repository};

/// A file of the work tree, or a submodule's directory. A tracked one may be gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileAtHand {
    /// From the root of the work tree, with `/`.
    pub path: Vec<u8>,
    /// Whether it is a submodule.
    pub is_submodule: bool,
    /// Whether git tracks it.
    pub is_tracked: bool,
    /// The entry of the index that it has the content of, if it looks like this.
    pub known: Option<(usize, FileStat)>,
}

/// Where a submodule is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmodulePlace {
    /// Its name, which need not be its path.
    pub name: String,
    /// From the root of the work tree, with `/`.
    pub path: Vec<u8>,
    /// Where it comes from; none if that is malformed.
    pub url: Option<String>,
}

impl Repository {
    /// The files of the work tree that a commit of everything would have, in no particular order. Other repositories in
    /// the tree that are not submodules are left out, as git leaves them out.
    ///
    /// # Errors
    /// The index or a directory cannot be read.
    pub fn files_at_hand(&self, draft: &DraftIndex) -> Result<Vec<FileAtHand>, GitError> {
        let index = self.git.index_or_empty().map_err(self.failed("read the index"))?;
        let mut files: Vec<FileAtHand> = Vec::with_capacity(index.entries().len());
        let options = stat::Options { trust_ctime: true, check_stat: true, use_nsec: true, use_stdev: false };
        for entry in index.entries() {
            let path = entry.path(&index);
            if files.last().is_some_and(|last| last.path == **path) {
                continue;
            }
            // Changed in the second in which git looked at it, git itself would read it again.
            let is_settled = !entry.stat.is_racy(index.timestamp(), options);
            let same = |&at: &usize| {
                draft
                    .state
                    .entries()
                    .get(at)
                    .is_some_and(|wanted| wanted.id == entry.id && wanted.mode == entry.mode)
            };
            let known = if is_settled { draft.find(path).filter(same) } else { None };
            files.push(FileAtHand {
                path: path.to_vec(),
                is_submodule: entry.mode == Mode::COMMIT,
                is_tracked: true,
                known: known.map(|at| (at, FileStat::of(&entry.stat))),
            });
        }
        self.add_new_files(&index, &mut files)?;
        Ok(files)
    }

    fn add_new_files(&self, index: &gix::index::State, files: &mut Vec<FileAtHand>) -> Result<(), GitError> {
        let action = "look for new files in the work tree";
        let mut found = gix::dir::walk::delegate::Collect::default();
        let options = self.git.dirwalk_options().map_err(self.failed(action))?;
        let nothing: [&gix::bstr::BStr; 0] = [];
        self.git
            .dirwalk(index, nothing, &AtomicBool::new(false), options, &mut found)
            .map_err(self.failed(action))?;
        for (entry, _) in found.unorded_entries {
            let is_file = matches!(entry.disk_kind, Some(Kind::File | Kind::Symlink));
            if is_file
                && entry.status == Status::Untracked
                && index.entry_by_path(entry.rela_path.as_ref()).is_none()
            {
                files.push(FileAtHand {
                    path: entry.rela_path.into(),
                    is_submodule: false,
                    is_tracked: false,
                    known: None,
                });
            }
        }
        Ok(())
    }

    /// The submodules that the work tree's `.gitmodules` names.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn submodule_places(&self) -> Result<Vec<SubmodulePlace>, GitError> {
        let Some(submodules) = self.git.submodules().map_err(self.failed("read `.gitmodules`"))? else {
            return Ok(Vec::new());
        };
        let place = |submodule: gix::Submodule<'_>| {
            Some(SubmodulePlace {
                name: submodule.name().to_str_lossy().into_owned(),
                path: submodule.path().ok()?.to_vec(),
                url: submodule.url().ok().map(|url| url.to_bstring().to_str_lossy().into_owned()),
            })
        };
        Ok(submodules.filter_map(place).collect())
    }

    /// The submodules that the `.gitmodules` of a commit names.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn submodule_places_of(&self, draft: &DraftIndex) -> Result<Vec<SubmodulePlace>, GitError> {
        let Some(entry) = draft.find(b".gitmodules") else { return Ok(Vec::new()) };
        let content = self.content(draft, entry)?;
        let settings = self.git.config_snapshot();
        let file = gix::submodule::File::from_bytes(&content, None, settings.plumbing());
        let file = file.map_err(self.failed("read `.gitmodules`"))?;
        let place = |name: &gix::bstr::BStr| {
            Some(SubmodulePlace {
                name: name.to_str_lossy().into_owned(),
                path: file.path(name).ok()?.to_vec(),
                url: file.url(name).ok().map(|url| url.to_bstring().to_str_lossy().into_owned()),
            })
        };
        Ok(file.names().filter_map(place).collect())
    }

    /// The directories that hold the objects: the repository's own, then those that it borrows from.
    ///
    /// # Errors
    /// The list of directories to borrow from cannot be read.
    pub fn object_directories(&self) -> Result<Vec<PathBuf>, GitError> {
        let store = self.git.objects.store_ref();
        let mut directories = vec![store.path().to_owned()];
        directories.extend(store.alternate_db_paths().map_err(self.failed("find borrowed objects"))?);
        Ok(directories)
    }
}
