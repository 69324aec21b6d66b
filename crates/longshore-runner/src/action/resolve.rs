//! From the steps of a job to all actions that they use, the actions of these included.
//!
//! What is fetched here is mounted when the job's container is made. Actions of the workspace exist only when a step has
//! checked them out; most often they are what the project's directory holds, so that is looked through as well, for what
//! its composite actions use. What cannot be foreseen is fetched when its step runs ([`LateActions`](super::LateActions)).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use longshore_engine::Mount;
use longshore_syntax::SourceRef;
use longshore_workflow::model::{ActionManifest, Condition, Runs, Step, StepKind, StepsJob};

use super::manifest::manifest_at;
use super::{local, remote};
use crate::job::{JobRun, Paths};
use crate::native::NativeAction;
use crate::runner::ActionMode;
use crate::voice::StepVoice;

/// How deep composite actions may use each other, as on GitHub.
pub(crate) const MAX_DEPTH: usize = 10;

/// An action that was fetched.
#[derive(Debug, Clone)]
pub(crate) struct ResolvedAction {
    /// Its manifest; none for a directory with nothing but a Dockerfile.
    pub(crate) manifest: Option<Arc<ActionManifest>>,
    /// Its directory inside.
    pub(crate) inside: String,
    /// `owner/repository`; none for an action of the workspace.
    pub(crate) repository: Option<String>,
    /// The version that was asked for.
    pub(crate) version: Option<String>,
}

/// A step that uses an action.
#[derive(Debug, Clone)]
pub(crate) struct Using {
    pub(crate) step: Step,
    pub(crate) action: ResolvedAction,
}

/// What an action wants to be done before the first step.
#[derive(Debug, Clone)]
pub(crate) struct PreStep {
    pub(crate) using: Using,
    /// The steps with composite actions around it, the outermost first.
    pub(crate) around: Vec<Using>,
    /// The id of the step, behind those of the steps around it.
    pub(crate) id: String,
    pub(crate) condition: Option<Condition>,
}

/// All actions of other repositories that a job uses.
#[derive(Debug, Default)]
pub(crate) struct ResolvedActions {
    actions: BTreeMap<SourceRef, ResolvedAction>,
    repositories: BTreeMap<String, PathBuf>,
    pre: Vec<PreStep>,
    /// Whether the job may run programs of actions: JavaScript, a container, or something that only it will know.
    runs_actions: bool,
}

/// The way from a job to a step.
struct Way<'w> {
    around: &'w [Using],
    /// Whether nothing around is of the workspace, which may change until then.
    is_certain: bool,
}

impl Way<'_> {
    /// The other repository, with the version, that the steps at its end are of; none for those of the project.
    fn repository(&self, search: &Search<'_>) -> Option<(String, String)> {
        match self.around.last() {
            Some(using) => using.action.repository.clone().zip(using.action.version.clone()),
            None => search.run.remote_workflow().map(|remote| (remote.repository, remote.version)),
        }
    }
}

/// What actions are looked for with.
struct Search<'s> {
    run: &'s JobRun<'s>,
    paths: Paths,
    voice: &'s StepVoice,
}

impl ResolvedActions {
    /// Fetches all actions that the steps of a job use, and those that these use.
    pub(crate) fn resolve(run: &JobRun<'_>, model: &StepsJob, voice: &StepVoice) -> Result<Self, String> {
        let paths =
            Paths::new(Path::new(""), run.task.facts.request.project.name(), model.container.is_some());
        let search = Search { run, paths, voice };
        let mut resolved = Self::default();
        let way = Way { around: &[], is_certain: true };
        for step in model.steps.iter().flat_map(Step::flatten) {
            resolved.add_step(&search, step, &way)?;
        }
        Ok(resolved)
    }

    /// The action that a reference names, if it was fetched.
    pub(crate) fn find(&self, reference: &SourceRef) -> Option<&ResolvedAction> {
        self.actions.get(reference)
    }

    /// What is to be done before the first step.
    pub(crate) fn pre_steps(&self) -> Vec<PreStep> {
        self.pre.clone()
    }

    /// Whether the job may run programs of actions.
    pub(crate) fn runs_actions(&self) -> bool {
        self.runs_actions
    }

    /// The repositories as mounts of the job's container.
    pub(crate) fn mounts(&self) -> Vec<Mount> {
        self.repositories.iter().map(|(inside, outside)| crate::job::bind(outside, inside, true)).collect()
    }

    fn add_step(&mut self, search: &Search<'_>, step: &Step, way: &Way<'_>) -> Result<(), String> {
        let StepKind::Uses { uses, .. } = &step.kind else { return Ok(()) };
        if way.around.len() > MAX_DEPTH {
            return Err(format!("actions use each other more than {MAX_DEPTH} levels deep"));
        }
        if let Some(path) = local(&uses.value) {
            self.add_local(search, step, path, way);
            return Ok(());
        }
        if let Some(path) = uses.value.strip_prefix("$/") {
            let path = path.trim_end_matches('/');
            if let Some((repository, version)) = way.repository(search) {
                let reference = remote(&format!("{repository}/{path}@{version}"));
                return reference.map_or(Ok(()), |reference| self.add_remote(search, step, &reference, way));
            }
            self.add_local(search, step, path, way);
            return Ok(());
        }
        let native = search.run.runner.action_mode == ActionMode::Native;
        let Some(reference) = remote(&uses.value) else {
            self.runs_actions = true;
            return Ok(());
        };
        if native && NativeAction::find(&uses.value).is_some() {
            return Ok(());
        }
        self.add_remote(search, step, &reference, way)
    }

    fn add_remote(
        &mut self,
        search: &Search<'_>,
        step: &Step,
        reference: &SourceRef,
        way: &Way<'_>,
    ) -> Result<(), String> {
        let action = match self.actions.get(reference) {
            Some(known) => known.clone(),
            None => self.fetch(search, reference)?,
        };
        self.add_using(search, Using { step: step.clone(), action }, way)
    }

    fn add_using(&mut self, search: &Search<'_>, using: Using, way: &Way<'_>) -> Result<(), String> {
        let Some(manifest) = using.action.manifest.clone() else {
            self.runs_actions = true;
            return Ok(());
        };
        match &manifest.runs {
            Some(Runs::Composite { steps }) => {
                let around = [way.around, &[using]].concat();
                let inner = Way { around: &around, is_certain: way.is_certain };
                for step in steps {
                    let added = self.add_step(search, step, &inner);
                    // One step that cannot be foreseen says nothing about the next.
                    if way.is_certain {
                        added?;
                    }
                }
                Ok(())
            }
            Some(Runs::Node { lifecycle, .. } | Runs::Docker { lifecycle, .. }) => {
                self.runs_actions = true;
                if lifecycle.pre.is_some() && way.is_certain {
                    let around = way.around.iter().map(|using| using.step.id.as_str());
                    let id: Vec<&str> = around.chain([using.step.id.as_str()]).collect();
                    let (id, condition) = (id.join("."), lifecycle.pre_if.clone());
                    self.pre.push(PreStep { using, around: way.around.to_vec(), id, condition });
                }
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Looks for what an action of the workspace will most likely use. What fails here fails when it runs, if it runs.
    fn add_local(&mut self, search: &Search<'_>, step: &Step, path: &str, way: &Way<'_>) {
        let root = &search.run.task.facts.request.project.root;
        let Ok(manifest) = manifest_at(root, path, path) else {
            self.runs_actions = true;
            return;
        };
        let runs = manifest.as_ref().and_then(|manifest| manifest.runs.as_ref());
        if let Some(Runs::Node { lifecycle, .. } | Runs::Docker { lifecycle, .. }) = runs
            && lifecycle.pre.is_some()
        {
            search.voice.warning(&format!(
                "`pre` of the action `./{path}` is not run, as on GitHub: it is of the workspace, which is empty before the \
                 first step"
            ));
        }
        let action = ResolvedAction {
            manifest,
            inside: format!("{}/{path}", search.paths.workspace),
            repository: None,
            version: None,
        };
        let inner = Way { around: way.around, is_certain: false };
        let _ = self.add_using(search, Using { step: step.clone(), action }, &inner);
    }

    fn fetch(&mut self, search: &Search<'_>, reference: &SourceRef) -> Result<ResolvedAction, String> {
        let (action, root) = fetch(search.run, &search.paths, reference, search.voice)?;
        self.repositories.insert(root_inside(&search.paths, reference), root);
        self.actions.insert(reference.clone(), action.clone());
        Ok(action)
    }
}

/// Fetches an action; gives also the directory of its repository.
pub(super) fn fetch(
    run: &JobRun<'_>,
    paths: &Paths,
    reference: &SourceRef,
    voice: &StepVoice,
) -> Result<(ResolvedAction, PathBuf), String> {
    let SourceRef::Remote { owner, repository, version, path } = reference else {
        return Err(format!("`{reference}` is no action of another repository"));
    };
    let fetched = run.runner.actions.fetch(reference).map_err(|error| error.advice())?;
    let commit = fetched.commit.as_deref().map(|commit| format!(" (SHA:{commit})")).unwrap_or_default();
    voice.line(&format!("Action `{reference}`{commit} from {}", fetched.origin));
    let root = root_inside(paths, reference);
    let action = ResolvedAction {
        manifest: manifest_at(&fetched.directory, path, &reference.to_string())?,
        inside: if path.is_empty() { root } else { format!("{root}/{path}") },
        repository: Some(format!("{owner}/{repository}")),
        version: Some(version.clone()),
    };
    Ok((action, fetched.directory))
}

/// Where the repository of a reference lies inside.
pub(super) fn root_inside(paths: &Paths, reference: &SourceRef) -> String {
    format!("{}/{}", paths.actions, below(reference))
}

/// The same below the directory of actions.
pub(super) fn below(reference: &SourceRef) -> String {
    match reference {
        SourceRef::Remote { owner, repository, version, .. } => format!("{owner}/{repository}/{version}"),
        SourceRef::Local { path } => path.clone(),
    }
}
