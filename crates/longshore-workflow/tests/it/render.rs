//! Plans as text for snapshots: everything that is in them, without regard to beauty.

use std::fmt::Write;

use longshore_expr::Value;
use longshore_syntax::{SourceFile, Span};
use longshore_workflow::plan::{
    ActionKind, CallPlan, CallSecretsPlan, CalledWorkflow, ConcurrencyPlan, JobBody, JobInstance, JobPlan,
    MatrixPlan, Plan, Planned, StepPlan, StepPlanKind, StepsPlan, TokenPermissions, Verdict,
};
use longshore_workflow::start::Start;

/// The plan, one thing per line.
pub(crate) fn render(plan: &Plan) -> String {
    let mut out = Text::default();
    for workflow in &plan.workflows {
        out.line(0, &format!("{} ({})", workflow.file.name(), workflow.name));
        out.line(1, &start(&workflow.start, Some(&workflow.file)));
        let Some(run) = &workflow.run else { continue };
        if let Some(name) = &run.run_name {
            out.line(1, &format!("run name: {}", planned(name)));
        }
        if let Some(concurrency) = &run.concurrency {
            out.line(1, &self::concurrency(concurrency));
        }
        out.line(1, &format!("token: {}", permissions(&run.permissions)));
        out.line(1, &format!("stages: {}", stages(&run.stages)));
        run.jobs.iter().for_each(|job| out.job(1, job, &workflow.file));
        for finding in &run.diagnostics {
            let diagnostic = &finding.diagnostic;
            let place = place(&finding.file, diagnostic.span);
            let severity = diagnostic.severity.as_str();
            let name = finding.file.name();
            out.line(1, &format!("{severity} {} {name} {place}: {}", diagnostic.code, diagnostic.message));
        }
    }
    for follow in &plan.follow_ups {
        let line = format!(
            "then {} ({}) on level {} after {}",
            follow.path,
            follow.name,
            follow.level,
            follow.after.join(", ")
        );
        out.line(0, &line);
        out.line(1, &start(&follow.start, None));
    }
    out.text
}

#[derive(Default)]
struct Text {
    text: String,
}

impl Text {
    fn line(&mut self, depth: usize, line: &str) {
        writeln!(self.text, "{}{line}", "  ".repeat(depth)).unwrap();
    }

    fn job(&mut self, depth: usize, job: &JobPlan, file: &SourceFile) {
        let needs =
            if job.needs.is_empty() { String::new() } else { format!(" needs {}", job.needs.join(", ")) };
        self.line(
            depth,
            &format!("job {} in stage {}{needs}: {}", job.id, job.stage, verdict(&job.verdict, file)),
        );
        if let Some(condition) = &job.condition {
            self.line(depth + 1, &format!("if: {condition}"));
        }
        match &job.matrix {
            MatrixPlan::None => {}
            MatrixPlan::Cells { fail_fast, max_parallel } => {
                let most = max_parallel.as_ref().map_or("all".to_owned(), planned);
                self.line(depth + 1, &format!("matrix: fail fast {}, at once {most}", planned(fail_fast)));
            }
            MatrixPlan::Deferred(deferred) => {
                self.line(
                    depth + 1,
                    &format!("matrix: {}", planned::<bool>(&Planned::Deferred(deferred.clone()))),
                );
            }
            MatrixPlan::Failed(text) => self.line(depth + 1, &format!("matrix: FAILED {text}")),
        }
        job.instances.iter().for_each(|instance| self.instance(depth + 1, instance));
    }

    fn instance(&mut self, depth: usize, instance: &JobInstance) {
        let cell = instance
            .cell
            .clone()
            .map_or(String::new(), |cell| format!(" {}", Value::Object(cell).to_json_compact()));
        self.line(depth, &format!("- {} [{}]{cell}", planned(&instance.name), instance.key));
        self.line(depth + 1, &format!("token: {}", permissions(&instance.permissions)));
        if let Some(concurrency) = &instance.concurrency {
            self.line(depth + 1, &self::concurrency(concurrency));
        }
        match &instance.body {
            JobBody::Steps(steps) => self.steps(depth + 1, steps),
            JobBody::Call(plan) => self.call(depth + 1, plan),
        }
    }

    fn steps(&mut self, depth: usize, plan: &StepsPlan) {
        self.line(depth, &format!("runs on: {}", planned(&plan.runs_on)));
        if let Some(environment) = &plan.environment {
            let url = environment.url.as_ref().map_or(String::new(), |url| format!(" at {}", planned(url)));
            let deployment = planned(&environment.deployment);
            self.line(
                depth,
                &format!("environment: {}{url}, deployment {deployment}", planned(&environment.name)),
            );
        }
        if let Some(container) = &plan.container {
            self.line(depth, &format!("container: {}", planned(&container.image)));
        }
        for (name, service) in &plan.services {
            self.line(depth, &format!("service {name}: {}", planned(&service.image)));
        }
        if plan.timeout_minutes != Planned::Known(360.0) {
            self.line(depth, &format!("minutes: {}", planned(&plan.timeout_minutes)));
        }
        if plan.continue_on_error != Planned::Known(false) {
            self.line(depth, &format!("continue on error: {}", planned(&plan.continue_on_error)));
        }
        for (what, names) in [("outputs", &plan.outputs), ("secrets", &plan.secrets), ("vars", &plan.vars)] {
            if !names.is_empty() {
                self.line(depth, &format!("{what}: {}", names.join(", ")));
            }
        }
        for action in &plan.actions {
            let kind = match &action.kind {
                ActionKind::Local { path } => format!("local {path}"),
                ActionKind::Remote(reference) => format!("remote {reference}"),
                ActionKind::Docker { image } => format!("image {image}"),
            };
            let via = if action.via.is_empty() {
                String::new()
            } else {
                format!(" via {}", action.via.join(" > "))
            };
            self.line(depth, &format!("action: {} = {kind}{via}", action.uses));
        }
        plan.steps.iter().for_each(|step| self.step(depth, step));
    }

    fn step(&mut self, depth: usize, step: &StepPlan) {
        let condition = step.condition.as_ref().map_or(String::new(), |text| format!(" if {text}"));
        let background = if step.background { " &" } else { "" };
        self.line(depth, &format!("step {}: {}{background}{condition}", step.id, planned(&step.name)));
        if let StepPlanKind::Parallel { steps } = &step.kind {
            steps.iter().for_each(|inner| self.step(depth + 1, inner));
        }
    }

    fn call(&mut self, depth: usize, call: &CallPlan) {
        let reference = call.reference.as_ref().map_or("nothing".to_owned(), ToString::to_string);
        self.line(depth, &format!("calls {} = {reference}", call.uses));
        for (name, value) in &call.inputs {
            self.line(
                depth,
                &format!("input {name}: {}", planned(&value.clone().map(|value| value.to_json_compact()))),
            );
        }
        match &call.secrets {
            CallSecretsPlan::None => {}
            CallSecretsPlan::Inherit => self.line(depth, "secrets: all"),
            CallSecretsPlan::Mapping(secrets) => {
                for (name, from) in secrets {
                    self.line(depth, &format!("secret {name} from {}", from.join(", ")));
                }
            }
        }
        match &call.called {
            CalledWorkflow::Skipped => {}
            CalledWorkflow::Missing(text) => self.line(depth, &format!("MISSING {text}")),
            CalledWorkflow::Refused(text) => self.line(depth, &format!("REFUSED {text}")),
            CalledWorkflow::Jobs { file, name, jobs, stages, outputs } => {
                let stages = self::stages(stages);
                self.line(depth, &format!("{name} stages: {stages}, outputs: {}", outputs.join(", ")));
                jobs.iter().for_each(|job| self.job(depth, job, file));
            }
        }
    }
}

trait Show {
    fn show(&self) -> String;
}

impl Show for String {
    fn show(&self) -> String {
        self.clone()
    }
}

impl Show for bool {
    fn show(&self) -> String {
        self.to_string()
    }
}

impl Show for f64 {
    fn show(&self) -> String {
        self.to_string()
    }
}

impl Show for longshore_workflow::plan::RunsOn {
    fn show(&self) -> String {
        let group = self.group.as_ref().map_or(String::new(), |group| format!(" of group {group}"));
        format!("{}{group}", self.labels.join(" + "))
    }
}

fn planned<T: Show>(value: &Planned<T>) -> String {
    match value {
        Planned::Known(value) => value.show(),
        Planned::Deferred(deferred) => {
            format!("LATER {} (waits for {})", deferred.text, deferred.waits_for.join(", "))
        }
        Planned::Failed(text) => format!("FAILED {text}"),
    }
}

fn verdict(verdict: &Verdict, file: &SourceFile) -> String {
    match verdict {
        Verdict::Runs => "runs".to_owned(),
        Verdict::Skipped { text, span } => format!("skipped, {text} {}", place(file, *span)),
        Verdict::Deferred(deferred) => format!("later, waits for {}", deferred.waits_for.join(", ")),
        Verdict::Failed(text) => format!("FAILED {text}"),
    }
}

fn start(start: &Start, file: Option<&SourceFile>) -> String {
    match start {
        Start::Starts(started) => {
            let inputs = Value::Object(started.inputs.clone()).to_json_compact();
            let inputs = if started.inputs.is_empty() { String::new() } else { format!(" with {inputs}") };
            format!("starts: {}{inputs}", started.text)
        }
        Start::Stopped(stopped) => {
            let place = stopped.span.zip(file).map_or(String::new(), |(span, file)| place(file, span));
            format!("stopped by {} {place}: {}", stopped.obstacle.as_str(), stopped.text)
        }
    }
}

fn place(file: &SourceFile, span: Span) -> String {
    let position = file.position(span.start);
    format!("at {}:{}", position.line, position.column)
}

fn stages(stages: &[Vec<String>]) -> String {
    stages.iter().map(|stage| stage.join(" ")).collect::<Vec<_>>().join(" | ")
}

fn concurrency(plan: &ConcurrencyPlan) -> String {
    let queue = if plan.queue_all { ", keeps all" } else { "" };
    format!("concurrency: {}, cancels {}{queue}", planned(&plan.group), planned(&plan.cancel_in_progress))
}

fn permissions(permissions: &TokenPermissions) -> String {
    match permissions {
        TokenPermissions::RepositoryDefault => "repository's default".to_owned(),
        TokenPermissions::All(access) => format!("{} all", access.as_str()),
        TokenPermissions::Scopes(scopes) if scopes.is_empty() => "nothing".to_owned(),
        TokenPermissions::Scopes(scopes) => {
            let scopes: Vec<String> =
                scopes.iter().map(|(name, access)| format!("{name}: {}", access.as_str())).collect();
            scopes.join(", ")
        }
    }
}
