//! Lint: what GitHub accepts but a careful reader would not.
//!
//! [`lint_workflow`] and [`lint_action`] run [`RULES`] over a file that has been read already and answer with
//! diagnostics in the order of the file. A rule sees the file through a [`Subject`], which is computed once: its steps
//! with their scripts lexed, and every expression with what it reads. Settings come in as a [`LintContext`]; a comment
//! `# longshore: ignore[code]` silences a rule in one place.
//!
//! **Invariants:** pure and synchronous, no I/O; same input, same output; each code stands in [`RULES`] and has a page
//! in `docs/codes/lint/`; a fix never changes more than what its finding is about.

#![forbid(unsafe_code)]

mod context;
mod environment;
mod expression;
mod ignore;
mod place;
mod rule;
mod rules;
pub mod script;
mod subject;

pub use context::{Level, LintContext};
pub use rule::Rule;
pub use rules::RULES;
pub use subject::{Document, Place, Shell, Site, StepView, Subject};

use longshore_syntax::Diagnostic;
use longshore_workflow::model::{ActionManifest, Workflow};

/// What the rules find in a workflow, in the order of the file.
pub fn lint_workflow(workflow: &Workflow, context: &LintContext) -> Vec<Diagnostic> {
    lint(&Subject::of_workflow(workflow, context))
}

/// What the rules find in an action manifest, in the order of the file.
pub fn lint_action(action: &ActionManifest, context: &LintContext) -> Vec<Diagnostic> {
    lint(&Subject::of_action(action, context))
}

/// Larger files, in bytes, are not linted: real ones have a hundredth of it.
pub const MAX_BYTES: usize = 1024 * 1024;

fn lint(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    // Some rules compare parts of a file with one another; a file of this size is none that anyone wrote.
    let large = subject.file.text().len() > MAX_BYTES;
    for rule in RULES.iter().filter(|rule| !large || rule.code == rules::TOO_LARGE.code) {
        if subject.context.is_on(rule) {
            (rule.check)(subject, &mut found);
        }
    }
    let mut kept = if large { found } else { ignore::apply(subject, found) };
    kept.iter_mut().for_each(|diagnostic| subject.context.adjust(diagnostic));
    kept.sort_by(|a, b| (a.span, a.code).cmp(&(b.span, b.code)).then_with(|| a.message.cmp(&b.message)));
    kept.dedup();
    kept
}
