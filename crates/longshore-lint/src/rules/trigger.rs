//! Events that deserve a second look.

use longshore_syntax::{Diagnostic, Severity, suggest};
use longshore_workflow::model::{Access, Permissions};

use crate::{Rule, Subject};

pub(crate) const DANGEROUS: Rule = Rule::new(
    "lint/dangerous-trigger",
    Severity::Note,
    "strangers start a workflow that has secrets and may write",
    check_dangerous,
);

pub(crate) const UNKNOWN: Rule = Rule::new(
    "lint/unknown-workflow",
    Severity::Warning,
    "`workflow_run` names a workflow that the repository does not have",
    check_unknown,
);

fn check_dangerous(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let Some(workflow) = subject.workflow() else { return };
    let may_write = |permissions: &Permissions| match permissions {
        Permissions::All(access) => access.value == Access::Write,
        Permissions::Scopes(scopes) => scopes.iter().any(|(_, access)| access.value == Access::Write),
    };
    let writes = workflow
        .jobs
        .iter()
        .any(|job| job.permissions.as_ref().or(workflow.permissions.as_ref()).is_none_or(may_write));
    if !writes {
        return;
    }
    for trigger in &workflow.triggers {
        let event = trigger.event.value.as_str();
        if matches!(event, "pull_request_target" | "workflow_run" | "issue_comment") {
            let message = format!(
                "anyone can cause `{event}`, and this workflow then runs with secrets and a token that writes"
            );
            found.push(DANGEROUS.at(trigger.event.span, message).help("give it `permissions:` that only read where it can do with less, and never run what the pull request brings"));
        }
    }
}

fn check_unknown(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let (Some(workflow), Some(known)) = (subject.workflow(), &subject.context.workflow_names) else { return };
    for name in workflow.triggers.iter().flat_map(|trigger| &trigger.workflows) {
        if name.value.contains(['*', '?', '!', '[', '+']) || known.contains(&name.value) {
            continue;
        }
        let mut diagnostic =
            UNKNOWN.at(name.span, format!("no workflow is called `{}`, so this never starts", name.value));
        if let Some(nearest) = suggest::nearest(&name.value, known.iter().map(String::as_str)) {
            diagnostic = diagnostic.help(format!("did you mean `{nearest}`?"));
        }
        found.push(diagnostic);
    }
}
