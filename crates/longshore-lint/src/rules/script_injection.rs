//! Text of strangers, and inputs, put into scripts.

use longshore_syntax::{Diagnostic, Severity};
use longshore_workflow::template::Embedded;

use super::taint::{Source, Taint};
use crate::{Place, Rule, Site, Subject, environment, expression};

pub(crate) const RULE: Rule = Rule::new(
    "lint/script-injection",
    Severity::Error,
    "text that strangers control is put into a script before its shell reads it",
    |subject, found| check(subject, Source::Stranger, found),
)
.with_fix();

pub(crate) const INPUT: Rule = Rule::new(
    "lint/input-injection",
    Severity::Note,
    "an input is put into a script before its shell reads it",
    |subject, found| check(subject, Source::Input, found),
)
.with_fix();

/// Events whose runs have no secrets and a token that only reads when they come from a stranger.
const HARMLESS: [&str; 5] =
    ["pull_request", "pull_request_review", "pull_request_review_comment", "push", "merge_group"];

fn check(subject: &Subject<'_>, wanted: Source, found: &mut Vec<Diagnostic>) {
    let is_sink = |site: &&Site<'_>| is_sink(subject, site);
    if !subject.sites.iter().any(|site| is_sink(&site)) {
        return;
    }
    let taint = Taint::of(subject);
    let from = found.len();
    let mut fixable: Vec<(usize, usize, &Embedded)> = Vec::new();
    for site in subject.sites.iter().filter(is_sink) {
        for (reference, json) in expression::flowing(&site.embedded.expr) {
            let Some((source, origin)) = taint.source(subject, site, &reference, json) else { continue };
            if source != wanted {
                continue;
            }
            if let (Some(step), Place::Run) = (site.step, site.place) {
                fixable.push((found.len(), step, site.embedded));
            }
            found.push(finding(subject, site, &reference.dotted(), &origin, wanted, site.locate(&reference)));
        }
    }
    attach_fixes(subject, &fixable, found);
    debug_assert!(from <= found.len());
}

/// Gives the first finding of each step the fix for all of the step's findings.
pub(super) fn attach_fixes(
    subject: &Subject<'_>,
    fixable: &[(usize, usize, &Embedded)],
    found: &mut [Diagnostic],
) {
    let mut done = Vec::new();
    for (index, step, _) in fixable {
        if done.contains(step) {
            continue;
        }
        done.push(*step);
        let Some(view) = subject.steps.get(*step) else { continue };
        let mine = fixable.iter().filter(|(_, other, _)| other == step).map(|(_, _, embedded)| *embedded);
        let movable: Vec<&Embedded> =
            mine.filter(|embedded| environment::move_to_env(subject, view, &[embedded]).is_some()).collect();
        if movable.is_empty() {
            continue;
        }
        if let (Some(edits), Some(diagnostic)) =
            (environment::move_to_env(subject, view, &movable), found.get_mut(*index))
        {
            *diagnostic = diagnostic.clone().fix("pass it through `env`", edits);
        }
    }
}

fn is_sink(subject: &Subject<'_>, site: &Site<'_>) -> bool {
    match site.place {
        Place::Run | Place::Shell => true,
        Place::With => {
            let view = site.step.and_then(|step| subject.steps.get(step));
            site.key.is_some_and(|key| key.eq_ignore_ascii_case("script"))
                && view
                    .and_then(crate::StepView::action)
                    .is_some_and(|action| action == "actions/github-script")
        }
        _ => false,
    }
}

fn finding(
    subject: &Subject<'_>,
    site: &Site<'_>,
    read: &str,
    origin: &str,
    source: Source,
    span: longshore_syntax::Span,
) -> Diagnostic {
    let copy =
        if read.eq_ignore_ascii_case(origin) { String::new() } else { format!(", a copy of `{origin}`,") };
    let into = match site.place {
        Place::Shell => "the shell's command line",
        Place::With => "the program",
        _ => "the script",
    };
    let help = match site.place {
        Place::With => "set it in `env:` and read `process.env.NAME` in the script",
        _ => "set it in `env:` of the step and use `\"$NAME\"` in the script",
    };
    let (rule, message) = match source {
        Source::Stranger => {
            (RULE, format!("`{read}`{copy} is text that strangers control; here it becomes a part of {into}"))
        }
        Source::Input => (INPUT, format!("`{read}`{copy} becomes a part of {into}, whatever it holds")),
    };
    let mut diagnostic = rule.at(span, message).help(help);
    if source == Source::Stranger && is_contained(subject) {
        diagnostic.severity = Severity::Warning;
    }
    diagnostic
}

/// Whether a stranger gets nothing that changing the workflow in a pull request would not give.
fn is_contained(subject: &Subject<'_>) -> bool {
    subject.workflow().is_some_and(|workflow| {
        workflow.triggers.iter().all(|trigger| {
            HARMLESS.contains(&trigger.event.value.as_str())
                || matches!(trigger.event.value.as_str(), "schedule" | "workflow_dispatch" | "release")
        })
    })
}
