//! The jobs of one workflow.

use std::collections::{HashMap, HashSet};

use longshore_expr::{Object, Value};
use longshore_syntax::Diagnostic;

use super::planner::{MAX_UNITS, Planner};
use super::scope::Scope;
use super::strategy::{Strategy, strategy};
use super::verdict::Verdicts;
use super::{
    ConcurrencyPlan, JobBody, JobInstance, JobPlan, MatrixPlan, Planned, Selection, TokenPermissions,
    Verdict, stage,
};
use crate::evaluate::{Fact, Knowledge};
use crate::matrix::cell_name;
use crate::model::{Concurrency, Job, JobKind};
use crate::template::code;

impl Planner<'_> {
    /// The jobs of a workflow in file order, and their ids by stage.
    pub(super) fn jobs(
        &mut self,
        scope: &Scope<'_>,
        selection: Option<&Selection>,
    ) -> (Vec<JobPlan>, Vec<Vec<String>>) {
        let chosen = chosen(scope, selection);
        let jobs: Vec<&Job> = scope.workflow.jobs.iter().filter(|job| chosen(job)).collect();
        let stages = stage::order(&jobs);
        let mut verdicts = Verdicts::default();
        let mut plans: Vec<(usize, JobPlan)> = Vec::with_capacity(jobs.len());
        for (number, stage) in stages.iter().enumerate() {
            for at in stage {
                let Some(job) = jobs.get(*at) else { continue };
                let plan = self.job(scope, job, number, &mut verdicts, selection);
                plans.push((*at, plan));
            }
        }
        let id = |at: &usize| jobs.get(*at).map_or_else(String::new, |job| job.id.value.clone());
        let stages = stages.iter().map(|stage| stage.iter().map(id).collect()).collect();
        plans.sort_by_key(|(at, _)| *at);
        (plans.into_iter().map(|(_, plan)| plan).collect(), stages)
    }

    fn job(
        &mut self,
        scope: &Scope<'_>,
        job: &Job,
        stage: usize,
        verdicts: &mut Verdicts,
        selection: Option<&Selection>,
    ) -> JobPlan {
        let mut knowledge = scope.knowledge.clone().with("needs", verdicts.needs(job));
        knowledge.status = verdicts.status(job);
        let holds = self.evaluate(scope.file(), &knowledge, |evaluator| evaluator.condition(&job.condition));
        let mut verdict = verdicts.decide(job, &knowledge, holds);
        let (matrix, instances) = if matches!(verdict, Verdict::Skipped { .. }) {
            (MatrixPlan::None, vec![self.skipped(scope, job, &knowledge)])
        } else {
            let strategy = self.evaluate(scope.file(), &knowledge, |evaluator| strategy(evaluator, job));
            let (matrix, instances) = self.instances(scope, job, &knowledge, strategy, selection);
            if instances.is_empty() {
                let text = "no cell of its matrix is selected".to_owned();
                verdict = Verdict::Skipped { text, span: job.id.span };
            }
            (matrix, instances)
        };
        if matches!(matrix, MatrixPlan::Failed(_)) && verdict == Verdict::Runs {
            verdicts.insert(job, Verdict::Failed(String::new()));
        } else {
            verdicts.insert(job, verdict.clone());
        }
        JobPlan {
            id: job.id.value.clone(),
            span: job.id.span,
            needs: job.needs.iter().map(|need| need.value.clone()).collect(),
            stage,
            condition: job.condition.as_written(scope.file()),
            verdict,
            matrix,
            instances,
        }
    }

    /// A skipped job: nothing of it is evaluated for the run, so what would be wrong is not.
    fn skipped(&mut self, scope: &Scope<'_>, job: &Job, knowledge: &Knowledge) -> JobInstance {
        let knowledge = knowledge.clone().with("matrix", Fact::Unknown);
        let instance = self.quietly(|planner| planner.instance(scope, job, &knowledge, None, true));
        // Permissions are checked before anything runs.
        self.permissions(scope, Some(job));
        instance
    }

    fn instances(
        &mut self,
        scope: &Scope<'_>,
        job: &Job,
        knowledge: &Knowledge,
        strategy: Strategy,
        selection: Option<&Selection>,
    ) -> (MatrixPlan, Vec<JobInstance>) {
        let units = job.steps().len() + 1;
        if strategy.cells.as_ref().is_some_and(|cells| cells.len() * units > self.units_left) {
            let text =
                format!("the run has more than {MAX_UNITS} jobs and steps, which Longshore does not plan");
            let span = job.strategy.as_ref().map_or(job.id.span, crate::template::Token::span);
            self.report(scope.file(), Diagnostic::error(code::INVALID_MATRIX, span, text.clone()));
            let knowledge = knowledge.clone().with("matrix", Fact::Unknown).with("strategy", Fact::Unknown);
            let instance = self.quietly(|planner| planner.instance(scope, job, &knowledge, None, false));
            return (MatrixPlan::Failed(text), vec![instance]);
        }
        let Some(cells) = &strategy.cells else {
            let matrix = if matches!(strategy.matrix, MatrixPlan::None) {
                Fact::Known(Value::Null)
            } else {
                Fact::Unknown
            };
            let knowledge = knowledge.clone().with("matrix", matrix).with("strategy", strategy.context);
            return (strategy.matrix, vec![self.instance(scope, job, &knowledge, None, false)]);
        };
        let keep = |cell: &Object| selection.is_none_or(|selection| selects(selection, cell, cells));
        let mut instances = Vec::new();
        for (at, cell) in cells.iter().enumerate().filter(|(_, cell)| keep(cell)) {
            let knowledge = knowledge
                .clone()
                .with("matrix", Fact::Known(Value::Object(cell.clone())))
                .with("strategy", strategy.cell_context(at));
            instances.push(self.instance(scope, job, &knowledge, Some((at, cell)), false));
        }
        (strategy.matrix, instances)
    }

    fn instance(
        &mut self,
        scope: &Scope<'_>,
        job: &Job,
        knowledge: &Knowledge,
        cell: Option<(usize, &Object)>,
        skipped: bool,
    ) -> JobInstance {
        self.units_left = self.units_left.saturating_sub(job.steps().len() + 1);
        let key = scope.key(&job.id.value, cell.map(|(at, _)| at));
        let name = scope.full_name(self.name(scope, job, knowledge, cell.map(|(_, cell)| cell)));
        let permissions = self.permissions(scope, Some(job));
        let concurrency = job
            .concurrency
            .as_ref()
            .map(|concurrency| self.concurrency(scope.file(), concurrency, knowledge));
        let body = match &job.kind {
            JobKind::Steps(steps) => JobBody::Steps(Box::new(self.steps_job(scope, job, steps, knowledge))),
            JobKind::Call(job) => {
                let site =
                    super::calling::CallSite { key: &key, name: &name, permissions: &permissions, skipped };
                JobBody::Call(Box::new(self.call(scope, job, knowledge, &site)))
            }
        };
        let cell = cell.map(|(_, cell)| cell.clone());
        JobInstance { key, name, cell, permissions, concurrency, body }
    }

    /// What GitHub calls a job or cell. A name with an expression says itself which cell it is.
    fn name(
        &mut self,
        scope: &Scope<'_>,
        job: &Job,
        knowledge: &Knowledge,
        cell: Option<&Object>,
    ) -> Planned<String> {
        let plain = |name: &str| cell.map_or_else(|| name.to_owned(), |cell| cell_name(name, cell));
        match &job.name {
            None => Planned::Known(plain(&job.id.value)),
            Some(token) if token.as_expression().is_none() => {
                let text = token.as_str().filter(|text| !text.is_empty()).unwrap_or(&job.id.value);
                Planned::Known(plain(text))
            }
            Some(token) => {
                let name = self.evaluate(scope.file(), knowledge, |evaluator| evaluator.text(token));
                name.map(|name| if name.is_empty() { plain(&job.id.value) } else { name })
            }
        }
    }

    /// `concurrency:` of a workflow or job.
    pub(super) fn concurrency(
        &mut self,
        file: &longshore_syntax::SourceFile,
        concurrency: &Concurrency,
        knowledge: &Knowledge,
    ) -> ConcurrencyPlan {
        let group = concurrency.group.as_ref().unwrap_or(&concurrency.token);
        self.evaluate(file, knowledge, |evaluator| ConcurrencyPlan {
            group: evaluator.text(group),
            cancel_in_progress: concurrency
                .cancel_in_progress
                .as_ref()
                .map_or(Planned::Known(false), |token| evaluator.boolean(token)),
            queue_all: concurrency.queue.as_ref().is_some_and(|queue| queue.value == "max"),
        })
    }

    /// What the token of a job may do, or of the whole workflow.
    pub(super) fn permissions(&mut self, scope: &Scope<'_>, job: Option<&Job>) -> TokenPermissions {
        let written = job.and_then(|job| job.permissions.as_ref()).or(scope.workflow.permissions.as_ref());
        let wanted = written.map(TokenPermissions::from);
        let event = self.input.event;
        let mut permissions = match (&scope.caller, wanted) {
            (None, wanted) => wanted.unwrap_or(TokenPermissions::RepositoryDefault),
            (Some(caller), None) => caller.permissions.clone(),
            (Some(caller), Some(wanted)) => {
                let excess = wanted.excess(&caller.permissions);
                if let (Some(job), false) = (job, excess.is_empty()) {
                    let (file, span) = caller.place;
                    let diagnostic = super::permission::refused(&job.id.value, &excess, span);
                    self.report(file, diagnostic);
                }
                wanted.within(&caller.permissions)
            }
        };
        if event.is_fork && event.name == "pull_request" {
            permissions = permissions.read_only();
        }
        permissions
    }
}

/// Which jobs are kept: those named and all they need.
fn chosen(scope: &Scope<'_>, selection: Option<&Selection>) -> impl Fn(&Job) -> bool {
    let named = selection.map_or(&[][..], |selection| &selection.jobs);
    let mut kept: HashSet<String> = HashSet::new();
    let jobs = scope.workflow.jobs.iter();
    let index: HashMap<String, &Job> = jobs.map(|job| (job.id.value.to_ascii_lowercase(), job)).collect();
    let mut waiting: Vec<String> = named.iter().map(|id| id.to_ascii_lowercase()).collect();
    while let Some(id) = waiting.pop() {
        if let Some(job) = index.get(&id)
            && kept.insert(id)
        {
            waiting.extend(job.needs.iter().map(|need| need.value.to_ascii_lowercase()));
        }
    }
    let all = named.is_empty();
    move |job| all || kept.contains(&job.id.value.to_ascii_lowercase())
}

/// Whether a cell is selected. A key that no cell of the matrix has selects nothing away.
fn selects(selection: &Selection, cell: &Object, cells: &[Object]) -> bool {
    selection.matrix.iter().all(|(key, _)| {
        if !cells.iter().any(|cell| cell.get(key).is_some()) {
            return true;
        }
        let wanted = selection.matrix.iter().filter(|(other, _)| other.eq_ignore_ascii_case(key));
        let own = cell.get(key).map(|value| value.to_text().to_lowercase());
        wanted.into_iter().any(|(_, value)| own.as_deref() == Some(&value.to_lowercase()))
    })
}
