//! The inputs of `workflow_dispatch`: checked as GitHub's API does, completed with defaults, and typed.

use std::sync::Arc;

use longshore_expr::{Object, Value};
use longshore_syntax::suggest;

use super::{Obstacle, Stopped};
use crate::event::Event;
use crate::model::{Input, InputType, Trigger};
use crate::template::{Token, TokenKind};

/// The `inputs` context of a dispatch: booleans and numbers as such, everything else as text.
pub(super) fn dispatch(trigger: &Trigger, event: &Event) -> Result<Object, Stopped> {
    if event.name != "workflow_dispatch" {
        return Ok(Object::default());
    }
    let given = match event.payload.property("inputs") {
        Some(Value::Object(given)) => given.clone(),
        _ => Object::default(),
    };
    let mut problems = Vec::new();
    let mut span = None;
    for (name, _) in given.iter() {
        if !trigger.inputs.iter().any(|input| input.name.value.eq_ignore_ascii_case(name)) {
            span = span.or(Some(trigger.event.span));
            problems.push(unknown(trigger, name));
        }
    }
    let mut inputs: Vec<(Arc<str>, Value)> = Vec::with_capacity(trigger.inputs.len());
    for input in &trigger.inputs {
        match resolve(input, given.get(&input.name.value)) {
            Ok(value) => inputs.push((Arc::from(input.name.value.as_str()), value)),
            Err(problem) => {
                span = span.or(Some(input.name.span));
                problems.push(problem);
            }
        }
    }
    if problems.is_empty() {
        return Ok(Object::from_entries(inputs));
    }
    Err(Stopped::new(Obstacle::Inputs, span, problems.join("; ")))
}

fn unknown(trigger: &Trigger, name: &str) -> String {
    let known = || trigger.inputs.iter().map(|input| input.name.value.as_str());
    let mut problem = format!("there is no input `{name}`");
    if let Some(nearest) = suggest::nearest(name, known()) {
        problem.push_str(&format!(", did you mean `{nearest}`?"));
    } else if trigger.inputs.is_empty() {
        problem.push_str(", the workflow takes none");
    } else {
        let names: Vec<String> = known().map(|name| format!("`{name}`")).collect();
        problem.push_str(&format!(", only {}", names.join(", ")));
    }
    problem
}

fn resolve(input: &Input, given: Option<&Value>) -> Result<Value, String> {
    let name = &input.name.value;
    let given = given.map(|value| value.to_text().into_owned()).filter(|text| !text.is_empty());
    let default = input.default.as_ref().map(default_text).filter(|text| !text.is_empty());
    let Some(text) = given.or(default) else {
        // A boolean is a check box: not given, it is not ticked.
        return match (input.required, input.kind) {
            (_, InputType::Boolean) => Ok(Value::Bool(false)),
            (Some(true), _) => Err(format!("the input `{name}` is required{}", allowed(input))),
            _ => Ok(Value::from("")),
        };
    };
    match input.kind {
        InputType::Boolean => match text.as_str() {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err(format!("the input `{name}` is `true` or `false`, not `{text}`")),
        },
        InputType::Number => {
            let number = Value::from(text.as_str()).to_number();
            if number.is_finite() {
                Ok(Value::Number(number))
            } else {
                Err(format!("the input `{name}` is a number, not `{text}`"))
            }
        }
        InputType::Choice if !input.options.iter().any(|option| option.value == text) => {
            Err(format!("the input `{name}` cannot be `{text}`{}", allowed(input)))
        }
        InputType::Choice | InputType::String | InputType::Environment => Ok(Value::from(text)),
    }
}

/// The values of a choice, for messages.
fn allowed(input: &Input) -> String {
    if input.options.is_empty() {
        return String::new();
    }
    let options: Vec<String> = input.options.iter().map(|option| format!("`{}`", option.value)).collect();
    format!("; it is one of {}", options.join(", "))
}

fn default_text(token: &Token) -> String {
    match &token.kind {
        TokenKind::Bool(value) => value.to_string(),
        TokenKind::Number(value) => Value::Number(*value).to_text().into_owned(),
        TokenKind::String(text) => text.clone(),
        _ => String::new(),
    }
}
