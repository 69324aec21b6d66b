//! Jobs as GitHub shows them: steps on a runner, or the call of a workflow.

use longshore_syntax::SourceFile;
use longshore_workflow::plan::{
    ActionKind, ActionUse, CallPlan, CallSecretsPlan, CalledWorkflow, ContainerPlan, EnvironmentPlan,
    JobBody, JobInstance, RunsOn, StepPlan, StepPlanKind, StepsPlan,
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::planned::{PermissionsDto, PlannedDto, object};
use super::run::{ConcurrencyDto, JobDto};

#[derive(Debug, Serialize)]
pub(super) struct InstanceDto<'a> {
    key: &'a str,
    name: PlannedDto<'a, &'a str>,
    cell: Option<Value>,
    permissions: PermissionsDto,
    concurrency: Option<ConcurrencyDto<'a>>,
    /// Null for a job that calls a workflow.
    on_runner: Option<StepsDto<'a>>,
    /// Null for a job of steps.
    call: Option<CallDto<'a>>,
}

impl<'a> InstanceDto<'a> {
    pub(super) fn new(instance: &'a JobInstance) -> Self {
        let (on_runner, call) = match &instance.body {
            JobBody::Steps(steps) => (Some(StepsDto::new(steps)), None),
            JobBody::Call(call) => (None, Some(CallDto::new(call))),
        };
        Self {
            key: &instance.key,
            name: PlannedDto::text(&instance.name),
            cell: instance.cell.as_ref().map(object),
            permissions: PermissionsDto::new(&instance.permissions),
            concurrency: instance.concurrency.as_ref().map(ConcurrencyDto::new),
            on_runner,
            call,
        }
    }
}

#[derive(Debug, Serialize)]
struct StepsDto<'a> {
    runs_on: PlannedDto<'a, RunsOnDto<'a>>,
    environment: Option<EnvironmentDto<'a>>,
    container: Option<ContainerDto<'a>>,
    services: Vec<ServiceDto<'a>>,
    timeout_minutes: PlannedDto<'a, f64>,
    continue_on_error: PlannedDto<'a, bool>,
    outputs: &'a [String],
    steps: Vec<StepDto<'a>>,
    actions: Vec<ActionDto<'a>>,
    secrets: &'a [String],
    vars: &'a [String],
}

impl<'a> StepsDto<'a> {
    fn new(plan: &'a StepsPlan) -> Self {
        let service = |(name, container): &'a (String, ContainerPlan)| ServiceDto {
            name,
            image: PlannedDto::text(&container.image),
        };
        Self {
            runs_on: PlannedDto::new(&plan.runs_on, RunsOnDto::new),
            environment: plan.environment.as_ref().map(EnvironmentDto::new),
            container: plan
                .container
                .as_ref()
                .map(|container| ContainerDto { image: PlannedDto::text(&container.image) }),
            services: plan.services.iter().map(service).collect(),
            timeout_minutes: PlannedDto::new(&plan.timeout_minutes, |minutes| *minutes),
            continue_on_error: PlannedDto::new(&plan.continue_on_error, |value| *value),
            outputs: &plan.outputs,
            steps: plan.steps.iter().map(StepDto::new).collect(),
            actions: plan.actions.iter().map(ActionDto::new).collect(),
            secrets: &plan.secrets,
            vars: &plan.vars,
        }
    }
}

#[derive(Debug, Serialize)]
struct RunsOnDto<'a> {
    labels: &'a [String],
    group: Option<&'a str>,
}

impl<'a> RunsOnDto<'a> {
    fn new(runner: &'a RunsOn) -> Self {
        Self { labels: &runner.labels, group: runner.group.as_deref() }
    }
}

#[derive(Debug, Serialize)]
struct EnvironmentDto<'a> {
    name: PlannedDto<'a, &'a str>,
    url: Option<PlannedDto<'a, &'a str>>,
    deployment: PlannedDto<'a, bool>,
}

impl<'a> EnvironmentDto<'a> {
    fn new(plan: &'a EnvironmentPlan) -> Self {
        Self {
            name: PlannedDto::text(&plan.name),
            url: plan.url.as_ref().map(PlannedDto::text),
            deployment: PlannedDto::new(&plan.deployment, |value| *value),
        }
    }
}

#[derive(Debug, Serialize)]
struct ContainerDto<'a> {
    image: PlannedDto<'a, &'a str>,
}

#[derive(Debug, Serialize)]
struct ServiceDto<'a> {
    name: &'a str,
    image: PlannedDto<'a, &'a str>,
}

/// One step; which further keys there are depends on `kind`.
#[derive(Debug, Serialize)]
struct StepDto<'a> {
    id: &'a str,
    name: PlannedDto<'a, &'a str>,
    #[serde(rename = "if")]
    condition: Option<&'a str>,
    background: bool,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    uses: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    targets: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<Vec<StepDto<'a>>>,
}

impl<'a> StepDto<'a> {
    fn new(step: &'a StepPlan) -> Self {
        let dto = |kind| Self {
            id: &step.id,
            name: PlannedDto::text(&step.name),
            condition: step.condition.as_deref(),
            background: step.background,
            kind,
            uses: None,
            targets: None,
            target: None,
            steps: None,
        };
        match &step.kind {
            StepPlanKind::Run => dto("run"),
            StepPlanKind::Uses { uses } => Self { uses: Some(uses), ..dto("uses") },
            StepPlanKind::Wait { targets } => Self { targets: Some(targets), ..dto("wait") },
            StepPlanKind::WaitAll => dto("wait-all"),
            StepPlanKind::Cancel { target } => Self { target: Some(target), ..dto("cancel") },
            StepPlanKind::Parallel { steps } => {
                Self { steps: Some(steps.iter().map(Self::new).collect()), ..dto("parallel") }
            }
        }
    }
}

#[derive(Debug, Serialize)]
struct ActionDto<'a> {
    uses: &'a str,
    kind: &'static str,
    /// Directory, reference or image.
    source: String,
    via: &'a [String],
}

impl<'a> ActionDto<'a> {
    fn new(action: &'a ActionUse) -> Self {
        let (kind, source) = match &action.kind {
            ActionKind::Local { path } => ("local", format!("./{path}")),
            ActionKind::Remote(reference) => ("remote", reference.to_string()),
            ActionKind::Docker { image } => ("docker", image.clone()),
        };
        Self { uses: &action.uses, kind, source, via: &action.via }
    }
}

/// The call of a workflow.
#[derive(Debug, Serialize)]
struct CallDto<'a> {
    uses: &'a str,
    reference: Option<String>,
    inputs: Map<String, Value>,
    secrets: Value,
    called: CalledDto<'a>,
}

impl<'a> CallDto<'a> {
    fn new(call: &'a CallPlan) -> Self {
        let input = |(name, value): &'a (String, _)| {
            let planned = PlannedDto::new(value, |value: &longshore_expr::Value| Value::from(value));
            (name.clone(), serde_json::to_value(planned).unwrap_or_default())
        };
        Self {
            uses: &call.uses,
            reference: call.reference.as_ref().map(ToString::to_string),
            inputs: call.inputs.iter().map(input).collect(),
            secrets: secrets(&call.secrets),
            called: CalledDto::new(&call.called),
        }
    }
}

/// `{"kind": "none"}`, `{"kind": "inherit"}`, or `{"kind": "mapping", "mapping": {name: [the caller's names]}}`.
fn secrets(secrets: &CallSecretsPlan) -> Value {
    match secrets {
        CallSecretsPlan::None => json!({ "kind": "none" }),
        CallSecretsPlan::Inherit => json!({ "kind": "inherit" }),
        CallSecretsPlan::Mapping(entries) => {
            let mapping: Map<String, Value> =
                entries.iter().map(|(name, from)| (name.clone(), from.clone().into())).collect();
            json!({ "kind": "mapping", "mapping": mapping })
        }
    }
}

/// The called workflow: `jobs`, `missing`, `refused` or `skipped`.
#[derive(Debug, Serialize)]
struct CalledDto<'a> {
    kind: &'static str,
    reason: Option<&'a str>,
    path: Option<&'a str>,
    name: Option<&'a str>,
    stages: &'a [Vec<String>],
    jobs: Vec<JobDto<'a>>,
    outputs: &'a [String],
}

impl<'a> CalledDto<'a> {
    fn new(called: &'a CalledWorkflow) -> Self {
        let without = |kind, reason| Self {
            kind,
            reason,
            path: None,
            name: None,
            stages: &[],
            jobs: Vec::new(),
            outputs: &[],
        };
        match called {
            CalledWorkflow::Missing(why) => without("missing", Some(why.as_str())),
            CalledWorkflow::Refused(why) => without("refused", Some(why.as_str())),
            CalledWorkflow::Skipped => without("skipped", None),
            CalledWorkflow::Jobs { file, name, jobs, stages, outputs } => Self {
                kind: "jobs",
                reason: None,
                path: Some(file.name()),
                name: Some(name),
                stages,
                jobs: job_dtos(jobs, file),
                outputs,
            },
        }
    }
}

fn job_dtos<'a>(jobs: &'a [longshore_workflow::plan::JobPlan], file: &SourceFile) -> Vec<JobDto<'a>> {
    jobs.iter().map(|job| JobDto::new(job, file)).collect()
}
