//! Files and scripts too large to look into.

use longshore_syntax::{Diagnostic, Severity, Span};
use longshore_workflow::template::Token;

use crate::{MAX_BYTES, Rule, StepView, Subject};

pub(crate) const RULE: Rule = Rule::new(
    "lint/too-large",
    Severity::Note,
    "a file or script is too large for the rules to look into",
    check,
);

/// Looks at the file alone if it is too large, so that nothing here depends on what it holds.
pub(crate) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    if subject.file.text().len() > MAX_BYTES {
        let message = format!("files of more than {} KiB are not linted", MAX_BYTES / 1024);
        found.push(RULE.at(Span::at(0), message));
        return;
    }
    for view in subject.steps.iter().filter(|view| view.shell.is_posix()) {
        let text = view.run().and_then(|run: &Token| run.node.as_str()).unwrap_or_default();
        if text.len() > StepView::MAX_SCRIPT {
            let message =
                format!("scripts of more than {} KiB are not looked into", StepView::MAX_SCRIPT / 1024);
            found.push(
                RULE.at(view.step.span, message).help("keep it in a file of the repository and run that"),
            );
        }
    }
}
