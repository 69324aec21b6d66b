//! What is the same for all jobs of a run.

use std::sync::Arc;

use longshore_core::Secret;
use longshore_event::{JobOutline, Masker, RunOutline, SCHEMA};
use longshore_expr::{Object, Value};
use longshore_workflow::event::WorkflowIdentity;
use longshore_workflow::plan::{CalledWorkflow, JobBody, JobPlan, Planned};

use crate::context::Scope;
use crate::evaluate::Evaluator;
use crate::job::RunServices;
use crate::request::RunRequest;
use crate::runner::Runner;
use crate::trust::{is_of_dependabot, is_untrusted};

/// Who causes a run of which nobody says so.
const ACTOR: &str = "longshore";

/// The secret or variable that shows what steps say for debugging.
const STEP_DEBUG: &str = "ACTIONS_STEP_DEBUG";

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
        request.debug |= is_debug_asked(&request);
        request.event.cause(ACTOR);
        if let Some(cron) = first_cron(&request) {
            request.event.fall_due(&cron);
        }
        let secrets = request.secrets.iter().filter(|(name, _)| !name.eq_ignore_ascii_case(STEP_DEBUG));
        masker.add(secrets.map(|(_, secret)| secret.expose().as_str()));
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

    /// `run-name`, or what GitHub makes of the event without it.
    fn run_name(&self) -> Option<String> {
        let request = &self.request;
        let name = match (&request.plan.run_name, &request.workflow.run_name) {
            (Some(Planned::Known(name)), _) => name.clone(),
            (_, Some(token)) => {
                let scope = Scope::default()
                    .with("github", Value::Object(self.github.clone()))
                    .with("inputs", Value::Object(request.inputs.clone()))
                    .with("vars", Value::Object(request.vars.clone()));
                Evaluator::new(&request.workflow.file, &scope).text(token).ok()?
            }
            _ => {
                let title = request.event.payload.property("pull_request")?.property("title")?;
                title.as_str()?.to_owned()
            }
        };
        Some(name).filter(|name| !name.trim().is_empty())
    }

    pub(crate) fn outline(&self) -> RunOutline {
        let request = &self.request;
        let mut jobs = Vec::new();
        add_jobs(&request.plan.jobs, &mut jobs);
        let title = self.run_name().unwrap_or_else(|| request.workflow.display_name().to_owned());
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

/// Whether the secret or variable for debugging is `true`; the secret counts first.
fn is_debug_asked(request: &RunRequest) -> bool {
    let secret = request.secrets.iter().find(|(name, _)| name.eq_ignore_ascii_case(STEP_DEBUG));
    let value = match secret {
        Some((_, secret)) => secret.expose().clone(),
        None => request.vars.get(STEP_DEBUG).map(|value| value.to_text().into_owned()).unwrap_or_default(),
    };
    value.trim().eq_ignore_ascii_case("true")
}

/// The first entry of `on.schedule`, if that is what starts the run.
fn first_cron(request: &RunRequest) -> Option<String> {
    let trigger = request.workflow.trigger("schedule").filter(|_| request.event.name == "schedule")?;
    Some(trigger.schedules.first()?.cron.value.clone())
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

/// A number for a name whose number only GitHub knows: always the same one (FNV-1a).
fn made_up_id(name: &str) -> String {
    let fold = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    name.to_ascii_lowercase().bytes().fold(0x811c_9dc5, fold).to_string()
}

fn github(request: &RunRequest) -> Object {
    let (name, path) = (request.workflow.context_name(), request.workflow.repository_path());
    let identity = WorkflowIdentity { name: &name, path: &path };
    let mut github = match request.event.github_context(identity) {
        Value::Object(github) => github,
        _ => Object::default(),
    };
    let owner = request.project.repository.split('/').next().unwrap_or_default().to_owned();
    let actor = request.event.actor.as_deref().unwrap_or(ACTOR);
    let defaults = [
        ("actor_id", made_up_id(actor)),
        ("repository", request.project.repository.clone()),
        ("repository_id", made_up_id(&request.project.repository)),
        ("repository_owner_id", made_up_id(&owner)),
        ("repository_owner", owner),
        ("actor", ACTOR.to_owned()),
        ("triggering_actor", ACTOR.to_owned()),
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
