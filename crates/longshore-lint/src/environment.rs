//! The fix that moves an expression from a script into `env:`.
//!
//! Done only where it cannot go wrong: a POSIX shell, an expression that is one reference, a place in the script that
//! stands in the file as it reads, outside of single quotes and of texts that another program reads as code, and a
//! variable name that nothing else uses.

use std::ops::Range;

use longshore_syntax::{Edit, Span};
use longshore_workflow::model::{JobKind, StepKind};
use longshore_workflow::template::{Embedded, Token};

use crate::script::Script;
use crate::{StepView, Subject, expression};

/// Programs that read an argument as code.
const INTERPRETERS: [&str; 22] = [
    "sh", "bash", "dash", "zsh", "eval", "ssh", "python", "python3", "node", "perl", "ruby", "jq", "awk",
    "sed", "psql", "mysql", "xargs", "su", "pwsh", "php", "yq", "trap",
];

/// Variables that shells and programs give a meaning.
const SHELLS_OWN: [&str; 16] = [
    "PATH", "HOME", "USER", "SHELL", "PWD", "OLDPWD", "IFS", "LANG", "HOSTNAME", "UID", "CI", "ENV",
    "LOGNAME", "MAIL", "TERM", "TMPDIR",
];

/// Edits that move all of these expressions of one step's script; `None` unless all of them can be moved.
pub(crate) fn move_to_env(
    subject: &Subject<'_>,
    view: &StepView<'_>,
    expressions: &[&Embedded],
) -> Option<Vec<Edit>> {
    let script = view.script.as_ref()?;
    let token = view.run()?;
    let mut edits = Vec::new();
    let mut names: Vec<(String, &str)> = Vec::new();
    for embedded in expressions {
        let name = variable(&embedded.expr)?;
        let source = subject.file.slice(embedded.span);
        let known = names.iter().any(|(taken, text)| *taken == name && *text == source);
        if !known {
            if names.iter().any(|(taken, _)| *taken == name) || is_taken(subject, view, script, &name) {
                return None;
            }
            names.push((name.clone(), source));
        }
        let range = range_of(subject, view, token, embedded)?;
        let text = match quoting(script, &range)? {
            Quoting::None => format!("\"${name}\""),
            Quoting::Double => format!("${{{name}}}"),
        };
        edits.push(Edit { span: embedded.span, text });
    }
    edits.push(declaration(subject, view, token, &names)?);
    edits.sort_by_key(|edit| edit.span);
    Some(edits)
}

/// The range in the script's text of an expression in the file.
fn range_of(
    subject: &Subject<'_>,
    view: &StepView<'_>,
    token: &Token,
    embedded: &Embedded,
) -> Option<Range<usize>> {
    let text = token.node.as_str()?;
    let source = subject.file.slice(embedded.span);
    text.match_indices(source)
        .map(|(at, part)| at..at + part.len())
        .find(|range| view.locate_exactly(subject.file, range) == Some(embedded.span))
}

/// `ISSUE_TITLE` for `github.event.issue.title`.
fn variable(expr: &longshore_expr::Expr) -> Option<String> {
    let reference = expression::reference(expr)?;
    let names: Option<Vec<&str>> = (0..reference.path.len()).map(|step| reference.name(step)).collect();
    let names: Vec<&str> = names?.into_iter().filter(|name| *name != "event").collect();
    let name = names.join("_").to_ascii_uppercase().replace('-', "_");
    let sound = name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    let reserved = ["GITHUB_", "RUNNER_"].iter().any(|prefix| name.starts_with(prefix))
        && !reference.is_context("secrets");
    (sound
        && !reserved
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && !SHELLS_OWN.contains(&name.as_str()))
    .then_some(name)
}

fn is_taken(subject: &Subject<'_>, view: &StepView<'_>, script: &Script<'_>, name: &str) -> bool {
    let has = |env: Option<&Token>| {
        env.is_some_and(|env| env.entry(name).is_some() || env.as_expression().is_some())
    };
    let job = view.job.and_then(|job| subject.jobs().get(job));
    let job_env = job.and_then(|job| match &job.kind {
        JobKind::Steps(steps) => steps.env.as_ref(),
        JobKind::Call(_) => None,
    });
    let mentions = script.text.match_indices(name).any(|(at, _)| {
        script.text[..at].ends_with(['$', '{', ' ', '\n']) && !script.text[..at].ends_with("{{ ")
    });
    has(view.step.env.as_ref())
        || has(job_env)
        || has(subject.workflow().and_then(|workflow| workflow.env.as_ref()))
        || mentions
}

enum Quoting {
    None,
    Double,
}

/// How the word around `range` is quoted there; `None` where a variable would not do.
fn quoting(script: &Script<'_>, range: &Range<usize>) -> Option<Quoting> {
    let mut word: Option<Range<usize>> = None;
    let mut hazard = false;
    let holds = |outer: &Range<usize>| outer.start <= range.start && range.end <= outer.end;
    script.each(&mut |_, _, command| {
        let targets = command.redirects.iter().map(|redirect| &redirect.target);
        for candidate in command.words.iter().chain(targets).filter(|word| holds(&word.range)) {
            hazard |= command
                .words
                .iter()
                .any(|word| INTERPRETERS.contains(&word.text.rsplit('/').next().unwrap_or("")));
            if word.as_ref().is_none_or(|best| candidate.range.len() < best.len()) {
                word = Some(candidate.range.clone());
            }
        }
    });
    let word = word.filter(|_| !hazard)?;
    let before = script.text.get(word.start..range.start)?;
    let mut quote = None;
    let mut chars = before.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            (None | Some('"'), '\\') => {
                chars.next();
            }
            (None | Some('"'), '`') => return None,
            _ => {}
        }
    }
    if before.contains("$(") {
        return None;
    }
    match quote {
        None => Some(Quoting::None),
        Some('"') => Some(Quoting::Double),
        Some(_) => None,
    }
}

/// The edit that declares the variables, in the step's `env` or in a new one before `run`.
fn declaration(
    subject: &Subject<'_>,
    view: &StepView<'_>,
    run: &Token,
    names: &[(String, &str)],
) -> Option<Edit> {
    let file = subject.file;
    let line_start = |offset: u32| file.line_span(file.position(offset).line).start;
    if let StepKind::Run { .. } = view.step.kind
        && let Some(env) = &view.step.env
    {
        let first = env.entries().first()?.0.span();
        let indent = file.slice(Span { start: line_start(first.start), end: first.start });
        if !indent.chars().all(|c| c == ' ') {
            return None;
        }
        let lines: Vec<String> =
            names.iter().map(|(name, value)| format!("{name}: {value}\n{indent}")).collect();
        let text = lines.concat();
        return Some(Edit { span: Span::at(first.start as usize), text });
    }
    let start = line_start(run.span().start);
    let before = file.slice(Span { start, end: run.span().start });
    let key = before.trim_end().strip_suffix("run:")?;
    if !key.chars().all(|c| matches!(c, ' ' | '-')) {
        return None;
    }
    let indent = " ".repeat(key.len());
    let lines: Vec<String> =
        names.iter().map(|(name, value)| format!("{indent}  {name}: {value}\n")).collect();
    let lines = lines.concat();
    Some(Edit { span: Span::at(start as usize + key.len()), text: format!("env:\n{lines}{indent}") })
}
