//! A call held against the workflow it calls.

use longshore_syntax::{Diagnostic, Spanned, suggest};

use crate::model::{CallJob, CallSecrets, Trigger, Workflow};
use crate::template::{Refusal, Refusals, Token, code};

/// What GitHub refuses about `call` given the workflow it calls; the places are in the caller's file.
pub fn check_call(call: &CallJob, called: &Workflow) -> Vec<Refusal> {
    let mut refusals = Refusals::default();
    let Some(trigger) = called.trigger("workflow_call") else {
        let message =
            format!("`{}` cannot be called: it has no `workflow_call` in its `on`", call.uses.value);
        let diagnostic = Diagnostic::error(code::INVALID_CALL, call.uses.span, message);
        refusals.push("workflow_call key is not defined in the referenced workflow.", diagnostic);
        return refusals.into_vec();
    };
    check_inputs(&mut refusals, call, trigger);
    check_secrets(&mut refusals, call, trigger);
    refusals.into_vec()
}

fn check_inputs(refusals: &mut Refusals, call: &CallJob, trigger: &Trigger) {
    let given = call.with.as_ref().map_or(&[][..], Token::entries);
    for input in trigger.inputs.iter().filter(|input| input.required == Some(true)) {
        if !has(given, &input.name.value) {
            refuse_missing(refusals, "Input", "input", &call.uses, &input.name.value);
        }
    }
    for (name, value) in given.iter().filter_map(|(name, value)| Some((name.as_str()?, value))) {
        if !trigger.inputs.iter().any(|input| input.name.value.eq_ignore_ascii_case(name)) {
            let known = trigger.inputs.iter().map(|input| input.name.value.as_str());
            let github = format!("Invalid input, {name} is not defined in the referenced workflow.");
            refuse_extra(
                refusals,
                github,
                format!("the called workflow has no input `{name}`"),
                value,
                suggest::nearest(name, known),
            );
        }
    }
}

fn check_secrets(refusals: &mut Refusals, call: &CallJob, trigger: &Trigger) {
    let given = match &call.secrets {
        CallSecrets::Inherit => return,
        CallSecrets::None => &[][..],
        CallSecrets::Mapping(token) => token.entries(),
    };
    for secret in trigger.secrets.iter().filter(|secret| secret.required == Some(true)) {
        if !has(given, &secret.name.value) {
            refuse_missing(refusals, "Secret", "secret", &call.uses, &secret.name.value);
        }
    }
    for (name, value) in given.iter().filter_map(|(name, value)| Some((name.as_str()?, value))) {
        if !trigger.secrets.iter().any(|secret| secret.name.value.eq_ignore_ascii_case(name)) {
            let known = trigger.secrets.iter().map(|secret| secret.name.value.as_str());
            let github = format!("Invalid secret, {name} is not defined in the referenced workflow.");
            refuse_extra(
                refusals,
                github,
                format!("the called workflow has no secret `{name}`"),
                value,
                suggest::nearest(name, known),
            );
        }
    }
}

fn has(given: &[(Token, Token)], name: &str) -> bool {
    given.iter().any(|(key, _)| key.as_str().is_some_and(|key| key.eq_ignore_ascii_case(name)))
}

fn refuse_missing(refusals: &mut Refusals, kind: &str, noun: &str, uses: &Spanned<String>, name: &str) {
    let github = format!("{kind} {name} is required, but not provided while calling.");
    let message = format!("`{}` requires the {noun} `{name}`", uses.value);
    let key = if noun == "input" { "with" } else { "secrets" };
    let diagnostic = Diagnostic::error(code::INVALID_CALL, uses.span, message)
        .help(format!("add `{name}` under `{key}:`"));
    refusals.push(github, diagnostic);
}

fn refuse_extra(refusals: &mut Refusals, github: String, message: String, at: &Token, nearest: Option<&str>) {
    let mut diagnostic = Diagnostic::error(code::INVALID_CALL, at.span(), message);
    if let Some(nearest) = nearest {
        diagnostic = diagnostic.help(format!("did you mean `{nearest}`?"));
    }
    refusals.push(github, diagnostic);
}
