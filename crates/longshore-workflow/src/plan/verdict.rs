//! Whether jobs run, as far as that is known: `if:`, the status functions and `needs`.
//!
//! `success()` and `failure()` look at all jobs that a job needs, directly or not, as GitHub does: a job behind a skipped
//! one is skipped even if the job between them runs. Before the run every job that runs is taken to succeed, so a job
//! that runs on failure alone is left to the run; what reads `needs.*.result` as well.

use std::collections::{BTreeSet, HashMap};

use longshore_syntax::Span;

use super::{Deferred, Planned, Verdict};
use crate::evaluate::{Evaluated, Fact, Knowledge, StatusFacts, evaluate, excerpt};
use crate::model::{Condition, Job};

/// How many values a reason shows.
const SHOWN_VALUES: usize = 3;

/// What is decided about the jobs so far.
#[derive(Default)]
pub(super) struct Verdicts {
    /// By lower-case id.
    jobs: HashMap<String, Decided>,
}

struct Decided {
    id: String,
    verdict: Verdict,
    /// All jobs it needs, directly or not.
    ancestors: BTreeSet<String>,
}

impl Verdicts {
    /// Keeps the verdict on a job.
    pub(super) fn insert(&mut self, job: &Job, verdict: Verdict) {
        let ancestors = self.ancestors(job);
        let decided = Decided { id: job.id.value.clone(), verdict, ancestors };
        self.jobs.insert(key(&job.id.value), decided);
    }

    fn ancestors(&self, job: &Job) -> BTreeSet<String> {
        let mut ancestors = BTreeSet::new();
        for need in &job.needs {
            let need = key(&need.value);
            if let Some(decided) = self.jobs.get(&need) {
                ancestors.extend(decided.ancestors.iter().cloned());
            }
            ancestors.insert(need);
        }
        ancestors
    }

    fn verdict(&self, id: &str) -> Option<&Verdict> {
        self.jobs.get(&key(id)).map(|decided| &decided.verdict)
    }

    /// The `needs` context of a job.
    pub(super) fn needs(&self, job: &Job) -> Fact {
        Fact::object(job.needs.iter().map(|need| {
            let (result, outputs) = match self.verdict(&need.value) {
                Some(Verdict::Skipped { .. }) => {
                    (Fact::text("skipped"), Fact::Known(longshore_expr::Object::default().into()))
                }
                _ => (Fact::Unknown, Fact::Unknown),
            };
            (need.value.as_str(), Fact::object([("result", result), ("outputs", outputs)]))
        }))
    }

    /// The status functions of a job.
    pub(super) fn status(&self, job: &Job) -> StatusFacts {
        let ancestors = self.ancestors(job);
        let verdicts = || ancestors.iter().filter_map(|id| self.verdict(id));
        let stopped = verdicts().any(|v| matches!(v, Verdict::Skipped { .. } | Verdict::Failed(_)));
        let deferred = verdicts().any(|v| matches!(v, Verdict::Deferred(_)));
        let success = if stopped { Some(false) } else { (!deferred).then_some(true) };
        let failed = verdicts().any(|v| matches!(v, Verdict::Failed(_)));
        let may_fail = verdicts().any(|v| matches!(v, Verdict::Runs | Verdict::Deferred(_)));
        let failure = if failed { Some(true) } else { (!may_fail).then_some(false) };
        let jobs = job.needs.iter().map(|need| {
            let succeeded = match self.verdict(&need.value) {
                Some(Verdict::Runs) => Some(true),
                Some(Verdict::Skipped { .. } | Verdict::Failed(_)) => Some(false),
                _ => None,
            };
            (need.value.clone(), succeeded)
        });
        StatusFacts { success, failure, cancelled: Some(false), jobs: jobs.collect() }
    }

    /// Whether a job runs, given the evaluation of its condition.
    pub(super) fn decide(&self, job: &Job, knowledge: &Knowledge, holds: Planned<bool>) -> Verdict {
        match holds {
            Planned::Known(true) => Verdict::Runs,
            Planned::Known(false) => {
                let (text, span) = self.skip_reason(job, knowledge);
                Verdict::Skipped { text, span }
            }
            Planned::Failed(text) => Verdict::Failed(text),
            Planned::Deferred(deferred) => Verdict::Deferred(self.name_results(job, deferred)),
        }
    }

    fn skip_reason(&self, job: &Job, knowledge: &Knowledge) -> (String, Span) {
        let guarded = match &job.condition.written {
            Some(written) => !written.expr.calls_status_function(),
            None => true,
        };
        if guarded && knowledge.status.success == Some(false) {
            for need in &job.needs {
                let ancestors = self.jobs.get(&key(&need.value)).map(|decided| &decided.ancestors);
                let is = |id: &str, wanted: fn(&Verdict) -> bool| self.verdict(id).is_some_and(wanted);
                let skipped: fn(&Verdict) -> bool = |v| matches!(v, Verdict::Skipped { .. });
                let failed: fn(&Verdict) -> bool = |v| matches!(v, Verdict::Failed(_));
                if is(&need.value, skipped) {
                    return (format!("it needs `{}`, which is skipped", need.value), need.span);
                }
                if is(&need.value, failed) {
                    return (format!("it needs `{}`, which fails", need.value), need.span);
                }
                let further = ancestors.into_iter().flatten().find(|id| is(id, skipped) || is(id, failed));
                if let Some(further) = further.and_then(|id| self.jobs.get(id)) {
                    let how = if skipped(&further.verdict) { "is skipped" } else { "fails" };
                    let text = format!("it needs `{}` through `{}`, which {how}", further.id, need.value);
                    return (text, need.span);
                }
            }
        }
        let span = job.condition.written.as_ref().map_or(job.id.span, |written| written.span);
        (format!("its `if` is false{}", values(&job.condition, knowledge)), span)
    }

    /// Says which results the status functions wait for.
    fn name_results(&self, job: &Job, deferred: Deferred) -> Deferred {
        let mut waits_for = Vec::new();
        for wait in deferred.waits_for {
            let results: Vec<String> = match wait.as_str() {
                "success()" | "failure()" => self
                    .ancestors(job)
                    .iter()
                    .filter_map(|id| self.jobs.get(id))
                    .filter(|decided| match wait.as_str() {
                        "success()" => matches!(decided.verdict, Verdict::Deferred(_)),
                        _ => !matches!(decided.verdict, Verdict::Skipped { .. }),
                    })
                    .map(|decided| format!("needs.{}.result", decided.id))
                    .collect(),
                _ => vec![wait],
            };
            crate::evaluate::add_waits(&mut waits_for, results);
        }
        let text = deferred.text;
        Deferred { text, waits_for }
    }
}

fn key(id: &str) -> String {
    id.to_ascii_lowercase()
}

/// The values that a condition has read, for a reason.
fn values(condition: &Condition, knowledge: &Knowledge) -> String {
    let Some(written) = &condition.written else { return String::new() };
    let mut shown: Vec<String> = Vec::new();
    let mut visit = |expr: &longshore_expr::Expr| {
        let references = expr.references();
        let [reference] = references.as_slice() else { return };
        let mut part = expr;
        // Only what is read itself, not what is computed from it.
        while let longshore_expr::ExprKind::Group(inner) = &part.kind {
            part = inner;
        }
        let is_read = matches!(
            part.kind,
            longshore_expr::ExprKind::Property { .. } | longshore_expr::ExprKind::Index { .. }
        );
        if !is_read || reference.span != part.span || shown.len() >= SHOWN_VALUES {
            return;
        }
        if let Ok(Evaluated::Known(value)) = evaluate(part, knowledge)
            && value.is_primitive()
        {
            let text = match value.to_text() {
                text if text.is_empty() => format!("`{}` is empty", reference.dotted()),
                text => format!("`{}` is `{}`", reference.dotted(), excerpt(&text)),
            };
            if !shown.contains(&text) {
                shown.push(text);
            }
        }
    };
    written.expr.walk(&mut visit);
    if shown.is_empty() { String::new() } else { format!(": {}", shown.join(", ")) }
}
