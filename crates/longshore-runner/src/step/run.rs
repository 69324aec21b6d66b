//! Carrying out one step.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use longshore_event::{Conclusion, StepEvent, StepNumber, StepStage};
use longshore_expr::Value;
use longshore_workflow::model::{Step, StepKind};

use super::command_files::Written;
use super::{CommandFiles, Frame, variables};
use crate::action::PreStep;
use crate::context::{Scope, texts};
use crate::control::{Limits, StopFlag};
use crate::environment::{get, set};
use crate::evaluate::{EvaluationError, Evaluator};
use crate::handler::{self, HandlerEnd, Inputs, Post};
use crate::job::{JobSteps, Progress, chain, minutes};
use crate::voice::StepVoice;

/// A step about to be carried out.
pub(crate) struct StepRun<'s> {
    pub(crate) steps: &'s JobSteps<'s>,
    pub(crate) frame: &'s Frame<'s>,
    voice: StepVoice,
    stage: StepStage,
    /// Set by who may end it.
    pub(crate) stop: Arc<StopFlag>,
}

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
    /// What `uses:` of a built-in action says.
    pub(crate) uses: String,
    /// The inputs of a built-in action.
    pub(crate) inputs: Inputs,
    /// Its outputs so far.
    pub(crate) outputs: Vec<(String, String)>,
    /// What it saved for its action's end.
    pub(crate) state: Vec<(String, String)>,
    /// Whether a command failed, so that the step fails when it ends.
    pub(crate) command_failed: bool,
}

/// How a step has ended, before `continue-on-error`.
#[derive(Debug, Clone)]
pub(crate) struct StepEnd {
    pub(crate) outcome: Conclusion,
    pub(crate) exit_code: Option<i32>,
    pub(crate) error: Option<String>,
    pub(crate) outputs: Vec<(String, String)>,
}

impl StepEnd {
    pub(crate) fn success() -> Self {
        Self { outcome: Conclusion::Success, exit_code: None, error: None, outputs: Vec::new() }
    }

    fn failed(error: String) -> Self {
        Self { outcome: Conclusion::Failure, error: Some(error), ..Self::success() }
    }
}

impl<'s> StepRun<'s> {
    pub(crate) fn new(
        steps: &'s JobSteps<'s>,
        frame: &'s Frame<'s>,
        number: StepNumber,
        stage: StepStage,
    ) -> Self {
        let voice = steps.run.task.voice.step(number);
        Self { steps, frame, voice, stage, stop: Arc::new(StopFlag::default()) }
    }

    /// The same inside of the step that uses a composite action: what it says is part of that step.
    pub(crate) fn inside(steps: &'s JobSteps<'s>, frame: &'s Frame<'s>, voice: StepVoice) -> Self {
        Self { steps, frame, voice, stage: StepStage::Main, stop: Arc::new(StopFlag::default()) }
    }

    /// Carries out a step of the list.
    pub(crate) fn main(&self, step: &Step) {
        self.carry(step, &|call| handler::main(call, step));
    }

    /// Carries out a step that the runner itself does, such as waiting.
    pub(crate) fn inline(&self, step: &Step, act: &dyn Fn() -> StepEnd) {
        self.carry(step, &|_| {
            let end = act();
            HandlerEnd { outcome: end.outcome, exit_code: end.exit_code, error: end.error }
        });
    }

    /// Carries out what an action wants to be done before the first step.
    pub(crate) fn pre(&self, pre: &PreStep) {
        let name = format!("Pre {}", self.name(&pre.using.step, &self.scope_with(&[]).0));
        let condition = pre.condition.as_ref();
        self.lifecycle(&name, &pre.id, condition, &|call| handler::pre(call, pre));
    }

    /// Carries out what an action wants to be done after the steps.
    pub(crate) fn post(&self, post: &Post) {
        self.lifecycle(&format!("Post {}", post.name), &post.id, post.condition.as_ref(), &|call| {
            handler::post(call, post)
        });
    }

    fn lifecycle(
        &self,
        name: &str,
        id: &str,
        condition: Option<&longshore_workflow::model::Condition>,
        act: &dyn Fn(&mut StepCall<'_>) -> HandlerEnd,
    ) {
        let (scope, env) = self.scope_with(&[]);
        // Without a condition these always run.
        let holds = condition
            .map_or(Ok(true), |condition| Evaluator::new(self.frame.file, &scope).condition(condition));
        let name = self.voice.job.run.mask(name);
        match holds {
            Ok(false) => {
                let id = id.to_owned();
                self.voice.say(StepEvent::Skipped { name, id, stage: self.stage, condition: None });
            }
            Ok(true) => {
                self.voice.say(StepEvent::Started { name, id: id.to_owned(), stage: self.stage });
                let mut call = self.call(id, scope, env, None);
                let end = Self::finish(&mut call, act);
                self.tell_end(&end, end.outcome);
                self.status().settle(end.outcome);
            }
            Err(error) => self.status().settle(self.fail(&name, id, &error).outcome),
        }
    }

    fn carry(&self, step: &Step, act: &dyn Fn(&mut StepCall<'_>) -> HandlerEnd) {
        let own_env = step.env.as_ref();
        let (scope, _) = self.scope_with(&[]);
        let evaluated =
            own_env.map_or(Ok(Vec::new()), |token| Evaluator::new(self.frame.file, &scope).texts(token));
        let (own_env, env_error) = match evaluated {
            Ok(own_env) => (own_env, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let (scope, env) = self.scope_with(&own_env);
        let evaluator = Evaluator::new(self.frame.file, &scope);
        let name = self.name(step, &scope);
        let end = match evaluator.condition(&step.condition) {
            Ok(false) => {
                let condition = step.condition.as_written(self.frame.file);
                if self.frame.depth == 0 {
                    let id = step.id.clone();
                    self.voice.say(StepEvent::Skipped { name, id, stage: self.stage, condition });
                }
                self.frame.results.set(&step.id, Conclusion::Skipped, Conclusion::Skipped, &[]);
                return;
            }
            Ok(true) => {
                if let Some(error) = env_error {
                    self.fail(&name, &step.id, &error)
                } else {
                    self.begin(&name, &step.id);
                    self.act(step, scope, env, act)
                }
            }
            Err(error) => self.fail(&name, &step.id, &error),
        };
        let conclusion = self.conclude(step, &end);
        self.tell_end(&end, conclusion);
        self.frame.results.set(&step.id, end.outcome, conclusion, &end.outputs);
        self.status().settle(conclusion);
    }

    fn act(
        &self,
        step: &Step,
        scope: Scope,
        env: Vec<(String, String)>,
        act: &dyn Fn(&mut StepCall<'_>) -> HandlerEnd,
    ) -> StepEnd {
        let timeout =
            step.timeout_minutes.as_ref().map(|token| Evaluator::new(self.frame.file, &scope).number(token));
        match timeout.transpose() {
            Ok(timeout) => {
                let deadline =
                    timeout.filter(|minutes| *minutes > 0.0).map(|time| Instant::now() + minutes(time));
                let mut call = self.call(&step.id, scope, env, deadline);
                Self::finish(&mut call, act)
            }
            Err(error) => {
                self.voice.error(&error.to_string());
                StepEnd::failed(error.to_string())
            }
        }
    }

    /// What a handler needs.
    fn call(
        &self,
        id: &str,
        mut scope: Scope,
        env: Vec<(String, String)>,
        deadline: Option<Instant>,
    ) -> StepCall<'s> {
        let after_cancel = self.steps.run.task.control.cancelled().is_some();
        let id = format!("{}{id}", self.frame.id_prefix);
        scope.set_entry("github", "action", Value::from(id.as_str()));
        StepCall {
            steps: self.steps,
            frame: self.frame,
            scope,
            env,
            voice: self.voice.clone(),
            limits: Limits {
                deadline: self.steps.deadline(deadline, after_cancel),
                after_cancel,
                stop: Arc::clone(&self.stop),
            },
            id,
            uses: String::new(),
            inputs: Inputs::default(),
            outputs: Vec::new(),
            state: Vec::new(),
            command_failed: false,
        }
    }

    /// Lets a handler work, and takes over what the step said.
    fn finish(call: &mut StepCall<'_>, act: &dyn Fn(&mut StepCall<'_>) -> HandlerEnd) -> StepEnd {
        let end = act(call);
        let mut end = StepEnd {
            outcome: end.outcome,
            exit_code: end.exit_code,
            error: end.error,
            outputs: std::mem::take(&mut call.outputs),
        };
        if call.command_failed && end.outcome == Conclusion::Success {
            end.outcome = Conclusion::Failure;
            end.error.get_or_insert_with(|| "a command of the step failed".to_owned());
        }
        end
    }

    fn begin(&self, name: &str, id: &str) {
        if self.frame.depth == 0 {
            let (name, id) = (name.to_owned(), id.to_owned());
            self.voice.say(StepEvent::Started { name, id, stage: self.stage });
        }
    }

    fn fail(&self, name: &str, id: &str, error: &EvaluationError) -> StepEnd {
        self.begin(name, id);
        self.voice.error(&error.to_string());
        StepEnd::failed(error.to_string())
    }

    fn conclude(&self, step: &Step, end: &StepEnd) -> Conclusion {
        let Some(token) = step.continue_on_error.as_ref().filter(|_| end.outcome == Conclusion::Failure)
        else {
            return end.outcome;
        };
        let (scope, _) = self.scope_with(&[]);
        match Evaluator::new(self.frame.file, &scope).boolean(token) {
            Ok(true) => Conclusion::Success,
            Ok(false) => end.outcome,
            Err(error) => {
                self.voice.error(&error.to_string());
                end.outcome
            }
        }
    }

    fn tell_end(&self, end: &StepEnd, conclusion: Conclusion) {
        if self.frame.depth > 0 {
            return;
        }
        let run = &self.voice.job.run;
        let outputs: BTreeMap<String, String> =
            end.outputs.iter().map(|(name, value)| (run.mask(name), run.mask(value))).collect();
        self.voice.say(StepEvent::Finished {
            outcome: end.outcome,
            conclusion,
            exit_code: end.exit_code,
            outputs,
            error: end.error.as_deref().map(|error| run.mask(error)),
        });
    }

    /// The contexts and `env` of a step with an own `env`.
    fn scope_with(&self, own_env: &[(String, String)]) -> (Scope, Vec<(String, String)>) {
        let mut env = self.frame.env.clone();
        let state = self.steps.progress.state().clone();
        for (name, value) in state.env.iter().chain(own_env) {
            set(&mut env, name, value.clone());
        }
        let mut scope = self.frame.scope.clone();
        let status = self.status().status();
        scope.status = match state.status {
            Conclusion::Cancelled => Conclusion::Cancelled,
            _ => status,
        };
        scope.set("steps", self.frame.results.value());
        scope.set("env", texts(env.iter().map(|(name, value)| (name.as_str(), value.as_str()))));
        scope.set_entry("job", "status", Value::from(state.status.as_str()));
        if self.frame.depth > 0 {
            scope.set_entry("github", "action_status", Value::from(status.as_str()));
        }
        (scope, env)
    }

    /// What the end of the step is added to.
    fn status(&self) -> &Progress {
        self.frame.own_status.as_ref().unwrap_or(self.steps.progress)
    }

    /// What GitHub calls the step, masked.
    fn name(&self, step: &Step, scope: &Scope) -> String {
        let evaluator = Evaluator::new(self.frame.file, scope);
        let written = |token: &longshore_workflow::template::Token| {
            evaluator.text(token).unwrap_or_else(|_| self.frame.file.slice(token.span()).to_owned())
        };
        let name = match (&step.name, &step.kind) {
            (Some(name), _) => written(name),
            (None, StepKind::Run { script, .. }) => {
                let script = written(script);
                let line = script.lines().map(str::trim).find(|line| !line.is_empty());
                format!("Run {}", line.unwrap_or_default())
            }
            (None, StepKind::Uses { uses, .. }) => format!("Run {}", uses.value),
            (None, StepKind::Wait { .. }) => "Wait".to_owned(),
            (None, StepKind::WaitAll) => "Wait for all".to_owned(),
            (None, StepKind::Cancel { target }) => format!("Cancel {}", target.value),
            (None, StepKind::Parallel { .. }) => "Parallel".to_owned(),
        };
        self.voice.job.run.mask(&name)
    }
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
        if !added.is_empty() {
            let base =
                get(&env, "PATH").or_else(|| get(&place.base_env, "PATH")).unwrap_or(DEFAULT_PATH).to_owned();
            set(&mut env, "PATH", format!("{}:{base}", added.join(":")));
        }
        env
    }

    /// The variables of an action of this step: those of a process, the inputs, and what its earlier stages saved.
    pub(crate) fn action_env(&self, inputs: &Inputs) -> Vec<(String, String)> {
        let mut env = self.process_env();
        for (name, value) in inputs.variables() {
            set(&mut env, &name, value);
        }
        for (name, value) in &self.state {
            set(&mut env, &format!("STATE_{name}"), value.clone());
        }
        env
    }

    /// Makes the files by which the step speaks.
    pub(crate) fn command_files(&self) -> Result<CommandFiles, String> {
        CommandFiles::make(self.steps.place)
            .map_err(|error| format!("failed to make the files of the step: {}", chain(&error)))
    }

    /// Takes over what the step wrote into its files.
    pub(crate) fn take(&mut self, written: Written) {
        let progress = self.steps.progress;
        for (name, value) in written.env {
            progress.set_env(&name, value);
        }
        written.path.into_iter().for_each(|directory| progress.add_path(directory));
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
