//! Actions and runtimes that GitHub has retired.

use longshore_syntax::{Diagnostic, Severity};
use longshore_workflow::model::Runs;

use crate::{Document, Rule, Subject};

pub(crate) const ACTION: Rule = Rule::new(
    "lint/deprecated-action",
    Severity::Warning,
    "a version of an action that no longer works or runs on a retired runtime",
    check_actions,
);

pub(crate) const RUNTIME: Rule = Rule::new(
    "lint/deprecated-runtime",
    Severity::Warning,
    "an action runs on a version of Node that runners no longer have",
    check_runtime,
);

/// Actions whose old versions fail: the services that they talk to are gone. With the first version that works.
const FAILING: [(&str, u32); 5] = [
    ("actions/upload-artifact", 4),
    ("actions/download-artifact", 4),
    ("actions/cache", 3),
    ("actions/cache/restore", 3),
    ("actions/cache/save", 3),
];

/// Actions with their first version that does not ask for Node 12 or 16.
const OLD: [(&str, u32); 24] = [
    ("actions/checkout", 4),
    ("actions/setup-node", 4),
    ("actions/setup-python", 5),
    ("actions/setup-go", 5),
    ("actions/setup-java", 4),
    ("actions/setup-dotnet", 4),
    ("actions/cache", 4),
    ("actions/github-script", 7),
    ("actions/labeler", 5),
    ("actions/stale", 9),
    ("actions/first-interaction", 2),
    ("actions/configure-pages", 4),
    ("actions/deploy-pages", 4),
    ("actions/dependency-review-action", 4),
    ("github/codeql-action/init", 3),
    ("github/codeql-action/analyze", 3),
    ("github/codeql-action/autobuild", 3),
    ("github/codeql-action/upload-sarif", 3),
    ("docker/login-action", 3),
    ("docker/setup-buildx-action", 3),
    ("docker/setup-qemu-action", 3),
    ("docker/build-push-action", 5),
    ("docker/metadata-action", 5),
    ("docker/bake-action", 4),
];

/// The major version that a reference ends in: 4 for `actions/checkout@v4.1`.
pub(super) fn major(uses: &str) -> Option<u32> {
    let (_, version) = uses.split_once('@')?;
    let version = version.strip_prefix('v').unwrap_or(version);
    let number = version.split('.').next()?;
    if number.len() > 3 { None } else { number.parse().ok() }
}

fn check_actions(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for view in &subject.steps {
        let (Some((uses, _)), Some(name)) = (view.uses(), view.action()) else { continue };
        let Some(version) = major(&uses.value) else { continue };
        let first =
            |table: &[(&str, u32)]| table.iter().find(|(action, _)| *action == name).map(|(_, first)| *first);
        if let Some(first) = first(&FAILING).filter(|first| version < *first) {
            let message = format!("`{}` fails: the service it needs was shut down", uses.value);
            let newest = if name.starts_with("actions/cache") { 4 } else { first };
            let mut diagnostic = ACTION.at(uses.span, message);
            diagnostic.severity = Severity::Error;
            found.push(diagnostic.help(format!("use version {newest} or newer")));
        } else if let Some(first) = first(&OLD).filter(|first| version < *first) {
            let message =
                format!("`{}` was made for a version of Node that runners no longer have", uses.value);
            found.push(ACTION.at(uses.span, message).help(format!("use version {first} or newer")));
        }
    }
}

fn check_runtime(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let Document::Action(action) = subject.document else { return };
    if let Some(Runs::Node { using, .. }) = &action.runs
        && matches!(using.value.to_ascii_lowercase().as_str(), "node12" | "node16")
    {
        let message =
            format!("runners no longer have `{}`; they run the action on a newer Node", using.value);
        found.push(RUNTIME.at(using.span, message).help("test the action with `node24` and say so"));
    }
}
