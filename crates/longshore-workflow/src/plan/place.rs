//! Where and how a job of steps runs.

use longshore_expr::Value;
use longshore_syntax::SourceFile;

use super::planner::Planner;
use super::scope::Scope;
use super::{ContainerPlan, EnvironmentPlan, Planned, RunsOn, StepPlan, StepPlanKind, StepsPlan, reads};
use crate::evaluate::{Knowledge, TokenEvaluator};
use crate::model::{Job, Step, StepKind, StepsJob};
use crate::template::{Token, TokenKind};

/// GitHub's limit for a job that sets none.
const DEFAULT_TIMEOUT_MINUTES: f64 = 360.0;

impl Planner<'_> {
    /// A job of steps.
    pub(super) fn steps_job(
        &mut self,
        scope: &Scope<'_>,
        job: &Job,
        steps: &StepsJob,
        knowledge: &Knowledge,
    ) -> StepsPlan {
        let file = scope.file();
        let (secrets, vars) = reads::of_job(scope.workflow, &scope.job_tokens, job);
        let actions = self.actions(scope, steps);
        self.evaluate(file, knowledge, |evaluator| StepsPlan {
            runs_on: runs_on(evaluator, steps.runs_on.as_ref()),
            environment: steps.environment.as_ref().and_then(|token| environment(evaluator, token)),
            container: steps.container.as_ref().map(|token| container(evaluator, token)),
            services: steps.services.as_ref().map_or_else(Vec::new, |token| services(evaluator, token)),
            timeout_minutes: steps
                .timeout_minutes
                .as_ref()
                .map_or(Planned::Known(DEFAULT_TIMEOUT_MINUTES), |token| evaluator.number(token)),
            continue_on_error: steps
                .continue_on_error
                .as_ref()
                .map_or(Planned::Known(false), |token| evaluator.boolean(token)),
            outputs: keys(steps.outputs.as_ref()),
            steps: steps.steps.iter().map(|item| step(file, evaluator, item)).collect(),
            actions,
            secrets,
            vars,
        })
    }
}

/// The keys of a mapping that are text.
pub(super) fn keys(token: Option<&Token>) -> Vec<String> {
    let entries = token.map_or(&[][..], Token::entries);
    entries.iter().filter_map(|(key, _)| key.as_str().map(str::to_owned)).collect()
}

fn runs_on(evaluator: &mut TokenEvaluator<'_>, token: Option<&Token>) -> Planned<RunsOn> {
    let Some(token) = token else { return Planned::Known(RunsOn::default()) };
    match evaluator.value(token) {
        Planned::Known(value) => {
            let runner = match &value {
                Value::Object(entries) => RunsOn {
                    labels: entries.get("labels").map_or_else(Vec::new, texts),
                    group: entries.get("group").map(|group| group.to_text().into_owned()),
                },
                value => RunsOn { labels: texts(value), group: None },
            };
            if runner.labels.is_empty() && runner.group.is_none() {
                let message = "`runs-on` names no runner".to_owned();
                return Planned::Failed(evaluator.refuse_at(token.span(), message));
            }
            Planned::Known(runner)
        }
        Planned::Deferred(deferred) => Planned::Deferred(deferred),
        Planned::Failed(text) => Planned::Failed(text),
    }
}

/// One text or several; empty ones are none.
fn texts(value: &Value) -> Vec<String> {
    let one = |value: &Value| value.to_text().into_owned();
    let mut texts = match value {
        Value::Array(items) => items.iter().map(one).collect(),
        value => vec![one(value)],
    };
    texts.retain(|text| !text.is_empty());
    texts
}

fn environment(evaluator: &mut TokenEvaluator<'_>, token: &Token) -> Option<EnvironmentPlan> {
    let (name, url, deployment) = match &token.kind {
        TokenKind::Mapping(_) => (token.entry("name")?, token.entry("url"), token.entry("deployment")),
        _ => (token, None, None),
    };
    let name = evaluator.text(name);
    if name.known().is_some_and(String::is_empty) {
        return None;
    }
    Some(EnvironmentPlan {
        name,
        url: url.map(|token| evaluator.text(token)),
        deployment: deployment.map_or(Planned::Known(true), |token| evaluator.boolean(token)),
    })
}

fn container(evaluator: &mut TokenEvaluator<'_>, token: &Token) -> ContainerPlan {
    let image = match &token.kind {
        TokenKind::Mapping(_) => token.entry("image"),
        _ => Some(token),
    };
    let image = match image {
        None => Planned::Known(String::new()),
        Some(token) => match evaluator.value(token) {
            // An expression may give the whole mapping.
            Planned::Known(Value::Object(entries)) => Planned::Known(
                entries.get("image").map_or_else(String::new, |image| image.to_text().into_owned()),
            ),
            value => value.map(|value| value.to_text().into_owned()),
        },
    };
    ContainerPlan { image }
}

fn services(evaluator: &mut TokenEvaluator<'_>, token: &Token) -> Vec<(String, ContainerPlan)> {
    if token.as_expression().is_none() {
        let named = token.entries().iter().filter_map(|(key, value)| Some((key.as_str()?, value)));
        return named.map(|(name, value)| (name.to_owned(), container(evaluator, value))).collect();
    }
    let Planned::Known(Value::Object(services)) = evaluator.value(token) else { return Vec::new() };
    let image = |service: &Value| service.property("image").unwrap_or(service).to_text().into_owned();
    services
        .iter()
        .map(|(name, service)| (name.to_string(), ContainerPlan { image: Planned::Known(image(service)) }))
        .collect()
}

fn step(file: &SourceFile, evaluator: &mut TokenEvaluator<'_>, step: &Step) -> StepPlan {
    let name = match &step.name {
        Some(token) => evaluator.text(token),
        None => Planned::Known(made_name(file, evaluator, &step.kind)),
    };
    let ids =
        |targets: &[longshore_syntax::Spanned<String>]| targets.iter().map(|id| id.value.clone()).collect();
    let kind = match &step.kind {
        StepKind::Run { .. } => StepPlanKind::Run,
        StepKind::Uses { uses, .. } => StepPlanKind::Uses { uses: uses.value.clone() },
        StepKind::Wait { targets } => StepPlanKind::Wait { targets: ids(targets) },
        StepKind::WaitAll => StepPlanKind::WaitAll,
        StepKind::Cancel { target } => StepPlanKind::Cancel { target: target.value.clone() },
        StepKind::Parallel { steps } => StepPlanKind::Parallel {
            steps: steps.iter().map(|inner| self::step(file, evaluator, inner)).collect(),
        },
    };
    StepPlan {
        id: step.id.clone(),
        span: step.span,
        name,
        condition: step.condition.as_written(file),
        background: step.background.as_ref().is_some_and(|background| background.value),
        kind,
    }
}

/// What GitHub calls a step without a name.
fn made_name(file: &SourceFile, evaluator: &mut TokenEvaluator<'_>, kind: &StepKind) -> String {
    match kind {
        StepKind::Run { script, .. } => {
            let written = || file.slice(script.span()).trim_matches(['"', '\'']).to_owned();
            let text = evaluator.known_text(script).unwrap_or_else(written);
            let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !is_block_header(line));
            format!("Run {}", line.unwrap_or_default())
        }
        StepKind::Uses { uses, .. } => format!("Run {}", uses.value),
        StepKind::Wait { .. } => "Wait".to_owned(),
        StepKind::WaitAll => "Wait for all".to_owned(),
        StepKind::Cancel { target } => format!("Cancel {}", target.value),
        StepKind::Parallel { .. } => "Parallel".to_owned(),
    }
}

/// The `|` or `>` that begins a block in the file.
fn is_block_header(line: &str) -> bool {
    matches!(line.as_bytes(), [b'|' | b'>', rest @ ..] if rest.iter().all(|b| matches!(b, b'+' | b'-' | b'0'..=b'9')))
}
