//! Strangers' code checked out and run with the rights of the repository, and what a checkout leaves behind.

use longshore_syntax::{Diagnostic, Severity};
use longshore_workflow::model::JobKind;
use longshore_workflow::template::TokenKind;

use super::deprecated::major;
use crate::{Rule, StepView, Subject, expression};

pub(crate) const UNTRUSTED: Rule = Rule::new(
    "lint/untrusted-checkout",
    Severity::Error,
    "a run with the repository's rights checks out a stranger's code and runs it",
    check_untrusted,
);

pub(crate) const PERSISTED: Rule = Rule::new(
    "lint/persisted-credentials",
    Severity::Warning,
    "an artifact of the whole work tree holds the token that the checkout left in `.git/config`",
    check_persisted,
);

/// Events that run with secrets whoever caused them.
const PRIVILEGED: [&str; 3] = ["pull_request_target", "workflow_run", "issue_comment"];

/// What names a stranger's commit or repository.
const HEADS: [&str; 9] = [
    "github.head_ref",
    "github.event.pull_request.head.sha",
    "github.event.pull_request.head.ref",
    "github.event.pull_request.merge_commit_sha",
    "github.event.pull_request.head.repo.full_name",
    "github.event.workflow_run.head_sha",
    "github.event.workflow_run.head_branch",
    "github.event.workflow_run.head_commit.id",
    "github.event.workflow_run.head_repository.full_name",
];

/// Programs that look at files or talk to GitHub but run nothing from the work tree.
const HARMLESS: [&str; 32] = [
    "git",
    "gh",
    "echo",
    "printf",
    "cat",
    "grep",
    "ls",
    "diff",
    "cd",
    "test",
    "[",
    "[[",
    "jq",
    "cp",
    "mkdir",
    "rm",
    "mv",
    "head",
    "tail",
    "wc",
    "sort",
    "uniq",
    "cut",
    "tr",
    "find",
    "set",
    "export",
    "exit",
    "true",
    "",
    "curl",
    "sha256sum",
];

fn check_untrusted(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let events: Vec<&str> = PRIVILEGED.into_iter().filter(|event| subject.has_trigger(event)).collect();
    if events.is_empty() {
        return;
    }
    for (index, job) in subject.jobs().iter().enumerate() {
        let reachable = |event: &&str| {
            job.condition
                .written
                .as_ref()
                .is_none_or(|it| expression::truth(&it.expr, Some(event)) != Some(false))
        };
        let guarded = job.condition.written.as_ref().is_some_and(|it| is_guard(&it.expr));
        let Some(event) = events.iter().copied().find(reachable).filter(|_| !guarded) else { continue };
        let approved = matches!(&job.kind, JobKind::Steps(steps) if steps.environment.is_some())
            || job.condition.text.contains("label");
        let mut head = None;
        for (at, view) in subject.steps.iter().enumerate().filter(|(_, view)| view.job == Some(index)) {
            if view.step.condition.written.as_ref().is_some_and(|it| is_guard(&it.expr)) {
                continue;
            }
            if let Some(span) = checkout_of_head(subject, at, view) {
                head = head.or(Some(span));
            } else if let (Some(span), Some(what)) = (head, runs_code(view)) {
                let message = format!(
                    "the head of a pull request is checked out on `{event}` and then run with this repository's rights"
                );
                let mut diagnostic = UNTRUSTED.at(span, message).related(view.step.span.sub(0, 0), what).help(
                    "build it in a workflow on `pull_request`, which has no secrets, and hand over results as artifacts",
                );
                if approved {
                    diagnostic.severity = Severity::Warning;
                }
                found.push(diagnostic);
                break;
            }
        }
    }
}

/// Whether a condition lets only the repository's own branches through.
fn is_guard(expr: &longshore_expr::Expr) -> bool {
    expr.references().iter().any(|read| {
        read.starts_with(&["github", "event", "pull_request", "head", "repo"])
            || read.starts_with(&["github", "event", "workflow_run", "head_repository"])
            || read.starts_with(&["github", "event", "comment", "author_association"])
            || read.starts_with(&["github", "event", "pull_request", "author_association"])
    })
}

/// Where a step names the stranger's code that it checks out.
fn checkout_of_head(subject: &Subject<'_>, at: usize, view: &StepView<'_>) -> Option<longshore_syntax::Span> {
    if view.action().is_some_and(|action| action == "actions/checkout") {
        let inputs = ["ref", "repository"].into_iter().filter_map(|name| view.input_token(name));
        for token in inputs {
            let text = token.node.as_str().unwrap_or_default();
            let names_head = subject.sites.iter().any(|site| {
                site.step == Some(at)
                    && site.key.is_some_and(|key| key == "ref" || key == "repository")
                    && site
                        .references
                        .iter()
                        .any(|read| HEADS.iter().any(|head| expression::reads(read, false, head)))
            });
            if names_head || text.contains("refs/pull/") {
                return Some(token.span());
            }
        }
        return None;
    }
    let script = view.script.as_ref()?;
    let mut range = None;
    script.each(&mut |_, _, command| {
        let words: Vec<&str> = command.words.iter().map(|word| word.text.as_ref()).collect();
        let fetches = matches!(words.as_slice(), ["git", "fetch" | "pull" | "checkout", rest @ ..]
            if rest.iter().any(|word| word.contains("pull/") || word.contains("pull_request.head")));
        if fetches || words.starts_with(&["gh", "pr", "checkout"]) {
            range.get_or_insert(command.range.clone());
        }
    });
    range.map(|range| view.locate(subject.file, &range))
}

/// What of a step runs the code that was checked out.
fn runs_code(view: &StepView<'_>) -> Option<&'static str> {
    if let Some((uses, _)) = view.uses() {
        return uses.value.starts_with("./").then_some("runs an action from what was checked out");
    }
    view.run()?;
    let Some(script) = &view.script else { return Some("runs a script after it") };
    let mut runs = false;
    script.each(&mut |_, _, command| runs |= !HARMLESS.contains(&command.program()));
    runs.then_some("runs code after it")
}

fn check_persisted(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for (index, _) in subject.jobs().iter().enumerate() {
        let mut checkout: Option<&StepView<'_>> = None;
        for view in subject.steps_of(Some(index)) {
            let Some(action) = view.action() else { continue };
            if action == "actions/checkout" && leaves_token(view) {
                checkout = checkout.or(Some(view));
            }
            let Some(checkout) = checkout.filter(|_| action == "actions/upload-artifact") else { continue };
            if let Some(path) = view.input_token("path").filter(|_| takes_hidden_files(view))
                && takes_everything(path)
            {
                let span = checkout.uses().map_or(checkout.step.span, |(uses, _)| uses.span);
                found.push(
                    PERSISTED
                        .at(path.span(), "this uploads `.git/config` with the token in it: whoever downloads the artifact can use it while the job runs")
                        .related(span, "the token is left here")
                        .help("set `persist-credentials: false` on the checkout, or upload only what is needed"),
                );
            }
        }
    }
}

fn leaves_token(view: &StepView<'_>) -> bool {
    let keeps = view.input("persist-credentials") != Some("false");
    let elsewhere = view.input("path").is_some_and(|path| path != ".");
    // From version 6 on the token is kept outside of the work tree.
    keeps
        && !elsewhere
        && view.uses().and_then(|(uses, _)| major(&uses.value)).is_none_or(|version| version < 6)
}

/// Whether the artifact takes `.git`: always before version 4, by request since.
fn takes_hidden_files(view: &StepView<'_>) -> bool {
    view.input("include-hidden-files") == Some("true")
        || view.uses().and_then(|(uses, _)| major(&uses.value)).is_some_and(|version| version < 4)
}

fn takes_everything(path: &longshore_workflow::template::Token) -> bool {
    let text = match &path.kind {
        TokenKind::String(text) => text.as_str(),
        _ => path.node.as_str().unwrap_or_default(),
    };
    text.lines().map(str::trim).any(|line| {
        let line: String = line.chars().filter(|c| *c != ' ').collect();
        matches!(
            line.as_str(),
            "." | "./"
                | "*"
                | "**"
                | "**/*"
                | "./**"
                | ".git"
                | "${{github.workspace}}"
                | "${{github.workspace}}/"
        )
    })
}
