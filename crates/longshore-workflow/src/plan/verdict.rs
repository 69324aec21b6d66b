//! Whether jobs run, as far as that is known: `if:`, the status functions and `needs`.
//!
//! `success()` and `failure()` look at all jobs that a job needs, directly or not, as GitHub does: a job behind a skipped
//! one is skipped even if the job between them runs. Before the run every job that runs is taken to succeed, so a job
//! that runs on failure alone is left to the run; what reads `needs.*.result` as well.

use std::collections::{HashMap, HashSet, VecDeque};

use longshore_syntax::Span;

use super::{Deferred, Planned, Verdict};
use crate::evaluate::{Evaluated, Fact, Knowledge, StatusFacts, evaluate, excerpt};
use crate::model::{Condition, Job};

/// How many results a job is said to wait for.
const SHOWN_RESULTS: usize = 16;

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
    /// What it needs, by lower-case id.
    needs: Vec<String>,
    /// What there is among all that it needs, directly or not.
    behind: Behind,
}

/// Which verdicts there are among some jobs.
#[derive(Default, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "a set of verdicts; each is there or not")]
struct Behind {
    runs: bool,
    skipped: bool,
    deferred: bool,
    failed: bool,
}

impl Behind {
    fn add(&mut self, decided: &Decided) {
        let behind = decided.behind;
        self.runs |= behind.runs || matches!(decided.verdict, Verdict::Runs);
        self.skipped |= behind.skipped || matches!(decided.verdict, Verdict::Skipped { .. });
        self.deferred |= behind.deferred || matches!(decided.verdict, Verdict::Deferred(_));
        self.failed |= behind.failed || matches!(decided.verdict, Verdict::Failed(_));
    }
}

impl Verdicts {
    /// Keeps the verdict on a job.
    pub(super) fn insert(&mut self, job: &Job, verdict: Verdict) {
        let needs = job.needs.iter().map(|need| key(&need.value)).collect();
        let decided = Decided { id: job.id.value.clone(), verdict, needs, behind: self.behind(job) };
        self.jobs.insert(key(&job.id.value), decided);
    }

    fn behind(&self, job: &Job) -> Behind {
        let mut behind = Behind::default();
        job.needs
            .iter()
            .filter_map(|need| self.jobs.get(&key(&need.value)))
            .for_each(|need| behind.add(need));
        behind
    }

    fn verdict(&self, id: &str) -> Option<&Verdict> {
        self.jobs.get(&key(id)).map(|decided| &decided.verdict)
    }

    /// The wanted among some jobs and all they need, directly or not, the nearest first; at most `most`.
    fn ancestors<'v>(
        &'v self,
        first: &[String],
        most: usize,
        wanted: impl Fn(&Decided) -> bool,
        look_behind: impl Fn(&Decided) -> bool,
    ) -> Vec<&'v Decided> {
        let mut waiting: VecDeque<String> = first.iter().cloned().collect();
        let mut seen: HashSet<String> = waiting.iter().cloned().collect();
        let mut found = Vec::new();
        while let Some(id) = waiting.pop_front() {
            let Some(decided) = self.jobs.get(&id) else { continue };
            if wanted(decided) {
                found.push(decided);
            }
            if found.len() >= most {
                break;
            }
            if look_behind(decided) {
                waiting.extend(decided.needs.iter().filter(|need| seen.insert((*need).clone())).cloned());
            }
        }
        found
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
        let behind = self.behind(job);
        let success =
            if behind.skipped || behind.failed { Some(false) } else { (!behind.deferred).then_some(true) };
        let may_fail = behind.runs || behind.deferred;
        let failure = if behind.failed { Some(true) } else { (!may_fail).then_some(false) };
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
                let Some(decided) = self.jobs.get(&key(&need.value)) else { continue };
                if let Some(how) = how_stopped(decided) {
                    return (format!("it needs `{}`, which {how}", need.value), need.span);
                }
            }
            for need in &job.needs {
                let stopped = |decided: &Decided| how_stopped(decided).is_some();
                let hides = |decided: &Decided| decided.behind.skipped || decided.behind.failed;
                if let [decided] = self.ancestors(&[key(&need.value)], 1, stopped, hides).as_slice() {
                    let how = how_stopped(decided).unwrap_or_default();
                    let text = format!("it needs `{}` through `{}`, which {how}", decided.id, need.value);
                    return (text, need.span);
                }
            }
        }
        let span = job.condition.written.as_ref().map_or(job.id.span, |written| written.span);
        (format!("its `if` is false{}", values(&job.condition, knowledge)), span)
    }

    /// Says which results the status functions wait for.
    fn name_results(&self, job: &Job, deferred: Deferred) -> Deferred {
        let needs: Vec<String> = job.needs.iter().map(|need| key(&need.value)).collect();
        let mut waits_for = Vec::new();
        for wait in deferred.waits_for {
            let decided = match wait.as_str() {
                "success()" => {
                    let deferred = |decided: &Decided| matches!(decided.verdict, Verdict::Deferred(_));
                    self.ancestors(&needs, SHOWN_RESULTS, deferred, |decided| decided.behind.deferred)
                }
                "failure()" => {
                    let may_fail = |decided: &Decided| !matches!(decided.verdict, Verdict::Skipped { .. });
                    self.ancestors(&needs, SHOWN_RESULTS, may_fail, |_| true)
                }
                _ => {
                    crate::evaluate::add_waits(&mut waits_for, vec![wait]);
                    continue;
                }
            };
            let results = decided.iter().map(|decided| format!("needs.{}.result", decided.id)).collect();
            crate::evaluate::add_waits(&mut waits_for, results);
        }
        let text = deferred.text;
        Deferred { text, waits_for }
    }
}

/// What happens to a job that does not run, as a verb.
fn how_stopped(decided: &Decided) -> Option<&'static str> {
    match decided.verdict {
        Verdict::Skipped { .. } => Some("is skipped"),
        Verdict::Failed(_) => Some("fails"),
        _ => None,
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
                _ if names_secret(&reference.dotted()) => format!("`{}` is not shown", reference.dotted()),
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

/// Whether what stands under this name must not be printed: payloads may hold tokens.
fn names_secret(path: &str) -> bool {
    let name = path.rsplit('.').next().unwrap_or(path).to_ascii_lowercase();
    ["token", "secret", "password", "passwd", "credential", "private_key", "api_key"]
        .iter()
        .any(|word| name.contains(word))
}
