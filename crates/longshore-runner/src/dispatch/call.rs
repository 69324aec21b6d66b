//! Jobs that call workflows.

use std::sync::Arc;

use longshore_event::RunSink;
use longshore_expr::{Object, Value};
use longshore_workflow::graph::{CellOutcome, JobResult};
use longshore_workflow::model::{CallJob, CallSecrets, Input, InputType, JobKind, Trigger, Workflow};
use longshore_workflow::parse_workflow;
use longshore_workflow::plan::{CalledWorkflow, JobBody, JobPlan};

use super::level::Level;
use super::{Dispatcher, Waiting};
use crate::context::Scope;
use crate::evaluate::{EvaluationError, Evaluator};

impl Dispatcher<'_> {
    /// Begins the level of a called workflow.
    pub(super) fn begin_level(&mut self, waiting: &Waiting, mut level: Level) {
        level.key_prefix = format!("{}.", waiting.key);
        level.name_prefix = format!("{} / ", waiting.name);
        let caller = self.levels.get(waiting.place.level);
        level.is_new = caller.is_some_and(|caller| caller.is_renewed(&waiting.ready.id.job));
        level.parent = Some(waiting.place.clone());
        self.levels.push(level);
    }

    /// The level of the workflow that a cell calls, or why it cannot be called.
    pub(super) fn called(&self, waiting: &Waiting) -> Result<Level, String> {
        let (place, ready) = (&waiting.place, &waiting.ready);
        let caller = self.levels.get(place.level).ok_or("the caller is gone")?;
        let Some(JobKind::Call(call)) = caller.job(ready).map(|job| &job.kind) else {
            return Err("the job calls no workflow".to_owned());
        };
        let plan = caller.plan(&ready.id.job).ok_or("the job was not planned")?;
        let (workflow, plans) = planned_call(plan, &call.uses.value)?;
        let trigger = workflow.trigger("workflow_call").cloned().ok_or_else(|| {
            format!("`{}` is not made to be called: it lacks `on: workflow_call`", call.uses.value)
        })?;
        let scope = caller.scope(&self.facts, ready);
        let inputs = Self::call_inputs(caller, call, &trigger, &workflow, &scope)?;
        let secrets = call_secrets(caller, call, &scope, &self.facts.secrets())?;
        Ok(Level::new(&self.facts, workflow, plans, inputs, secrets))
    }

    fn call_inputs(
        caller: &Level,
        call: &CallJob,
        trigger: &Trigger,
        workflow: &Workflow,
        scope: &Scope,
    ) -> Result<Value, String> {
        let given = match &call.with {
            Some(token) => Evaluator::new(&caller.workflow.file, scope)
                .value(token)
                .map_err(|error| error.to_string())?,
            None => Value::Null,
        };
        let mut inputs = Object::default();
        for input in &trigger.inputs {
            let name = &input.name.value;
            let value = match (given.property(name), &input.default) {
                (Some(value), _) => value.clone(),
                (None, Some(default)) => {
                    Evaluator::new(&workflow.file, scope).value(default).map_err(|error| error.to_string())?
                }
                (None, None) => Value::Null,
            };
            let typed = typed(input, &value).ok_or_else(|| {
                format!("the input `{name}` of `{}` wants a {}", call.uses.value, input.kind.as_str())
            })?;
            inputs = inputs.with(name, typed);
        }
        Ok(Value::Object(inputs))
    }

    /// Ends the cells of calls whose jobs have all ended; whether there was one.
    pub(super) fn finish_calls(&mut self, sink: &mut dyn RunSink) -> bool {
        let mut any = false;
        for at in 0..self.levels.len() {
            let level = &mut self.levels[at];
            if level.is_reported || level.parent.is_none() || !level.graph.is_done() {
                continue;
            }
            level.is_reported = true;
            self.tell_undone(at, sink);
            let level = &self.levels[at];
            let Some(parent) = level.parent.clone() else { continue };
            let result = level.graph.outcome();
            let outcome = match self.call_outputs(level) {
                Ok(outputs) => CellOutcome { result, outputs, continue_on_error: false },
                Err(_) => CellOutcome::new(JobResult::Failure),
            };
            let is_renewed = level.has_renewed();
            if let Some(caller) = self.levels.get_mut(parent.level).filter(|_| is_renewed) {
                caller.renew(&parent.cell.job);
            }
            self.complete(&parent, outcome);
            any = true;
        }
        any
    }

    fn call_outputs(&self, level: &Level) -> Result<Object, EvaluationError> {
        let Some(trigger) = level.workflow.trigger("workflow_call") else { return Ok(Object::default()) };
        let scope = Scope::default()
            .with("github", Value::Object(self.facts.github.clone()))
            .with("inputs", level.inputs.clone())
            .with("vars", Value::Object(self.facts.request.vars.clone()))
            .with("jobs", level.jobs_context());
        let evaluator = Evaluator::new(&level.workflow.file, &scope);
        let mut outputs = Object::default();
        for output in &trigger.outputs {
            outputs = outputs.with(&output.name.value, Value::from(evaluator.text(&output.value)?.as_str()));
        }
        Ok(outputs)
    }
}

/// The called workflow with the plans of its jobs.
fn planned_call(plan: &JobPlan, uses: &str) -> Result<(Arc<Workflow>, Vec<JobPlan>), String> {
    let called = plan.instances.iter().find_map(|instance| match &instance.body {
        JobBody::Call(call) => Some(&call.called),
        JobBody::Steps(_) => None,
    });
    match called {
        Some(CalledWorkflow::Jobs { file, jobs, .. }) => {
            let model = parse_workflow(file).model.ok_or_else(|| format!("`{uses}` cannot be read"))?;
            Ok((Arc::new(model), jobs.clone()))
        }
        Some(CalledWorkflow::Missing(reason) | CalledWorkflow::Refused(reason)) => Err(reason.clone()),
        Some(CalledWorkflow::Skipped) | None => {
            Err(format!("`{uses}` was not looked at when the run was planned"))
        }
    }
}

fn call_secrets(caller: &Level, call: &CallJob, scope: &Scope, own: &Object) -> Result<Object, String> {
    let token = own.get("github_token").cloned();
    let with_token = |secrets: Object| match token {
        Some(token) => secrets.with("github_token", token),
        None => secrets,
    };
    match &call.secrets {
        CallSecrets::None => Ok(with_token(Object::default())),
        CallSecrets::Inherit => Ok(caller.secrets.clone()),
        CallSecrets::Mapping(mapping) => {
            let texts = Evaluator::new(&caller.workflow.file, scope)
                .texts(mapping)
                .map_err(|error| error.to_string())?;
            let secrets = texts.iter().map(|(name, value)| (name.as_str(), Value::from(value.as_str())));
            Ok(with_token(secrets.collect()))
        }
    }
}

/// A value as the type of an input.
fn typed(input: &Input, value: &Value) -> Option<Value> {
    match (input.kind, value) {
        (InputType::Boolean, Value::Bool(_)) | (InputType::Number, Value::Number(_)) => Some(value.clone()),
        (InputType::Boolean, Value::Null) => Some(Value::Bool(false)),
        (InputType::Number, Value::Null) => Some(Value::Number(0.0)),
        (InputType::Boolean | InputType::Number, _) => None,
        (_, value) => value.is_primitive().then(|| Value::from(&*value.to_text())),
    }
}
