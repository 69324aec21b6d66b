//! Labels of runners that do not exist, or no longer.

use longshore_syntax::{Diagnostic, Severity, suggest};
use longshore_workflow::model::{Job, JobKind};
use longshore_workflow::template::{Token, TokenKind};

use crate::{Rule, Subject, expression};

pub(crate) const UNKNOWN: Rule = Rule::new(
    "lint/unknown-runner",
    Severity::Warning,
    "`runs-on` names a label that no runner of GitHub has",
    check_unknown,
);

pub(crate) const RETIRED: Rule = Rule::new(
    "lint/retired-runner",
    Severity::Error,
    "`runs-on` names a runner that GitHub has shut down",
    check_retired,
);

/// The labels of GitHub's runners.
const LABELS: [&str; 35] = [
    "ubuntu-latest",
    "ubuntu-26.04",
    "ubuntu-24.04",
    "ubuntu-22.04",
    "ubuntu-slim",
    "ubuntu-26.04-arm",
    "ubuntu-24.04-arm",
    "ubuntu-22.04-arm",
    "windows-latest",
    "windows-2025",
    "windows-2025-vs2026",
    "windows-2022",
    "windows-11-arm",
    "macos-latest",
    "macos-latest-large",
    "macos-latest-xlarge",
    "macos-26",
    "macos-26-intel",
    "macos-26-large",
    "macos-26-xlarge",
    "macos-15",
    "macos-15-intel",
    "macos-15-large",
    "macos-15-xlarge",
    "macos-14",
    "macos-14-large",
    "macos-14-xlarge",
    "self-hosted",
    "linux",
    "windows",
    "macos",
    "x64",
    "arm",
    "arm64",
    "gpu",
];

/// Labels that GitHub had, with what takes their place.
const GONE: [(&str, &str); 14] = [
    ("ubuntu-16.04", "ubuntu-latest"),
    ("ubuntu-18.04", "ubuntu-latest"),
    ("ubuntu-20.04", "ubuntu-22.04"),
    ("windows-2016", "windows-latest"),
    ("windows-2019", "windows-2022"),
    ("macos-10.15", "macos-latest"),
    ("macos-11", "macos-latest"),
    ("macos-12", "macos-15-intel"),
    ("macos-12-large", "macos-15-large"),
    ("macos-12-xlarge", "macos-15-xlarge"),
    ("macos-13", "macos-15-intel"),
    ("macos-13-large", "macos-15-large"),
    ("macos-13-xlarge", "macos-15-xlarge"),
    ("windows-2025-arm", "windows-11-arm"),
];

/// What the labels of runners that others sell begin with.
const VENDORS: [&str; 12] = [
    "blacksmith-",
    "buildjet-",
    "namespace-",
    "nscloud-",
    "depot-",
    "warp-",
    "runs-on",
    "cirun",
    "codebuild-",
    "ubicloud",
    "garm-",
    "warpbuild-",
];

/// One label with the token it stands in.
struct Label<'a> {
    text: &'a str,
    token: &'a Token,
    /// Whether other labels or a group stand with it.
    company: bool,
}

fn labels(job: &Job) -> Vec<Label<'_>> {
    let JobKind::Steps(steps) = &job.kind else { return Vec::new() };
    let Some(runs_on) = &steps.runs_on else { return Vec::new() };
    let labels = runs_on.entry("labels").unwrap_or(runs_on);
    let company = runs_on.entry("group").is_some() || labels.items().len() > 1;
    let mut found = Vec::new();
    let tokens = if labels.items().is_empty() { std::slice::from_ref(labels) } else { labels.items() };
    for token in tokens {
        match &token.kind {
            TokenKind::String(text) => found.push(Label { text, token, company }),
            TokenKind::Expression(computed) => {
                let key = expression::reference(&computed.expr)
                    .filter(|read| read.is_context("matrix") && read.path.len() == 1)
                    .and_then(|read| read.name(0).map(str::to_owned));
                for token in key.iter().flat_map(|key| matrix_values(job, key)) {
                    for (text, token) in token.texts() {
                        let company =
                            company || token.items().len() > 1 || !matches!(token.kind, TokenKind::String(_));
                        found.push(Label { text, token, company });
                    }
                }
            }
            _ => {}
        }
    }
    found
}

/// The values that a matrix lists for a key.
fn matrix_values<'a>(job: &'a Job, key: &str) -> Vec<&'a Token> {
    let Some(matrix) = job.strategy.as_ref().and_then(|strategy| strategy.entry("matrix")) else {
        return Vec::new();
    };
    let listed = matrix.entry(key).map_or(&[][..], Token::items).iter();
    let included =
        matrix.entry("include").map_or(&[][..], Token::items).iter().filter_map(|item| item.entry(key));
    listed.chain(included).collect()
}

fn check_unknown(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for job in subject.jobs() {
        let labels = labels(job);
        // Who has runners of their own gives them labels of their own.
        if labels.iter().any(|label| label.text.eq_ignore_ascii_case("self-hosted")) {
            continue;
        }
        for label in labels.iter().filter(|label| !label.company) {
            let text = label.text.to_ascii_lowercase();
            let own = subject.context.runner_labels.iter().any(|own| own.eq_ignore_ascii_case(&text));
            let gone = GONE.iter().any(|(gone, _)| *gone == text);
            if own || gone || text.trim().is_empty() || is_known(&text) {
                continue;
            }
            let nearest = suggest::nearest(&text, LABELS.into_iter().filter(|known| known.contains('-')));
            let mut diagnostic =
                UNKNOWN.at(label.token.span(), format!("no runner of GitHub has the label `{}`", label.text));
            diagnostic = if let Some(nearest) = nearest {
                diagnostic.help(format!("did you mean `{nearest}`?"))
            } else {
                diagnostic.severity = Severity::Note;
                diagnostic
                    .help("if a runner of yours has it, name it in `runners.labels` of `longshore.toml`")
            };
            found.push(diagnostic);
        }
    }
}

fn is_known(label: &str) -> bool {
    // Larger runners are named by their owners, mostly after GitHub's own with the number of cores.
    LABELS.contains(&label)
        || label.contains("core")
        || VENDORS.iter().any(|vendor| label.starts_with(vendor))
}

fn check_retired(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for label in subject.jobs().iter().flat_map(labels) {
        let own = subject.context.runner_labels.iter().any(|own| own.eq_ignore_ascii_case(label.text));
        let gone = GONE.iter().find(|(gone, _)| gone.eq_ignore_ascii_case(label.text)).filter(|_| !own);
        if let Some((_, instead)) = gone {
            let message = format!(
                "GitHub has shut down `{}`: the job waits for a runner and is cancelled after a day",
                label.text
            );
            found.push(RETIRED.at(label.token.span(), message).help(format!("use `{instead}`")));
        }
    }
}
