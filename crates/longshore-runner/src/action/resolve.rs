//! From the steps of a job to all actions that they use, the actions of these included.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use longshore_engine::Mount;
use longshore_syntax::{SourceFile, SourceRef};
use longshore_workflow::model::{ActionManifest, Condition, Runs, Step, StepKind, StepsJob};
use longshore_workflow::parse_action;

use super::{join, path_of, remote};
use crate::job::{Directory, JobRun, Paths};
use crate::native::NativeAction;
use crate::runner::ActionMode;
use crate::voice::StepVoice;

/// The files that make a directory an action.
const MANIFESTS: [&str; 2] = ["action.yml", "action.yaml"];

/// Larger manifests are none.
const MAX_MANIFEST: u64 = 4 * 1024 * 1024;

/// How deep composite actions may use each other, as on GitHub.
pub(crate) const MAX_DEPTH: usize = 10;

/// An action that was fetched.
#[derive(Debug, Clone)]
pub(crate) struct ResolvedAction {
    /// Its manifest; none for a directory with nothing but a Dockerfile.
    pub(crate) manifest: Option<Arc<ActionManifest>>,
    /// Its directory on this machine.
    pub(crate) outside: PathBuf,
    /// Its directory inside.
    pub(crate) inside: String,
    /// `owner/repository`; none for an action of the workspace.
    pub(crate) repository: Option<String>,
    /// The version that was asked for.
    pub(crate) version: Option<String>,
}

/// What an action wants to be done before the first step.
#[derive(Debug, Clone)]
pub(crate) struct PreStep {
    pub(crate) action: ResolvedAction,
    /// The step that uses it.
    pub(crate) step: Step,
    pub(crate) uses: String,
    pub(crate) condition: Option<Condition>,
}

/// All actions of other repositories that a job uses.
#[derive(Debug, Default)]
pub(crate) struct ResolvedActions {
    actions: BTreeMap<SourceRef, ResolvedAction>,
    repositories: BTreeMap<String, PathBuf>,
    pre: Vec<PreStep>,
}

impl ResolvedActions {
    /// Fetches all actions that the steps of a job use, and those that these use.
    pub(crate) fn resolve(run: &JobRun<'_>, model: &StepsJob, voice: &StepVoice) -> Result<Self, String> {
        let paths =
            Paths::new(Path::new(""), run.task.facts.request.project.name(), model.container.is_some());
        let mut resolved = Self::default();
        let steps: Vec<&Step> = model.steps.iter().flat_map(Step::flatten).collect();
        resolved.add_steps(run, &paths, &steps, voice, 0)?;
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

    /// The repositories as mounts of the job's container.
    pub(crate) fn mounts(&self, _paths: &Paths) -> Vec<Mount> {
        self.repositories.iter().map(|(inside, outside)| crate::job::bind(outside, inside, true)).collect()
    }

    fn add_steps(
        &mut self,
        run: &JobRun<'_>,
        paths: &Paths,
        steps: &[&Step],
        voice: &StepVoice,
        depth: usize,
    ) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err(format!("actions use each other more than {MAX_DEPTH} levels deep"));
        }
        for step in steps {
            let StepKind::Uses { uses, .. } = &step.kind else { continue };
            let native =
                run.runner.action_mode == ActionMode::Native && NativeAction::find(&uses.value).is_some();
            let Some(reference) = remote(&uses.value).filter(|_| !native) else { continue };
            let action = match self.actions.get(&reference) {
                Some(known) => known.clone(),
                None => self.fetch(run, paths, &reference, voice)?,
            };
            if depth == 0 {
                self.add_pre(step, &uses.value, &action);
            }
            if let Some(Runs::Composite { steps }) =
                action.manifest.as_ref().and_then(|found| found.runs.as_ref())
            {
                let inner: Vec<&Step> = steps.iter().collect();
                self.add_steps(run, paths, &inner, voice, depth + 1)?;
            }
        }
        Ok(())
    }

    fn add_pre(&mut self, step: &Step, uses: &str, action: &ResolvedAction) {
        let runs = action.manifest.as_ref().and_then(|manifest| manifest.runs.as_ref());
        let Some(Runs::Node { lifecycle, .. } | Runs::Docker { lifecycle, .. }) = runs else { return };
        if lifecycle.pre.is_some() {
            self.pre.push(PreStep {
                action: action.clone(),
                step: step.clone(),
                uses: uses.to_owned(),
                condition: lifecycle.pre_if.clone(),
            });
        }
    }

    fn fetch(
        &mut self,
        run: &JobRun<'_>,
        paths: &Paths,
        reference: &SourceRef,
        voice: &StepVoice,
    ) -> Result<ResolvedAction, String> {
        let SourceRef::Remote { owner, repository, version, .. } = reference else {
            return Err(format!("`{reference}` is no action of another repository"));
        };
        let fetched = run.runner.actions.fetch(reference).map_err(|error| match error.help {
            Some(help) => format!("{}; {help}", error.message),
            None => error.message,
        })?;
        let commit = fetched.commit.as_deref().map(|commit| format!(" (SHA:{commit})")).unwrap_or_default();
        voice.line(&format!("Action `{reference}`{commit} from {}", fetched.origin));
        let root_inside = format!("{}/{owner}/{repository}/{version}", paths.actions);
        let outside = join(&fetched.directory, path_of(reference));
        let inside = match path_of(reference) {
            "" => root_inside.clone(),
            path => format!("{root_inside}/{path}"),
        };
        let manifest = manifest_in(&outside, &reference.to_string())?;
        self.repositories.insert(root_inside, fetched.directory);
        let action = ResolvedAction {
            manifest,
            outside,
            inside,
            repository: Some(format!("{owner}/{repository}")),
            version: Some(version.clone()),
        };
        self.actions.insert(reference.clone(), action.clone());
        Ok(action)
    }
}

/// The manifest in a directory; none if it is an action by nothing but its Dockerfile.
pub(crate) fn manifest_in(directory: &Path, name: &str) -> Result<Option<Arc<ActionManifest>>, String> {
    let missing = || {
        format!(
            "can't find 'action.yml', 'action.yaml' or 'Dockerfile' under `{name}`; is the repository checked out?"
        )
    };
    let opened = Directory::open(directory).map_err(|_| missing())?;
    for file_name in MANIFESTS {
        let Ok((content, true)) = opened.read(file_name, MAX_MANIFEST) else { continue };
        let text = String::from_utf8(content).map_err(|_| format!("`{name}/{file_name}` is not UTF-8"))?;
        let file = SourceFile::new(format!("{name}/{file_name}"), text);
        let parsed = parse_action(&file);
        if !parsed.is_valid() {
            let first =
                parsed.diagnostics().into_iter().next().map(|found| found.message).unwrap_or_default();
            return Err(format!("`{name}/{file_name}` cannot be used: {first}"));
        }
        return Ok(parsed.model.map(Arc::new));
    }
    if opened.read("Dockerfile", MAX_MANIFEST).is_ok() { Ok(None) } else { Err(missing()) }
}
