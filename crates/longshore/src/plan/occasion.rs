//! The event that a plan is made for, with how it is known.
//!
//! Nothing asked for means: what pushing what is here now would cause. Git says the rest, files that are not yet
//! committed included. A payload says it itself. Without git, every file counts as changed.

use std::path::PathBuf;

use longshore_report::plan::{Premise, PremiseOrigin};
use longshore_source::{GitError, Repository, WorkTree};
use longshore_workflow::event::{ChangedPaths, Event, EventFacts, PullRequestFacts};
use thiserror::Error;

use super::changes::{self, Ground};
use super::payload::{self, PayloadError};
use crate::exit::Blame;
use crate::failure::Explained;

/// What was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct EventRequest {
    /// The event's name.
    pub(crate) name: Option<String>,
    /// The activity type.
    pub(crate) action: Option<String>,
    /// A file with the payload.
    pub(crate) payload: Option<PathBuf>,
    /// The ref, with or without `refs/heads/` or `refs/tags/`.
    pub(crate) git_ref: Option<String>,
    /// What to compare with; for pull requests the target branch.
    pub(crate) base: Option<String>,
    /// Who causes it.
    pub(crate) actor: Option<String>,
    /// Whether it comes from a fork.
    pub(crate) fork: bool,
    /// Inputs of a dispatch.
    pub(crate) inputs: Vec<(String, String)>,
}

/// Why there is no event.
#[derive(Debug, Error)]
pub(crate) enum OccasionError {
    /// Git's data cannot be had.
    #[error("failed to find out what is pushed")]
    Git(#[source] GitError),
    /// A revision that was named is not here.
    #[error("there is no branch, tag or commit `{revision}` here")]
    Revision {
        /// As given.
        revision: String,
    },
    /// The payload cannot be had.
    #[error(transparent)]
    Payload(#[from] PayloadError),
    /// A pull request needs a target.
    #[error("there is no branch that the pull request could go to")]
    NoBase,
}

impl From<GitError> for OccasionError {
    fn from(error: GitError) -> Self {
        match error {
            GitError::Revision { revision, .. } => Self::Revision { revision },
            error => Self::Git(error),
        }
    }
}

impl Explained for OccasionError {
    fn blame(&self) -> Blame {
        match self {
            Self::Revision { .. } | Self::NoBase => Blame::User,
            Self::Git(_) => Blame::Environment,
            Self::Payload(error) => error.blame(),
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Git(_) => None,
            Self::Revision { .. } => Some("fetch it, or name another".to_owned()),
            Self::Payload(error) => error.help(),
            Self::NoBase => {
                Some("name its target with `--base BRANCH`; neither `main` nor `master` is here".to_owned())
            }
        }
    }
}

impl EventRequest {
    /// The event's name; inputs are for a dispatch, and without anything it is a push.
    fn event_name(&self) -> &str {
        match &self.name {
            Some(name) => name,
            None if self.inputs.is_empty() => "push",
            None => "workflow_dispatch",
        }
    }
}

/// The event that was asked for, in the project in `tree`.
pub(crate) fn settle(request: &EventRequest, tree: &WorkTree) -> Result<Premise, OccasionError> {
    let ground = match Repository::discover(tree.root())? {
        Some(repository) => Some(Ground::survey(repository, tree)?),
        None => None,
    };
    let mut premise = match (&request.payload, ground) {
        (Some(path), ground) => from_payload(request, path, ground.as_ref())?,
        (None, Some(ground)) => from_git(request, &ground)?,
        (None, None) => from_directory(request, tree),
    };
    premise.event.is_fork |= request.fork;
    if let Some(actor) = &request.actor {
        premise.event.actor = Some(actor.clone());
    }
    Ok(premise)
}

fn from_payload(
    request: &EventRequest,
    path: &std::path::Path,
    ground: Option<&Ground>,
) -> Result<Premise, OccasionError> {
    let mut event = Event::from_payload(request.name.as_deref(), payload::read(path)?);
    if let Some(action) = &request.action {
        event.action = Some(action.clone());
    }
    if let Some(git_ref) = &request.git_ref {
        event.git_ref = Some(changes::full_ref(git_ref));
    }
    for (name, value) in &request.inputs {
        event.set_input(name, value);
    }
    let mut premise = Premise {
        event,
        origin: PremiseOrigin::Payload(path.display().to_string()),
        base: None,
        commits: None,
        changed_files: None,
        has_uncommitted: false,
        notices: Vec::new(),
    };
    // A payload of a pull request names no files; those at hand can stand for them.
    if let (Some(base), Some(ground)) = (&request.base, ground) {
        let compared = match premise.event.base_ref {
            Some(_) => ground.pull_request(base)?,
            None => ground.revision(base)?,
        };
        compared.apply(&mut premise);
    }
    Ok(premise)
}

fn from_git(request: &EventRequest, ground: &Ground) -> Result<Premise, OccasionError> {
    let name = request.event_name();
    let mut notices = Vec::new();
    let git_ref = ground.git_ref(request.git_ref.as_deref(), name, &mut notices)?;
    let is_pull_request = name.starts_with("pull_request");
    let target = if is_pull_request || name == "merge_group" {
        Some(ground.target(request.base.as_deref(), &mut notices).ok_or(OccasionError::NoBase)?)
    } else {
        None
    };
    if let Some(target) = target.as_deref().filter(|_| is_pull_request) {
        ground.check_source(git_ref.as_deref(), target, &mut notices);
    }
    let compared = match (name, &target) {
        ("push", _) => Some(ground.push(git_ref.as_deref(), request.base.as_deref())?),
        ("pull_request" | "pull_request_target", Some(target)) => Some(ground.pull_request(target)?),
        _ => None,
    };
    let mut facts =
        EventFacts { action: request.action.clone(), inputs: request.inputs.clone(), ..ground.facts() };
    facts.actor.clone_from(&request.actor);
    facts.git_ref = git_ref;
    if let Some(compared) = &compared {
        compared.describe(&mut facts);
    }
    facts.pull_request = target.as_deref().map(|target| PullRequestFacts {
        base_ref: Some(ground.branch_name(target).to_owned()),
        base_sha: compared.as_ref().and_then(changes::Compared::base_commit),
        is_fork: request.fork,
        ..PullRequestFacts::default()
    });
    let mut premise = Premise {
        event: Event::synthetic(name, &facts),
        origin: PremiseOrigin::Git,
        base: None,
        commits: None,
        changed_files: None,
        has_uncommitted: false,
        notices,
    };
    if let Some(compared) = compared {
        compared.apply(&mut premise);
    }
    Ok(premise)
}

fn from_directory(request: &EventRequest, tree: &WorkTree) -> Premise {
    let name = request.event_name();
    let git_ref = request.git_ref.as_deref().map_or_else(|| "refs/heads/main".to_owned(), changes::full_ref);
    let base = request.base.clone().unwrap_or_else(|| "main".to_owned());
    let facts = EventFacts {
        git_ref: Some(git_ref),
        action: request.action.clone(),
        actor: request.actor.clone(),
        inputs: request.inputs.clone(),
        default_branch: Some("main".to_owned()),
        changed_paths: Some(ChangedPaths::default()),
        pull_request: name.starts_with("pull_request").then(|| PullRequestFacts {
            base_ref: Some(base),
            is_fork: request.fork,
            ..PullRequestFacts::default()
        }),
        ..EventFacts::default()
    };
    let place = tree.root().file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let notice = format!("git does not know `{place}`; it is taken for a new repository");
    Premise {
        event: Event::synthetic(name, &facts),
        origin: PremiseOrigin::Directory,
        base: None,
        commits: None,
        changed_files: None,
        has_uncommitted: false,
        notices: vec![notice],
    }
}
