//! Jobs and steps that never run, or always.

use longshore_syntax::{Diagnostic, Severity, Span, suggest};
use longshore_workflow::model::{Condition, StepKind};
use longshore_workflow::schema::event_names;

use crate::script::Separator;
use crate::{Place, Rule, StepView, Subject, expression};

pub(crate) const CONSTANT: Rule = Rule::new(
    "lint/constant-condition",
    Severity::Warning,
    "a condition has the same answer in every run",
    check_constant,
);

pub(crate) const EVENT: Rule = Rule::new(
    "lint/impossible-event",
    Severity::Warning,
    "a condition asks for an event that does not start the workflow",
    check_event,
);

pub(crate) const JOB: Rule = Rule::new(
    "lint/unreachable-job",
    Severity::Warning,
    "a job never runs because a job that it needs never does",
    check_job,
);

pub(crate) const STEP: Rule = Rule::new(
    "lint/unreachable-step",
    Severity::Warning,
    "commands or steps stand behind an unconditional `exit`",
    check_step,
);

/// All conditions of the file.
fn conditions<'s>(subject: &'s Subject<'_>) -> impl Iterator<Item = &'s Condition> {
    let jobs = subject.jobs().iter().map(|job| &job.condition);
    jobs.chain(subject.steps.iter().map(|view| &view.step.condition))
}

fn check_constant(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for condition in conditions(subject) {
        let Some(written) = &condition.written else { continue };
        if condition.is_text {
            found.push(
                CONSTANT
                    .at(written.span, "this is always true: text around `${{ }}` makes the condition a text, and a text that is not empty is true")
                    .help("put the whole condition into one `${{ }}`, or write it without"),
            );
            continue;
        }
        if let Some(value) = expression::truth(&written.expr, None) {
            let message = if value { "this is always true" } else { "this is never true" };
            let mut diagnostic = CONSTANT.at(written.span, message);
            if is_bare(&written.expr) {
                diagnostic.severity = Severity::Note;
            }
            found.push(diagnostic);
        }
    }
}

/// `true` or `false` alone: somebody meant it.
fn is_bare(expr: &longshore_expr::Expr) -> bool {
    matches!(expr.ungrouped().kind, longshore_expr::ExprKind::Literal(longshore_expr::Value::Bool(_)))
}

/// The events that start the workflow; none if a caller's event may be the one that conditions see.
fn events<'a>(subject: &Subject<'a>) -> Vec<&'a str> {
    let Some(workflow) = subject.workflow() else { return Vec::new() };
    let names: Vec<&str> = workflow.triggers.iter().map(|trigger| trigger.event.value.as_str()).collect();
    if names.contains(&"workflow_call") { Vec::new() } else { names }
}

fn check_event(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let events = events(subject);
    if events.is_empty() {
        return;
    }
    for site in subject.sites.iter().filter(|site| site.place == Place::If) {
        let never =
            events.iter().all(|event| expression::truth(&site.embedded.expr, Some(event)) == Some(false));
        let mut tests: Vec<(Span, String)> = Vec::new();
        site.embedded.expr.walk(&mut |part| {
            if let Some((longshore_expr::CompareOp::Equal, name)) = expression::event_test(part)
                && !matches!(part.kind, longshore_expr::ExprKind::Group(_))
                && !events.iter().any(|event| event.eq_ignore_ascii_case(name))
            {
                tests.push((part.span, name.to_owned()));
            }
        });
        if never && tests.is_empty() && expression::truth(&site.embedded.expr, None).is_none() {
            let message = format!("this is never true: the workflow starts on {}", events.join(", "));
            found.push(EVENT.at(site.embedded.span, message));
        }
        for (span, name) in tests {
            let never = if never { ", so this is never true" } else { "" };
            let mut diagnostic =
                EVENT.at(site.embedded.locate(span), format!("`{name}` does not start this workflow{never}"));
            if never.is_empty() {
                diagnostic.severity = Severity::Note;
            }
            let known: Vec<&str> = event_names().collect();
            let help = match suggest::nearest(&name, events.iter().copied()) {
                Some(event) => format!("did you mean `{event}`?"),
                None if !known.contains(&name.as_str()) => {
                    format!("there is no event `{name}`; this workflow starts on {}", events.join(", "))
                }
                None => format!("this workflow starts on {}", events.join(", ")),
            };
            found.push(diagnostic.help(help));
        }
    }
}

/// Whether the condition is false in every run.
fn is_never(condition: &Condition, events: &[&str]) -> bool {
    condition.written.as_ref().is_some_and(|written| {
        !condition.is_text
            && (expression::truth(&written.expr, None) == Some(false)
                || !events.is_empty()
                    && events
                        .iter()
                        .all(|event| expression::truth(&written.expr, Some(event)) == Some(false)))
    })
}

fn check_job(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let events = events(subject);
    let jobs = subject.jobs();
    let mut dead: Vec<&str> = jobs
        .iter()
        .filter(|job| is_never(&job.condition, &events))
        .map(|job| job.id.value.as_str())
        .collect();
    if dead.is_empty() {
        return;
    }
    // Jobs may stand before those that they need, so this goes on until nothing changes.
    loop {
        let before = dead.len();
        for job in jobs {
            let id = job.id.value.as_str();
            let asks =
                job.condition.written.as_ref().is_some_and(|written| written.expr.calls_status_function());
            let need = job.needs.iter().find(|need| dead.contains(&need.value.as_str()));
            if let Some(need) = need.filter(|_| !asks && !dead.contains(&id)) {
                dead.push(id);
                let message =
                    format!("the job `{id}` never runs: it needs `{}`, which never runs", need.value);
                found.push(
                    JOB.at(need.span, message).help(
                        "to run it all the same, begin its `if` with `always() &&` or `!cancelled() &&`",
                    ),
                );
            }
        }
        if dead.len() == before {
            break;
        }
    }
}

fn check_step(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for (index, view) in subject.steps.iter().enumerate() {
        let Some((exit, code)) = unconditional_exit(view) else { continue };
        let Some(script) = &view.script else { continue };
        if let Some(next) = script.commands.get(exit + 1) {
            if !script
                .blocks_around(next.place)
                .any(|(block, _)| block.kind == crate::script::BlockKind::Function)
            {
                let span = view.locate(subject.file, &next.range);
                found.push(STEP.at(span, "nothing behind the unconditional `exit` runs"));
            }
            continue;
        }
        let fails = code.is_some_and(|code| code != 0);
        let tolerated = view.step.continue_on_error.is_some() || view.step.condition.written.is_some();
        // With other commands in front, somebody may have left the script early.
        let alone = script
            .commands
            .iter()
            .take(exit)
            .all(|command| matches!(command.program(), "echo" | "printf" | ""));
        if !fails || tolerated || !alone || !matches!(view.step.kind, StepKind::Run { .. }) {
            continue;
        }
        let asks = |view: &StepView<'_>| {
            view.step.condition.written.as_ref().is_some_and(|written| written.expr.calls_status_function())
        };
        let mut later = subject.steps.iter().skip(index + 1).take_while(|next| next.job == view.job);
        if let Some(next) = later.find(|next| !asks(next)) {
            let span = view.locate(
                subject.file,
                &script.commands.get(exit).map_or(0..0, |command| command.range.clone()),
            );
            found.push(
                STEP.at(next.step.span.sub(0, 0), "this step never runs: a step before it always fails")
                    .related(span, "here"),
            );
        }
    }
}

/// The first `exit` that every run of the script comes to, with its code.
fn unconditional_exit(view: &StepView<'_>) -> Option<(usize, Option<i32>)> {
    let script = view.script.as_ref()?;
    script.commands.iter().enumerate().find_map(|(index, command)| {
        let after_test = index > 0
            && script.commands.get(index - 1).is_some_and(|previous| {
                matches!(previous.next, Separator::And | Separator::Or | Separator::Pipe)
            });
        let plain = command.program() == "exit"
            && command.place.is_none()
            && command.next == Separator::End
            && !after_test;
        plain.then(|| (index, command.args().first().and_then(|word| word.text.parse().ok())))
    })
}
