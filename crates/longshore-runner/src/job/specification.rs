//! What a job is to be: its values in the workflow file, evaluated when it starts.

use std::path::Path;
use std::time::Duration;

use longshore_core::Secret;
use longshore_engine::{ContainerSpec, ImageSource, Login};
use longshore_expr::{Object, Value};
use longshore_workflow::model::{Defaults, StepsJob};
use longshore_workflow::template::Token;

use super::paths::Paths;
use super::{JobRun, minutes};
use crate::context::Scope;
use crate::evaluate::{EvaluationError, Evaluator};
use crate::image::UnknownRunner;

/// GitHub's limit for a job that sets none.
const DEFAULT_TIMEOUT: Duration = Duration::from_hours(6);

/// What a job is to be.
pub(crate) struct Specification {
    /// `runs-on`.
    pub(crate) labels: Vec<String>,
    /// What its root file system is made of.
    pub(crate) image: ImageSource,
    /// Its `container:`, if it has one.
    pub(crate) container: Option<ContainerSpecification>,
    /// Its services by name.
    pub(crate) services: Vec<(String, ContainerSpecification)>,
    /// `env` of workflow and job, in order.
    pub(crate) env: Vec<(String, String)>,
    /// `timeout-minutes`.
    pub(crate) timeout: Duration,
    /// `continue-on-error`.
    pub(crate) continue_on_error: bool,
    /// The name of its environment.
    pub(crate) environment: Option<String>,
    /// `defaults.run.shell`.
    pub(crate) shell: Option<String>,
    /// `defaults.run.working-directory`.
    pub(crate) working_directory: Option<String>,
}

/// `container:` or one of `services:`.
#[derive(Debug, Clone)]
pub(crate) struct ContainerSpecification {
    pub(crate) image: String,
    /// `options:`, read, over nothing.
    pub(crate) spec: ContainerSpec,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) ports: Vec<String>,
    pub(crate) volumes: Vec<String>,
    /// Who asks the registry for the image.
    pub(crate) login: Option<Login>,
    /// `command:` of a service.
    pub(crate) command: Vec<String>,
    /// `entrypoint:` of a service.
    pub(crate) entrypoint: Option<Vec<String>>,
}

/// Why a job cannot start.
pub(crate) enum Unfit {
    /// Nothing here runs it.
    Runner(UnknownRunner),
    /// A value is wrong.
    Value(String),
}

impl From<EvaluationError> for Unfit {
    fn from(error: EvaluationError) -> Self {
        Self::Value(error.to_string())
    }
}

impl Specification {
    pub(crate) fn new(run: &JobRun<'_>, model: &StepsJob) -> Result<Self, Unfit> {
        let workflow = &run.task.workflow;
        let (mut env, mut scope) = scope(run, model, model.container.is_some())?;
        let container = match &model.container {
            Some(token) => container(run, &Evaluator::new(&workflow.file, &scope).value(token)?)?,
            None => None,
        };
        if container.is_none() && model.container.is_some() {
            // An empty image stands for no container, and paths are others then.
            (env, scope) = self::scope(run, model, false)?;
        }
        let evaluator = Evaluator::new(&workflow.file, &scope);
        let labels = labels(&evaluator, model.runs_on.as_ref())?;
        let image = match &container {
            Some(container) => ImageSource::parse(&container.image),
            None => run.runner.images.find(&labels).map_err(Unfit::Runner)?,
        };
        let timeout = match &model.timeout_minutes {
            Some(token) => minutes(evaluator.number(token)?),
            None => DEFAULT_TIMEOUT,
        };
        let environment = model.environment.as_ref().map(|token| token.entry("name").unwrap_or(token));
        let (shell, working_directory) = defaults(&evaluator, &workflow.defaults, &model.defaults)?;
        Ok(Self {
            image,
            container,
            services: services(run, &evaluator, model.services.as_ref())?,
            timeout,
            continue_on_error: match &model.continue_on_error {
                Some(token) => evaluator.boolean(token)?,
                None => false,
            },
            environment: environment
                .map(|token| evaluator.text(token))
                .transpose()?
                .filter(|name| !name.is_empty()),
            shell,
            working_directory,
            labels,
            env,
        })
    }
}

/// `env` of the workflow and the job, and what the values of the job are evaluated with: that, and where its files are.
/// Values of the job's `env` may use those of the workflow.
fn scope(
    run: &JobRun<'_>,
    model: &StepsJob,
    in_container: bool,
) -> Result<(Vec<(String, String)>, Scope), EvaluationError> {
    let paths = Paths::new(Path::new(""), run.task.facts.request.project.name(), in_container);
    let mut scope = run.task.scope.clone();
    scope.set_entry("github", "workspace", Value::from(paths.workspace.as_str()));
    scope.set_entry("github", "event_path", Value::from(paths.event().as_str()));
    scope.set("env", Value::Object(Object::default()));
    let mut env: Vec<(String, String)> = Vec::new();
    for token in [&run.task.workflow.env, &model.env].into_iter().flatten() {
        for (name, value) in Evaluator::new(&run.task.workflow.file, &scope).texts(token)? {
            crate::environment::set(&mut env, &name, value);
        }
        let known = env.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        scope.set("env", crate::context::texts(known));
    }
    Ok((env, scope))
}

fn labels(evaluator: &Evaluator<'_>, token: Option<&Token>) -> Result<Vec<String>, Unfit> {
    let Some(token) = token else { return Ok(Vec::new()) };
    let value = evaluator.value(token)?;
    let value = match &value {
        Value::Object(entries) => entries.get("labels").cloned().unwrap_or_default(),
        _ => value,
    };
    let mut labels = match &value {
        Value::Array(items) => items.iter().map(|item| item.to_text().into_owned()).collect(),
        value => vec![value.to_text().into_owned()],
    };
    labels.retain(|label: &String| !label.trim().is_empty());
    Ok(labels)
}

fn defaults(
    evaluator: &Evaluator<'_>,
    workflow: &Defaults,
    job: &Defaults,
) -> Result<(Option<String>, Option<String>), EvaluationError> {
    let text = |token: Option<&Token>| -> Result<Option<String>, EvaluationError> {
        Ok(token.map(|token| evaluator.text(token)).transpose()?.filter(|text| !text.is_empty()))
    };
    let shell = text(job.shell.as_ref().or(workflow.shell.as_ref()))?;
    let directory = text(job.working_directory.as_ref().or(workflow.working_directory.as_ref()))?;
    Ok((shell, directory))
}

fn services(
    run: &JobRun<'_>,
    evaluator: &Evaluator<'_>,
    token: Option<&Token>,
) -> Result<Vec<(String, ContainerSpecification)>, Unfit> {
    let Some(token) = token else { return Ok(Vec::new()) };
    let Value::Object(services) = evaluator.value(token)? else { return Ok(Vec::new()) };
    let mut list = Vec::new();
    for (name, value) in services.iter() {
        // An empty image switches a service off.
        if let Some(service) = container(run, value)? {
            list.push((name.to_string(), service));
        }
    }
    Ok(list)
}

/// A container from its value; none if its image is empty.
fn container(run: &JobRun<'_>, value: &Value) -> Result<Option<ContainerSpecification>, Unfit> {
    let entry = |name: &str| value.property(name);
    let text = |name: &str| entry(name).map(|value| value.to_text().into_owned()).unwrap_or_default();
    let image = if value.is_primitive() { value.to_text().into_owned() } else { text("image") };
    let image = image.strip_prefix("docker://").unwrap_or(&image).trim().to_owned();
    if image.is_empty() {
        return Ok(None);
    }
    let list = |name: &str| match entry(name) {
        Some(Value::Array(items)) => items.iter().map(|item| item.to_text().into_owned()).collect(),
        _ => Vec::new(),
    };
    let words = |name: &str| -> Result<Vec<String>, Unfit> {
        let text = text(name);
        crate::environment::words(&text)
            .ok_or_else(|| Unfit::Value(format!("`{name}: {text}` of `{image}` has an open quote")))
    };
    let options = words("options")?;
    let spec = (run.runner.container_options)(&image, &options)
        .map_err(|why| Unfit::Value(format!("`options: {}` of `{image}`: {why}", text("options"))))?;
    let env = match entry("env") {
        Some(Value::Object(entries)) => {
            entries.iter().map(|(name, value)| (name.to_string(), value.to_text().into_owned())).collect()
        }
        _ => Vec::new(),
    };
    let entrypoint = words("entrypoint")?;
    Ok(Some(ContainerSpecification {
        spec,
        env,
        ports: list("ports"),
        volumes: list("volumes"),
        login: entry("credentials").map(|value| login(&image, value)).transpose()?.flatten(),
        command: words("command")?,
        entrypoint: (!entrypoint.is_empty()).then_some(entrypoint),
        image,
    }))
}

/// `credentials:` of a container; none if both of them are empty, as secrets are that a run was not given.
fn login(image: &str, value: &Value) -> Result<Option<Login>, Unfit> {
    let text =
        |name: &str| value.property(name).map(|value| value.to_text().into_owned()).unwrap_or_default();
    let (user, password) = (text("username"), text("password"));
    match (user.is_empty(), password.is_empty()) {
        (false, false) => Ok(Some(Login { user, password: Secret::new(password) })),
        (true, true) => Ok(None),
        (true, false) => Err(Unfit::Value(format!("`credentials` of `{image}` have no `username`"))),
        (false, true) => Err(Unfit::Value(format!("`credentials` of `{image}` have no `password`"))),
    }
}
