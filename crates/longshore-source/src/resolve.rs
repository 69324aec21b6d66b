//! From `owner/repository/path@version` to text.
//!
//! Places are asked in a fixed order: directories that override a repository, mirrors on this machine, the cache, and,
//! only where the caller allows it, the network. The first that has the repository in that version decides, also when
//! the file is not in it: an answer never mixes two sources. What was tried is kept, so that an offline machine can be
//! told what it lacks.
//!
//! Follows GitHub's documentation for `jobs.<job_id>.uses` and `jobs.<job_id>.steps[*].uses`: a path to a file is a
//! reusable workflow, a path to a directory an action.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use longshore_syntax::{SourceFile, SourceLoader, SourceRef};
use thiserror::Error;

use crate::action_reference::{ActionReference, ReferenceError};
use crate::action_tree::{ActionTrees, Located, TreeError};
use crate::cache::{ActionCache, CacheError, CachedReference};
use crate::git_tree::{GitTree, GitTreeError};
use crate::remote::{self, FetchError};
use crate::repository::{CommitId, GitError};
use crate::worktree::{WorkTree, WorkTreeError};

/// Where to look, as the settings say.
#[derive(Debug, Clone, Default)]
pub struct ResolverSettings {
    /// Repositories that are taken from a directory as it is, in whatever version they are asked for.
    pub overrides: Vec<Override>,
    /// Other places of repositories; the longest prefix wins.
    pub mirrors: Vec<Mirror>,
    /// Repositories fetched before.
    pub cache: Option<ActionCache>,
    /// Whether anything may be fetched over the network.
    pub network: bool,
    /// Where to fetch what no mirror has, such as `https://github.com`; the repository's name is appended.
    pub server: Option<String>,
    /// A file of certificates to believe in place of the usual ones.
    pub certificates: Option<PathBuf>,
    /// Seconds since 1970-01-01T00:00:00Z, for the cache's records.
    pub now: u64,
    /// With `network`, how old in seconds a branch or tag may be before it is fetched again. A commit never is.
    pub refresh_after: u64,
}

/// A repository to take from a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// `owner/repository`, or `owner/repository@version` for only that version. Case does not count in the name.
    pub name: String,
    /// The directory, used as it is, uncommitted files included.
    pub directory: PathBuf,
}

/// Another place for repositories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    /// `owner/` for all of an owner's repositories, or `owner/repository` for one. Case does not count.
    pub prefix: String,
    /// An absolute path, a `file://` URL, or an http(s) URL. For `owner/` the repository's name is appended.
    ///
    /// A directory is a git repository (bare, or a clone), or plain files: `<directory>@<version>` if that exists,
    /// else `<directory>` for every version.
    pub target: String,
}

/// Text with where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The file. Its name is `owner/repository/path/to/file@version`.
    pub file: SourceFile,
    /// The file's path in its repository, such as `sub/action.yml`.
    pub path: String,
    /// Where it was found.
    pub origin: Origin,
}

/// Where something was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// What kind of place.
    pub kind: OriginKind,
    /// The directory or URL.
    pub location: String,
    /// The commit, unless it is a plain directory.
    pub commit: Option<CommitId>,
}

/// Kinds of places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OriginKind {
    /// A directory that overrides the repository.
    Override,
    /// A mirror on this machine.
    Mirror,
    /// Fetched before.
    Cache,
    /// Fetched now.
    Network,
}

/// The answer to a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// Here it is.
    Found(Box<Resolved>),
    /// No place has it.
    Missing(Missing),
}

/// What could not be found, and where it was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The reference.
    pub reference: SourceRef,
    /// Each place that was asked, in order, and why it did not have it.
    pub tried: Vec<Attempt>,
    /// Whether the network was not asked because it is not allowed.
    pub is_offline: bool,
}

/// A place that was asked in vain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The directory or URL.
    pub location: String,
    /// Why not, as half a sentence.
    pub reason: String,
}

/// Why a reference could not be answered at all.
#[derive(Debug, Error)]
pub enum ResolveError {
    /// The reference is refused.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// The reference is to this repository, which is not a resolver's business.
    #[error("`{reference}` is a file of this repository; load it from the work tree")]
    Local {
        /// The reference.
        reference: String,
    },
    /// A directory could not be read.
    #[error(transparent)]
    Directory(#[from] WorkTreeError),
    /// A git repository could not be read.
    #[error(transparent)]
    Tree(#[from] GitTreeError),
    /// A mirror's git repository could not be opened.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The cache could not be used.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// A fetch failed.
    #[error(transparent)]
    Fetch(#[from] FetchError),
}

/// Finds files of other repositories. Opened trees are kept, so several files of one repository cost one look-up.
#[derive(Debug)]
pub struct Resolver {
    settings: ResolverSettings,
    opened: RefCell<HashMap<(String, String), Place>>,
}

/// A source that has the repository in the version asked for.
#[derive(Debug, Clone)]
struct Place {
    origin: Origin,
    content: std::rc::Rc<Content>,
}

#[derive(Debug)]
enum Content {
    Directory(WorkTree),
    Tree(Box<GitTree>),
}

impl Place {
    fn new(kind: OriginKind, location: impl Into<String>, content: Content) -> Self {
        let commit = match &content {
            Content::Directory(_) => None,
            Content::Tree(tree) => Some(tree.commit().clone()),
        };
        Self { origin: Origin { kind, location: location.into(), commit }, content: content.into() }
    }
}

impl Resolver {
    /// A resolver that looks where `settings` say.
    pub fn new(settings: ResolverSettings) -> Self {
        Self { settings, opened: RefCell::default() }
    }

    /// Finds what `reference` names. A reference to a directory finds its `action.yml`, `action.yaml` or `Dockerfile`.
    ///
    /// # Errors
    /// The reference is refused, or a place that should be readable is not. That no place has it is no error.
    pub fn resolve(&self, reference: &SourceRef) -> Result<Resolution, ResolveError> {
        let Some(parsed) = ActionReference::parse(reference) else {
            return Err(ResolveError::Local { reference: reference.to_string() });
        };
        let parsed = parsed?;
        let mut tried = Vec::new();
        if let Some(place) = self.place(&parsed, &mut tried)? {
            if let Some(resolved) = read(&parsed, &place)? {
                return Ok(Resolution::Found(Box::new(resolved)));
            }
            let commit = place.origin.commit.map(|commit| format!(" at commit {}", commit.short()));
            let reason = format!("has no such file or action{}", commit.unwrap_or_default());
            tried.push(Attempt { location: place.origin.location, reason });
        }
        let is_offline = !self.settings.network;
        Ok(Resolution::Missing(Missing { reference: reference.clone(), tried, is_offline }))
    }

    /// Where the repository itself is in which `reference` is to be found: a git repository if its origin has a commit,
    /// else a plain directory. The version `HEAD` is what it has checked out, or its default branch.
    ///
    /// # Errors
    /// The reference is refused, or a place that should be readable is not. That no place has it is no error.
    pub fn locate_repository(&self, reference: &SourceRef) -> Result<Located, ResolveError> {
        let Some(parsed) = ActionReference::parse(reference) else {
            return Err(ResolveError::Local { reference: reference.to_string() });
        };
        let mut tried = Vec::new();
        let Some(place) = self.place(&parsed?, &mut tried)? else {
            let is_offline = !self.settings.network;
            return Ok(Located::Missing(Missing { reference: reference.clone(), tried, is_offline }));
        };
        let directory = match &*place.content {
            Content::Directory(tree) => tree.root().to_owned(),
            Content::Tree(tree) => tree.directory().to_owned(),
        };
        Ok(Located::Found { directory, origin: place.origin })
    }

    /// See [`Resolver::locate`].
    pub(crate) fn find_repository(
        &self,
        reference: &SourceRef,
        trees: &ActionTrees,
    ) -> Result<Located, TreeError> {
        let Some(parsed) = ActionReference::parse(reference) else {
            return Err(ResolveError::Local { reference: reference.to_string() }.into());
        };
        let parsed = parsed.map_err(ResolveError::from)?;
        let mut tried = Vec::new();
        let Some(place) = self.place(&parsed, &mut tried)? else {
            let is_offline = !self.settings.network;
            return Ok(Located::Missing(Missing { reference: reference.clone(), tried, is_offline }));
        };
        let directory = match &*place.content {
            Content::Directory(tree) => tree.root().to_owned(),
            Content::Tree(tree) => trees.keep(tree)?,
        };
        Ok(Located::Found { directory, origin: place.origin })
    }

    /// The first place that has the repository in this version.
    fn place(
        &self,
        reference: &ActionReference,
        tried: &mut Vec<Attempt>,
    ) -> Result<Option<Place>, ResolveError> {
        let key = (reference.name().to_ascii_lowercase(), reference.version.clone());
        if let Some(place) = self.opened.borrow().get(&key) {
            return Ok(Some(place.clone()));
        }
        let found = match self.overriding(reference)? {
            Some(place) => Some(place),
            None => match self.mirrored(reference, tried)? {
                Some(place) => Some(place),
                None => self.cached_or_fetched(reference, tried)?,
            },
        };
        if let Some(place) = &found {
            self.opened.borrow_mut().insert(key, place.clone());
        }
        Ok(found)
    }

    fn overriding(&self, reference: &ActionReference) -> Result<Option<Place>, ResolveError> {
        let applies = |name: &str| {
            let (name, version) =
                name.split_once('@').map_or((name, None), |(name, version)| (name, Some(version)));
            name.eq_ignore_ascii_case(&reference.name())
                && version.is_none_or(|version| version == reference.version)
        };
        let Some(rule) = self.settings.overrides.iter().find(|rule| applies(&rule.name)) else {
            return Ok(None);
        };
        let tree = WorkTree::at(&rule.directory)?;
        let location = rule.directory.display().to_string();
        Ok(Some(Place::new(OriginKind::Override, location, Content::Directory(tree))))
    }

    /// The mirror rule with the longest prefix, and the place it gives the repository.
    fn mirror(&self, reference: &ActionReference) -> Option<String> {
        let name = reference.name();
        let applies = |prefix: &str| match prefix.strip_suffix('/') {
            Some(owner) => owner.eq_ignore_ascii_case(&reference.owner),
            None => prefix.eq_ignore_ascii_case(&name),
        };
        let rules = self.settings.mirrors.iter().filter(|rule| applies(&rule.prefix));
        let rule = rules.max_by_key(|rule| rule.prefix.len())?;
        let target = rule.target.strip_prefix("file://").unwrap_or(&rule.target);
        Some(if rule.prefix.ends_with('/') {
            format!("{}/{}", target.trim_end_matches('/'), reference.repository)
        } else {
            target.to_owned()
        })
    }

    /// Looks in a mirror on this machine.
    fn mirrored(
        &self,
        reference: &ActionReference,
        tried: &mut Vec<Attempt>,
    ) -> Result<Option<Place>, ResolveError> {
        let Some(target) = self.mirror(reference).filter(|target| !is_url(target)) else { return Ok(None) };
        let bare = format!("{target}.git");
        for directory in [target.as_str(), bare.as_str()] {
            let path = Path::new(directory);
            if let Some(tree) = GitTree::open(path, &reference.version)? {
                return Ok(Some(Place::new(OriginKind::Mirror, directory, Content::Tree(Box::new(tree)))));
            }
            if path.join(".git").exists() || path.join("objects").exists() {
                let reason = format!("has no branch, tag or commit `{}`", reference.version);
                tried.push(Attempt { location: directory.to_owned(), reason });
                return Ok(None);
            }
        }
        for directory in [format!("{target}@{}", reference.version), target.clone()] {
            if Path::new(&directory).is_dir() {
                let tree = WorkTree::at(Path::new(&directory))?;
                return Ok(Some(Place::new(OriginKind::Mirror, directory, Content::Directory(tree))));
            }
        }
        tried.push(Attempt { location: target, reason: "does not exist".to_owned() });
        Ok(None)
    }

    fn cached_or_fetched(
        &self,
        reference: &ActionReference,
        tried: &mut Vec<Attempt>,
    ) -> Result<Option<Place>, ResolveError> {
        let Some(cache) = &self.settings.cache else { return Ok(None) };
        let url = self.url(reference);
        let cached = cache.lookup(reference)?;
        let place = match &cached {
            Some(entry) => {
                let location = || format!("the action cache (commit {})", entry.commit.short());
                let tree = cache.tree(reference, &entry.commit)?;
                tree.map(|tree| Place::new(OriginKind::Cache, location(), Content::Tree(Box::new(tree))))
            }
            None => None,
        };
        let age = cached.map_or(u64::MAX, |entry| self.settings.now.saturating_sub(entry.fetched_at));
        let is_fresh = place.is_some() && age <= self.settings.refresh_after;
        let url = url.filter(|_| self.settings.network && !is_fresh);
        let Some(url) = url else {
            if place.is_none() {
                tried.push(Attempt {
                    location: "the action cache".to_owned(),
                    reason: "does not hold it".to_owned(),
                });
            }
            return Ok(place);
        };
        match self.fetch(cache, reference, &url) {
            Ok(fetched) => Ok(Some(fetched)),
            // What was fetched before is better than nothing.
            Err(ResolveError::Fetch(FetchError::Transfer { .. })) if place.is_some() => Ok(place),
            Err(error) => Err(error),
        }
    }

    /// Where the network has the repository.
    fn url(&self, reference: &ActionReference) -> Option<String> {
        let mirror = self.mirror(reference).filter(|target| is_url(target));
        let server = self.settings.server.as_ref();
        mirror
            .or_else(|| server.map(|server| format!("{}/{}", server.trim_end_matches('/'), reference.name())))
    }

    fn fetch(
        &self,
        cache: &ActionCache,
        reference: &ActionReference,
        url: &str,
    ) -> Result<Place, ResolveError> {
        let workspace = cache.workspace(reference)?;
        let commit =
            remote::fetch(url, &reference.version, &workspace.path, self.settings.certificates.as_deref())?;
        let shown = remote::without_password(url);
        let entry = CachedReference { commit, fetched_at: self.settings.now, url: shown.clone() };
        cache.store(reference, &workspace, &entry)?;
        let missing = || FetchError::NoVersion { url: shown.clone(), version: reference.version.clone() };
        let tree = cache.tree(reference, &entry.commit)?.ok_or_else(missing)?;
        Ok(Place::new(OriginKind::Network, shown, Content::Tree(Box::new(tree))))
    }
}

impl SourceLoader for Resolver {
    type Error = ResolveError;

    fn load(&self, reference: &SourceRef) -> Result<Option<SourceFile>, Self::Error> {
        match self.resolve(reference)? {
            Resolution::Found(resolved) => Ok(Some(resolved.file)),
            Resolution::Missing(_) => Ok(None),
        }
    }
}

fn is_url(target: &str) -> bool {
    target.contains("://")
}

/// Reads the referenced file or action from a place, under a name that tells the repository.
fn read(reference: &ActionReference, place: &Place) -> Result<Option<Resolved>, ResolveError> {
    let file = match &*place.content {
        Content::Directory(tree) => tree.read(&reference.path)?,
        Content::Tree(tree) => tree.read(&reference.path)?,
    };
    Ok(file.map(|file| {
        let path = file.name().to_owned();
        let name = format!("{}/{path}@{}", reference.name(), reference.version);
        Resolved { file: SourceFile::new(name, file.text()), path, origin: place.origin.clone() }
    }))
}
