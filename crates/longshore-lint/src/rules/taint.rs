//! What strangers control, and where it goes.

use longshore_expr::Reference;
use longshore_workflow::model::{InputType, StepKind};

use crate::{Place, Site, Subject, expression};

/// Where a text comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    /// From inputs, which those who may start the workflow set.
    Input,
    /// From anyone.
    Stranger,
}

/// Text that anyone can set who opens an issue, sends a pull request, or comments.
const UNTRUSTED: [&str; 33] = [
    "github.head_ref",
    "github.event.issue.title",
    "github.event.issue.body",
    "github.event.discussion.title",
    "github.event.discussion.body",
    "github.event.comment.body",
    "github.event.review.body",
    "github.event.review_comment.body",
    "github.event.pull_request.title",
    "github.event.pull_request.body",
    "github.event.pull_request.head.ref",
    "github.event.pull_request.head.label",
    "github.event.pull_request.head.repo.default_branch",
    "github.event.pull_request.head.repo.description",
    "github.event.pull_request.head.repo.homepage",
    "github.event.pages.*.page_name",
    "github.event.pages.*.title",
    "github.event.commits.*.message",
    "github.event.commits.*.author.name",
    "github.event.commits.*.author.email",
    "github.event.commits.*.committer.name",
    "github.event.commits.*.committer.email",
    "github.event.head_commit.message",
    "github.event.head_commit.author.name",
    "github.event.head_commit.author.email",
    "github.event.head_commit.committer.name",
    "github.event.head_commit.committer.email",
    "github.event.workflow_run.head_branch",
    "github.event.workflow_run.display_title",
    "github.event.workflow_run.head_commit.message",
    "github.event.workflow_run.head_commit.author.name",
    "github.event.workflow_run.head_commit.author.email",
    "github.event.workflow_run.pull_requests.*.head.ref",
];

/// A variable or output that holds a copy.
struct Copy<'a> {
    kind: CopyKind<'a>,
    source: Source,
    origin: String,
}

enum CopyKind<'a> {
    /// A variable with the job and step that it is for, where it is not for all.
    Env {
        name: &'a str,
        job: Option<usize>,
        step: Option<usize>,
    },
    Step {
        job: Option<usize>,
        id: &'a str,
        output: String,
    },
    Job {
        id: &'a str,
        output: &'a str,
    },
}

/// Copies followed in one file; nobody writes as many.
const MOST_COPIES: usize = 500;

/// Everything in a file that holds what strangers or inputs say.
pub(super) struct Taint<'a> {
    copies: Vec<Copy<'a>>,
}

impl<'a> Taint<'a> {
    /// Follows text from where it comes in to the variables and outputs that copy it, in the order of the file.
    pub(super) fn of(subject: &Subject<'a>) -> Self {
        let mut taint = Self { copies: Vec::new() };
        for site in subject.sites.iter().filter(|site| site.place == Place::Env) {
            if taint.copies.len() >= MOST_COPIES {
                break;
            }
            if let (Some(name), Some((source, origin))) = (site.key, taint.site(subject, site)) {
                let kind = CopyKind::Env { name, job: site.job, step: site.step };
                taint.copies.push(Copy { kind, source, origin });
            }
        }
        for index in 0..subject.steps.len() {
            if taint.copies.len() >= MOST_COPIES {
                break;
            }
            taint.follow_step(subject, index);
        }
        for site in subject.sites.iter().filter(|site| site.place == Place::Outputs) {
            if taint.copies.len() >= MOST_COPIES {
                break;
            }
            let job = site.job.and_then(|job| subject.jobs().get(job));
            if let (Some(job), Some(output), Some((source, origin))) =
                (job, site.key, taint.site(subject, site))
            {
                taint.copies.push(Copy { kind: CopyKind::Job { id: &job.id.value, output }, source, origin });
            }
        }
        taint
    }

    /// The worst that a whole expression lets through.
    pub(super) fn site(&self, subject: &Subject<'_>, site: &Site<'_>) -> Option<(Source, String)> {
        expression::flowing(&site.embedded.expr)
            .iter()
            .filter_map(|(reference, json)| self.source(subject, site, reference, *json))
            .max_by_key(|(source, _)| *source)
    }

    /// Where the text of a reference comes from, and what it is a copy of.
    pub(super) fn source(
        &self,
        subject: &Subject<'_>,
        site: &Site<'_>,
        reference: &Reference<'_>,
        json: bool,
    ) -> Option<(Source, String)> {
        if UNTRUSTED.iter().any(|pattern| expression::reads(reference, json, pattern)) {
            return Some((Source::Stranger, reference.dotted()));
        }
        if let Some(name) = input_name(reference) {
            return is_text_input(subject, name).then(|| (Source::Input, reference.dotted()));
        }
        if reference.starts_with(&["github", "event", "client_payload"]) {
            return Some((Source::Input, reference.dotted()));
        }
        let found = self
            .copies
            .iter()
            .filter(|copy| copy.is_read(subject, site, reference))
            .max_by_key(|copy| copy.source)?;
        Some((found.source, found.origin.clone()))
    }

    /// The outputs that a step's script sets to such text.
    fn follow_step(&mut self, subject: &Subject<'a>, index: usize) {
        let Some(view) = subject.steps.get(index) else { return };
        let Some(script) = view.script.as_ref().filter(|_| matches!(view.step.kind, StepKind::Run { .. }))
        else {
            return;
        };
        if !script.text.contains("GITHUB_OUTPUT") {
            return;
        }
        let mut found = Vec::new();
        let sites: Vec<&Site<'_>> = subject
            .sites
            .iter()
            .filter(|site| site.step == Some(index) && site.place == Place::Run)
            .collect();
        script.each(&mut |_, _, command| {
            if !command.redirects.iter().any(|redirect| redirect.target.text.contains("GITHUB_OUTPUT")) {
                return;
            }
            for word in command.args() {
                let Some((output, value)) = word.text.split_once('=') else { continue };
                let direct = sites.iter().find_map(|site| {
                    value
                        .contains(subject.file.slice(site.embedded.span))
                        .then(|| self.site(subject, site))
                        .flatten()
                });
                let variable = || {
                    self.copies.iter().find_map(|copy| match &copy.kind {
                        CopyKind::Env { name, job, step }
                            if job.is_none_or(|job| Some(job) == view.job)
                                && step.is_none_or(|step| step == index)
                                && expands(value, name) =>
                        {
                            Some((copy.source, copy.origin.clone()))
                        }
                        _ => None,
                    })
                };
                if let Some((source, origin)) = direct.or_else(variable) {
                    found.push((output.to_owned(), source, origin));
                }
            }
        });
        for (output, source, origin) in found {
            let kind = CopyKind::Step { job: view.job, id: &view.step.id, output };
            self.copies.push(Copy { kind, source, origin });
        }
    }
}

impl Copy<'_> {
    fn is_read(&self, subject: &Subject<'_>, site: &Site<'_>, reference: &Reference<'_>) -> bool {
        let names =
            |pattern: &[&str]| reference.path.len() == pattern.len() - 1 && reference.starts_with(pattern);
        match &self.kind {
            CopyKind::Env { name, job, step } => {
                let here = job.is_none_or(|job| Some(job) == site.job)
                    && step.is_none_or(|step| Some(step) == site.step);
                here && names(&["env", name])
            }
            CopyKind::Step { job, id, output } => {
                *job == site.job && names(&["steps", id, "outputs", output])
            }
            CopyKind::Job { id, output } => {
                let _ = subject;
                names(&["needs", id, "outputs", output])
            }
        }
    }
}

/// Whether a text expands the variable.
pub(super) fn expands(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let before = &text[..at];
        let next = text[at + name.len()..].chars().next();
        let ends = next.is_none_or(|c| !(c.is_ascii_alphanumeric() || c == '_'));
        ends && (before.ends_with('$') || before.ends_with("${"))
    })
}

/// The input that a reference names.
fn input_name<'r>(reference: &'r Reference<'_>) -> Option<&'r str> {
    if reference.is_context("inputs") {
        return reference.name(0);
    }
    if reference.starts_with(&["github", "event", "inputs"]) { reference.name(2) } else { None }
}

/// Whether the input takes any text.
fn is_text_input(subject: &Subject<'_>, name: &str) -> bool {
    let Some(workflow) = subject.workflow() else { return true };
    let mut inputs = workflow.triggers.iter().flat_map(|trigger| &trigger.inputs);
    inputs.any(|input| input.name.value.eq_ignore_ascii_case(name) && input.kind == InputType::String)
}
