//! The top of a workflow file.

use longshore_syntax::{Diagnostic, SourceFile};

use super::{Lowering, text};
use crate::model::{Access, Concurrency, Defaults, Permissions, Workflow};
use crate::template::{Refusal, Refusals, Token, TokenKind, code};

/// The workflow that `root` describes, and what GitHub refuses about it beyond its schema.
pub(crate) fn lower_workflow(file: &SourceFile, root: &Token) -> (Workflow, Vec<Refusal>) {
    let mut lowering = Lowering { file, refusals: Refusals::default() };
    let mut workflow = Workflow {
        file: file.clone(),
        name: None,
        run_name: None,
        triggers: Vec::new(),
        permissions: None,
        env: None,
        defaults: Defaults::default(),
        concurrency: None,
        jobs: Vec::new(),
        root: root.clone(),
    };
    for (key, value) in root.entries() {
        match key.as_str().unwrap_or_default() {
            "on" => {
                lowering.check_triggers(value);
                workflow.triggers = lowering.triggers(value);
            }
            "name" => workflow.name = text(value),
            "run-name" => workflow.run_name = Some(value.clone()),
            "permissions" => workflow.permissions = permissions(value),
            "env" => workflow.env = Some(value.clone()),
            "defaults" => {
                workflow.defaults = defaults(value);
                lowering.check_defaults(&workflow.defaults);
            }
            "concurrency" => workflow.concurrency = Some(lowering.concurrency(value)),
            "jobs" => workflow.jobs = lowering.jobs(value),
            _ => {}
        }
    }
    (workflow, lowering.refusals.into_vec())
}

/// `defaults:`.
pub(super) fn defaults(token: &Token) -> Defaults {
    let run = token.entry("run");
    Defaults {
        shell: run.and_then(|run| run.entry("shell")).cloned(),
        working_directory: run.and_then(|run| run.entry("working-directory")).cloned(),
    }
}

/// `permissions:`.
pub(super) fn permissions(token: &Token) -> Option<Permissions> {
    let access = |token: &Token| {
        let access = match token.as_str()? {
            "read" | "read-all" => Access::Read,
            "write" | "write-all" => Access::Write,
            "none" => Access::None,
            _ => return None,
        };
        Some(longshore_syntax::Spanned::new(access, token.span()))
    };
    match &token.kind {
        TokenKind::String(_) => access(token).map(Permissions::All),
        TokenKind::Mapping(entries) => Some(Permissions::Scopes(
            entries.iter().filter_map(|(scope, level)| Some((text(scope)?, access(level)?))).collect(),
        )),
        _ => None,
    }
}

impl Lowering<'_> {
    /// `concurrency:`.
    pub(super) fn concurrency(&mut self, token: &Token) -> Concurrency {
        let mut concurrency =
            Concurrency { token: token.clone(), group: None, cancel_in_progress: None, queue: None };
        if matches!(token.kind, TokenKind::String(_) | TokenKind::Expression(_)) {
            concurrency.group = Some(token.clone());
        }
        self.plain_keys(token, "concurrency group key");
        for (key, value) in token.entries() {
            match key.as_str().unwrap_or_default() {
                "group" => concurrency.group = Some(value.clone()),
                "cancel-in-progress" => concurrency.cancel_in_progress = Some(value.clone()),
                "queue" => concurrency.queue = text(value),
                _ => {}
            }
        }
        let cancels = concurrency.cancel_in_progress.as_ref().and_then(Token::as_bool) == Some(true);
        if let Some(queue) = concurrency.queue.as_ref().filter(|queue| cancels && queue.value == "max") {
            let message =
                "`queue: max` keeps every run, so `cancel-in-progress: true` cannot stand beside it";
            let diagnostic = Diagnostic::error(code::INVALID_VALUE, queue.span, message);
            self.refusals.push_unpublished(diagnostic);
        }
        concurrency
    }
}
