//! What github.com and its runner refuse although the published parser does not: nothing that starts, nothing to do,
//! reserved names, and values that a run fails on.
//!
//! The texts of github.com behind these checks are quoted on the page of each code.

use longshore_syntax::{Diagnostic, Span, Spanned};

use super::Lowering;
use crate::model::{Defaults, Trigger};
use crate::template::{Token, TokenKind, code};

/// Inputs that `workflow_dispatch` takes; there were 10 until the end of 2025.
const MOST_INPUTS: usize = 25;

/// Shells that the runner knows how to call.
const SHELLS: [&str; 6] = ["bash", "sh", "pwsh", "powershell", "cmd", "python"];

impl Lowering<'_> {
    /// `on:` must name an event.
    pub(super) fn check_triggers(&mut self, token: &Token) {
        let empty = match &token.kind {
            TokenKind::Sequence(items) => items.is_empty(),
            TokenKind::Mapping(entries) => entries.is_empty(),
            _ => false,
        };
        if empty {
            let message = "no event starts this workflow";
            let diagnostic = Diagnostic::error(code::NO_TRIGGER, token.span(), message)
                .help("name one, such as `push`; `workflow_dispatch` alone starts it by hand");
            self.refusals.push_unpublished(diagnostic);
        }
    }

    /// A job of steps must have one.
    pub(super) fn check_has_steps(&mut self, id: &Spanned<String>, steps: Option<&Token>) {
        if steps
            .is_some_and(|steps| !matches!(steps.kind, TokenKind::Sequence(ref items) if items.is_empty()))
        {
            return;
        }
        let message = format!("the job `{}` has no steps", id.value);
        let diagnostic = Diagnostic::error(code::NO_STEPS, id.span, message)
            .help("add `steps`, or call a reusable workflow with `uses` in place of `runs-on`");
        self.refusals.push_unpublished(diagnostic);
    }

    /// The token of a run is passed to called workflows as it is.
    pub(super) fn check_secret_names(&mut self, trigger: &Trigger) {
        for secret in &trigger.secrets {
            if secret.name.value.eq_ignore_ascii_case("GITHUB_TOKEN") {
                let message = format!("`{}` cannot be declared: every workflow has it", secret.name.value);
                let diagnostic = Diagnostic::error(code::RESERVED_NAME, secret.name.span, message)
                    .help("remove it and use `github.token`, or call it by another name");
                self.refusals.push_unpublished(diagnostic);
            }
        }
    }

    /// The form that `workflow_dispatch` shows has room for so many inputs.
    pub(super) fn check_input_count(&mut self, trigger: &Trigger) {
        if let Some(input) = trigger.inputs.get(MOST_INPUTS) {
            let count = trigger.inputs.len();
            let message = format!("`workflow_dispatch` takes at most {MOST_INPUTS} inputs, not {count}");
            let diagnostic = Diagnostic::error(code::TOO_MANY_INPUTS, input.name.span, message)
                .help("put several values into one input, such as a text of JSON for `fromJSON`");
            self.refusals.push_unpublished(diagnostic);
        }
    }

    /// `shell:` is a shell that the runner knows, or a command with `{0}` where the script's path goes.
    pub(super) fn check_shell(&mut self, shell: Option<&Token>) {
        let Some((shell, text)) = shell.and_then(|shell| Some((shell, shell.as_str()?))) else { return };
        let command = text.split(' ').next().unwrap_or_default();
        let bare = text.trim_end() == command;
        let known = bare && SHELLS.iter().any(|known| known.eq_ignore_ascii_case(command));
        if known || (text.contains("{0}") && !bare) || text.contains("${{") {
            return;
        }
        let message = format!("`{text}` does not say where the script goes");
        let diagnostic = Diagnostic::error(code::INVALID_SHELL, shell.span(), message).help(format!(
            "put `{{0}}` in the place of the script's path: `{} {{0}}`; the shells known by name are {}",
            text.trim_end(),
            SHELLS.join(", ")
        ));
        self.refusals.push_unpublished(diagnostic);
    }

    /// The shell of `defaults.run`.
    pub(super) fn check_defaults(&mut self, defaults: &Defaults) {
        self.check_shell(defaults.shell.as_ref());
    }

    /// GitHub documents positive whole numbers, and reads others without a word.
    pub(super) fn check_minutes(&mut self, minutes: Option<&Token>) {
        let Some((token, number)) = minutes.and_then(|token| Some((token, token.as_number()?))) else {
            return;
        };
        if number < 1.0 || number.fract() != 0.0 {
            let span: Span = token.span();
            let message = format!("`{number}` is not a time limit that GitHub documents");
            let diagnostic = Diagnostic::warning(code::INVALID_TIMEOUT, span, message)
                .help("write a whole number of minutes, at least 1");
            self.refusals.push_unpublished(diagnostic);
        }
    }
}
