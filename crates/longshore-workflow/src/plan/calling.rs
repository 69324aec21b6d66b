//! Calls of reusable workflows: "Reusing workflow configurations" of GitHub's documentation.

use longshore_expr::Value;
use longshore_syntax::{Diagnostic, SourceRef};

use super::place::keys;
use super::planner::{Found, MAX_UNITS, Planner};
use super::scope::{Caller, Origin, Scope, remote};
use super::{CallPlan, CallSecretsPlan, CalledWorkflow, Planned, TokenPermissions, reads};
use crate::evaluate::{Fact, Knowledge, describe};
use crate::lower::check_call;
use crate::model::{CallJob, CallSecrets, Input, InputType, Trigger, Workflow};
use crate::template::{Token, code};

/// The workflow that the event starts and nine levels of called ones.
const MAX_LEVELS: usize = 10;

/// Different workflows that one run may call, directly or not.
const MAX_CALLED: usize = 50;

/// The job that calls.
pub(super) struct CallSite<'c> {
    pub(super) key: &'c str,
    pub(super) name: &'c Planned<String>,
    pub(super) permissions: &'c TokenPermissions,
    /// Whether the job is skipped, so that nothing is called.
    pub(super) skipped: bool,
}

impl Planner<'_> {
    pub(super) fn call(
        &mut self,
        scope: &Scope<'_>,
        call: &CallJob,
        knowledge: &Knowledge,
        site: &CallSite<'_>,
    ) -> CallPlan {
        let reference = resolve(&call.uses.value, &scope.origin);
        let mut plan = CallPlan {
            uses: call.uses.value.clone(),
            reference: reference.clone(),
            inputs: Vec::new(),
            secrets: secrets(&call.secrets),
            called: CalledWorkflow::Skipped,
        };
        let (false, Some(reference)) = (site.skipped, reference) else { return plan };
        if let Err(reason) = self.enter(scope, &reference) {
            plan.called = CalledWorkflow::Refused(self.refuse(scope, call, &reason));
            return plan;
        }
        let called = match self.called_workflow(&reference) {
            Found::Here(called) => called,
            Found::Wanted => return plan,
            Found::Missing(reason) => {
                let text = format!("the workflow `{}` is not at hand: {reason}", call.uses.value);
                let diagnostic = Diagnostic::error(code::UNKNOWN_WORKFLOW, call.uses.span, text.clone());
                self.report(scope.file(), diagnostic);
                plan.called = CalledWorkflow::Missing(text);
                return plan;
            }
        };
        let parsed = called.parsed();
        let Some(workflow) = parsed.model.as_ref().filter(|_| parsed.is_valid()) else {
            let first = parsed.diagnostics().into_iter().next().map(|diagnostic| diagnostic.message);
            let reason = format!("is refused by GitHub: {}", first.unwrap_or_default());
            plan.called = CalledWorkflow::Refused(self.refuse(scope, call, &reason));
            return plan;
        };
        let refusals = check_call(call, workflow);
        if let Some(first) = refusals.first() {
            plan.called = CalledWorkflow::Refused(first.diagnostic.message.clone());
            refusals.into_iter().for_each(|refusal| self.report(scope.file(), refusal.diagnostic));
            return plan;
        }
        let Some(trigger) = workflow.trigger("workflow_call") else { return plan };
        plan.inputs = self.call_inputs(scope, call, trigger, workflow, knowledge);
        plan.called = self.called_jobs(scope, call, &reference, workflow, (&plan.inputs, site));
        plan
    }

    fn called_jobs(
        &mut self,
        scope: &Scope<'_>,
        call: &CallJob,
        reference: &SourceRef,
        workflow: &Workflow,
        (inputs, site): (&[(String, Planned<Value>)], &CallSite<'_>),
    ) -> CalledWorkflow {
        let facts = inputs.iter().map(|(name, value)| {
            (name.as_str(), value.known().map_or(Fact::Unknown, |value| Fact::Known(value.clone())))
        });
        let mut chain = scope.caller.as_ref().map_or_else(Vec::new, |caller| caller.chain.clone());
        chain.push(reference.clone());
        let inner = Scope {
            workflow,
            job_tokens: reads::job_tokens(workflow),
            knowledge: scope.knowledge.clone().with("inputs", Fact::object(facts)),
            origin: Origin::of(reference),
            caller: Some(Caller {
                key: site.key.to_owned(),
                name: site.name.clone(),
                permissions: site.permissions.clone(),
                place: (scope.file(), call.uses.span),
                chain,
            }),
        };
        let (jobs, stages) = self.jobs(&inner, None);
        let outputs = workflow.trigger("workflow_call").map_or(&[][..], |trigger| &trigger.outputs);
        CalledWorkflow::Jobs {
            file: workflow.file.clone(),
            name: workflow.display_name().to_owned(),
            jobs,
            stages,
            outputs: outputs.iter().map(|output| output.name.value.clone()).collect(),
        }
    }

    /// Checks GitHub's limits for one more call.
    fn enter(&mut self, scope: &Scope<'_>, reference: &SourceRef) -> Result<(), String> {
        let chain = scope.caller.as_ref().map_or(&[][..], |caller| &caller.chain);
        let own = Origin::of(reference) == Origin::Here
            && matches!(reference, SourceRef::Local { path } if path == scope.file().name());
        if own || chain.contains(reference) {
            return Err("is called from itself, which never ends".to_owned());
        }
        // The top level, those on the way here, and this one.
        if chain.len() + 2 > MAX_LEVELS {
            return Err(format!("is on level {}, but GitHub allows {MAX_LEVELS}", chain.len() + 2));
        }
        self.called.insert(reference.clone());
        if self.called.len() > MAX_CALLED {
            return Err(format!("is one workflow too many: a run may call {MAX_CALLED} different ones"));
        }
        if self.units_left == 0 {
            return Err(format!(
                "makes a run of more than {MAX_UNITS} jobs and steps, which Longshore does not plan"
            ));
        }
        Ok(())
    }

    fn refuse(&mut self, scope: &Scope<'_>, call: &CallJob, reason: &str) -> String {
        let text = format!("the workflow `{}` {reason}", call.uses.value);
        let diagnostic = Diagnostic::error(code::INVALID_CALL, call.uses.span, text.clone());
        self.report(scope.file(), diagnostic);
        text
    }

    /// The inputs that the called workflow gets, in its order.
    fn call_inputs(
        &mut self,
        scope: &Scope<'_>,
        call: &CallJob,
        trigger: &Trigger,
        workflow: &Workflow,
        knowledge: &Knowledge,
    ) -> Vec<(String, Planned<Value>)> {
        let given = call.with.as_ref().map_or(&[][..], Token::entries);
        let mut inputs = Vec::with_capacity(trigger.inputs.len());
        for input in &trigger.inputs {
            let name = &input.name.value;
            let is_named = |key: &Token| key.as_str().is_some_and(|key| key.eq_ignore_ascii_case(name));
            let value = match (given.iter().find(|(key, _)| is_named(key)), &input.default) {
                (Some((_, token)), _) => {
                    let value = self.evaluate(scope.file(), knowledge, |evaluator| evaluator.value(token));
                    self.typed(scope, input, token, value)
                }
                (None, Some(default)) => {
                    let value =
                        self.evaluate(&workflow.file, &scope.knowledge, |evaluator| evaluator.value(default));
                    value.map(|value| convert(input.kind, &value).unwrap_or(value))
                }
                (None, None) => Planned::Known(zero(input.kind)),
            };
            inputs.push((name.clone(), value));
        }
        inputs
    }

    /// A given input as its type; text is neither boolean nor number.
    fn typed(
        &mut self,
        scope: &Scope<'_>,
        input: &Input,
        token: &Token,
        value: Planned<Value>,
    ) -> Planned<Value> {
        let Planned::Known(value) = value else { return value };
        if let Some(value) = convert(input.kind, &value) {
            return Planned::Known(value);
        }
        let (name, kind) = (&input.name.value, input.kind.as_str());
        let text = format!("the input `{name}` is a {kind}, not {}", describe(&value));
        self.report(scope.file(), Diagnostic::error(code::INVALID_CALL, token.span(), text.clone()));
        Planned::Failed(text)
    }
}

/// A workflow of the same repository and version, or of another one.
fn resolve(uses: &str, origin: &Origin) -> Option<SourceRef> {
    match uses.strip_prefix("./").or_else(|| uses.strip_prefix("$/")) {
        Some(path) => Some(origin.path(path)),
        None => remote(uses),
    }
}

fn secrets(secrets: &CallSecrets) -> CallSecretsPlan {
    match secrets {
        CallSecrets::None => CallSecretsPlan::None,
        CallSecrets::Inherit => CallSecretsPlan::Inherit,
        CallSecrets::Mapping(token) => CallSecretsPlan::Mapping(
            keys(Some(token))
                .into_iter()
                .map(|name| {
                    let from = token.entry(&name).map_or_else(Vec::new, reads::secrets_of);
                    (name, from)
                })
                .collect(),
        ),
    }
}

fn convert(kind: InputType, value: &Value) -> Option<Value> {
    match (kind, value) {
        (InputType::Boolean, Value::Bool(_)) | (InputType::Number, Value::Number(_)) => Some(value.clone()),
        (InputType::Boolean | InputType::Number, Value::Null) => Some(zero(kind)),
        (InputType::Boolean | InputType::Number, _) => None,
        (_, value) => value.is_primitive().then(|| Value::from(&*value.to_text())),
    }
}

/// The value of an input that nobody gives.
fn zero(kind: InputType) -> Value {
    match kind {
        InputType::Boolean => Value::Bool(false),
        InputType::Number => Value::Number(0.0),
        _ => Value::from(""),
    }
}
