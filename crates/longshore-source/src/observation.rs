//! What git knows here, as plain values.
//!
//! This is what the `github` context of an event is made of (GitHub documentation: "Contexts reference", section
//! "github context"): the ref, the commit, its author, the repository's name, the default branch. What cannot be
//! known is `None`; nothing is guessed except the default branch, which says how it was found.

use gix::bstr::ByteSlice;
use gix::remote::Direction;

use crate::remote_url::RepositoryName;
use crate::repository::{CommitId, GitError, Repository};

/// The state of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// What is checked out.
    pub head: Head,
    /// The commit that is checked out; `None` before the first.
    pub commit: Option<Commit>,
    /// The branch that a push of the current branch updates, as last seen.
    pub upstream: Option<Upstream>,
    /// The branch that pull requests go to.
    pub default_branch: Option<DefaultBranch>,
    /// Whether history was cut off when this was cloned.
    pub is_shallow: bool,
    /// Names of the tags on the current commit, without `refs/tags/`, sorted.
    pub tags: Vec<String>,
    /// All remotes, sorted by name.
    pub remotes: Vec<Remote>,
    /// The remote that a push goes to: the branch's, else `origin`, else the only one.
    pub push_remote: Option<String>,
}

/// What is checked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// A branch, without `refs/heads/`.
    Branch(String),
    /// A branch that has no commit yet.
    Unborn(String),
    /// A commit on no branch.
    Detached,
}

impl Head {
    /// The branch's name, if on one.
    pub fn branch(&self) -> Option<&str> {
        match self {
            Self::Branch(name) | Self::Unborn(name) => Some(name),
            Self::Detached => None,
        }
    }
}

/// A commit, as far as events speak of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: CommitId,
    /// The ids of its parents.
    pub parents: Vec<CommitId>,
    /// Who wrote it.
    pub author: Person,
    /// Who put it here.
    pub committer: Person,
    /// The whole message; bytes that are not UTF-8 are replaced.
    pub message: String,
}

/// A name in a commit, with the time it was put there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Full name.
    pub name: String,
    /// Mail address.
    pub email: String,
    /// Seconds since 1970-01-01T00:00:00Z.
    pub seconds: i64,
    /// Offset of the person's clock from UTC, in seconds, positive to the east.
    pub offset_seconds: i32,
}

/// The remote side of the current branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// The remote's name.
    pub remote: String,
    /// The tracking branch as people write it, such as `origin/main`.
    pub name: String,
    /// The commit it was at when last fetched or pushed.
    pub commit: CommitId,
}

/// The default branch and how it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultBranch {
    /// Without `refs/heads/`.
    pub name: String,
    /// Its commit: the remote's if known, else the local branch's.
    pub commit: Option<CommitId>,
    /// Whether the remote says so (`refs/remotes/origin/HEAD`); otherwise it is a guess from the names `main` and
    /// `master`.
    pub is_certain: bool,
}

/// A configured remote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// Its name, such as `origin`.
    pub name: String,
    /// Its URL as configured, without password. `None` if it has none.
    pub url: Option<String>,
    /// The repository that the URL names.
    pub repository: Option<RepositoryName>,
}

impl Observation {
    /// The `owner/name` of this repository, from the remote that a push goes to.
    pub fn repository_name(&self) -> Option<&RepositoryName> {
        let name = self.push_remote.as_deref()?;
        self.remotes.iter().find(|remote| remote.name == name)?.repository.as_ref()
    }

    /// The full ref that is checked out, such as `refs/heads/main`.
    pub fn reference(&self) -> Option<String> {
        self.head.branch().map(|name| format!("refs/heads/{name}"))
    }
}

impl Repository {
    /// Reads the state of the repository. The cost does not depend on the length of its history.
    ///
    /// # Errors
    /// A reference or the current commit cannot be read.
    pub fn observe(&self) -> Result<Observation, GitError> {
        let head = self.head()?;
        let commit = self.head_commit_id()?.map(|id| self.commit(id)).transpose()?;
        let push_remote = self.push_remote(head.branch());
        Ok(Observation {
            upstream: self.upstream(&head, push_remote.as_deref())?,
            default_branch: self.default_branch(push_remote.as_deref())?,
            is_shallow: self.git.is_shallow().unwrap_or(false),
            tags: self.tags_at(commit.as_ref().map(|commit| &commit.id))?,
            remotes: self.remotes(),
            push_remote,
            commit,
            head,
        })
    }

    fn head(&self) -> Result<Head, GitError> {
        let head = self.git.head().map_err(self.failed("read HEAD"))?;
        let name = head.referent_name().map(|name| name.shorten().to_str_lossy().into_owned());
        Ok(match name {
            None => Head::Detached,
            Some(name) if head.is_unborn() => Head::Unborn(name),
            Some(name) => Head::Branch(name),
        })
    }

    /// The id of the commit that is checked out.
    pub(crate) fn head_commit_id(&self) -> Result<Option<gix::ObjectId>, GitError> {
        let mut head = self.git.head().map_err(self.failed("read HEAD"))?;
        if head.is_unborn() {
            return Ok(None);
        }
        let commit = head.peel_to_commit().map_err(self.failed("read the commit at HEAD"))?;
        Ok(Some(commit.id))
    }

    /// Reads one commit.
    pub(crate) fn commit(&self, id: gix::ObjectId) -> Result<Commit, GitError> {
        let read = "read a commit";
        let commit = self.git.find_commit(id).map_err(self.failed(read))?;
        let decoded = commit.decode().map_err(self.failed(read))?;
        Ok(Commit {
            id: id.into(),
            parents: decoded.parents().map(CommitId::from).collect(),
            author: person(commit.author().map_err(self.failed(read))?),
            committer: person(commit.committer().map_err(self.failed(read))?),
            message: decoded.message.to_str_lossy().into_owned(),
        })
    }

    fn push_remote(&self, branch: Option<&str>) -> Option<String> {
        let configured = branch.and_then(|branch| {
            let name = self.git.branch_remote_name(branch, Direction::Push)?;
            Some(name.as_bstr().to_str_lossy().into_owned())
        });
        let names = self.git.remote_names();
        let origin = || names.iter().find(|name| name.as_bstr() == "origin").map(ToString::to_string);
        let only = || if names.len() == 1 { names.first().map(ToString::to_string) } else { None };
        configured.or_else(origin).or_else(only)
    }

    /// The tracking branch that a push of `head` moves: as `push.default` has it, else of the same name.
    fn upstream(&self, head: &Head, remote: Option<&str>) -> Result<Option<Upstream>, GitError> {
        let (Some(branch), Some(remote)) = (head.branch(), remote) else { return Ok(None) };
        let full = gix::refs::FullName::try_from(format!("refs/heads/{branch}")).ok();
        let configured = full
            .and_then(|name| self.git.branch_remote_tracking_ref_name(name.as_ref(), Direction::Push)?.ok())
            .map(|name| name.as_bstr().to_str_lossy().into_owned());
        let same_name = format!("refs/remotes/{remote}/{branch}");
        for name in configured.into_iter().chain([same_name]) {
            if let Some(id) = self.reference_commit(&name)? {
                let short = name.strip_prefix("refs/remotes/").unwrap_or(&name).to_owned();
                return Ok(Some(Upstream { remote: remote.to_owned(), name: short, commit: id.into() }));
            }
        }
        Ok(None)
    }

    fn default_branch(&self, remote: Option<&str>) -> Result<Option<DefaultBranch>, GitError> {
        if let Some(remote) = remote {
            let prefix = format!("refs/remotes/{remote}/");
            let head = self
                .git
                .try_find_reference(&format!("{prefix}HEAD"))
                .map_err(self.failed("read references"))?;
            let target = head
                .as_ref()
                .and_then(|head| head.target().try_name().map(|name| name.as_bstr().to_string()));
            if let Some(name) = target.as_deref().and_then(|target| target.strip_prefix(&prefix)) {
                let commit = self.reference_commit(&format!("{prefix}{name}"))?.map(CommitId::from);
                return Ok(Some(DefaultBranch { name: name.to_owned(), commit, is_certain: true }));
            }
        }
        for name in ["main", "master"] {
            let places = [
                remote.map(|remote| format!("refs/remotes/{remote}/{name}")),
                Some(format!("refs/heads/{name}")),
            ];
            for place in places.into_iter().flatten() {
                if let Some(id) = self.reference_commit(&place)? {
                    return Ok(Some(DefaultBranch {
                        name: name.to_owned(),
                        commit: Some(id.into()),
                        is_certain: false,
                    }));
                }
            }
        }
        Ok(None)
    }

    /// The commit that the reference of this full name leads to, `None` if there is no such reference or it leads
    /// to something else.
    pub(crate) fn reference_commit(&self, name: &str) -> Result<Option<gix::ObjectId>, GitError> {
        let found = self.git.try_find_reference(name).map_err(self.failed("read references"))?;
        Ok(found.and_then(|mut reference| reference.peel_to_commit().ok()).map(|commit| commit.id))
    }

    /// The commits of all tracking branches of `remote`.
    pub(crate) fn tracking_commits(&self, remote: &str) -> Result<Vec<gix::ObjectId>, GitError> {
        let action = "list the remote's branches";
        let platform = self.git.references().map_err(self.failed(action))?;
        let prefix = format!("refs/remotes/{remote}/");
        let branches = platform.remote_branches().map_err(self.failed(action))?;
        let mut ids: Vec<_> = branches
            .filter_map(Result::ok)
            .filter(|reference| reference.name().as_bstr().starts_with_str(&prefix))
            .filter_map(|mut reference| reference.peel_to_id().ok().map(gix::Id::detach))
            .collect();
        ids.sort();
        ids.dedup();
        Ok(ids)
    }

    fn tags_at(&self, commit: Option<&CommitId>) -> Result<Vec<String>, GitError> {
        let Some(commit) = commit.and_then(CommitId::object_id) else { return Ok(Vec::new()) };
        let action = "list tags";
        let platform = self.git.references().map_err(self.failed(action))?;
        let tags =
            platform.tags().and_then(gix::reference::iter::Iter::peeled).map_err(self.failed(action))?;
        let mut names: Vec<String> = tags
            .filter_map(Result::ok)
            .filter(|tag| tag.try_id().is_some_and(|id| id == commit))
            .map(|tag| tag.name().shorten().to_str_lossy().into_owned())
            .collect();
        names.sort();
        Ok(names)
    }

    fn remotes(&self) -> Vec<Remote> {
        let mut remotes: Vec<Remote> = Vec::new();
        for name in self.git.remote_names() {
            let remote = self.git.try_find_remote(name.as_bstr()).and_then(Result::ok);
            let url = remote.as_ref().and_then(|remote| remote.url(Direction::Fetch)).map(|url| {
                let mut url = url.clone();
                url.set_password(None);
                url.to_bstring().to_str_lossy().into_owned()
            });
            let repository = url.as_deref().and_then(RepositoryName::parse);
            remotes.push(Remote { name: name.to_str_lossy().into_owned(), url, repository });
        }
        remotes.sort_by(|a, b| a.name.cmp(&b.name));
        remotes
    }
}

fn person(signature: gix::actor::SignatureRef<'_>) -> Person {
    let time = signature.time().unwrap_or_default();
    Person {
        name: signature.name.to_str_lossy().into_owned(),
        email: signature.email.to_str_lossy().into_owned(),
        seconds: time.seconds,
        offset_seconds: time.offset,
    }
}
