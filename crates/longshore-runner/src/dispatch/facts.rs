//! What is the same for all jobs of a run.

use std::sync::Arc;

use longshore_core::Secret;
use longshore_event::{JobOutline, Masker, RunOutline, SCHEMA};
use longshore_expr::{Object, Value};
use longshore_workflow::event::WorkflowIdentity;
use longshore_workflow::plan::{CalledWorkflow, JobBody, JobPlan, Planned};

use crate::job::RunServices;
use crate::request::RunRequest;
use crate::runner::Runner;
use crate::trust::{is_of_dependabot, is_untrusted};

/// What is the same for all jobs of a run.
#[derive(Debug)]
pub(crate) struct RunFacts {
    pub(crate) request: RunRequest,
    pub(crate) masker: Arc<Masker>,
    /// The `github` context without what only a job knows.
    pub(crate) github: Object,
    /// The server for actions.
    pub(crate) services: RunServices,
}

impl RunFacts {
    pub(crate) fn new(_runner: &Runner, mut request: RunRequest, masker: Arc<Masker>) -> Self {
        if is_untrusted(&request.event) {
            request.secrets.clear();
            // A token that somebody gave us cannot be made one that only reads, so strangers get none.
            request.token = Secret::new(String::new());
        }
        masker.add(request.secrets.iter().map(|(_, secret)| secret.expose().as_str()));
        masker.add([request.token.expose().as_str()]);
        let github = github(&request);
        Self { request, masker, github, services: RunServices::default() }
    }

    /// The `secrets` context of the top level.
    pub(crate) fn secrets(&self) -> Object {
        let token = ("github_token", &self.request.token);
        let given = self.request.secrets.iter().map(|(name, secret)| (name.as_str(), secret));
        let entry = |(name, secret): (&str, &Secret<String>)| {
            (Arc::from(name), Value::from(secret.expose().as_str()))
        };
        let has_token = !self.request.token.expose().is_empty();
        Object::from_entries(has_token.then_some(token).into_iter().chain(given).map(entry).collect())
    }

    pub(crate) fn outline(&self) -> RunOutline {
        let request = &self.request;
        let mut jobs = Vec::new();
        add_jobs(&request.plan.jobs, &mut jobs);
        let title = match &request.plan.run_name {
            Some(Planned::Known(name)) if !name.trim().is_empty() => name.clone(),
            _ => request.workflow.display_name().to_owned(),
        };
        RunOutline {
            schema: SCHEMA.to_owned(),
            workflow: request.workflow.display_name().to_owned(),
            path: request.workflow.file.name().to_owned(),
            title: self.masker.mask(&title).into_owned(),
            event: request.event.name.clone(),
            git_ref: request.event.git_ref.clone(),
            sha: request.event.sha.clone(),
            number: request.number,
            attempt: request.attempt,
            directory: request.project.root.display().to_string(),
            jobs,
        }
    }
}

/// The jobs of a plan with those of called workflows in the place of the calls.
fn add_jobs(plans: &[JobPlan], jobs: &mut Vec<JobOutline>) {
    for plan in plans {
        for instance in &plan.instances {
            if let JobBody::Call(call) = &instance.body
                && let CalledWorkflow::Jobs { jobs: called, .. } = &call.called
            {
                add_jobs(called, jobs);
                continue;
            }
            let name = match &instance.name {
                Planned::Known(name) => name.clone(),
                Planned::Deferred(deferred) => deferred.text.clone(),
                Planned::Failed(_) => plan.id.clone(),
            };
            jobs.push(JobOutline { key: instance.key.clone(), name, needs: plan.needs.clone() });
        }
    }
}

fn secret_source(request: &RunRequest) -> &'static str {
    match &request.event {
        event if is_of_dependabot(event) => "Dependabot",
        event if is_untrusted(event) => "None",
        _ => "Actions",
    }
}

fn github(request: &RunRequest) -> Object {
    let identity =
        WorkflowIdentity { name: request.workflow.display_name(), path: request.workflow.file.name() };
    let mut github = match request.event.github_context(identity) {
        Value::Object(github) => github,
        _ => Object::default(),
    };
    let owner = request.project.repository.split('/').next().unwrap_or_default().to_owned();
    let defaults = [
        ("repository", request.project.repository.clone()),
        ("repository_owner", owner),
        ("actor", "longshore".to_owned()),
        ("triggering_actor", "longshore".to_owned()),
        ("sha", "0".repeat(40)),
        ("ref", String::new()),
        ("ref_name", String::new()),
        ("ref_type", "branch".to_owned()),
        ("base_ref", String::new()),
        ("head_ref", String::new()),
        ("secret_source", secret_source(request).to_owned()),
        ("retention_days", "90".to_owned()),
        ("repository_visibility", "private".to_owned()),
    ];
    for (key, value) in defaults {
        if github.get(key).is_none_or(|known| matches!(known, Value::Null)) {
            github = github.with(key, Value::from(value.as_str()));
        }
    }
    let own = [
        ("run_id", request.id.to_string()),
        ("run_number", request.number.to_string()),
        ("run_attempt", request.attempt.to_string()),
        ("token", request.token.expose().clone()),
    ];
    for (key, value) in own {
        github = github.with(key, Value::from(value.as_str()));
    }
    github.with("ref_protected", Value::Bool(false))
}
