//! Tokens that may do more than they need.

use longshore_syntax::{Diagnostic, Severity};
use longshore_workflow::model::{Access, Job, JobKind, Permissions};

use crate::{Rule, Subject};

pub(crate) const EXCESSIVE: Rule = Rule::new(
    "lint/excessive-permissions",
    Severity::Warning,
    "a token may write where only some jobs or none need it",
    check_excessive,
);

pub(crate) const MISSING: Rule = Rule::new(
    "lint/missing-permissions",
    Severity::Note,
    "a workflow leaves its token the repository's default permissions",
    check_missing,
);

pub(crate) const ID_TOKEN: Rule = Rule::new(
    "lint/unused-id-token",
    Severity::Note,
    "a job may ask for identity tokens and nothing in it seems to",
    check_id_token,
);

fn check_excessive(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let Some(workflow) = subject.workflow() else { return };
    let own = workflow.jobs.iter().map(|job| &job.permissions);
    for permissions in own.chain([&workflow.permissions]).flatten() {
        if let Permissions::All(access) = permissions
            && access.value == Access::Write
        {
            found.push(
                EXCESSIVE
                    .at(access.span, "`write-all` lets every step change everything in the repository")
                    .help("name the scopes that are needed, such as `contents: read`"),
            );
        }
    }
    let sharing = workflow.jobs.iter().filter(|job| job.permissions.is_none()).count();
    if let Some(Permissions::Scopes(scopes)) = workflow.permissions.as_ref().filter(|_| sharing > 1) {
        for (scope, access) in scopes.iter().filter(|(_, access)| access.value == Access::Write) {
            let message = format!(
                "`{}: write` is given to all {sharing} jobs that have no `permissions` of their own",
                scope.value
            );
            let mut diagnostic = EXCESSIVE.at(scope.span.to(access.span), message);
            diagnostic.severity = Severity::Note;
            found.push(diagnostic.help("give it to the job that needs it: `permissions:` below the job"));
        }
    }
}

fn check_missing(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let Some(workflow) = subject.workflow().filter(|workflow| workflow.permissions.is_none()) else { return };
    let open: Vec<(usize, &Job)> = workflow
        .jobs
        .iter()
        .enumerate()
        .filter(|(index, job)| job.permissions.is_none() && uses_token(subject, *index))
        .collect();
    if let Some((_, job)) = open.first() {
        let others = match open.len() {
            1 => String::new(),
            2 => " and one other job".to_owned(),
            many => format!(" and {} other jobs", many - 1),
        };
        found.push(
            MISSING
                .at(job.id.span, format!("the token of `{}`{others} has the repository's default permissions", job.id.value))
                .help("add `permissions:` with `contents: read` to the workflow, and more to the jobs that need more"),
        );
    }
}

/// Whether a job uses the token: by an action, which can always take it, or by name.
fn uses_token(subject: &Subject<'_>, job: usize) -> bool {
    let calls = subject.jobs().get(job).is_some_and(|job| matches!(job.kind, JobKind::Call(_)));
    calls
        || subject.steps_of(Some(job)).any(|view| view.action().is_some())
        || subject.sites.iter().filter(|site| site.job == Some(job)).any(|site| {
            site.references.iter().any(|read| {
                read.starts_with(&["github", "token"]) || read.starts_with(&["secrets", "GITHUB_TOKEN"])
            })
        })
}

/// Actions that do not ask for identity tokens.
const PLAIN: [&str; 4] =
    ["actions/checkout", "actions/cache", "actions/upload-artifact", "actions/download-artifact"];

/// Words in scripts that do.
const MARKS: [&str; 12] = [
    "ID_TOKEN",
    "oidc",
    "OIDC",
    "provenance",
    "cosign",
    "publish",
    "sigstore",
    "twine",
    "attest",
    "vault",
    "aws ",
    "gcloud",
];

fn check_id_token(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let Some(workflow) = subject.workflow() else { return };
    for (index, job) in workflow.jobs.iter().enumerate() {
        let Some(Permissions::Scopes(scopes)) = &job.permissions else { continue };
        let Some((scope, access)) = scopes.iter().find(|(scope, _)| scope.value == "id-token") else {
            continue;
        };
        let plain = matches!(job.kind, JobKind::Steps(_))
            && !job.steps().is_empty()
            && subject.steps_of(Some(index)).all(|view| match (view.uses(), view.run()) {
                (Some(_), _) => view.action().is_some_and(|action| {
                    PLAIN.contains(&action.as_str()) || action.starts_with("actions/setup-")
                }),
                (_, Some(run)) => {
                    let text = run.node.as_str().unwrap_or_default();
                    !MARKS.iter().any(|mark| text.contains(mark)) && !text.contains("./")
                }
                _ => true,
            });
        if access.value == Access::Write && plain {
            let message = format!("nothing in the job `{}` seems to ask for an identity token", job.id.value);
            found.push(ID_TOKEN.at(scope.span.to(access.span), message).help("drop `id-token: write`"));
        }
    }
}
