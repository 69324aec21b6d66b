//! Laying a repository out in a directory: its files, its `.git`, its submodules.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use longshore_source::{
    CommitId, DraftIndex, EntryKind, GitError, GitReference, Repository, SparsePatterns, SubmodulePlace,
};
use thiserror::Error;

use super::copy::{CopyError, Origin, Piece, PieceKind, copy};
use super::git_directory::{Config, GitDirectory, Head};
use super::inputs::{Submodules, Wish};
use super::objects::LentObjects;
use super::submodule::Modules;
use crate::job::Folder;

/// Files without git below each other.
const DEEPEST: usize = 200;

/// What is laid out.
#[derive(Clone, Copy)]
pub(super) struct Layout<'l> {
    pub(super) wish: &'l Wish,
    /// None for plain files.
    pub(super) repository: Option<&'l Repository>,
    /// Where the files are, if they are those at hand.
    pub(super) files: Option<&'l Path>,
    pub(super) commit: Option<&'l CommitId>,
    pub(super) reference: &'l str,
    /// The address of `origin`.
    pub(super) url: &'l str,
    /// Objects that the job sees; others are copied.
    pub(super) lent: &'l [LentObjects],
    /// A directory of ours, which is no part of any repository.
    pub(super) state: &'l Path,
    /// Further settings.
    pub(super) settings: &'l dyn Fn(&mut Config),
    /// In how many others it lies.
    pub(super) depth: usize,
    /// Has the commit of a submodule that is not at hand, by its address.
    pub(super) fetch: &'l dyn Fn(&str, &CommitId) -> Result<Repository, String>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Laid {
    pub(super) files: usize,
    /// Files that git tracks.
    pub(super) tracked: Vec<Vec<u8>>,
    pub(super) warnings: Vec<String>,
}

/// Why it failed.
#[derive(Debug, Error)]
pub(super) enum LayError {
    #[error(transparent)]
    Git(#[from] GitError),
    #[error(transparent)]
    Copy(#[from] CopyError),
    #[error("failed to write the git directory of the checkout")]
    GitDirectory(#[source] io::Error),
    #[error("failed to list the files in `{}`", path.display())]
    List { path: PathBuf, source: io::Error },
    #[error("failed to make the directory of the submodule `{path}`")]
    Submodule { path: String, source: io::Error },
}

impl Layout<'_> {
    /// Makes everything in `target`.
    pub(super) fn lay(&self, target: &Folder) -> Result<Laid, LayError> {
        match self.repository {
            Some(repository) => self.lay_git(repository, target),
            None => self.lay_plain(target),
        }
    }

    fn lay_plain(&self, target: &Folder) -> Result<Laid, LayError> {
        let root = self.files.unwrap_or_else(|| Path::new("/nonexistent"));
        let mut pieces = Vec::new();
        let own = |path: &Path| path == self.state || path.file_name().is_some_and(|name| name == ".git");
        list(root, &mut Vec::new(), &own, 0, &mut pieces)?;
        let sparse = self.sparse();
        pieces.retain(|piece| sparse.as_ref().is_none_or(|sparse| sparse.includes(&piece.path)));
        let copied = copy(&Origin::work_tree(root)?, pieces, target)?;
        Ok(Laid { files: copied.files, ..Laid::default() })
    }

    fn lay_git(&self, repository: &Repository, target: &Folder) -> Result<Laid, LayError> {
        let mut draft = self.commit.map(|commit| repository.index_of(commit)).transpose()?;
        let sparse = self.sparse();
        let (pieces, submodules) = match (self.files, &draft) {
            (Some(files), _) => self.pieces_at_hand(repository, files, draft.as_ref(), sparse.as_ref())?,
            (None, Some(draft)) => pieces_of_commit(draft, sparse.as_ref()),
            (None, None) => (Vec::new(), Vec::new()),
        };
        let mut laid = Laid::default();
        let is_entry = |piece: &&Piece| match &piece.kind {
            PieceKind::AtHand(known) => {
                known.is_some() || draft.as_ref().is_some_and(|draft| draft.find(&piece.path).is_some())
            }
            PieceKind::Entry(..) => true,
            PieceKind::Directory => false,
        };
        laid.tracked = pieces.iter().filter(is_entry).map(|piece| piece.path.clone()).collect();
        let copied = {
            let origin = match (self.files, &draft) {
                (Some(files), _) => Some(Origin::work_tree(files)?),
                (None, Some(draft)) => Some(Origin::Commit(repository, draft)),
                (None, None) => None,
            };
            origin.map(|origin| copy(&origin, pieces, target)).transpose()?.unwrap_or_default()
        };
        laid.files = copied.files;
        if let Some(draft) = &mut draft {
            copied.stats.iter().for_each(|(entry, stat)| draft.set_stat(*entry, stat));
            if let Some(sparse) = &sparse {
                leave_out(draft, sparse);
            }
        }
        let places = match &draft {
            _ if submodules.is_empty() => Vec::new(),
            Some(draft) if self.files.is_none() => repository.submodule_places_of(draft)?,
            _ => repository.submodule_places()?,
        };
        let places: Vec<SubmodulePlace> = places.into_iter().map(|place| self.absolute(place)).collect();
        if self.wish.submodules != Submodules::None {
            let modules = Modules { repository, draft: draft.as_ref(), places: &places };
            self.lay_submodules(&modules, &submodules, target, &mut laid)?;
        }
        self.lay_git_directory(repository, draft, &places, target)?;
        Ok(laid)
    }

    /// The files at hand, and the submodules among them.
    fn pieces_at_hand(
        &self,
        repository: &Repository,
        files: &Path,
        draft: Option<&DraftIndex>,
        sparse: Option<&SparsePatterns>,
    ) -> Result<(Vec<Piece>, Vec<Vec<u8>>), LayError> {
        let empty;
        let draft = if let Some(draft) = draft {
            draft
        } else {
            empty = DraftIndex::empty();
            &empty
        };
        // What we keep may lie in the project; it is not part of it.
        let root = files.canonicalize().unwrap_or_else(|_| files.to_owned());
        let own = self.state.strip_prefix(&root).ok().map(|own| own.as_os_str().as_bytes().to_vec());
        let is_own = |path: &[u8]| {
            own.as_ref().is_some_and(|own| {
                path.strip_prefix(own.as_slice()).is_some_and(|rest| rest.starts_with(b"/"))
            })
        };
        let (mut pieces, mut submodules) = (Vec::new(), Vec::new());
        for file in repository.files_at_hand(draft)? {
            if sparse.is_some_and(|sparse| !sparse.includes(&file.path))
                || (!file.is_tracked && is_own(&file.path))
            {
                continue;
            }
            if file.is_submodule {
                submodules.push(file.path.clone());
            }
            let kind = if file.is_submodule { PieceKind::Directory } else { PieceKind::AtHand(file.known) };
            pieces.push(Piece { path: file.path, kind });
        }
        Ok((pieces, submodules))
    }

    fn lay_git_directory(
        &self,
        repository: &Repository,
        draft: Option<DraftIndex>,
        places: &[SubmodulePlace],
        target: &Folder,
    ) -> Result<(), LayError> {
        let head = self.head();
        let references = self.references(repository)?;
        let mut tips: Vec<CommitId> = self.commit.cloned().into_iter().collect();
        tips.extend(references.iter().map(|reference| reference.target().clone()));
        let mut shallow: BTreeSet<CommitId> = repository.shallow_boundary()?;
        if self.wish.depth > 0 {
            shallow.extend(repository.boundary(&tips, self.wish.depth)?);
        }
        let directories = repository.object_directories()?;
        let directories: Vec<PathBuf> =
            directories.into_iter().map(|path| path.canonicalize().unwrap_or(path)).collect();
        let lent: Option<Vec<String>> = directories
            .iter()
            .map(|path| self.lent.iter().find(|lent| lent.outside == *path).map(|lent| lent.inside.clone()))
            .collect();
        let directory = GitDirectory {
            config: self.config(&head, places),
            head,
            references,
            shallow,
            alternates: lent.clone().unwrap_or_default(),
            sparse: self.sparse_file(),
            index: draft.map(|draft| draft.encode(repository)).transpose()?,
        };
        let git = directory.write(target).map_err(LayError::GitDirectory)?;
        if lent.is_none() {
            let objects = git.make(b"objects").map_err(LayError::GitDirectory)?;
            for directory in directories {
                let mut pieces = Vec::new();
                let is_own = |path: &Path| path.ends_with("info/alternates");
                list(&directory, &mut Vec::new(), &is_own, 0, &mut pieces)?;
                copy(&Origin::work_tree(&directory)?, pieces, &objects)?;
            }
        }
        Ok(())
    }

    /// A branch is checked out as one, everything else is a commit.
    fn head(&self) -> Head {
        match (self.reference.strip_prefix("refs/heads/"), self.commit) {
            (Some(branch), commit) => Head::Branch(branch.to_owned(), commit.cloned()),
            (None, Some(commit)) => Head::Detached(commit.clone()),
            (None, None) => Head::default(),
        }
    }

    /// What `git fetch` would have brought.
    fn references(&self, repository: &Repository) -> Result<Vec<GitReference>, GitError> {
        let mut references: Vec<GitReference> = Vec::new();
        let mut add = |name: String, object: &CommitId, peeled: Option<&CommitId>| {
            if !references.iter().any(|known| known.name == name) {
                references.push(GitReference { name, object: object.clone(), peeled: peeled.cloned() });
            }
        };
        if let Some(commit) = self.commit {
            if let Some(branch) = self.reference.strip_prefix("refs/heads/") {
                add(format!("refs/remotes/origin/{branch}"), commit, None);
            } else if let Some(request) = self.reference.strip_prefix("refs/pull/") {
                add(format!("refs/remotes/pull/{request}"), commit, None);
            } else if self.reference.starts_with("refs/tags/") && self.wish.depth > 0 && !self.wish.tags {
                add(self.reference.to_owned(), commit, None);
            }
        }
        if self.wish.depth == 0 {
            for prefix in ["refs/remotes/origin/", "refs/heads/"] {
                for branch in repository.references_below(prefix)? {
                    let short = branch.name.strip_prefix(prefix).unwrap_or(&branch.name);
                    add(format!("refs/remotes/origin/{short}"), &branch.object, branch.peeled.as_ref());
                }
            }
        }
        if self.wish.depth == 0 || self.wish.tags {
            for tag in repository.references_below("refs/tags/")? {
                add(tag.name.clone(), &tag.object, tag.peeled.as_ref());
            }
        }
        Ok(references)
    }

    fn config(&self, head: &Head, places: &[SubmodulePlace]) -> Config {
        let mut config = Config::default();
        let mut core = vec![
            ("repositoryformatversion", "0"),
            ("filemode", "true"),
            ("bare", "false"),
            ("logallrefupdates", "true"),
        ];
        if let Some((_, is_cone)) = &self.wish.sparse {
            core.push(("sparseCheckout", "true"));
            core.push(("sparseCheckoutCone", if *is_cone { "true" } else { "false" }));
        }
        config.section("core", None, &core);
        let fetch = "+refs/heads/*:refs/remotes/origin/*";
        config.section("remote", Some("origin"), &[("url", self.url), ("fetch", fetch)]);
        config.section("gc", None, &[("auto", "0")]);
        if let Head::Branch(branch, _) = head {
            let merge = format!("refs/heads/{branch}");
            config.section("branch", Some(branch), &[("remote", "origin"), ("merge", &merge)]);
        }
        if self.wish.submodules != Submodules::None {
            for place in places.iter().filter(|place| !place.name.contains(char::is_control)) {
                let url = place.url.as_deref().unwrap_or_default();
                config.section("submodule", Some(&place.name), &[("active", "true"), ("url", url)]);
            }
        }
        (self.settings)(&mut config);
        config
    }

    fn sparse(&self) -> Option<SparsePatterns> {
        let (patterns, is_cone) = self.wish.sparse.as_ref()?;
        let patterns = patterns.iter().map(String::as_str);
        Some(if *is_cone { SparsePatterns::cone(patterns) } else { SparsePatterns::free(patterns) })
    }

    /// `info/sparse-checkout`, in cones as git itself writes it.
    fn sparse_file(&self) -> Option<String> {
        let (patterns, is_cone) = self.wish.sparse.as_ref()?;
        if !is_cone {
            return Some(patterns.join("\n") + "\n");
        }
        let directories: BTreeSet<&str> = patterns.iter().map(|pattern| pattern.trim_matches('/')).collect();
        let mut above = BTreeSet::new();
        for directory in &directories {
            let mut at = *directory;
            while let Some((parent, _)) = at.rsplit_once('/') {
                above.insert(parent);
                at = parent;
            }
        }
        let mut text = "/*\n!/*/\n".to_owned();
        for parent in above.difference(&directories) {
            text += &format!("/{parent}/\n!/{parent}/*/\n");
        }
        for directory in directories.iter().filter(|directory| !directory.is_empty()) {
            text += &format!("/{directory}/\n");
        }
        Some(text)
    }
}

fn pieces_of_commit(draft: &DraftIndex, sparse: Option<&SparsePatterns>) -> (Vec<Piece>, Vec<Vec<u8>>) {
    let (mut pieces, mut submodules) = (Vec::new(), Vec::new());
    for (number, (path, kind)) in draft.entries().enumerate() {
        if sparse.is_some_and(|sparse| !sparse.includes(path)) {
            continue;
        }
        let kind = if kind == EntryKind::Submodule {
            submodules.push(path.to_vec());
            PieceKind::Directory
        } else {
            PieceKind::Entry(number, kind)
        };
        pieces.push(Piece { path: path.to_vec(), kind });
    }
    (pieces, submodules)
}

fn leave_out(draft: &mut DraftIndex, sparse: &SparsePatterns) {
    let left: Vec<usize> = draft
        .entries()
        .enumerate()
        .filter(|(_, (path, _))| !sparse.includes(path))
        .map(|(number, _)| number)
        .collect();
    left.into_iter().for_each(|entry| draft.leave_out(entry));
}

/// All files below a directory of a person on this machine; links are not followed.
fn list(
    directory: &Path,
    prefix: &mut Vec<u8>,
    is_left_out: &dyn Fn(&Path) -> bool,
    depth: usize,
    pieces: &mut Vec<Piece>,
) -> Result<(), LayError> {
    let failed = |source| LayError::List { path: directory.to_owned(), source };
    if depth > DEEPEST {
        return Err(failed(io::Error::other("directories are nested too deep")));
    }
    for entry in fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        if is_left_out(&path) {
            continue;
        }
        let length = prefix.len();
        prefix.extend(entry.file_name().as_bytes());
        if entry.file_type().map_err(failed)?.is_dir() {
            prefix.push(b'/');
            list(&path, prefix, is_left_out, depth + 1, pieces)?;
        } else {
            pieces.push(Piece { path: prefix.clone(), kind: PieceKind::AtHand(None) });
        }
        prefix.truncate(length);
    }
    Ok(())
}
