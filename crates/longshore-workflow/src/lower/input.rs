//! Inputs of `workflow_dispatch` and `workflow_call`, with the secrets and outputs of the latter.

use longshore_syntax::Diagnostic;

use super::{Lowering, text, texts};
use crate::model::{CallOutput, CallSecret, Input, InputType, Trigger};
use crate::template::{Token, TokenKind, code};

impl Lowering<'_> {
    pub(super) fn workflow_call(&mut self, trigger: &mut Trigger, value: &Token) {
        for (key, value) in value.entries() {
            match key.as_str().unwrap_or_default() {
                "inputs" => trigger.inputs = self.inputs(value, true),
                "secrets" => trigger.secrets = value.entries().iter().filter_map(secret).collect(),
                "outputs" => trigger.outputs = value.entries().iter().filter_map(output).collect(),
                _ => {}
            }
        }
    }

    /// `inputs:`; those of a call may have expressions as defaults and know no choices.
    pub(super) fn inputs(&mut self, token: &Token, call: bool) -> Vec<Input> {
        token.entries().iter().filter_map(|(name, value)| self.input(name, value, call)).collect()
    }

    fn input(&mut self, name: &Token, value: &Token, call: bool) -> Option<Input> {
        let name = text(name)?;
        let kind = value.entry("type").and_then(Token::as_str).and_then(InputType::from_word);
        let input = Input {
            name,
            kind: kind.unwrap_or(InputType::String),
            description: value.entry("description").and_then(Token::as_str).map(str::to_owned),
            required: value.entry("required").and_then(Token::as_bool),
            default: value.entry("default").cloned(),
            options: value.entry("options").map(texts).unwrap_or_default(),
        };
        if let Some(default) = &input.default {
            self.check_default(&input, default);
        }
        if !call {
            self.check_options(&input, value);
        }
        Some(input)
    }

    fn check_default(&mut self, input: &Input, default: &Token) {
        let (wanted, wanted_here) = match (input.kind, &default.kind) {
            (_, TokenKind::Expression(_))
            | (InputType::Boolean, TokenKind::Bool(_))
            | (InputType::Number, _)
            | (InputType::String | InputType::Choice | InputType::Environment, TokenKind::String(_)) => {
                return;
            }
            (InputType::Boolean, _) => ("BooleanToken", "`true` or `false`, as the type is `boolean`"),
            _ => ("StringToken", "text; put it in quotes"),
        };
        self.refuse_type(default, "input default", wanted, wanted_here);
    }

    fn check_options(&mut self, input: &Input, token: &Token) {
        let name = &input.name;
        match (input.kind, input.options.is_empty(), token.entry("options")) {
            (InputType::Choice, true, _) => {
                let message = format!("the choice `{}` has no `options`", name.value);
                let diagnostic = Diagnostic::error(code::INVALID_INPUT, name.span, message);
                self.refusals.push_within(token.span(), "Missing 'options' for choice input", diagnostic);
            }
            (kind, _, Some(options)) if kind != InputType::Choice => {
                let message =
                    format!("`options` need `type: choice`, but `{}` is `{}`", name.value, kind.as_str());
                let diagnostic = Diagnostic::error(code::INVALID_INPUT, options.span(), message);
                let github = "Input type is not 'choice', but 'options' is defined";
                self.refusals.push_within(token.span(), github, diagnostic);
            }
            _ => {}
        }
    }
}

fn secret((name, value): &(Token, Token)) -> Option<CallSecret> {
    Some(CallSecret {
        name: text(name)?,
        required: value.entry("required").and_then(Token::as_bool),
        description: value.entry("description").and_then(Token::as_str).map(str::to_owned),
    })
}

fn output((name, value): &(Token, Token)) -> Option<CallOutput> {
    Some(CallOutput {
        name: text(name)?,
        value: value.entry("value")?.clone(),
        description: value.entry("description").and_then(Token::as_str).map(str::to_owned),
    })
}
