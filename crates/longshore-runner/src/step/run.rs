//! Carrying out one step.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use longshore_event::{Conclusion, StepEvent, StepNumber, StepStage};
use longshore_expr::Value;
use longshore_workflow::model::{Step, StepKind};

use super::{CommandFiles, Frame, StepCall};
use crate::action::PreStep;
use crate::context::{Scope, texts};
use crate::control::{Limits, StopFlag};
use crate::environment::set;
use crate::evaluate::{EvaluationError, Evaluator};
use crate::handler::{self, HandlerEnd, Inputs, Post};
use crate::job::{Aside, Changes, JobSteps, Progress, minutes};
use crate::voice::StepVoice;

/// A step about to be carried out.
pub(crate) struct StepRun<'s> {
    pub(crate) steps: &'s JobSteps<'s>,
    pub(crate) frame: &'s Frame<'s>,
    voice: StepVoice,
    stage: StepStage,
    /// Set by who may end it.
    pub(crate) stop: Arc<StopFlag>,
    /// When what is around it must have ended.
    deadline: Option<Instant>,
    /// What is said then.
    expiry: Option<String>,
    /// It began to clear up after what is around it was cancelled.
    after_cancel: bool,
    /// The files by which it speaks.
    files: CommandFiles,
}

/// What was known of a step when its turn came.
pub(crate) struct Premise {
    name: String,
    scope: Scope,
    env: Vec<(String, String)>,
    /// Whether it is to be done.
    holds: Result<bool, EvaluationError>,
}

/// How a step that had its turn has ended.
enum Ended {
    /// Its condition did not hold.
    Skipped,
    /// With this end, which `continue-on-error` made this conclusion, and these changes.
    Done(StepEnd, Conclusion, Changes),
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
    fn failed(error: String) -> Self {
        Self { outcome: Conclusion::Failure, exit_code: None, error: Some(error), outputs: Vec::new() }
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
        let stop = Arc::new(StopFlag::default());
        let files = CommandFiles::new();
        Self { steps, frame, voice, stage, stop, deadline: None, expiry: None, after_cancel: false, files }
    }

    /// The same inside of the step that uses a composite action: what it says is part of that step, and so is its time.
    pub(crate) fn inside(call: &StepCall<'s>, frame: &'s Frame<'s>) -> Self {
        Self {
            steps: call.steps,
            frame,
            voice: call.voice.clone(),
            stage: StepStage::Main,
            stop: Arc::clone(&call.limits.stop),
            deadline: call.limits.deadline,
            expiry: call.expiry.clone(),
            after_cancel: call.limits.after_cancel,
            files: CommandFiles::new(),
        }
    }

    /// Carries out a step of the list.
    pub(crate) fn main(&self, step: &Step) {
        self.settle(step, self.carry(step, self.premise(step), &|call| handler::main(call, step)));
    }

    /// Carries out a step that the runner itself does, such as waiting.
    pub(crate) fn inline(&self, step: &Step, act: &dyn Fn() -> Conclusion) {
        let ended = self.carry(step, self.premise(step), &|_| HandlerEnd {
            outcome: act(),
            exit_code: None,
            error: None,
        });
        self.settle(step, ended);
    }

    /// Carries out a step beside others; what it leaves for them.
    pub(crate) fn aside(&self, step: &Step, premise: Premise) -> Aside {
        match self.carry(step, premise, &|call| handler::main(call, step)) {
            Ended::Skipped => Aside {
                outcome: Conclusion::Skipped,
                conclusion: Conclusion::Skipped,
                outputs: Vec::new(),
                changes: Changes::default(),
            },
            Ended::Done(end, conclusion, changes) => {
                Aside { outcome: end.outcome, conclusion, outputs: end.outputs, changes }
            }
        }
    }

    /// Lets the steps after it see what it left.
    fn settle(&self, step: &Step, ended: Ended) {
        match ended {
            Ended::Skipped => {
                self.frame.results.set(&step.id, Conclusion::Skipped, Conclusion::Skipped, &[]);
            }
            Ended::Done(end, conclusion, changes) => {
                changes.apply(self.steps.progress);
                self.frame.results.set(&step.id, end.outcome, conclusion, &end.outputs);
                self.status().settle(conclusion);
            }
        }
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
                std::mem::take(&mut call.changes).apply(self.steps.progress);
                self.tell_end(&end, end.outcome);
                self.status().settle(end.outcome);
            }
            Err(error) => self.status().settle(self.fail(&name, id, &error).outcome),
        }
    }

    /// What is known of a step now that its turn has come.
    pub(crate) fn premise(&self, step: &Step) -> Premise {
        let (mut scope, _) = self.scope_with(&[]);
        let id = Value::from(self.full_id(&step.id).as_str());
        scope.set_entry("github", "action", id.clone());
        let own_env = step.env.as_ref();
        let own_env =
            own_env.map_or(Ok(Vec::new()), |token| Evaluator::new(self.frame.file, &scope).texts(token));
        let (own_env, env_error) = match own_env {
            Ok(own_env) => (own_env, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let (mut scope, env) = self.scope_with(&own_env);
        scope.set_entry("github", "action", id);
        let name = self.name(step, &scope);
        let holds = match (Evaluator::new(self.frame.file, &scope).condition(&step.condition), env_error) {
            // An environment without a value fails a step only if it is to be done.
            (Ok(true), Some(error)) => Err(error),
            (holds, _) => holds,
        };
        Premise { name, scope, env, holds }
    }

    fn carry(&self, step: &Step, premise: Premise, act: &dyn Fn(&mut StepCall<'_>) -> HandlerEnd) -> Ended {
        let Premise { name, scope, env, holds } = premise;
        let mut changes = Changes::default();
        let end = match holds {
            Ok(false) => {
                let condition = step.condition.as_written(self.frame.file);
                if self.frame.depth == 0 {
                    let id = step.id.clone();
                    self.voice.say(StepEvent::Skipped { name, id, stage: self.stage, condition });
                }
                return Ended::Skipped;
            }
            Ok(true) => {
                self.begin(&name, &step.id);
                self.act(step, scope, env, (act, &mut changes))
            }
            Err(error) => self.fail(&name, &step.id, &error),
        };
        let conclusion = self.conclude(step, &end);
        if conclusion == Conclusion::Failure && self.frame.depth == 0 {
            self.steps.trace.fail(self.voice.step, &step.id, &name, || {
                let Premise { scope, env, .. } = self.premise(step);
                let env = self.call(&step.id, scope, env, None).process_env();
                (env, self.steps.place.paths.workspace.clone())
            });
        }
        self.tell_end(&end, conclusion);
        Ended::Done(end, conclusion, changes)
    }

    fn act(
        &self,
        step: &Step,
        scope: Scope,
        env: Vec<(String, String)>,
        (act, changes): (&dyn Fn(&mut StepCall<'_>) -> HandlerEnd, &mut Changes),
    ) -> StepEnd {
        let timeout =
            step.timeout_minutes.as_ref().map(|token| Evaluator::new(self.frame.file, &scope).number(token));
        match timeout.transpose() {
            Ok(timeout) => {
                let deadline =
                    timeout.filter(|minutes| *minutes > 0.0).map(|time| Instant::now() + minutes(time));
                let expiry = timeout.map(|minutes| {
                    let name = self.name(step, &scope);
                    format!("The action '{name}' has timed out after {minutes} minutes.")
                });
                let mut call = self.call(&step.id, scope, env, deadline);
                call.expiry = expiry.or(call.expiry);
                if self.stop.is_asked() {
                    // Somebody ended it before it began.
                    return StepEnd {
                        outcome: Conclusion::Cancelled,
                        exit_code: None,
                        error: None,
                        outputs: Vec::new(),
                    };
                }
                let end = Self::finish(&mut call, act);
                *changes = std::mem::take(&mut call.changes);
                end
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
        let after_cancel = self.after_cancel || self.is_after_cancel(&scope);
        let outer = self.deadline;
        let deadline = deadline.map_or(outer, |own| Some(outer.map_or(own, |outer| own.min(outer))));
        let id = self.full_id(id);
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
            expiry: self.expiry.clone(),
            files: self.files.clone(),
            uses: String::new(),
            inputs: Inputs::default(),
            outputs: Vec::new(),
            state: Vec::new(),
            changes: Changes::default(),
            command_failed: false,
        }
    }

    /// Lets a handler work, and takes over what the step said.
    fn finish(call: &mut StepCall<'_>, act: &dyn Fn(&mut StepCall<'_>) -> HandlerEnd) -> StepEnd {
        let end = match call.steps.place.container() {
            Some(_) => act(call),
            None => HandlerEnd::failed(call, "the container of the job was not started"),
        };
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

    /// Its id with those of the steps around it.
    fn full_id(&self, id: &str) -> String {
        format!("{}{id}", self.frame.id_prefix)
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
        scope.set_entries("github", self.files.context(self.steps.place));
        if self.frame.depth > 0 {
            scope.set_entry("github", "action_status", Value::from(status.as_str()));
        }
        (scope, env)
    }

    /// Whether it begins after the job was cancelled, so that only killing ends it. What is inside of a step that was
    /// cancelled itself does not begin anew.
    ///
    /// What its condition was told counts: a job that is cancelled after that ends it.
    fn is_after_cancel(&self, scope: &Scope) -> bool {
        self.frame.depth == 0 && scope.status == Conclusion::Cancelled
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
