//! What a copy has of history: references, and where it is cut off.

use std::collections::{BTreeSet, HashSet};

use gix::bstr::ByteSlice;

use crate::repository::{CommitId, GitError, Repository};

/// A branch or tag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GitReference {
    /// The full name, such as `refs/tags/v1`.
    pub name: String,
    /// The object.
    pub object: CommitId,
    /// What a tag object is about, unless the reference is no tag object.
    pub peeled: Option<CommitId>,
}

/// What a version means in a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// The commit.
    pub commit: CommitId,
    /// `refs/heads/…` or `refs/tags/…`, unless the version was a commit.
    pub reference: Option<String>,
}

impl GitReference {
    /// The commit, or other object, that it leads to.
    pub fn target(&self) -> &CommitId {
        self.peeled.as_ref().unwrap_or(&self.object)
    }
}

impl Repository {
    /// What `version` means to someone who checks it out: a commit by its full id, a full name, a branch, or else a tag;
    /// `HEAD` for what the repository itself has checked out. Branches of the remote `remote` count as branches.
    ///
    /// # Errors
    /// The repository cannot be read.
    pub fn revision(&self, version: &str, remote: Option<&str>) -> Result<Option<Revision>, GitError> {
        if let Some(id) = CommitId::parse(version) {
            let Some(object) = id.object_id() else { return Ok(None) };
            let found = self.git.try_find_object(object).map_err(self.failed("look up a commit"))?;
            let commit = found.and_then(|object| object.peel_to_kind(gix::objs::Kind::Commit).ok());
            return Ok(commit.map(|commit| Revision { commit: commit.id.into(), reference: None }));
        }
        if version == "HEAD" {
            let head = self.git.head_name().map_err(self.failed("read HEAD"))?;
            let reference = head.map(|name| name.as_bstr().to_str_lossy().into_owned());
            let commit = self.head_commit_id()?;
            return Ok(commit.map(|commit| Revision { commit: commit.into(), reference }));
        }
        let branch = version.strip_prefix("refs/heads/");
        let names = match branch {
            None if version.starts_with("refs/") => vec![(version.to_owned(), version.to_owned())],
            _ => {
                let short = branch.unwrap_or(version);
                let full = format!("refs/heads/{short}");
                let mut names = vec![(full.clone(), full.clone())];
                names.extend(remote.map(|remote| (format!("refs/remotes/{remote}/{short}"), full)));
                if branch.is_none() {
                    let tag = format!("refs/tags/{short}");
                    names.push((tag.clone(), tag));
                }
                names
            }
        };
        for (place, name) in names {
            if gix::refs::FullName::try_from(place.as_str()).is_err() {
                return Ok(None);
            }
            if let Some(id) = self.reference_commit(&place)? {
                return Ok(Some(Revision { commit: id.into(), reference: Some(name) }));
            }
        }
        Ok(None)
    }

    /// All references below `prefix`, such as `refs/tags/`, by name. Symbolic ones are left out.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn references_below(&self, prefix: &str) -> Result<Vec<GitReference>, GitError> {
        let action = "list references";
        let platform = self.git.references().map_err(self.failed(action))?;
        let found = platform.prefixed(prefix).map_err(self.failed(action))?;
        let mut references = Vec::new();
        for reference in found.filter_map(Result::ok) {
            let Some(object) = reference.try_id().map(gix::Id::detach) else { continue };
            let Ok(name) = reference.name().as_bstr().to_str().map(str::to_owned) else { continue };
            let mut reference = reference;
            // What cannot be peeled leads to nothing that is here.
            let Ok(peeled) = reference.peel_to_id().map(gix::Id::detach) else { continue };
            let peeled = (peeled != object).then(|| peeled.into());
            references.push(GitReference { name, object: object.into(), peeled });
        }
        references.sort();
        Ok(references)
    }

    /// Where this repository's own history is cut off.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn shallow_boundary(&self) -> Result<BTreeSet<CommitId>, GitError> {
        let commits = self.git.shallow_commits().map_err(self.failed("read where history is cut off"))?;
        Ok(commits
            .into_iter()
            .flat_map(|commits| commits.iter().copied().collect::<Vec<_>>())
            .map(CommitId::from)
            .collect())
    }

    /// The commits at which history must be cut off so that `depth` commits of it are seen from each of `tips`.
    ///
    /// # Errors
    /// A commit cannot be read.
    pub fn boundary(&self, tips: &[CommitId], depth: u32) -> Result<BTreeSet<CommitId>, GitError> {
        let action = "read the history of a commit";
        let mut boundary = BTreeSet::new();
        let mut seen = HashSet::new();
        let mut row: Vec<gix::ObjectId> = tips.iter().filter_map(CommitId::object_id).collect();
        for level in 1..=depth {
            let mut next = Vec::new();
            for id in row {
                // What is no commit, such as a tag of a file, has no history.
                if !seen.insert(id)
                    || self.git.find_header(id).map(|header| header.kind()).ok()
                        != Some(gix::objs::Kind::Commit)
                {
                    continue;
                }
                let commit = self.git.find_commit(id).map_err(self.failed(action))?;
                let parents: Vec<_> = commit.parent_ids().map(gix::Id::detach).collect();
                if level == depth && parents.iter().any(|parent| !seen.contains(parent)) {
                    boundary.insert(CommitId::from(id));
                }
                next.extend(parents);
            }
            if next.is_empty() {
                break;
            }
            row = next;
        }
        Ok(boundary)
    }
}
