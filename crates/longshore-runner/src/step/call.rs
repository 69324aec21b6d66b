//! A step while it is carried out: what handlers are given, and what they leave.

use longshore_event::StepEvent;

use super::command_files::Written;
use super::{CommandFiles, Frame, variables};
use crate::context::Scope;
use crate::control::Limits;
use crate::environment::{get, set};
use crate::handler::Inputs;
use crate::job::{Changes, JobSteps, certificates, chain};
use crate::voice::StepVoice;

/// A step that is carried out: what a handler needs.
pub(crate) struct StepCall<'s> {
    pub(crate) steps: &'s JobSteps<'s>,
    pub(crate) frame: &'s Frame<'s>,
    /// The contexts of this step.
    pub(crate) scope: Scope,
    /// `env` of this step: that of the frame, what steps before have set, and its own.
    pub(crate) env: Vec<(String, String)>,
    pub(crate) voice: StepVoice,
    pub(crate) limits: Limits,
    /// Its id, for `github.action`.
    pub(crate) id: String,
    /// What is said when its time, or that of a step around it, is over.
    pub(crate) expiry: Option<String>,
    /// The files by which it speaks, not yet made.
    pub(crate) files: CommandFiles,
    /// What `uses:` of a built-in action says.
    pub(crate) uses: String,
    /// The inputs of a built-in action.
    pub(crate) inputs: Inputs,
    /// Its outputs so far.
    pub(crate) outputs: Vec<(String, String)>,
    /// What it saved for its action's end.
    pub(crate) state: Vec<(String, String)>,
    /// What it changes for the steps after it.
    pub(crate) changes: Changes,
    /// Whether a command failed, so that the step fails when it ends.
    pub(crate) command_failed: bool,
}

impl StepCall<'_> {
    /// The variables of a process of this step: `env`, then what GitHub sets, which nothing overrides, then `PATH`.
    pub(crate) fn process_env(&self) -> Vec<(String, String)> {
        let place = self.steps.place;
        let mut env = self.env.clone();
        let debug = self.steps.run.task.facts.request.debug;
        for (name, value) in variables::defaults(place, &self.scope, debug) {
            // `CI` and `HOME` may be set by the workflow, the others are GitHub's.
            if !matches!(name.as_str(), "CI" | "HOME") || get(&env, &name).is_none() {
                set(&mut env, &name, value);
            }
        }
        let added = self.steps.progress.state().path.clone();
        // The container does not know of the tools that stand in for those that its image lacks.
        if !added.is_empty() || !place.in_container {
            let base = get(&env, "PATH").or_else(|| get(&place.base_env, "PATH")).unwrap_or(DEFAULT_PATH);
            let directories: Vec<&str> = added.iter().map(String::as_str).chain([base]).collect();
            let path = directories.join(":");
            set(&mut env, "PATH", path);
        }
        certificates::offer(place, &place.base_env, &mut env);
        env
    }

    /// The variables of a script of this step: those of a process, and where identities are had, if its job may ask.
    pub(crate) fn script_env(&self) -> Vec<(String, String)> {
        let steps = self.steps;
        let mut env = self.process_env();
        let voice = &self.voice;
        for (name, value) in
            steps.services.identity_variables(steps.run, steps.place, steps.specification, voice)
        {
            set(&mut env, name, value.clone());
        }
        env
    }

    /// The variables of an action of this step: those of a process, the inputs, and what its earlier stages saved.
    pub(crate) fn action_env(&self, inputs: &Inputs) -> Vec<(String, String)> {
        let steps = self.steps;
        let mut env = self.process_env();
        let services = steps.services.variables(steps.run, steps.place, steps.specification, &self.voice);
        for (name, value) in services.iter().cloned().chain(inputs.variables()) {
            set(&mut env, &name, value);
        }
        for (name, value) in &self.state {
            set(&mut env, &format!("STATE_{name}"), value.clone());
        }
        env
    }

    /// Makes the files by which the step speaks.
    pub(crate) fn command_files(&self) -> Result<CommandFiles, String> {
        self.files
            .make(self.steps.place)
            .map(|()| self.files.clone())
            .map_err(|error| format!("failed to make the files of the step: {}", chain(&error)))
    }

    /// Takes over what the step wrote into its files.
    pub(crate) fn take(&mut self, written: Written) {
        self.changes.env.extend(written.env);
        self.changes.path.extend(written.path);
        for (name, value) in written.outputs {
            set(&mut self.outputs, &name, value);
        }
        for (name, value) in written.state {
            set(&mut self.state, &name, value);
        }
        if let Some(summary) = written.summary {
            self.voice.say(StepEvent::Summary { markdown: self.voice.job.run.mask(&summary) });
        }
        written.refused.iter().for_each(|message| self.voice.error(message));
        for error in &written.errors {
            self.voice.error(error);
            self.command_failed = true;
        }
    }
}

/// Where programs are looked for if nobody says.
pub(crate) const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
