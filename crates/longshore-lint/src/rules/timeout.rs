//! Jobs that may run for six hours.

use longshore_syntax::{Diagnostic, Severity};
use longshore_workflow::model::JobKind;

use crate::{Rule, Subject};

pub(crate) const RULE: Rule = Rule::new(
    "lint/missing-timeout",
    Severity::Note,
    "a job has no `timeout-minutes`, so a hanging step holds its runner for six hours",
    check,
);

fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for job in subject.jobs() {
        let JobKind::Steps(steps) = &job.kind else { continue };
        let each_step_ends =
            !steps.steps.is_empty() && steps.steps.iter().all(|step| step.timeout_minutes.is_some());
        if steps.timeout_minutes.is_none() && !each_step_ends {
            let message =
                format!("the job `{}` has no `timeout-minutes`; GitHub's limit is 360", job.id.value);
            found.push(
                RULE.at(job.id.span, message)
                    .help("add `timeout-minutes:` with a little more than it usually takes"),
            );
        }
    }
}
