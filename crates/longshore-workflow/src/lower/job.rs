//! Jobs.

use longshore_syntax::{Diagnostic, Spanned};

use super::identifier::Ids;
use super::workflow::{defaults, permissions};
use super::{Lowering, text, texts};
use crate::model::{CallJob, CallSecrets, Job, JobKind, StepsJob};
use crate::template::{Token, TokenKind, code};

impl Lowering<'_> {
    /// `jobs:` in file order, with their `needs` checked.
    pub(super) fn jobs(&mut self, token: &Token) -> Vec<Job> {
        let jobs: Vec<Job> =
            token.entries().iter().filter_map(|(key, value)| self.job(text(key)?, value)).collect();
        self.check_needs(token, &jobs);
        jobs
    }

    fn job(&mut self, id: Spanned<String>, token: &Token) -> Option<Job> {
        if let Err(github) = Ids::default().claim(&id.value) {
            let message = format!("`{}` is not a job id", id.value);
            let diagnostic = Diagnostic::error(code::INVALID_ID, id.span, message)
                .help("letters, digits, `_` and `-`, starting with a letter or `_`, fewer than 100, not starting with `__`");
            self.refusals.push(github, diagnostic);
        }
        if !matches!(token.kind, TokenKind::Mapping(_)) {
            return None;
        }
        let mut job = Job {
            id,
            span: token.span(),
            name: None,
            needs: Vec::new(),
            has_needs: false,
            condition: Self::success(),
            strategy: None,
            permissions: None,
            concurrency: None,
            kind: JobKind::Steps(Box::default()),
        };
        let mut steps = StepsJob::default();
        let mut call = None;
        for (key, value) in token.entries() {
            let key = key.as_str().unwrap_or_default();
            if !self.common_key(&mut job, key, value) && !self.call_key(&mut call, key, value) {
                self.steps_key(&mut steps, key, value);
            }
        }
        job.kind = if let Some(PartialCall { uses: Some(uses), with, secrets }) = call {
            self.check_workflow_reference(&uses);
            JobKind::Call(Box::new(CallJob { uses, with, secrets: secrets.unwrap_or(CallSecrets::None) }))
        } else {
            // Without `runs-on` it is no job of steps, which the schema has refused.
            if token.entry("runs-on").is_some() {
                self.check_has_steps(&job.id, token.entry("steps"));
            }
            JobKind::Steps(Box::new(steps))
        };
        Some(job)
    }

    /// The keys that both kinds of jobs have.
    fn common_key(&mut self, job: &mut Job, key: &str, value: &Token) -> bool {
        match key {
            "name" => job.name = Some(value.clone()),
            "needs" => {
                job.needs = texts(value);
                job.has_needs = true;
            }
            "if" => job.condition = self.condition(Some(value)),
            "strategy" => job.strategy = Some(value.clone()),
            "permissions" => job.permissions = permissions(value),
            "concurrency" => job.concurrency = Some(self.concurrency(value)),
            _ => return false,
        }
        true
    }

    fn call_key(&mut self, call: &mut Option<PartialCall>, key: &str, value: &Token) -> bool {
        if !matches!(key, "uses" | "with" | "secrets") {
            return false;
        }
        let call = call.get_or_insert_default();
        match key {
            "uses" => call.uses = text(value),
            "with" => call.with = self.mapping(value, "uses-with value"),
            _ if value.as_str() == Some("inherit") => call.secrets = Some(CallSecrets::Inherit),
            _ => call.secrets = self.mapping(value, "uses-secrets value").map(CallSecrets::Mapping),
        }
        true
    }

    fn steps_key(&mut self, job: &mut StepsJob, key: &str, value: &Token) {
        let some = || Some(value.clone());
        match key {
            "runs-on" => {
                self.check_runs_on(value);
                job.runs_on = some();
            }
            "environment" => {
                self.plain_keys(value, "job environment key");
                job.environment = some();
            }
            "env" => job.env = self.mapping(value, "job env"),
            "defaults" => {
                job.defaults = defaults(value);
                self.check_defaults(&job.defaults);
            }
            "timeout-minutes" => {
                self.check_minutes(Some(value));
                job.timeout_minutes = some();
            }
            "cancel-timeout-minutes" => job.cancel_timeout_minutes = some(),
            "continue-on-error" => job.continue_on_error = some(),
            "container" => {
                self.check_container(value);
                job.container = some();
            }
            "services" => {
                self.check_services(value);
                job.services = some();
            }
            "outputs" => job.outputs = self.mapping(value, "job outputs"),
            "snapshot" => job.snapshot = some(),
            "steps" => job.steps = self.steps(value, true),
            _ => {}
        }
    }

    /// The group of `runs-on` may carry a prefix that says whose it is.
    fn check_runs_on(&mut self, token: &Token) {
        self.plain_keys(token, "job runs-on property name");
        let Some((name, group)) = token.entry("group").and_then(|group| Some((group.as_str()?, group)))
        else {
            return;
        };
        let github = match name.split('/').collect::<Vec<_>>().as_slice() {
            ["org" | "organization" | "ent" | "enterprise", ""] => {
                format!("Invalid runs-on group name '{name}'.")
            }
            [_] | ["org" | "organization" | "ent" | "enterprise", _] => return,
            _ => format!(
                "Invalid runs-on group name '{name}. Please use 'organization/' or 'enterprise/' prefix to target a \
                 single runner group.'"
            ),
        };
        let diagnostic = Diagnostic::error(
            code::INVALID_GROUP,
            group.span(),
            format!("`{name}` is not the name of a runner group"),
        )
        .help("write the group's name alone, or after `organization/` or `enterprise/`");
        self.refusals.push(github, diagnostic);
    }

    /// A called workflow is a file here (`./…`) or `owner/repository/path@ref`.
    fn check_workflow_reference(&mut self, uses: &Spanned<String>) {
        let text = uses.value.as_str();
        let local = text.strip_prefix("./").or_else(|| text.strip_prefix("$/"));
        let sound = match local {
            Some(path) => !path.is_empty() && !path.contains('@'),
            None => text.split_once('@').is_some_and(|(path, version)| {
                !version.is_empty() && path.split('/').filter(|part| !part.is_empty()).count() >= 3
            }),
        };
        if !sound {
            let message = format!("`{text}` does not name a workflow file");
            let diagnostic = Diagnostic::error(code::INVALID_USES, uses.span, message).help(
                "write `./.github/workflows/FILE.yml` or `OWNER/REPOSITORY/.github/workflows/FILE.yml@REF`",
            );
            self.refusals.push_unpublished(diagnostic);
        }
    }
}

/// The keys of a call as they come.
#[derive(Default)]
struct PartialCall {
    uses: Option<Spanned<String>>,
    with: Option<Token>,
    secrets: Option<CallSecrets>,
}
