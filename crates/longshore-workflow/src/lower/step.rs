//! Steps.

use std::collections::HashSet;

use longshore_syntax::{Diagnostic, Spanned, suggest};

use super::identifier::Ids;
use super::{Lowering, text, texts};
use crate::model::{Step, StepKind};
use crate::template::{Token, TokenKind, code};

impl Lowering<'_> {
    /// `steps:`. Ids are unique among the steps of one list, each `parallel` group being a list of its own.
    pub(super) fn steps(&mut self, token: &Token, background: bool) -> Vec<Step> {
        let mut ids = Ids::default();
        let mut known = HashSet::new();
        let mut steps: Vec<Step> = Vec::new();
        for item in token.items() {
            if let Some(step) = self.step(item, &mut ids, &mut known, background) {
                steps.push(step);
            }
        }
        for step in &mut steps {
            if step.id.is_empty() {
                step.id = ids.make(&format!("__{}", made_id(&step.kind)));
            }
        }
        steps
    }

    fn step(
        &mut self,
        token: &Token,
        ids: &mut Ids,
        known: &mut HashSet<String>,
        background: bool,
    ) -> Option<Step> {
        if !matches!(token.kind, TokenKind::Mapping(_)) {
            return None;
        }
        let written_id = token.entry("id").and_then(text);
        if let Some(id) = &written_id {
            self.claim_step_id(id, ids, known);
        }
        self.check_minutes(token.entry("timeout-minutes"));
        let kind = self.step_kind(token, written_id.as_ref(), known)?;
        Some(Step {
            id: written_id.as_ref().map(|id| id.value.clone()).unwrap_or_default(),
            written_id,
            span: token.span(),
            name: token.entry("name").cloned(),
            condition: self.condition(token.entry("if")),
            continue_on_error: token.entry("continue-on-error").cloned(),
            timeout_minutes: token.entry("timeout-minutes").cloned(),
            env: token.entry("env").and_then(|env| self.mapping(env, "step env")),
            background: token
                .entry("background")
                .filter(|_| background)
                .and_then(|token| Some(Spanned::new(token.as_bool()?, token.span()))),
            kind,
        })
    }

    fn claim_step_id(&mut self, id: &Spanned<String>, ids: &mut Ids, known: &mut HashSet<String>) {
        match ids.claim(&id.value) {
            Ok(()) => {
                known.insert(id.value.clone());
            }
            Err(github) => {
                let message = if known.contains(&id.value) {
                    format!("the step id `{}` is already taken", id.value)
                } else {
                    format!("`{}` is not a step id", id.value)
                };
                self.refusals.push(github, Diagnostic::error(code::INVALID_ID, id.span, message));
            }
        }
    }

    fn step_kind(
        &mut self,
        token: &Token,
        own: Option<&Spanned<String>>,
        known: &HashSet<String>,
    ) -> Option<StepKind> {
        if let Some(script) = token.entry("run") {
            self.check_shell(token.entry("shell"));
            return Some(StepKind::Run {
                script: script.clone(),
                shell: token.entry("shell").cloned(),
                working_directory: token.entry("working-directory").cloned(),
            });
        }
        if let Some(uses) = token.entry("uses") {
            let uses = text(uses)?;
            self.check_action_reference(&uses);
            return Some(StepKind::Uses { uses, with: token.entry("with").cloned() });
        }
        if let Some(wait) = token.entry("wait") {
            let targets = texts(wait);
            targets.iter().for_each(|target| self.check_target(target, own, known));
            return Some(StepKind::Wait { targets });
        }
        if let Some(all) = token.entry("wait-all") {
            if all.as_bool() == Some(false) {
                let diagnostic = Diagnostic::error(
                    code::INVALID_VALUE,
                    all.span(),
                    "`wait-all` is `true` or stands alone",
                );
                self.refusals.push("The value of 'wait-all' must be true or omitted", diagnostic);
            }
            return Some(StepKind::WaitAll);
        }
        if let Some(cancel) = token.entry("cancel") {
            let target = text(cancel)?;
            self.check_target(&target, own, known);
            return Some(StepKind::Cancel { target });
        }
        let group = token.entry("parallel")?;
        let steps = self.steps(group, true);
        steps.iter().for_each(|step| self.check_parallel(token, step));
        Some(StepKind::Parallel { steps })
    }

    /// What `wait` and `cancel` name must be a step before them.
    fn check_target(
        &mut self,
        target: &Spanned<String>,
        own: Option<&Spanned<String>>,
        known: &HashSet<String>,
    ) {
        let name = target.value.as_str();
        let (github, message) = if name.starts_with("__") {
            (
                format!("The identifier '{name}' is invalid. IDs starting with '__' are reserved."),
                format!("`{name}` is not a step id: ids do not start with `__`"),
            )
        } else if let Some(own) = own.filter(|own| own.value.eq_ignore_ascii_case(name)) {
            (
                format!("Step '{}' cannot reference itself", own.value),
                format!("the step `{}` cannot wait for itself", own.value),
            )
        } else if known.contains(name) {
            return;
        } else {
            (
                format!("Step references unknown step ID '{name}'"),
                format!("there is no step `{name}` before this one"),
            )
        };
        let mut diagnostic = Diagnostic::error(code::UNKNOWN_STEP, target.span, message);
        let others =
            known.iter().map(String::as_str).filter(|id| !id.eq_ignore_ascii_case(name) || *id != name);
        if let Some(nearest) = suggest::nearest(name, others) {
            diagnostic = diagnostic.help(format!("did you mean `{nearest}`?"));
        }
        self.refusals.push(github, diagnostic);
    }

    fn check_parallel(&mut self, group: &Token, step: &Step) {
        let mut refuse = |github: &str, message: &str| {
            let diagnostic = Diagnostic::error(code::INVALID_PARALLEL, step.span, message);
            self.refusals.push_within(group.span(), github, diagnostic);
        };
        if step.background.is_some() {
            refuse(
                "'background' is not allowed inside a parallel block. Steps in a parallel block are automatically run as \
                 background steps.",
                "`background` cannot stand in a `parallel` group: its steps run at the same time anyway",
            );
        }
        match step.kind {
            StepKind::Wait { .. } => {
                refuse(
                    "'wait' is not allowed inside a parallel block.",
                    "`wait` cannot stand in a `parallel` group",
                );
            }
            StepKind::WaitAll => refuse(
                "'wait-all' is not allowed inside a parallel block.",
                "`wait-all` cannot stand in a `parallel` group",
            ),
            StepKind::Cancel { .. } => {
                refuse(
                    "'cancel' is not allowed inside a parallel block.",
                    "`cancel` cannot stand in a `parallel` group",
                );
            }
            StepKind::Parallel { .. } => {
                refuse("Nested 'parallel' blocks are not allowed.", "`parallel` groups cannot be nested");
            }
            StepKind::Run { .. } | StepKind::Uses { .. } => {}
        }
    }

    /// An action is a directory here, an image, or `owner/repository[/path]@ref`.
    fn check_action_reference(&mut self, uses: &Spanned<String>) {
        let text = uses.value.as_str();
        let sound = if text.starts_with("./") || text.starts_with(".\\") || text.starts_with("$/") {
            true
        } else if let Some(image) = text.strip_prefix("docker://") {
            !image.is_empty()
        } else {
            text.split_once('@').is_some_and(|(path, version)| {
                !version.is_empty() && path.split(['/', '\\']).filter(|part| !part.is_empty()).count() >= 2
            })
        };
        if !sound {
            let message = format!("`{text}` does not name an action");
            let diagnostic = Diagnostic::error(code::INVALID_USES, uses.span, message)
                .help("write `OWNER/REPOSITORY@REF`, `./PATH` or `docker://IMAGE`");
            self.refusals.push_unpublished(diagnostic);
        }
    }
}

/// The name from which a step's id is made.
fn made_id(kind: &StepKind) -> String {
    match kind {
        StepKind::Run { .. } => "run".to_owned(),
        StepKind::Wait { .. } => "wait".to_owned(),
        StepKind::WaitAll => "wait-all".to_owned(),
        StepKind::Cancel { .. } => "cancel".to_owned(),
        StepKind::Parallel { .. } => "parallel".to_owned(),
        StepKind::Uses { uses, .. } => action_id(&uses.value).unwrap_or_else(|| "run".to_owned()),
    }
}

fn action_id(uses: &str) -> Option<String> {
    if let Some(image) = uses.strip_prefix("docker://") {
        return Some(image.to_owned()).filter(|image| !image.is_empty());
    }
    if uses.starts_with("./") || uses.starts_with(".\\") || uses.starts_with("$/") {
        return Some("self".to_owned());
    }
    let (path, version) = uses.split_once('@')?;
    let mut parts = path.split(['/', '\\']).filter(|part| !part.is_empty());
    let (owner, repository) = (parts.next()?, parts.next()?);
    (!version.is_empty() && !version.contains('@')).then(|| format!("{owner}/{repository}"))
}
