//! A workflow in the shape that GitHub's published parser prints.
//!
//! Source: the JSON of `convertWorkflowTemplate` in `@actions/workflow-parser` 0.3.61. Text, numbers, booleans and null
//! stand for themselves; sequences, mappings and expressions are objects with their token type (1, 2, 3; 4 for
//! `insert`). Absent keys are left out.

use longshore_workflow::model::{
    CallSecrets, Condition, InputType, Job, JobKind, Step, StepKind, Trigger, Workflow,
};
use longshore_workflow::template::{Token, TokenKind};
use serde_json::{Map, Value, json};

/// A token.
pub(super) fn token(token: &Token) -> Value {
    match &token.kind {
        TokenKind::Null => Value::Null,
        TokenKind::Bool(value) => (*value).into(),
        TokenKind::Number(value) => number(*value),
        TokenKind::String(text) => text.as_str().into(),
        TokenKind::Expression(expression) => json!({ "type": 3, "expr": expression.text }),
        TokenKind::Insert(_) => json!({ "type": 4, "expr": "insert" }),
        TokenKind::Sequence(items) => {
            json!({ "type": 1, "seq": items.iter().map(self::token).collect::<Vec<_>>() })
        }
        TokenKind::Mapping(entries) => {
            let map: Vec<Value> = entries
                .iter()
                .map(|(key, value)| json!({ "Key": self::token(key), "Value": self::token(value) }))
                .collect();
            json!({ "type": 2, "map": map })
        }
    }
}

/// A number as JavaScript prints it: whole numbers without a fraction, and `null` for what JSON has no word for.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0 {
        #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
        return (value as i64).into();
    }
    serde_json::Number::from_f64(value).map_or(Value::Null, Value::Number)
}

/// The whole workflow.
pub(super) fn workflow(workflow: &Workflow, called: &dyn Fn(&str) -> Option<Workflow>) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("events".to_owned(), events(workflow));
    object.insert("jobs".to_owned(), workflow.jobs.iter().map(|each| job(each, called)).collect());
    if let Some(concurrency) = &workflow.concurrency {
        object.insert("concurrency".to_owned(), token(&concurrency.token));
    }
    if let Some(env) = &workflow.env {
        object.insert("env".to_owned(), token(env));
    }
    object
}

fn events(workflow: &Workflow) -> Value {
    let on = workflow.root.entry("on");
    let events = workflow.triggers.iter().map(|trigger| {
        let written = on.and_then(|on| on.entry(&trigger.event.value));
        (trigger.event.value.clone(), event(trigger, written))
    });
    Value::Object(events.collect())
}

/// An event; keys that are `written` without anything in them show as empty.
fn event(trigger: &Trigger, written: Option<&Token>) -> Value {
    let is_written = |key: &str| written.is_some_and(|event| event.entry(key).is_some());
    if trigger.event.value == "schedule" {
        let entries = trigger.schedules.iter().map(|schedule| match &schedule.timezone {
            Some(zone) => json!({ "cron": schedule.cron.value, "timezone": zone.value }),
            None => json!({ "cron": schedule.cron.value }),
        });
        return entries.collect();
    }
    let texts = |texts: &[longshore_syntax::Spanned<String>]| -> Value {
        texts.iter().map(|text| Value::from(text.value.as_str())).collect()
    };
    let mut object = Map::new();
    for filter in &trigger.filters {
        object.insert(filter.kind.as_str().to_owned(), texts(&filter.patterns));
    }
    if let Some(types) = &trigger.types {
        object.insert("types".to_owned(), texts(types));
    }
    for (key, values) in
        [("workflows", &trigger.workflows), ("names", &trigger.names), ("versions", &trigger.versions)]
    {
        if is_written(key) {
            object.insert(key.to_owned(), texts(values));
        }
    }
    if is_written("inputs") {
        object.insert("inputs".to_owned(), inputs(trigger));
    }
    if is_written("secrets") {
        let secrets = trigger.secrets.iter().map(|secret| {
            let mut object = Map::new();
            put(&mut object, "description", secret.description.clone().map(Value::from));
            put(&mut object, "required", secret.required.map(Value::from));
            (secret.name.value.clone(), Value::Object(object))
        });
        object.insert("secrets".to_owned(), Value::Object(secrets.collect()));
    }
    Value::Object(object)
}

fn inputs(trigger: &Trigger) -> Value {
    let inputs = trigger.inputs.iter().map(|input| {
        let mut object = Map::new();
        // The published parser knows no number type here and drops it.
        let kind = Some(input.kind.as_str()).filter(|kind| *kind != "number");
        put(&mut object, "type", kind.map(Value::from));
        put(&mut object, "description", input.description.clone().map(Value::from));
        put(&mut object, "required", input.required.map(Value::from));
        let default = input.default.as_ref().filter(|default| match (input.kind, &default.kind) {
            (InputType::Boolean, TokenKind::Bool(_)) => true,
            (InputType::Boolean | InputType::Number, _) => false,
            (_, kind) => matches!(kind, TokenKind::String(_)),
        });
        put(&mut object, "default", default.map(token));
        let options = input.options.iter().map(|option| Value::from(option.value.as_str()));
        put(&mut object, "options", (!input.options.is_empty()).then(|| options.collect()));
        (input.name.value.clone(), Value::Object(object))
    });
    Value::Object(inputs.collect())
}

fn put(object: &mut Map<String, Value>, key: &str, value: Option<Value>) {
    if let Some(value) = value {
        object.insert(key.to_owned(), value);
    }
}

fn condition(condition: &Condition) -> Value {
    json!({ "type": 3, "expr": condition.text })
}

fn job(job: &Job, called: &dyn Fn(&str) -> Option<Workflow>) -> Value {
    let mut object = Map::new();
    let needs = || job.needs.iter().map(|need| Value::from(need.value.as_str())).collect::<Value>();
    let name = job.name.as_ref().filter(|name| name.as_str() != Some(""));
    object.insert("id".to_owned(), job.id.value.as_str().into());
    object.insert("name".to_owned(), name.map_or_else(|| job.id.value.as_str().into(), token));
    object.insert("if".to_owned(), condition(&job.condition));
    put(&mut object, "strategy", job.strategy.as_ref().map(token));
    put(&mut object, "concurrency", job.concurrency.as_ref().map(|concurrency| token(&concurrency.token)));
    match &job.kind {
        JobKind::Steps(steps) => {
            object.insert("type".to_owned(), "job".into());
            put(&mut object, "needs", job.has_needs.then(needs));
            for (key, value) in [
                ("env", &steps.env),
                ("environment", &steps.environment),
                ("runs-on", &steps.runs_on),
                ("container", &steps.container),
                ("services", &steps.services),
                ("outputs", &steps.outputs),
                ("snapshot", &steps.snapshot),
            ] {
                put(&mut object, key, value.as_ref().map(token));
            }
            object.insert("steps".to_owned(), steps.steps.iter().map(step).collect());
        }
        JobKind::Call(call) => {
            object.insert("type".to_owned(), "reusableWorkflowJob".into());
            object.insert("needs".to_owned(), needs());
            object.insert("ref".to_owned(), call.uses.value.as_str().into());
            put(&mut object, "input-values", call.with.as_ref().map(token));
            match &call.secrets {
                CallSecrets::None => {}
                CallSecrets::Inherit => put(&mut object, "inherit-secrets", Some(true.into())),
                CallSecrets::Mapping(secrets) => put(&mut object, "secret-values", Some(token(secrets))),
            }
            if let Some(workflow) = called(&call.uses.value) {
                referenced(&mut object, &workflow, called);
            }
        }
    }
    Value::Object(object)
}

/// What a call shows of the workflow it calls.
fn referenced(
    object: &mut Map<String, Value>,
    workflow: &Workflow,
    called: &dyn Fn(&str) -> Option<Workflow>,
) {
    let call = workflow.root.entry("on").and_then(|on| on.entry("workflow_call"));
    for (key, name) in
        [("inputs", "input-definitions"), ("secrets", "secret-definitions"), ("outputs", "outputs")]
    {
        put(object, name, call.and_then(|call| call.entry(key)).map(token));
    }
    let _ = called;
    object.insert("jobs".to_owned(), workflow.jobs.iter().map(|each| job(each, &|_| None)).collect());
}

fn step(step: &Step) -> Value {
    let mut object = Map::new();
    let named = |name: &str| Some(step.name.as_ref().map_or_else(|| name.into(), token));
    object.insert("id".to_owned(), step.id.as_str().into());
    put(&mut object, "continue-on-error", step.continue_on_error.as_ref().map(token));
    match &step.kind {
        StepKind::Run { script, .. } => {
            execution(&mut object, step);
            object.insert("run".to_owned(), token(script));
        }
        StepKind::Uses { uses, .. } => {
            execution(&mut object, step);
            object.insert("uses".to_owned(), uses.value.as_str().into());
        }
        StepKind::Wait { targets } => {
            put(&mut object, "name", named("Wait"));
            let targets = targets.iter().map(|target| Value::from(target.value.as_str()));
            object.insert("wait".to_owned(), targets.collect());
        }
        StepKind::WaitAll => {
            put(&mut object, "name", named("Wait for all"));
            object.insert("wait-all".to_owned(), true.into());
        }
        StepKind::Cancel { target } => {
            put(&mut object, "name", named("Cancel"));
            object.insert("cancel".to_owned(), target.value.as_str().into());
        }
        StepKind::Parallel { steps } => {
            put(&mut object, "name", named("Parallel group"));
            object.insert("parallel".to_owned(), steps.iter().map(self::step).collect());
        }
    }
    Value::Object(object)
}

/// What only steps that execute something have.
fn execution(object: &mut Map<String, Value>, step: &Step) {
    put(object, "name", step.name.as_ref().map(token));
    object.insert("if".to_owned(), condition(&step.condition));
    put(object, "env", step.env.as_ref().map(token));
    put(object, "background", step.background.as_ref().map(|background| background.value.into()));
}
