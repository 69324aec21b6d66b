//! What is checked out: which repository, which commit, and whether its files are those at hand.
//!
//! A run on this machine is about what its work tree holds now. A checkout that asks for nothing else, or for what the
//! event names anyway, has these files; one that asks for another branch, tag or commit has that commit's.

use std::path::{Path, PathBuf};

use longshore_source::{CommitId, Repository, RepositoryName};
use longshore_syntax::SourceRef;

use super::inputs::Wish;
use crate::action::RepositoryPlace;
use crate::job::chain;
use crate::step::StepCall;

/// What is checked out.
#[derive(Debug)]
pub(super) struct Subject {
    /// `owner/name`.
    pub(super) name: String,
    /// Its git repository; none for plain files.
    pub(super) repository: Option<Repository>,
    /// Where the files are, if they are those at hand.
    pub(super) files: Option<PathBuf>,
    /// None before the first commit, and for plain files.
    pub(super) commit: Option<CommitId>,
    /// The full name of the branch or tag; empty for a commit.
    pub(super) reference: String,
    /// Whether it is the repository of the run, whose objects the job sees.
    pub(super) is_own: bool,
    /// Where it was found, for the log.
    pub(super) origin: String,
    /// Something that one should know.
    pub(super) warning: Option<String>,
}

/// What the event says of the run's commit.
struct EventWords {
    sha: Option<CommitId>,
    reference: String,
    /// Everything that names the same.
    all: Vec<String>,
}

impl EventWords {
    fn of(call: &StepCall<'_>) -> Self {
        let text = |key: &str| call.scope.text("github", key).unwrap_or_default();
        let event = call.scope.get("github").and_then(|github| github.property("event").cloned());
        let head = event.as_ref().and_then(|event| event.property("pull_request")?.property("head").cloned());
        let of_head =
            |key: &str| head.as_ref().and_then(|head| Some(head.property(key)?.to_text().into_owned()));
        let words =
            [Some(text("sha")), Some(text("ref")), Some(text("head_ref")), of_head("sha"), of_head("ref")];
        let sha = CommitId::parse(&text("sha")).filter(|sha| sha.as_str().bytes().any(|digit| digit != b'0'));
        Self {
            sha,
            reference: text("ref"),
            all: words.into_iter().flatten().filter(|word| !word.is_empty()).collect(),
        }
    }
}

impl Subject {
    pub(super) fn find(call: &StepCall<'_>, wish: &Wish) -> Result<Self, String> {
        match &wish.repository {
            Some(name) => Self::other(call, name, &wish.reference),
            None => Self::own(call, &wish.reference),
        }
    }

    /// The repository of the run.
    fn own(call: &StepCall<'_>, wanted: &str) -> Result<Self, String> {
        let project = &call.steps.run.task.facts.request.project;
        let event = EventWords::of(call);
        let root = project.root.clone();
        let repository = Repository::at(&root).map_err(|error| chain(&error))?;
        let asked =
            Some(wanted).filter(|wanted| !wanted.is_empty() && !event.all.iter().any(|word| word == wanted));
        let mut subject = Self {
            name: project.repository.clone(),
            files: Some(root.clone()),
            commit: None,
            reference: event.reference.clone(),
            is_own: true,
            origin: root.display().to_string(),
            warning: None,
            repository: None,
        };
        let Some(repository) = repository else {
            return match asked {
                None => Ok(subject),
                Some(asked) => Err(not_found(asked, &root, "it is no git repository")),
            };
        };
        let head = repository.revision("HEAD", None).map_err(|error| chain(&error))?;
        subject.commit = head.map(|head| head.commit);
        if let Some(asked) = asked {
            let found = repository.revision(asked, Some("origin")).map_err(|error| chain(&error))?;
            let found =
                found.ok_or_else(|| not_found(asked, &root, "it has no such branch, tag or commit"))?;
            subject.commit = Some(found.commit);
            subject.reference = found.reference.unwrap_or_default();
            subject.files = None;
        } else if let Some(sha) = event.sha.filter(|sha| subject.commit.as_ref() != Some(sha)) {
            match repository.revision(sha.as_str(), None).map_err(|error| chain(&error))? {
                Some(found) => {
                    subject.commit = Some(found.commit);
                    subject.files = None;
                }
                None => {
                    subject.warning = Some(format!(
                        "The commit {} of the event is not in `{}`: its files at hand are checked out instead. \
                         `git fetch origin {sha}` brings the commit.",
                        sha.short(),
                        root.display()
                    ));
                }
            }
        }
        subject.repository = Some(repository);
        Ok(subject)
    }

    /// The repository of a submodule, with a commit of it.
    pub(super) fn of_submodule(
        call: &StepCall<'_>,
        url: &str,
        commit: &CommitId,
    ) -> Result<Repository, String> {
        let name = RepositoryName::parse(url).ok_or_else(|| {
            format!("`{url}` is no address of OWNER/NAME on a server, and nothing else is fetched")
        })?;
        let reference = SourceRef::Remote {
            owner: name.owner,
            repository: name.name,
            path: String::new(),
            version: commit.to_string(),
        };
        let found = call.steps.run.runner.actions.repository(&reference).map_err(|error| error.advice())?;
        let (RepositoryPlace::Files(place) | RepositoryPlace::Commit { directory: place, .. }) = &found.place;
        let repository = Repository::at(place).map_err(|error| chain(&error))?;
        let has = |repository: &Repository| {
            repository.revision(commit.as_str(), None).is_ok_and(|found| found.is_some())
        };
        repository.filter(has).ok_or_else(|| format!("`{}` has no commit {commit}", place.display()))
    }

    /// Another repository.
    fn other(call: &StepCall<'_>, name: &str, wanted: &str) -> Result<Self, String> {
        let (owner, repository) = name.split_once('/').unwrap_or((name, ""));
        let version = if wanted.is_empty() { "HEAD" } else { wanted };
        let reference = SourceRef::Remote {
            owner: owner.to_owned(),
            repository: repository.to_owned(),
            path: String::new(),
            version: version.to_owned(),
        };
        let found = call.steps.run.runner.actions.repository(&reference).map_err(|error| {
            let help = error.help.map(|help| format!("; {help}")).unwrap_or_default();
            format!("{}{help}", error.message)
        })?;
        let place = match &found.place {
            RepositoryPlace::Files(directory) | RepositoryPlace::Commit { directory, .. } => {
                directory.clone()
            }
        };
        let repository = Repository::at(&place).map_err(|error| chain(&error))?;
        let (files, commit, reference) = match (&found.place, &repository) {
            (RepositoryPlace::Commit { commit, .. }, Some(repository)) => {
                let named = repository.revision(version, Some("origin")).map_err(|error| chain(&error))?;
                let commit = CommitId::parse(commit);
                let named = named.filter(|named| Some(&named.commit) == commit.as_ref());
                (None, commit, named.and_then(|named| named.reference).unwrap_or_default())
            }
            (RepositoryPlace::Commit { .. }, None) => {
                return Err(format!("the repository `{name}` in `{}` cannot be read", place.display()));
            }
            (RepositoryPlace::Files(_), Some(repository)) => {
                let head = repository.revision("HEAD", None).map_err(|error| chain(&error))?;
                let reference = head.as_ref().and_then(|head| head.reference.clone()).unwrap_or_default();
                (Some(place), head.map(|head| head.commit), reference)
            }
            (RepositoryPlace::Files(_), None) => (Some(place), None, String::new()),
        };
        Ok(Self {
            name: name.to_owned(),
            repository,
            files,
            commit,
            reference,
            is_own: false,
            origin: found.origin,
            warning: None,
        })
    }
}

fn not_found(wanted: &str, root: &Path, why: &str) -> String {
    format!(
        "A branch or tag with the name '{wanted}' could not be found: `{}` was looked at, and {why}; \
         `git fetch origin {wanted}` brings what only the remote has",
        root.display()
    )
}
