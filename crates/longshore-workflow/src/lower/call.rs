//! A call held against the workflow it calls.

use longshore_syntax::{Diagnostic, suggest};

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
    let given = call.with.as_ref().map_or(&[][..], Token::entries);
    compare(&mut refusals, call, INPUT, &declared_inputs(trigger), given);
    match &call.secrets {
        CallSecrets::Inherit => {}
        CallSecrets::None => compare(&mut refusals, call, SECRET, &declared_secrets(trigger), &[]),
        CallSecrets::Mapping(token) => {
            compare(&mut refusals, call, SECRET, &declared_secrets(trigger), token.entries());
        }
    }
    refusals.into_vec()
}

/// What a call passes: the word for it, as GitHub begins a message with it, and the key it stands under.
#[derive(Clone, Copy)]
struct Passed {
    word: &'static str,
    capital: &'static str,
    key: &'static str,
}

const INPUT: Passed = Passed { word: "input", capital: "Input", key: "with" };
const SECRET: Passed = Passed { word: "secret", capital: "Secret", key: "secrets" };

/// What the called workflow declares: names, and whether they must be given.
type Declared<'w> = Vec<(&'w str, bool)>;

fn declared_inputs(trigger: &Trigger) -> Declared<'_> {
    let inputs = trigger.inputs.iter();
    inputs.map(|input| (input.name.value.as_str(), input.required == Some(true))).collect()
}

fn declared_secrets(trigger: &Trigger) -> Declared<'_> {
    let secrets = trigger.secrets.iter();
    secrets.map(|secret| (secret.name.value.as_str(), secret.required == Some(true))).collect()
}

fn compare(
    refusals: &mut Refusals,
    call: &CallJob,
    passed: Passed,
    declared: &Declared<'_>,
    given: &[(Token, Token)],
) {
    let Passed { word, capital, key } = passed;
    let given = || given.iter().filter_map(|(key, value)| Some((key.as_str()?, key, value)));
    for (name, _) in declared.iter().filter(|(_, required)| *required) {
        if !given().any(|(other, ..)| other.eq_ignore_ascii_case(name)) {
            let message = format!("`{}` requires the {word} `{name}`", call.uses.value);
            let diagnostic = Diagnostic::error(code::INVALID_CALL, call.uses.span, message)
                .help(format!("add `{name}` under `{key}:`"));
            refusals
                .push(format!("{capital} {name} is required, but not provided while calling."), diagnostic);
        }
    }
    for (name, key, value) in given() {
        if !declared.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)) {
            let message = format!("the called workflow has no {word} `{name}`");
            let mut diagnostic = Diagnostic::error(code::INVALID_CALL, key.span(), message);
            if let Some(nearest) = suggest::nearest(name, declared.iter().map(|(name, _)| *name)) {
                diagnostic = diagnostic.help(format!("did you mean `{nearest}`?"));
            }
            let github = format!("Invalid {word}, {name} is not defined in the referenced workflow.");
            refusals.push_within(value.span(), github, diagnostic);
        }
    }
}
