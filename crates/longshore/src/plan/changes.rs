//! What git says about an event: the ref, the commits, the changed files, and what they were compared with.

use std::path::Path;

use longshore_report::plan::{Premise, PremiseBase};
use longshore_source::{
    Base, ChangeSet, Commit, Comparison, DiffLimit, FILE_LIMIT, GitError, GitTree, Head, Notice, Observation,
    Repository, WorkTree,
};
use longshore_workflow::event::{ChangedPaths, CommitFacts, EventFacts};

use super::time::rfc3339;

/// A git repository with what was seen of it.
#[derive(Debug)]
pub(super) struct Ground {
    repository: Repository,
    seen: Observation,
    /// The project's place in the repository, with a `/` at its end; empty for its root.
    prefix: String,
}

/// Changed files and what they were compared with.
#[derive(Debug)]
pub(super) struct Compared {
    changes: ChangeSet,
    /// The paths as GitHub's filters see them; `None` if they do not apply.
    changed: Option<ChangedPaths>,
    /// How many files changed in the project.
    file_count: usize,
}

impl Ground {
    pub(super) fn survey(repository: Repository, tree: &WorkTree) -> Result<Self, GitError> {
        let top = repository.directory();
        let top = top.canonicalize().unwrap_or_else(|_| top.to_owned());
        let inside = tree.root().strip_prefix(&top).unwrap_or(Path::new("")).to_string_lossy().into_owned();
        let prefix = if inside.is_empty() { inside } else { inside + "/" };
        Ok(Self { seen: repository.observe()?, repository, prefix })
    }

    /// What does not depend on the event.
    pub(super) fn facts(&self) -> EventFacts {
        EventFacts {
            sha: self.seen.commit.as_ref().map(|commit| commit.id.to_string()),
            repository: self.seen.repository_name().map(ToString::to_string),
            default_branch: self.seen.default_branch.as_ref().map(|branch| branch.name.clone()),
            commits: self.seen.commit.iter().map(commit_facts).collect(),
            ..EventFacts::default()
        }
    }

    /// The full ref of the event: the one asked for, else the branch or tag that is checked out.
    pub(super) fn git_ref(
        &self,
        asked: Option<&str>,
        event: &str,
        notices: &mut Vec<String>,
    ) -> Result<Option<String>, GitError> {
        if let Some(asked) = asked {
            return self.asked_ref(asked, notices).map(Some);
        }
        let tag = self.seen.tags.first().filter(|_| event == "push");
        match (&self.seen.head, tag) {
            (Head::Detached, Some(tag)) => Ok(Some(format!("refs/tags/{tag}"))),
            (Head::Detached, None) => {
                if let Some(branch) = &self.seen.default_branch {
                    let name = &branch.name;
                    notices.push(format!(
                        "no branch is checked out, so this is about `{name}`; `--ref` names another"
                    ));
                }
                Ok(None)
            }
            (Head::Branch(branch), Some(tag)) => {
                if self.is_pushed()? {
                    notices.push(format!(
                        "`{branch}` is pushed and its commit has the tag `{tag}`, so this is about the tag; \
                         `--ref {branch}` is about the branch"
                    ));
                    return Ok(Some(format!("refs/tags/{tag}")));
                }
                notices.push(format!("`--ref {tag}` plans the push of the tag `{tag}`"));
                Ok(self.seen.reference())
            }
            (Head::Branch(_) | Head::Unborn(_), _) => Ok(self.seen.reference()),
        }
    }

    /// Whether commit and files are what the remote has.
    fn is_pushed(&self) -> Result<bool, GitError> {
        let changes = self.repository.changes(&self.seen, &Comparison::Push)?;
        Ok(changes.notices.contains(&Notice::NothingToPush))
    }

    /// A branch or tag by its name; a name that is neither is a branch that does not exist yet.
    fn asked_ref(&self, asked: &str, notices: &mut Vec<String>) -> Result<String, GitError> {
        let branch = full_ref(asked);
        if asked.starts_with("refs/") || self.seen.head.branch() == Some(asked) || self.exists(&branch)? {
            return Ok(branch);
        }
        let tag = format!("refs/tags/{asked}");
        if self.exists(&tag)? {
            return Ok(tag);
        }
        let remotes = self.seen.remotes.iter().map(|remote| format!("refs/remotes/{}/{asked}", remote.name));
        for remote in remotes {
            if self.exists(&remote)? {
                return Ok(branch);
            }
        }
        notices.push(format!(
            "nothing here is called `{asked}`, so it is taken for a new branch; `--ref {tag}` is a new tag"
        ));
        Ok(branch)
    }

    fn exists(&self, revision: &str) -> Result<bool, GitError> {
        Ok(GitTree::open(self.repository.directory(), revision)?.is_some())
    }

    /// The branch that a pull request goes to.
    pub(super) fn target(&self, asked: Option<&str>, notices: &mut Vec<String>) -> Option<String> {
        if let Some(asked) = asked {
            return Some(asked.to_owned());
        }
        let branch = self.seen.default_branch.as_ref()?;
        if !branch.is_certain {
            let name = &branch.name;
            notices.push(format!("`{name}` is taken for the default branch; `--base` names another target"));
        }
        Some(branch.name.clone())
    }

    /// Says if a pull request would go from a branch to itself.
    pub(super) fn check_source(&self, git_ref: Option<&str>, target: &str, notices: &mut Vec<String>) {
        let source = git_ref.and_then(|name| name.strip_prefix("refs/heads/"));
        if source == Some(self.branch_name(target)) {
            notices.push("the branch is the target itself; `--ref` names another source".to_owned());
        }
    }

    /// A target without the name of its remote.
    pub(super) fn branch_name<'t>(&self, target: &'t str) -> &'t str {
        let short = target.strip_prefix("refs/heads/").unwrap_or(target);
        let remotes = self.seen.remotes.iter();
        let mut local =
            remotes.filter_map(|remote| short.strip_prefix(remote.name.as_str())?.strip_prefix('/'));
        local.next().unwrap_or(short)
    }

    pub(super) fn push(&self, git_ref: Option<&str>, base: Option<&str>) -> Result<Compared, GitError> {
        if let Some(base) = base {
            return self.revision(base);
        }
        if git_ref.is_some_and(|name| name.starts_with("refs/tags/")) {
            return self.compare(&self.seen, &Comparison::Tag);
        }
        let branch = git_ref.map(|name| name.strip_prefix("refs/heads/").unwrap_or(name));
        match branch {
            Some(branch) if self.seen.head.branch() != Some(branch) => {
                let remote = self.seen.push_remote.as_deref().unwrap_or("origin");
                let upstream = format!("{remote}/{branch}");
                match self.compare(&self.seen, &Comparison::Revision(upstream)) {
                    Err(GitError::Revision { .. }) => {
                        // The remote does not have it: what is here would be pushed as a new branch.
                        let head = match &self.seen.head {
                            Head::Unborn(_) => Head::Unborn(branch.to_owned()),
                            Head::Branch(_) | Head::Detached => Head::Branch(branch.to_owned()),
                        };
                        let seen = Observation { head, upstream: None, ..self.seen.clone() };
                        self.compare(&seen, &Comparison::Push)
                    }
                    compared => compared,
                }
            }
            _ => self.compare(&self.seen, &Comparison::Push),
        }
    }

    /// Compares with the merge base of `target`, of the remote if it has that branch.
    pub(super) fn pull_request(&self, target: &str) -> Result<Compared, GitError> {
        let name = self.branch_name(target);
        if let Some(remote) = self.seen.push_remote.as_deref() {
            match self.compare(&self.seen, &Comparison::PullRequest(format!("{remote}/{name}"))) {
                Err(GitError::Revision { .. }) => {}
                compared => return compared,
            }
        }
        self.compare(&self.seen, &Comparison::PullRequest(target.to_owned()))
    }

    pub(super) fn revision(&self, revision: &str) -> Result<Compared, GitError> {
        self.compare(&self.seen, &Comparison::Revision(revision.to_owned()))
    }

    fn compare(&self, seen: &Observation, comparison: &Comparison) -> Result<Compared, GitError> {
        let changes = self.repository.changes(seen, comparison)?;
        if changes.base == Base::Tag {
            return Ok(Compared { changes, changed: None, file_count: 0 });
        }
        let here = changes.paths.iter().filter_map(|changed| changed.path.strip_prefix(&self.prefix));
        let mut paths: Vec<String> = here.map(str::to_owned).collect();
        let file_count = paths.len();
        // GitHub's filters look no further, in the order of the paths.
        paths.truncate(FILE_LIMIT);
        let complete = changes.complete && changes.diff_limit_exceeded != Some(DiffLimit::Commits);
        Ok(Compared { changes, changed: Some(ChangedPaths { paths, complete }), file_count })
    }
}

impl Compared {
    /// The commit that was compared with.
    pub(super) fn base_commit(&self) -> Option<String> {
        self.changes.base.commit().map(ToString::to_string)
    }

    /// Adds what the comparison says to what is known of the event.
    pub(super) fn describe(&self, facts: &mut EventFacts) {
        facts.before = match &self.changes.base {
            // A branch that is new on the remote has no commit before.
            Base::NewBranch { .. } => None,
            base => base.commit().map(ToString::to_string),
        };
        facts.forced = matches!(self.changes.base, Base::Upstream { forced: true, .. });
        facts.changed_paths.clone_from(&self.changed);
        // The push of a tag brings the commit that is checked out.
        if self.changes.base != Base::Tag {
            facts.commits = self.changes.commits.iter().map(commit_facts).collect();
        }
    }

    /// Says in the premise what was compared.
    pub(super) fn apply(self, premise: &mut Premise) {
        let changes = self.changes;
        premise.base = base(&changes.base);
        premise.commits = (changes.base != Base::Tag).then_some(changes.commit_count);
        premise.has_uncommitted = changes.is_dirty;
        premise.notices.extend(changes.notices.iter().map(notice));
        premise.changed_files = self.changed.is_some().then_some(self.file_count);
        if changes.diff_limit_exceeded == Some(DiffLimit::Commits) {
            let notice =
                "there are more than 1,000 commits, so `paths` filters let everything run, as on GitHub";
            premise.notices.push(notice.to_owned());
        } else if self.file_count > FILE_LIMIT {
            let notice = format!("`paths` filters look at the first {FILE_LIMIT} files alone, as on GitHub");
            premise.notices.push(notice);
        }
        if let Some(changed) = self.changed {
            premise.event.changed_paths = Some(changed);
        }
        // Files that are not committed make a commit of their own, whose message nobody knows yet.
        if premise.has_uncommitted {
            premise.event.commit_message = None;
        }
    }
}

fn commit_facts(commit: &Commit) -> CommitFacts {
    CommitFacts {
        id: commit.id.to_string(),
        message: commit.message.trim_end().to_owned(),
        author_name: commit.author.name.clone(),
        author_email: commit.author.email.clone(),
        timestamp: Some(rfc3339(commit.committer.seconds, commit.committer.offset_seconds)),
    }
}

fn base(base: &Base) -> Option<PremiseBase> {
    let (kind, text) = match base {
        Base::Tag => return None,
        Base::Given { revision, .. } => ("given", format!("`{revision}`")),
        Base::Upstream { name, .. } => ("upstream", format!("`{name}`")),
        Base::NewBranch { commit } => {
            ("new-branch", format!("`{}`, where the branch begins", commit.short()))
        }
        Base::MergeBase { target, commit } => {
            ("merge-base", format!("the merge base `{}` with `{target}`", commit.short()))
        }
        Base::Previous { commit } => ("previous", format!("`{}`, the commit before", commit.short())),
        Base::Nothing => ("nothing", "the beginning".to_owned()),
        Base::Unknown => ("unknown", "an unknown commit".to_owned()),
    };
    Some(PremiseBase { kind, text, commit: base.commit().map(ToString::to_string) })
}

fn notice(notice: &Notice) -> String {
    match notice {
        Notice::ShallowHistory => {
            "the clone is shallow and its history ends before the base; `git fetch --unshallow` gets the rest"
                .to_owned()
        }
        Notice::UnrelatedHistory { with } => {
            format!("this history has nothing in common with `{with}`, so every file counts as new")
        }
        Notice::NothingToPush => {
            "there is nothing to push, so this is what the push of the last commit caused".to_owned()
        }
        Notice::Behind { upstream } => format!("`{upstream}` is ahead of what is here; pull before you push"),
        Notice::ForcedPush { upstream } => {
            format!("`{upstream}` holds commits that are not here, so the push must be forced")
        }
    }
}

/// `refs/heads/` in front of a branch, unless it is a full ref.
pub(super) fn full_ref(name: &str) -> String {
    if name.starts_with("refs/") { name.to_owned() } else { format!("refs/heads/{name}") }
}
