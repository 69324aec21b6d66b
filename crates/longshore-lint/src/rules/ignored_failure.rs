//! Checks whose failure nobody sees.

use longshore_syntax::{Diagnostic, Severity};
use longshore_workflow::model::{Job, JobKind};

use super::check_command::{checker, checker_at};
use crate::script::{Command, Script, Separator};
use crate::{Rule, StepView, Subject};

pub(crate) const RULE: Rule = Rule::new(
    "lint/ignored-failure",
    Severity::Warning,
    "a test, linter or type checker may fail without anyone noticing",
    check,
);

fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for view in &subject.steps {
        let Some(script) = &view.script else { continue };
        script.visit(&mut |script| {
            check_alternatives(subject, view, script, found);
            check_flags(subject, view, script, found);
        });
        check_errexit(subject, view, script, found);
        check_step(subject, view, script, found);
    }
    for (index, job) in subject.jobs().iter().enumerate() {
        check_job(subject, index, job, found);
    }
}

/// `check || true`.
fn check_alternatives(
    subject: &Subject<'_>,
    view: &StepView<'_>,
    script: &Script<'_>,
    found: &mut Vec<Diagnostic>,
) {
    for (index, command) in script.commands.iter().enumerate() {
        if command.next != Separator::Or {
            continue;
        }
        let Some(alternative) = script.commands.get(index + 1).filter(|next| swallows(next)) else {
            continue;
        };
        // A longer alternative such as `|| echo … && exit 1` is a way to fail.
        if matches!(alternative.next, Separator::And) {
            continue;
        }
        let Some(name) = chain(script, index).find_map(|at| checker_at(script, at)) else { continue };
        let between = script.text.get(command.range.end..alternative.range.start).unwrap_or("");
        let start = command.range.end + between.rfind("||").unwrap_or(0);
        let span = view.locate(subject.file, &(start..alternative.range.end));
        let message = format!("`{name}` may fail here without failing the step");
        found.push(
            RULE.at(span, message)
                .help("let it fail; to see the result all the same, run later steps with `if: always()`"),
        );
    }
}

/// The commands whose failure the alternative behind `last` answers, from the last to the first.
fn chain(script: &Script<'_>, last: usize) -> impl Iterator<Item = usize> {
    let mut at = Some(last);
    std::iter::from_fn(move || {
        let index = at?;
        let joined = index > 0
            && script
                .commands
                .get(index - 1)
                .is_some_and(|previous| matches!(previous.next, Separator::And | Separator::Pipe));
        at = if joined { Some(index - 1) } else { None };
        Some(index)
    })
}

/// Whether a command succeeds and says no more than that something failed.
fn swallows(command: &Command<'_>) -> bool {
    command.is(&["true"])
        || command.is(&[":"])
        || command.is(&["exit", "0"])
        || command.is(&["/bin/true"])
        || command.program() == "echo"
            && !command.words.iter().any(|word| word.text.contains("::error"))
            && command.redirects.is_empty()
}

/// `--exit-zero` and its like.
fn check_flags(subject: &Subject<'_>, view: &StepView<'_>, script: &Script<'_>, found: &mut Vec<Diagnostic>) {
    for command in &script.commands {
        let Some(name) = checker(command) else { continue };
        let flag = command.words.iter().find(|word| {
            matches!(word.text.as_ref(), "--exit-zero" | "--exit-code=0" | "--no-error-on-unmatched")
        });
        if let Some(flag) = flag {
            let span = view.locate(subject.file, &flag.range);
            found.push(
                RULE.at(span, format!("with `{}`, `{name}` never fails", flag.text))
                    .help("drop the flag; ignore single findings in the tool's settings"),
            );
        }
    }
}

/// `set +e` before a check, with nobody asking for its result.
fn check_errexit(
    subject: &Subject<'_>,
    view: &StepView<'_>,
    script: &Script<'_>,
    found: &mut Vec<Diagnostic>,
) {
    let asks = ["$?", "PIPESTATUS"].iter().any(|mark| script.text.contains(mark));
    let is_set = |command: &Command<'_>, flag: &str| command.program() == "set" && command.has_arg(flag);
    let Some(off) = script.commands.iter().position(|command| is_set(command, "+e")).filter(|_| !asks) else {
        return;
    };
    let after =
        script.commands.iter().enumerate().skip(off + 1).take_while(|(_, command)| !is_set(command, "-e"));
    // The last command's result is the step's.
    let last = script.commands.len() - 1;
    let name = after
        .filter(|(index, _)| *index != last && !script.is_asked(*index))
        .find_map(|(index, _)| checker_at(script, index));
    if let (Some(name), Some(command)) = (name, script.commands.get(off)) {
        let span = view.locate(subject.file, &command.range);
        found.push(
            RULE.at(span, format!("from here on `{name}` may fail without failing the step"))
                .help("drop `set +e`, or keep the result in a variable and exit with it"),
        );
    }
}

/// `continue-on-error: true` on a step that checks, unless somebody reads its outcome.
fn check_step(subject: &Subject<'_>, view: &StepView<'_>, script: &Script<'_>, found: &mut Vec<Diagnostic>) {
    let Some(token) = view.step.continue_on_error.as_ref().filter(|token| token.as_bool() == Some(true))
    else {
        return;
    };
    let Some(name) = first_checker(script) else { return };
    let asked = subject.sites.iter().filter(|site| site.job == view.job).any(|site| {
        site.references.iter().any(|read| read.starts_with(&["steps", &view.step.id, "outcome"]))
    });
    if !asked {
        let message = format!("`{name}` may fail here and the job is green");
        found.push(
            RULE.at(token.span(), message)
                .help("drop `continue-on-error`, or fail a later step on `steps.ID.outcome`"),
        );
    }
}

fn first_checker(script: &Script<'_>) -> Option<String> {
    let mut name = None;
    script.each(&mut |_, _, command| {
        if name.is_none() {
            name = checker(command);
        }
    });
    name
}

fn check_job(subject: &Subject<'_>, index: usize, job: &Job, found: &mut Vec<Diagnostic>) {
    let JobKind::Steps(steps) = &job.kind else { return };
    let Some(token) = steps.continue_on_error.as_ref().filter(|token| token.as_bool() == Some(true)) else {
        return;
    };
    let name = subject.steps_of(Some(index)).filter_map(|view| view.script.as_ref()).find_map(first_checker);
    if let Some(name) = name {
        let message = format!("`{name}` in the job `{}` may fail and the run is green", job.id.value);
        found.push(
            RULE.at(token.span(), message)
                .help("drop `continue-on-error`, or set it for the matrix cells that may fail"),
        );
    }
}
