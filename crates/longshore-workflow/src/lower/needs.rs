//! `needs:` form a graph without cycles that starts somewhere.

use std::collections::{HashMap, HashSet, VecDeque};

use longshore_syntax::{Diagnostic, Spanned, suggest};

use super::Lowering;
use crate::model::Job;
use crate::template::{Token, code};

impl Lowering<'_> {
    pub(super) fn check_needs(&mut self, token: &Token, jobs: &[Job]) {
        if jobs.is_empty() && !token.entries().is_empty() {
            return;
        }
        if jobs.iter().all(|job| !job.needs.is_empty()) {
            let span = token.entries().first().map_or(token.span(), |(key, _)| key.span());
            let github = "The workflow must contain at least one job with no dependencies.";
            let message = if jobs.is_empty() {
                "there is no job"
            } else {
                "every job needs another one, so none can start"
            };
            self.refusals.push_within(
                token.span(),
                github,
                Diagnostic::error(code::NO_FIRST_JOB, span, message),
            );
            // The published parser stops here; a person is helped more by the name that is wrong.
            let ids = ids(jobs);
            for job in jobs {
                for need in job.needs.iter().filter(|need| !ids.contains(need.value.as_str())) {
                    self.refusals.push_unpublished(unknown_need(jobs, &job.id.value, need));
                }
            }
            return;
        }
        let ids = ids(jobs);
        for (job, need) in unsatisfied(jobs) {
            if ids.contains(need.value.as_str()) {
                self.refuse_cycle(jobs, job, need);
            } else {
                let github = format!("Job '{job}' depends on unknown job '{}'.", need.value);
                self.refusals.push(github, unknown_need(jobs, job, need));
            }
        }
    }

    fn refuse_cycle(&mut self, jobs: &[Job], job: &str, need: &Spanned<String>) {
        let name = &need.value;
        let github =
            format!("Job '{job}' depends on job '{name}' which creates a cycle in the dependency graph.");
        let message = match (job == name, jobs.len() <= LOOKED_INTO && reaches(jobs, name, job)) {
            (true, _) => format!("`{job}` waits for itself, so it can never start"),
            (false, true) => format!("`{job}` and `{name}` wait for each other, so neither can start"),
            (false, false) => format!("`{job}` needs `{name}`, which can never start"),
        };
        self.refusals.push(github, Diagnostic::error(code::NEEDS_CYCLE, need.span, message));
    }
}

/// In files of more jobs, findings are not looked into further: each would take the time of all jobs.
const LOOKED_INTO: usize = 1_000;

fn ids(jobs: &[Job]) -> HashSet<&str> {
    jobs.iter().map(|job| job.id.value.as_str()).collect()
}

fn unknown_need(jobs: &[Job], job: &str, need: &Spanned<String>) -> Diagnostic {
    let name = &need.value;
    let message = format!("`{job}` needs `{name}`, which is no job of this workflow");
    let diagnostic = Diagnostic::error(code::UNKNOWN_NEED, need.span, message);
    if jobs.len() > LOOKED_INTO {
        return diagnostic;
    }
    let candidates = jobs.iter().map(|job| job.id.value.as_str());
    match suggest::nearest(name, candidates) {
        Some(nearest) => diagnostic.help(format!("did you mean `{nearest}`?")),
        None => diagnostic,
    }
}

/// Whether `from` needs `to`, directly or through others.
fn reaches(jobs: &[Job], from: &str, to: &str) -> bool {
    let mut seen = HashSet::from([from]);
    let mut open = vec![from];
    while let Some(id) = open.pop() {
        let job = jobs.iter().find(|job| job.id.value == id);
        for need in job.into_iter().flat_map(|job| &job.needs) {
            if need.value == to {
                return true;
            }
            if seen.insert(&need.value) {
                open.push(&need.value);
            }
        }
    }
    false
}

/// What is left of each job's needs when every job that can start has been followed; in the order of GitHub's search.
fn unsatisfied(jobs: &[Job]) -> Vec<(&str, &Spanned<String>)> {
    let mut dependants: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut open: Vec<Vec<&Spanned<String>>> = jobs.iter().map(|job| job.needs.iter().collect()).collect();
    for (index, job) in jobs.iter().enumerate() {
        for need in &job.needs {
            dependants.entry(need.value.as_str()).or_default().push(index);
        }
    }
    let mut ready: VecDeque<&str> =
        jobs.iter().filter(|job| job.needs.is_empty()).map(|job| job.id.value.as_str()).collect();
    while let Some(done) = ready.pop_front() {
        for &index in dependants.get(done).into_iter().flatten() {
            let before = open[index].len();
            open[index].retain(|need| need.value != done);
            if before > 0 && open[index].is_empty() {
                ready.push_back(jobs[index].id.value.as_str());
            }
        }
    }
    jobs.iter()
        .zip(open)
        .flat_map(|(job, needs)| needs.into_iter().map(|need| (job.id.value.as_str(), need)))
        .collect()
}
