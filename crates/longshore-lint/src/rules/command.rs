//! Workflow commands that GitHub no longer takes from the log.

use longshore_syntax::{Diagnostic, Edit, Severity};
use longshore_workflow::model::JobKind;
use longshore_workflow::template::Token;

use crate::script::Command;
use crate::{Rule, StepView, Subject};

pub(crate) const DEPRECATED: Rule = Rule::new(
    "lint/deprecated-command",
    Severity::Warning,
    "a script prints a workflow command that files have replaced",
    check_commands,
)
.with_fix();

pub(crate) const INSECURE: Rule = Rule::new(
    "lint/insecure-commands",
    Severity::Error,
    "`ACTIONS_ALLOW_UNSECURE_COMMANDS` lets any printed line set variables",
    check_insecure,
);

/// Commands with what their parameters begin with, and the file in their place.
const COMMANDS: [(&str, &str, &str); 4] = [
    ("::set-output", " name=", "GITHUB_OUTPUT"),
    ("::save-state", " name=", "GITHUB_STATE"),
    ("::set-env", " name=", "GITHUB_ENV"),
    ("::add-path", "::", "GITHUB_PATH"),
];

fn check_commands(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for view in &subject.steps {
        let Some(text) = view.run().and_then(|run| run.node.as_str()) else { continue };
        for (command, parameters, file) in COMMANDS {
            for (at, _) in text.match_indices(command) {
                if !text[at + command.len()..].starts_with(parameters) || is_comment(view, at) {
                    continue;
                }
                let name = command.trim_start_matches(':');
                let gone = matches!(name, "set-env" | "add-path");
                let state = if gone { "no longer works" } else { "is deprecated" };
                let span = view.locate(subject.file, &(at..at + command.len()));
                let mut diagnostic = DEPRECATED
                    .at(span, format!("the workflow command `{name}` {state}; write to `${file}` instead"))
                    .help(format!("echo \"name=value\" >> \"${file}\""));
                if let Some(edit) = rewrite(subject, view, at, (command, parameters, file)) {
                    diagnostic = diagnostic.fix(format!("write to `${file}`"), vec![edit]);
                }
                found.push(diagnostic);
            }
        }
    }
}

/// Whether a place in a script that is understood belongs to no command.
fn is_comment(view: &StepView<'_>, at: usize) -> bool {
    view.script.as_ref().is_some_and(|script| {
        let mut inside = script.here_documents.iter().any(|(_, range)| range.contains(&at));
        script.each(&mut |_, _, command| inside |= command.range.contains(&at));
        !inside
    })
}

/// `echo "::set-output name=a::b"` as `echo "a=b" >> "$GITHUB_OUTPUT"`, where it is as simple as that.
fn rewrite(
    subject: &Subject<'_>,
    view: &StepView<'_>,
    at: usize,
    (command, parameters, file): (&str, &str, &str),
) -> Option<Edit> {
    let script = view.script.as_ref()?;
    let mut found: Option<&Command<'_>> = None;
    script.each(&mut |_, _, candidate| {
        if candidate.range.contains(&at) {
            found = Some(candidate);
        }
    });
    let echo = found
        .filter(|echo| echo.program() == "echo" && echo.redirects.is_empty() && echo.program_index() == 0)?;
    let first = echo.args().first()?;
    let source = script.text.get(echo.range.clone())?;
    let opening = first.range.start + usize::from(first.quoted);
    if source.contains('\n') || source.contains("%0A") || source.matches("::").count() > 2 {
        return None;
    }
    if opening != at || echo.next == crate::script::Separator::Pipe {
        return None;
    }
    let rest = &script.text[at + command.len() + parameters.len()..echo.range.end];
    let line = if parameters == "::" {
        rest.to_owned()
    } else {
        let (name, value) = rest.split_once("::")?;
        let sound = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        if !sound || name.is_empty() {
            return None;
        }
        format!("{name}={value}")
    };
    let span = view.locate_exactly(subject.file, &echo.range)?;
    let text = format!("{}{line} >> \"${file}\"", &script.text[echo.range.start..at]);
    Some(Edit { span, text })
}

fn check_insecure(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let workflow = subject.workflow().and_then(|workflow| workflow.env.as_ref());
    let jobs = subject.jobs().iter().filter_map(|job| match &job.kind {
        JobKind::Steps(steps) => steps.env.as_ref(),
        JobKind::Call(_) => None,
    });
    let steps = subject.steps.iter().filter_map(|view| view.step.env.as_ref());
    for (key, value) in workflow.into_iter().chain(jobs).chain(steps).flat_map(Token::entries) {
        let on = value.node.as_str().is_some_and(|text| text.eq_ignore_ascii_case("true"));
        if key.as_str() == Some("ACTIONS_ALLOW_UNSECURE_COMMANDS") && on {
            let message =
                "any program that prints to the log can now set variables and `PATH` of later steps";
            found.push(
                INSECURE
                    .at(key.span(), message)
                    .help("delete it, and write to `$GITHUB_ENV` and `$GITHUB_PATH`"),
            );
        }
    }
}
