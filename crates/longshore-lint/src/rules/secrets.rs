//! Secrets where more can see them than need to.

use std::collections::BTreeSet;

use longshore_expr::{ExprKind, Reference};
use longshore_syntax::{Diagnostic, Severity};
use longshore_workflow::model::{CallSecrets, JobKind};
use longshore_workflow::template::{Embedded, Token};

use super::script_injection::attach_fixes;
use super::taint::expands;
use crate::script::Separator;
use crate::{Place, Rule, Site, Subject, expression};

pub(crate) const IN_RUN: Rule = Rule::new(
    "lint/secret-in-run",
    Severity::Warning,
    "a secret is put into the text of a script",
    check_run,
)
.with_fix();

pub(crate) const PRINTED: Rule =
    Rule::new("lint/secret-printed", Severity::Warning, "a secret is printed to the log", check_printed);

pub(crate) const ALL: Rule =
    Rule::new("lint/all-secrets", Severity::Warning, "all secrets are passed on at once", check_all);

pub(crate) const INHERITED: Rule = Rule::new(
    "lint/secrets-inherit",
    Severity::Note,
    "a reusable workflow gets every secret of its caller",
    check_inherited,
);

pub(crate) const WIDE_ENV: Rule = Rule::new(
    "lint/secret-in-env",
    Severity::Note,
    "a secret is in the environment of steps that do not need it",
    check_env,
);

pub(crate) const COMPARED: Rule = Rule::new(
    "lint/secret-in-condition",
    Severity::Warning,
    "a condition tests what a secret says",
    check_condition,
);

pub(crate) const IN_PATH: Rule = Rule::new(
    "lint/secret-in-artifact",
    Severity::Warning,
    "a secret is part of the name, key or path of a cache or artifact",
    check_artifact,
);

pub(crate) const DEBUG: Rule = Rule::new(
    "lint/debug-logging",
    Severity::Note,
    "debug logging is asked for in `env`, where it has no effect",
    check_debug,
);

fn is_secret(read: &Reference<'_>) -> bool {
    read.is_context("secrets") && !read.path.is_empty()
}

fn check_run(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let mut fixable: Vec<(usize, usize, &Embedded)> = Vec::new();
    for site in subject.sites.iter().filter(|site| site.place == Place::Run) {
        for (read, _) in expression::flowing(&site.embedded.expr) {
            if !is_secret(&read) {
                continue;
            }
            if let Some(step) = site.step {
                fixable.push((found.len(), step, site.embedded));
            }
            let message = format!(
                "`{}` becomes a part of the script: its characters can end a word or start a command, and the script is written to disk",
                read.dotted()
            );
            found.push(
                IN_RUN
                    .at(site.locate(&read), message)
                    .help("set it in `env:` of the step and use `\"$NAME\"`"),
            );
        }
    }
    attach_fixes(subject, &fixable, found);
}

/// The variables that hold secrets and are there for a step.
fn secret_variables<'s>(
    subject: &'s Subject<'_>,
    site: (Option<usize>, usize),
) -> impl Iterator<Item = &'s str> {
    let (job, step) = site;
    subject.sites.iter().filter_map(move |site| {
        let here = site.place == Place::Env
            && site.job.is_none_or(|owner| Some(owner) == job)
            && site.step.is_none_or(|owner| owner == step);
        let secret = here && expression::flowing(&site.embedded.expr).iter().any(|(read, _)| is_secret(read));
        if secret { site.key } else { None }
    })
}

fn check_printed(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for (index, view) in subject.steps.iter().enumerate() {
        let Some(script) = &view.script else { continue };
        let names: Vec<&str> = secret_variables(subject, (view.job, index)).collect();
        // Only what stands on its own reaches the log: a substitution's output goes elsewhere.
        for command in &script.commands {
            let prints = matches!(command.program(), "echo" | "printf" | "printenv");
            if !prints || command.next == Separator::Pipe || !command.redirects.is_empty() {
                continue;
            }
            let hit = command.args().iter().find(|word| {
                let is_printenv = command.program() == "printenv" && names.contains(&word.text.as_ref());
                let direct = word.text.contains("${{ secrets.") || word.text.contains("${{secrets.");
                !word.text.contains("::add-mask::")
                    && (is_printenv || direct || names.iter().any(|name| expands(&word.text, name)))
            });
            let in_group = script.blocks_around(command.place).next().is_some();
            if let Some(word) = hit.filter(|_| !in_group) {
                let message =
                    "this prints a secret; GitHub masks it only where it stands unchanged in one line";
                found.push(
                    PRINTED
                        .at(view.locate(subject.file, &word.range), message)
                        .help("print whether it is set, not what it is"),
                );
            }
        }
    }
}

fn check_all(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for site in &subject.sites {
        for (read, json) in expression::flowing(&site.embedded.expr) {
            if read.is_context("secrets") && read.path.is_empty() && json {
                let message = "every secret of the repository is put into one text, of which GitHub masks only the whole values";
                found.push(
                    ALL.at(site.locate(&read), message).help("pass the secrets that are needed by name"),
                );
            }
        }
    }
}

fn check_inherited(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for job in subject.jobs() {
        if let JobKind::Call(call) = &job.kind
            && matches!(call.secrets, CallSecrets::Inherit)
        {
            let message = format!("`{}` gets every secret of this workflow", call.uses.value);
            found.push(
                INHERITED
                    .at(call.uses.span, message)
                    .help("pass the secrets that it declares by name below `secrets:`"),
            );
        }
    }
}

fn check_env(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    // The documented way to ask whether a secret is there needs it in the job's environment.
    let conditions = subject.sites.iter().filter(|site| site.place == Place::If);
    let reads = conditions.flat_map(|site| &site.references).filter(|read| read.is_context("env"));
    let asked: BTreeSet<String> = reads.filter_map(|read| Some(read.name(0)?.to_ascii_lowercase())).collect();
    let wide = |site: &&Site<'_>| site.place == Place::Env && site.step.is_none();
    for site in subject.sites.iter().filter(wide) {
        let Some(read) = site.references.iter().find(|read| is_secret(read)) else { continue };
        let (whose, readers) = match site.job {
            Some(job) => ("job", subject.steps_of(Some(job)).count()),
            None => ("workflow", subject.steps.len()),
        };
        let name = site.key.unwrap_or_default();
        let asked = asked.contains(&name.to_ascii_lowercase());
        if readers < 2 || asked {
            continue;
        }
        let message = format!(
            "`{}` is in the environment of every step of the {whose}, actions of others included",
            read.dotted()
        );
        let mut diagnostic = WIDE_ENV.at(site.locate(read), message);
        if site.job.is_none() {
            diagnostic.severity = Severity::Warning;
        }
        found.push(diagnostic.help("move it to `env:` of the steps that use it"));
    }
}

fn check_condition(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for site in subject.sites.iter().filter(|site| site.place == Place::If) {
        let names: Vec<&str> =
            secret_variables(subject, (site.job, site.step.unwrap_or(usize::MAX))).collect();
        let reads_secret = |expr: &longshore_expr::Expr| {
            expression::reference(expr)
                .is_some_and(|read| names.iter().any(|name| read.starts_with(&["env", name])))
        };
        let mut spans = Vec::new();
        site.embedded.expr.walk(&mut |part| {
            let tested = match &part.kind {
                ExprKind::Compare { first, rest } => {
                    let operands =
                        || std::iter::once(&**first).chain(rest.iter().map(|(_, operand)| operand));
                    operands().any(reads_secret)
                        && operands()
                            .any(|side| expression::string(side).is_some_and(|text| !text.is_empty()))
                }
                ExprKind::Function { name, args, .. } => {
                    ["contains", "startswith", "endswith"].contains(&name.to_ascii_lowercase().as_str())
                        && args.iter().any(reads_secret)
                }
                _ => false,
            };
            if tested {
                spans.push(part.span);
            }
        });
        for span in spans {
            let message = "whether this step runs tells what the secret says";
            found.push(COMPARED.at(site.embedded.locate(span), message).help(
                "compare with '' to ask whether it is set; decide on variables (`vars`), not on secrets",
            ));
        }
    }
}

fn check_artifact(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for site in subject.sites.iter().filter(|site| site.place == Place::With) {
        let key = site.key.unwrap_or_default();
        let view = site.step.and_then(|step| subject.steps.get(step));
        let stores = view
            .and_then(crate::StepView::action)
            .is_some_and(|action| action.starts_with("actions/cache") || action == "actions/upload-artifact");
        if !stores || !["path", "key", "name", "restore-keys"].contains(&key) {
            continue;
        }
        for (read, _) in expression::flowing(&site.embedded.expr) {
            if is_secret(&read) {
                let message = format!("`{key}` is kept and shown outside of this run, with the secret in it");
                found.push(IN_PATH.at(site.locate(&read), message));
            }
        }
    }
}

fn check_debug(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let mut envs: Vec<_> =
        subject.workflow().and_then(|workflow| workflow.env.as_ref()).into_iter().collect();
    envs.extend(subject.steps.iter().filter_map(|view| view.step.env.as_ref()));
    envs.extend(subject.jobs().iter().filter_map(|job| match &job.kind {
        JobKind::Steps(steps) => steps.env.as_ref(),
        JobKind::Call(_) => None,
    }));
    for (key, _) in envs.into_iter().flat_map(Token::entries) {
        if let Some(name @ ("ACTIONS_STEP_DEBUG" | "ACTIONS_RUNNER_DEBUG")) = key.as_str() {
            let message = format!("`{name}` has no effect in `env`");
            found.push(DEBUG.at(key.span(), message).help(
                "set it as a secret or variable of the repository, or re-run the job with debug logging",
            ));
        }
    }
}
