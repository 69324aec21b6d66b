//! A workflow in the place where it is planned: on its own, or called.

use std::collections::HashMap;

use longshore_syntax::{SourceFile, SourceRef};

use super::{Planned, TokenPermissions, reads};
use crate::evaluate::Knowledge;
use crate::model::Workflow;
use crate::template::Token;

/// One workflow being planned.
pub(super) struct Scope<'s> {
    pub(super) workflow: &'s Workflow,
    /// The tokens of its jobs by the place of their keys.
    pub(super) job_tokens: HashMap<u32, &'s Token>,
    /// What every place of it knows: `github`, `inputs`, `vars`.
    pub(super) knowledge: Knowledge,
    /// Where the file is from.
    pub(super) origin: Origin,
    /// The call that it is planned for.
    pub(super) caller: Option<Caller<'s>>,
}

/// The call that a workflow is planned for.
pub(super) struct Caller<'s> {
    /// The key of the calling job.
    pub(super) key: String,
    /// Its name.
    pub(super) name: Planned<String>,
    /// What its token may do: called jobs get no more.
    pub(super) permissions: TokenPermissions,
    /// The file of the call and where it stands there, for findings about it.
    pub(super) place: (&'s SourceFile, longshore_syntax::Span),
    /// The workflows on the way here, outermost first.
    pub(super) chain: Vec<SourceRef>,
}

/// Where a workflow file is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// The repository at hand.
    Here,
    /// A repository at a version.
    Remote { owner: String, repository: String, version: String },
}

impl Origin {
    /// The origin of a reference.
    pub(super) fn of(reference: &SourceRef) -> Self {
        match reference {
            SourceRef::Local { .. } => Self::Here,
            SourceRef::Remote { owner, repository, version, .. } => Self::Remote {
                owner: owner.clone(),
                repository: repository.clone(),
                version: version.clone(),
            },
        }
    }

    /// A path in the same repository at the same version.
    pub(super) fn path(&self, path: &str) -> SourceRef {
        let path = normalize(path);
        match self {
            Self::Here => SourceRef::Local { path },
            Self::Remote { owner, repository, version } => SourceRef::Remote {
                owner: owner.clone(),
                repository: repository.clone(),
                path,
                version: version.clone(),
            },
        }
    }
}

/// The path without empty parts and `.`.
pub(super) fn normalize(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    parts.join("/")
}

/// `owner/repository/path@version`; `None` if it is not that.
pub(super) fn remote(uses: &str) -> Option<SourceRef> {
    let (path, version) = uses.split_once('@')?;
    let mut parts = path.splitn(3, '/');
    let (owner, repository) = (parts.next()?, parts.next()?);
    if owner.is_empty() || repository.is_empty() || version.is_empty() {
        return None;
    }
    Some(SourceRef::Remote {
        owner: owner.to_owned(),
        repository: repository.to_owned(),
        path: normalize(parts.next().unwrap_or_default()),
        version: version.to_owned(),
    })
}

impl<'s> Scope<'s> {
    /// A workflow that an event starts.
    pub(super) fn top(workflow: &'s Workflow, knowledge: Knowledge, origin: Origin) -> Self {
        Self { workflow, job_tokens: reads::job_tokens(workflow), knowledge, origin, caller: None }
    }

    /// The file.
    pub(super) fn file(&self) -> &'s SourceFile {
        &self.workflow.file
    }

    /// The key of a job or cell in the plan.
    pub(super) fn key(&self, id: &str, cell: Option<usize>) -> String {
        let key = match cell {
            Some(cell) => format!("{id}/{}", cell + 1),
            None => id.to_owned(),
        };
        match &self.caller {
            Some(caller) => format!("{}.{key}", caller.key),
            None => key,
        }
    }

    /// The name of a job with those of the calls around it.
    pub(super) fn full_name(&self, name: Planned<String>) -> Planned<String> {
        let Some(caller) = &self.caller else { return name };
        match (&caller.name, name) {
            (Planned::Known(outer), Planned::Known(name)) => Planned::Known(format!("{outer} / {name}")),
            (outer, name) => {
                let mut waits_for = Vec::new();
                let mut texts = Vec::new();
                for part in [outer, &name] {
                    match part {
                        Planned::Known(text) | Planned::Failed(text) => texts.push(text.clone()),
                        Planned::Deferred(deferred) => {
                            texts.push(deferred.text.clone());
                            crate::evaluate::add_waits(&mut waits_for, deferred.waits_for.clone());
                        }
                    }
                }
                Planned::Deferred(super::Deferred { text: texts.join(" / "), waits_for })
            }
        }
    }
}
