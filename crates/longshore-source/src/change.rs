//! Change detection: what a push of the files at hand would change.
//!
//! Follows GitHub's documentation "Workflow syntax for GitHub Actions", section
//! `on.<push|pull_request|pull_request_target>.<paths|paths-ignore>`, part "Git diff comparisons": a push to an existing
//! branch compares its two commits directly, also when it is forced; a push of a new branch compares with the parent of
//! the deepest commit that it brings; a pull request compares with the merge base; filters on paths do not apply to
//! tags; only the first 300 files of a difference count, and a push of more than 1,000 commits runs every workflow.
//!
//! Uncommitted and untracked files count as if they were committed and pushed now. The base is always stated with the
//! reason for it, and where it cannot be known every file counts as changed, with a notice: to run too much is safe.

use gix::ObjectId;

use crate::history::{self, Fork, Relation};
use crate::observation::{Commit, Observation, Upstream};
use crate::repository::{CommitId, GitError, Repository};

/// How many files of a difference GitHub's `paths` filters look at.
pub const FILE_LIMIT: usize = 300;
/// With more commits in a push GitHub runs every workflow, whatever its `paths`.
pub const COMMIT_LIMIT: usize = 1000;
/// How many commits [`ChangeSet::commits`] lists at most.
pub const LISTED_COMMITS: usize = 100;

/// What to compare the files at hand with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Comparison {
    /// What the remote has, as a push does.
    #[default]
    Push,
    /// This revision, directly.
    Revision(String),
    /// The merge base with this revision, as a pull request into it does.
    PullRequest(String),
    /// Nothing: a tag is pushed, and `paths` filters do not apply.
    Tag,
}

/// What changed, compared with what, and why that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeSet {
    /// What was compared with.
    pub base: Base,
    /// The changed paths, sorted by their bytes. Empty for a tag.
    pub paths: Vec<ChangedPath>,
    /// The newest commits since the base, newest first, at most [`LISTED_COMMITS`].
    pub commits: Vec<Commit>,
    /// How many commits the push brings, counted up to one more than [`COMMIT_LIMIT`].
    pub commit_count: usize,
    /// Whether files are changed that no commit holds.
    pub is_dirty: bool,
    /// What a person should know about the comparison.
    pub notices: Vec<Notice>,
    /// Whether `paths` is known to be the difference. `false` if the base is unknown and every file is listed.
    pub complete: bool,
    /// Whether GitHub would not look at the whole difference.
    pub diff_limit_exceeded: Option<DiffLimit>,
}

/// What was compared with, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// The revision that was asked for.
    Given {
        /// As asked for.
        revision: String,
        /// What it names.
        commit: CommitId,
    },
    /// The remote branch that the push updates.
    Upstream {
        /// Such as `origin/main`.
        name: String,
        /// Where it was last seen.
        commit: CommitId,
        /// Whether it holds commits that are not here, so that the push must be forced.
        forced: bool,
    },
    /// The parent of the deepest commit of a new branch.
    NewBranch {
        /// That parent.
        commit: CommitId,
    },
    /// The merge base with the target of a pull request, or with an upstream branch that is ahead.
    MergeBase {
        /// The target as asked for.
        target: String,
        /// The merge base.
        commit: CommitId,
    },
    /// The commit before: there is nothing new to push, so the last push is looked at again.
    Previous {
        /// The first parent of the current commit.
        commit: CommitId,
    },
    /// Nothing was pushed before, so every file is new.
    Nothing,
    /// History does not say; every file counts as changed.
    Unknown,
    /// A tag is pushed.
    Tag,
}

impl Base {
    /// The commit compared with, if there is one.
    pub fn commit(&self) -> Option<&CommitId> {
        match self {
            Self::Given { commit, .. }
            | Self::Upstream { commit, .. }
            | Self::NewBranch { commit }
            | Self::MergeBase { commit, .. }
            | Self::Previous { commit } => Some(commit),
            Self::Nothing | Self::Unknown | Self::Tag => None,
        }
    }
}

/// One path that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedPath {
    /// From the root of the repository, with `/`; bytes that are not UTF-8 are replaced.
    pub path: String,
    /// What happened to it.
    pub kind: ChangeKind,
}

/// What happened to a path. A move is a deletion and an addition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    /// Not in the base.
    Added,
    /// Different content, mode or kind; for a submodule, another commit.
    Modified,
    /// Only in the base.
    Deleted,
}

/// A limit of GitHub's `paths` filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiffLimit {
    /// More than [`FILE_LIMIT`] files: only the first are matched, so a workflow may not run though a later file matches.
    Files,
    /// More than [`COMMIT_LIMIT`] commits: every workflow runs.
    Commits,
}

/// What a person should know about a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The clone is shallow and the base is beyond its end.
    ShallowHistory,
    /// The two lines of history have nothing in common.
    UnrelatedHistory {
        /// The other side.
        with: String,
    },
    /// Commit and files are what the remote has.
    NothingToPush,
    /// The remote branch is ahead of what is here; a push needs a pull first.
    Behind {
        /// The branch.
        upstream: String,
    },
    /// The remote branch holds commits that are not here, and the reverse.
    ForcedPush {
        /// The branch.
        upstream: String,
    },
}

impl Repository {
    /// Compares the files at hand with what `comparison` asks for.
    ///
    /// # Errors
    /// The repository cannot be read, or a revision that was asked for does not exist.
    pub fn changes(&self, observation: &Observation, comparison: &Comparison) -> Result<ChangeSet, GitError> {
        let uncommitted = self.uncommitted()?;
        let head = self.head_commit_id()?;
        let is_dirty = !uncommitted.is_empty() || head.map_or(Ok(false), |head| self.has_staged(head))?;
        let chosen = match comparison {
            Comparison::Tag => Choice::of(Base::Tag),
            Comparison::Revision(revision) => self.given(head, revision)?,
            Comparison::PullRequest(target) => self.merge_base(head, target)?,
            Comparison::Push => self.push(head, observation, is_dirty)?,
        };
        let base = chosen.base.commit().and_then(CommitId::object_id);
        let paths = match chosen.base {
            Base::Tag => Vec::new(),
            _ => self.difference(base, &uncommitted)?,
        };
        let commit_count = chosen.ahead.len().min(COMMIT_LIMIT + 1);
        let listed = chosen.ahead.iter().take(LISTED_COMMITS);
        Ok(ChangeSet {
            commits: listed.map(|&id| self.commit(id)).collect::<Result<_, _>>()?,
            diff_limit_exceeded: limit(commit_count, paths.len()),
            complete: chosen.base != Base::Unknown,
            base: chosen.base,
            notices: chosen.notices,
            commit_count,
            is_dirty,
            paths,
        })
    }

    /// The base of a push of the current branch or commit.
    fn push(
        &self,
        head: Option<ObjectId>,
        observation: &Observation,
        is_dirty: bool,
    ) -> Result<Choice, GitError> {
        let Some(head) = head else { return Ok(Choice::of(Base::Nothing)) };
        let choice = match &observation.upstream {
            Some(upstream) => self.existing_branch(head, upstream)?,
            None => self.new_branch(head, observation)?,
        };
        let has_news = is_dirty || !choice.ahead.is_empty() || choice.base == Base::Nothing;
        let is_current = choice.base.commit().and_then(CommitId::object_id) == Some(head);
        if has_news || !is_current {
            return Ok(choice);
        }
        let mut previous = self.previous(head)?;
        previous.notices.extend(choice.notices);
        Ok(previous)
    }

    fn existing_branch(&self, head: ObjectId, upstream: &Upstream) -> Result<Choice, GitError> {
        let Some(known) = upstream.commit.object_id() else { return Ok(Choice::of(Base::Unknown)) };
        let relation = history::relate(self, head, &[known], COMMIT_LIMIT + 1)?;
        // In a shallow clone an ancestor may be out of sight; then nothing shows that the push is forced.
        let is_ancestor = relation.meetings.contains(&known);
        if relation.ahead.is_empty() && !is_ancestor {
            let base = Base::MergeBase { target: upstream.name.clone(), commit: head.into() };
            let notices = vec![Notice::Behind { upstream: upstream.name.clone() }];
            return Ok(Choice { base, ahead: Vec::new(), notices });
        }
        let forced = !is_ancestor && !relation.cut_off;
        let base = Base::Upstream { name: upstream.name.clone(), commit: upstream.commit.clone(), forced };
        let notice = forced.then(|| Notice::ForcedPush { upstream: upstream.name.clone() });
        Ok(Choice { base, ahead: relation.ahead, notices: notice.into_iter().collect() })
    }

    /// The base of a branch that the remote does not have, and of a commit on no branch.
    fn new_branch(&self, head: ObjectId, observation: &Observation) -> Result<Choice, GitError> {
        let mut known = match &observation.push_remote {
            Some(remote) => self.tracking_commits(remote)?,
            None => Vec::new(),
        };
        let default = observation.default_branch.as_ref();
        if known.is_empty() && default.is_some_and(|default| observation.head.branch() != Some(&default.name))
        {
            known.extend(default.and_then(|default| default.commit.as_ref()?.object_id()));
        }
        let relation = history::relate(self, head, &known, COMMIT_LIMIT + 1)?;
        let Relation { ahead, fork, .. } = relation;
        if known.is_empty() {
            let shallow = observation.is_shallow;
            let base = if shallow { Base::Unknown } else { Base::Nothing };
            let notices = if shallow { vec![Notice::ShallowHistory] } else { Vec::new() };
            return Ok(Choice { base, ahead, notices });
        }
        Ok(match fork {
            Fork::At(commit) => {
                Choice { base: Base::NewBranch { commit: commit.into() }, ahead, notices: Vec::new() }
            }
            Fork::Missing => Choice { base: Base::Unknown, ahead, notices: vec![Notice::ShallowHistory] },
            Fork::Root => {
                let with = observation.push_remote.clone().unwrap_or_else(|| "the default branch".to_owned());
                Choice { base: Base::Nothing, ahead, notices: vec![Notice::UnrelatedHistory { with }] }
            }
        })
    }

    /// The commit before `head`, looked at again because there is nothing newer.
    fn previous(&self, head: ObjectId) -> Result<Choice, GitError> {
        let parent = self.commit(head)?.parents.into_iter().next();
        let mut notices = vec![Notice::NothingToPush];
        let base = match parent {
            None => Base::Nothing,
            Some(commit) if commit.object_id().is_some_and(|id| self.git.has_object(id)) => {
                Base::Previous { commit }
            }
            Some(_) => {
                notices.push(Notice::ShallowHistory);
                Base::Unknown
            }
        };
        Ok(Choice { base, ahead: vec![head], notices })
    }

    fn given(&self, head: Option<ObjectId>, revision: &str) -> Result<Choice, GitError> {
        let commit = self.commit_of(revision)?;
        let ahead = match head {
            Some(head) => history::relate(self, head, &[commit], COMMIT_LIMIT + 1)?.ahead,
            None => Vec::new(),
        };
        let base = Base::Given { revision: revision.to_owned(), commit: commit.into() };
        Ok(Choice { base, ahead, notices: Vec::new() })
    }

    fn merge_base(&self, head: Option<ObjectId>, target: &str) -> Result<Choice, GitError> {
        let tip = self.commit_of(target)?;
        let Some(head) = head else { return Ok(Choice::of(Base::Nothing)) };
        let Relation { ahead, meetings, cut_off, .. } =
            history::relate(self, head, &[tip], COMMIT_LIMIT + 1)?;
        Ok(match meetings.first() {
            Some(&commit) => {
                let base = Base::MergeBase { target: target.to_owned(), commit: commit.into() };
                Choice { base, ahead, notices: Vec::new() }
            }
            None if cut_off => Choice { base: Base::Unknown, ahead, notices: vec![Notice::ShallowHistory] },
            None => {
                let notices = vec![Notice::UnrelatedHistory { with: target.to_owned() }];
                Choice { base: Base::Nothing, ahead, notices }
            }
        })
    }
}

/// A base with what was learned on the way to it.
struct Choice {
    base: Base,
    ahead: Vec<ObjectId>,
    notices: Vec<Notice>,
}

impl Choice {
    fn of(base: Base) -> Self {
        Self { base, ahead: Vec::new(), notices: Vec::new() }
    }
}

fn limit(commits: usize, files: usize) -> Option<DiffLimit> {
    if commits > COMMIT_LIMIT {
        Some(DiffLimit::Commits)
    } else if files > FILE_LIMIT {
        Some(DiffLimit::Files)
    } else {
        None
    }
}
