//! Expressions that read what is not there: GitHub gives nothing, and says nothing.

use longshore_expr::{PathSegment, Reference};
use longshore_syntax::{Diagnostic, Severity, suggest};
use longshore_workflow::model::{Job, JobKind};
use longshore_workflow::template::{Token, TokenKind};

use crate::{Document, Rule, Site, StepView, Subject};

pub(crate) const STEP: Rule = Rule::new(
    "lint/unknown-step",
    Severity::Warning,
    "an expression reads a step that is not there, or not yet",
    |subject, found| each(subject, "steps", &mut |site, read| check_step(subject, site, read, found)),
);

pub(crate) const NEED: Rule = Rule::new(
    "lint/unknown-need",
    Severity::Warning,
    "an expression reads a job that `needs` does not name",
    |subject, found| each(subject, "needs", &mut |site, read| check_need(subject, site, read, found)),
);

pub(crate) const OUTPUT: Rule = Rule::new(
    "lint/unknown-output",
    Severity::Warning,
    "an expression reads an output that nothing sets",
    check_output,
);

pub(crate) const MATRIX: Rule = Rule::new(
    "lint/unknown-matrix-key",
    Severity::Warning,
    "an expression reads a matrix key that no cell has",
    |subject, found| each(subject, "matrix", &mut |site, read| check_matrix(subject, site, read, found)),
);

pub(crate) const INPUT: Rule = Rule::new(
    "lint/unknown-input",
    Severity::Warning,
    "an expression reads an input that the file does not declare",
    check_input,
);

fn each(subject: &Subject<'_>, context: &str, visit: &mut dyn FnMut(&Site<'_>, &Reference<'_>)) {
    for site in &subject.sites {
        for read in site.references.iter().filter(|read| read.is_context(context) && !read.path.is_empty()) {
            visit(site, read);
        }
    }
}

/// Adds what else the reader may have meant.
fn with_nearest<'n>(diagnostic: Diagnostic, name: &str, known: impl Iterator<Item = &'n str>) -> Diagnostic {
    let known: Vec<&str> = known.collect();
    match suggest::nearest(name, known.iter().copied()) {
        Some(nearest) => diagnostic.help(format!("did you mean `{nearest}`?")),
        None if known.is_empty() || known.len() > 12 => diagnostic,
        None => diagnostic.help(format!("known here: {}", known.join(", "))),
    }
}

fn check_step(subject: &Subject<'_>, site: &Site<'_>, read: &Reference<'_>, found: &mut Vec<Diagnostic>) {
    let Some(id) = read.name(0) else { return };
    let has_id = |view: &&StepView<'_>| view.step.id.eq_ignore_ascii_case(id);
    let place = subject.steps.iter().position(|view| view.job == site.job && has_id(&view));
    let ids = || {
        subject
            .steps_of(site.job)
            .filter_map(|view| view.step.written_id.as_ref())
            .map(|id| id.value.as_str())
    };
    let message = match (place, site.step) {
        (None, _) => format!("there is no step `{id}` here, so this is empty"),
        (Some(at), Some(reader)) if at > reader => format!("the step `{id}` runs later, so this is empty"),
        (Some(at), Some(reader)) if at == reader => {
            format!("the step `{id}` has not run yet, so this is empty")
        }
        _ => return,
    };
    let diagnostic = STEP.at(site.locate(read), message);
    found.push(if place.is_none() { with_nearest(diagnostic, id, ids()) } else { diagnostic });
}

fn job_of<'a>(subject: &Subject<'a>, site: &Site<'_>) -> Option<&'a Job> {
    subject.jobs().get(site.job?)
}

fn check_need(subject: &Subject<'_>, site: &Site<'_>, read: &Reference<'_>, found: &mut Vec<Diagnostic>) {
    let (Some(name), Some(job)) = (read.name(0), job_of(subject, site)) else { return };
    let needed = || job.needs.iter().map(|need| need.value.as_str());
    if needed().any(|need| need.eq_ignore_ascii_case(name)) {
        return;
    }
    let exists = subject.workflow().is_some_and(|workflow| workflow.job(name).is_some());
    let message = format!("`{}` does not need `{name}`, so this is empty", job.id.value);
    let diagnostic = NEED.at(site.locate(read), message);
    found.push(if exists {
        diagnostic.help(format!("add `{name}` to its `needs`"))
    } else {
        with_nearest(diagnostic, name, needed())
    });
}

fn check_output(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    each(subject, "needs", &mut |site, read| check_need_output(subject, site, read, found));
    each(subject, "jobs", &mut |site, read| check_need_output(subject, site, read, found));
    each(subject, "steps", &mut |site, read| check_step_output(subject, site, read, found));
}

fn check_need_output(
    subject: &Subject<'_>,
    site: &Site<'_>,
    read: &Reference<'_>,
    found: &mut Vec<Diagnostic>,
) {
    let (Some(job), Some(kind)) = (read.name(0), read.name(1)) else { return };
    let Some(job) = subject.workflow().and_then(|workflow| workflow.job(job)) else { return };
    if !["outputs", "result"].iter().any(|known| known.eq_ignore_ascii_case(kind)) {
        let diagnostic =
            OUTPUT.at(site.locate(read), format!("a job has `result` and `outputs`, not `{kind}`"));
        found.push(with_nearest(diagnostic, kind, ["result", "outputs"].into_iter()));
        return;
    }
    let JobKind::Steps(steps) = &job.kind else { return };
    let Some(name) = read.name(2).filter(|_| kind.eq_ignore_ascii_case("outputs")) else { return };
    let entries = steps.outputs.as_ref().map_or(&[][..], Token::entries);
    let dynamic = entries.iter().any(|(key, _)| key.as_str().is_none());
    let names = || entries.iter().filter_map(|(key, _)| key.as_str());
    if !dynamic && !names().any(|known| known.eq_ignore_ascii_case(name)) {
        let message = format!("the job `{}` has no output `{name}`, so this is empty", job.id.value);
        found.push(with_nearest(OUTPUT.at(site.locate(read), message), name, names()));
    }
}

/// The outputs of actions that everybody uses.
const ACTION_OUTPUTS: [(&str, &[&str]); 6] = [
    ("actions/checkout", &["ref", "commit"]),
    ("actions/cache", &["cache-hit", "cache-primary-key", "cache-matched-key"]),
    ("actions/setup-python", &["python-version", "cache-hit", "python-path"]),
    ("actions/setup-node", &["cache-hit", "node-version"]),
    ("actions/upload-artifact", &["artifact-id", "artifact-url", "artifact-digest"]),
    ("actions/download-artifact", &["download-path"]),
];

fn check_step_output(
    subject: &Subject<'_>,
    site: &Site<'_>,
    read: &Reference<'_>,
    found: &mut Vec<Diagnostic>,
) {
    let (Some(id), Some(kind)) = (read.name(0), read.name(1)) else { return };
    let Some(view) = subject.steps_of(site.job).find(|view| view.step.id.eq_ignore_ascii_case(id)) else {
        return;
    };
    if !["outputs", "outcome", "conclusion"].iter().any(|known| known.eq_ignore_ascii_case(kind)) {
        let diagnostic = OUTPUT
            .at(site.locate(read), format!("a step has `outputs`, `outcome` and `conclusion`, not `{kind}`"));
        found.push(with_nearest(diagnostic, kind, ["outputs", "outcome", "conclusion"].into_iter()));
        return;
    }
    let Some(name) = read.name(2).filter(|_| kind.eq_ignore_ascii_case("outputs")) else { return };
    let known: Vec<String> = match (view.action(), &view.script) {
        (Some(action), _) => match ACTION_OUTPUTS.iter().find(|(known, _)| *known == action) {
            Some((_, outputs)) => outputs.iter().map(|output| (*output).to_owned()).collect(),
            None => return,
        },
        (None, Some(script)) => match script_outputs(script) {
            Some(outputs) => outputs,
            None => return,
        },
        _ => return,
    };
    if !known.iter().any(|output| output.eq_ignore_ascii_case(name)) {
        let message = format!("the step `{id}` does not set the output `{name}`, so this is empty");
        found.push(with_nearest(
            OUTPUT.at(site.locate(read), message),
            name,
            known.iter().map(String::as_str),
        ));
    }
}

/// Programs that set no outputs on their own.
const SILENT: [&str; 22] = [
    "echo", "printf", "cd", "true", ":", "exit", "export", "set", "ls", "cat", "mkdir", "rm", "cp", "mv",
    "sleep", "git", "test", "[", "[[", "", "curl", "date",
];

/// The outputs that a script sets; `None` unless it is certain that it sets no others.
fn script_outputs(script: &crate::script::Script<'_>) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut certain = true;
    script.each(&mut |script, index, command| {
        if !SILENT.contains(&command.program()) && !script.text.contains("GITHUB_OUTPUT") {
            certain = false;
        }
        let writes = command.redirects.iter().any(|redirect| redirect.target.text.contains("GITHUB_OUTPUT"));
        let feeds = script.here_documents.iter().any(|(owner, _)| *owner == index);
        if command
            .words
            .iter()
            .any(|word| word.text.contains("GITHUB_OUTPUT") || word.text.contains("::set-output"))
        {
            certain = false;
        }
        if !writes {
            // A group's redirection stands behind its bracket, so it belongs to no command with words.
            return;
        }
        let first = command.args().iter().find(|word| !word.text.starts_with('-'));
        match first.and_then(|word| word.text.split_once('=').map(|(name, _)| name)) {
            Some(name) if command.program() == "echo" && is_plain(name) && !feeds => {
                names.push(name.to_owned());
            }
            _ => certain = false,
        }
    });
    // A script that runs others may have them write.
    let others = script.commands.iter().any(|command| {
        let program = command.words.get(command.program_index()).map_or("", |word| word.text.as_ref());
        program.starts_with('.')
            || matches!(program, "python" | "python3" | "node" | "bash" | "sh" | "make" | "npm" | "source")
    });
    (certain && !others).then_some(names)
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

fn check_matrix(subject: &Subject<'_>, site: &Site<'_>, read: &Reference<'_>, found: &mut Vec<Diagnostic>) {
    let (Some(name), Some(job)) = (read.name(0), job_of(subject, site)) else { return };
    let Some(keys) = matrix_keys(job) else { return };
    if keys.iter().any(|key| key.eq_ignore_ascii_case(name)) {
        return;
    }
    let message = if keys.is_empty() {
        format!("the job `{}` has no matrix, so this is empty", job.id.value)
    } else {
        format!("the matrix has no key `{name}`, so this is empty")
    };
    found.push(with_nearest(MATRIX.at(site.locate(read), message), name, keys.iter().copied()));
}

/// The keys of a job's matrix cells; `None` if they are known at run time only.
fn matrix_keys(job: &Job) -> Option<Vec<&str>> {
    let Some(strategy) = &job.strategy else { return Some(Vec::new()) };
    if matches!(strategy.kind, TokenKind::Expression(_)) {
        return None;
    }
    let Some(matrix) = strategy.entry("matrix") else { return Some(Vec::new()) };
    let TokenKind::Mapping(entries) = &matrix.kind else { return None };
    let mut keys = Vec::new();
    for (key, value) in entries {
        match key.as_str()? {
            "exclude" => {}
            "include" => {
                let TokenKind::Sequence(items) = &value.kind else { return None };
                for item in items {
                    let TokenKind::Mapping(entries) = &item.kind else { return None };
                    for (key, _) in entries {
                        keys.push(key.as_str()?);
                    }
                }
            }
            key => keys.push(key),
        }
    }
    keys.dedup();
    Some(keys)
}

fn check_input(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let declared: Vec<&str> = match subject.document {
        Document::Workflow(workflow) => {
            let inputs = workflow.triggers.iter().flat_map(|trigger| &trigger.inputs);
            inputs.map(|input| input.name.value.as_str()).collect()
        }
        Document::Action(action) => action.inputs.iter().map(|input| input.name.value.as_str()).collect(),
    };
    for site in &subject.sites {
        for read in &site.references {
            let name = match read.path.as_slice() {
                [PathSegment::Name(name), ..] if read.is_context("inputs") => *name,
                [_, _, PathSegment::Name(name), ..]
                    if read.starts_with(&["github", "event", "inputs"]) && subject.workflow().is_some() =>
                {
                    *name
                }
                _ => continue,
            };
            if !declared.iter().any(|input| input.eq_ignore_ascii_case(name)) {
                let diagnostic =
                    INPUT.at(site.locate(read), format!("no input `{name}` is declared, so this is empty"));
                found.push(with_nearest(diagnostic, name, declared.iter().copied()));
            }
        }
    }
}
