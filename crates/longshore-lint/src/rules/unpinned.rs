//! Code and images that others can change between two runs.

use longshore_syntax::{Diagnostic, Severity, Span};
use longshore_workflow::model::JobKind;
use longshore_workflow::template::Token;

use crate::{Rule, Subject};

pub(crate) const ACTION: Rule = Rule::new(
    "lint/unpinned-action",
    Severity::Warning,
    "an action or reusable workflow is not pinned to a commit",
    check_actions,
);

pub(crate) const IMAGE: Rule = Rule::new(
    "lint/unpinned-image",
    Severity::Note,
    "a container image has no tag, the tag `latest`, or no digest where it runs as an action",
    check_images,
);

/// Owners whose actions run with GitHub's own trust.
const OFFICIAL: [&str; 2] = ["actions", "github"];

/// Names that repositories give to branches.
const BRANCHES: [&str; 7] = ["main", "master", "develop", "dev", "trunk", "head", "latest"];

fn check_actions(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for view in &subject.steps {
        if let Some((uses, _)) = view.uses() {
            check_reference(&uses.value, uses.span, "action", found);
        }
    }
    for job in subject.jobs() {
        if let JobKind::Call(call) = &job.kind {
            check_reference(&call.uses.value, call.uses.span, "workflow", found);
        }
    }
}

fn check_reference(uses: &str, span: Span, what: &str, found: &mut Vec<Diagnostic>) {
    if uses.starts_with('.') || uses.starts_with("$/") || uses.starts_with("docker://") {
        return;
    }
    let Some((name, version)) = uses.split_once('@') else { return };
    if is_commit(version) {
        return;
    }
    let owner = name.split('/').next().unwrap_or_default();
    let official = OFFICIAL.iter().any(|known| known.eq_ignore_ascii_case(owner));
    let is_branch = BRANCHES.iter().any(|branch| branch.eq_ignore_ascii_case(version));
    let message = if is_branch {
        format!("`{name}` runs at the branch `{version}`: each push to it changes what runs here")
    } else {
        format!("`{name}` runs at `{version}`, which its owner can move to other code")
    };
    let mut diagnostic = ACTION
        .at(span, message)
        .help(format!("pin the {what} to a commit: `{name}@<40 digits> # {version}`"));
    if official && !is_branch {
        diagnostic.severity = Severity::Note;
    }
    found.push(diagnostic);
}

/// Whether a version is a whole commit id, SHA-1 or SHA-256.
pub(super) fn is_commit(version: &str) -> bool {
    matches!(version.len(), 40 | 64) && version.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn check_images(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for view in &subject.steps {
        if let Some((uses, _)) = view.uses()
            && let Some(image) = uses.value.strip_prefix("docker://")
            && !image.contains("@sha256:")
        {
            let message = format!("the image `{image}` has no digest, so it can change between two runs");
            found.push(IMAGE.at(uses.span, message).help("append `@sha256:…`"));
        }
    }
    for job in subject.jobs() {
        let JobKind::Steps(steps) = &job.kind else { continue };
        if let Some(container) = &steps.container {
            check_container(container, found);
        }
        let services = steps.services.iter().flat_map(Token::entries);
        services.for_each(|(_, service)| check_container(service, found));
    }
}

fn check_container(token: &Token, found: &mut Vec<Diagnostic>) {
    let image = token.entry("image").unwrap_or(token);
    let Some(name) = image.as_str().filter(|name| !name.is_empty()) else { return };
    if name.contains("@sha256:") {
        return;
    }
    let last = name.rsplit('/').next().unwrap_or(name);
    let message = match last.split_once(':') {
        None => format!("the image `{name}` has no tag, so it is whatever `latest` is today"),
        Some((_, "latest")) => format!("the image `{name}` is a different one from time to time"),
        Some(_) => return,
    };
    found.push(IMAGE.at(image.span(), message).help("name a version, or a digest with `@sha256:…`"));
}
