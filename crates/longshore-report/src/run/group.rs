//! Jobs as they are shown: the cells of one matrix together.

use std::borrow::Cow;
use std::collections::HashMap;

use longshore_event::{Conclusion, JobState, JobStatus, RunState, Timestamp};

use super::words::one_line;

/// A job, or the cells of a matrix, in the order of the run.
#[derive(Debug, Clone)]
pub(super) struct Group<'s> {
    /// One, or the cells.
    pub(super) jobs: Vec<&'s JobState>,
    /// What the cells are called together.
    pub(super) title: Cow<'s, str>,
}

/// How many jobs are how far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tally {
    pub(super) passed: usize,
    pub(super) failed: usize,
    /// Those that failed and whose failure does not count.
    pub(super) forgiven: usize,
    pub(super) cancelled: usize,
    pub(super) skipped: usize,
    pub(super) running: usize,
    pub(super) waiting: usize,
}

impl Tally {
    pub(super) fn of<'s>(jobs: impl IntoIterator<Item = &'s JobState>) -> Self {
        let mut tally = Self::default();
        jobs.into_iter().for_each(|job| tally.add(job));
        tally
    }

    /// Counts one more.
    pub(super) fn add(&mut self, job: &JobState) {
        *match &job.status {
            JobStatus::Finished(Conclusion::Success) => &mut self.passed,
            JobStatus::Finished(Conclusion::Failure) if job.continue_on_error => &mut self.forgiven,
            JobStatus::Finished(Conclusion::Failure) => &mut self.failed,
            JobStatus::Finished(Conclusion::Cancelled) => &mut self.cancelled,
            JobStatus::Finished(Conclusion::Skipped) | JobStatus::Skipped(_) => &mut self.skipped,
            JobStatus::Running => &mut self.running,
            JobStatus::Pending | JobStatus::Queued(_) => &mut self.waiting,
        } += 1;
    }

    /// How many there are.
    pub(super) fn total(self) -> usize {
        self.passed
            + self.failed
            + self.forgiven
            + self.cancelled
            + self.skipped
            + self.running
            + self.waiting
    }

    /// The numbers that are not zero, with their words while the run goes on.
    pub(super) fn words(self) -> Vec<String> {
        self.said("running", "waiting")
    }

    /// The same when nothing goes on.
    pub(super) fn final_words(self) -> Vec<String> {
        self.said("interrupted", "not begun")
    }

    fn said(self, running: &str, waiting: &str) -> Vec<String> {
        let numbers = [
            (self.running, running),
            (self.failed, "failed"),
            (self.passed, "passed"),
            (self.forgiven, "failed without counting"),
            (self.cancelled, "cancelled"),
            (self.skipped, "skipped"),
            (self.waiting, waiting),
        ];
        let there = numbers.into_iter().filter(|(number, _)| *number > 0);
        there.map(|(number, word)| format!("{number} {word}")).collect()
    }

    /// How the jobs have ended as one, if all have.
    pub(super) fn conclusion(self) -> Option<Conclusion> {
        if self.running + self.waiting > 0 {
            return None;
        }
        let counts = [
            (self.failed, Conclusion::Failure),
            (self.cancelled, Conclusion::Cancelled),
            (self.passed + self.forgiven, Conclusion::Success),
        ];
        counts.into_iter().find(|(number, _)| *number > 0).map(|found| found.1).or(Some(Conclusion::Skipped))
    }
}

impl<'s> Group<'s> {
    /// The jobs of a run, in the order of the workflow.
    pub(super) fn all(state: &'s RunState) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        let mut places: HashMap<&str, usize> = HashMap::new();
        for job in &state.jobs {
            match matrix(job.key.as_str()).map(|id| (id, places.get(id))) {
                Some((_, Some(place))) => groups[*place].jobs.push(job),
                Some((id, None)) => {
                    places.insert(id, groups.len());
                    groups.push(Self { jobs: vec![job], title: Cow::Borrowed("") });
                }
                None => groups.push(Self { jobs: vec![job], title: Cow::Borrowed("") }),
            }
        }
        for group in &mut groups {
            group.title = title(&group.jobs);
        }
        // Cells of a matrix that was not known at first are told of late; their place is that of the matrix.
        let known = (0..).zip(&state.outline.jobs).map(|(place, job)| (job.key.as_str(), place));
        let known: HashMap<&str, usize> = known.collect();
        groups.sort_by_cached_key(|group| {
            let key = group.jobs.first().map_or("", |job| job.key.as_str());
            known.get(key).or_else(|| known.get(matrix(key)?)).copied().unwrap_or(usize::MAX)
        });
        groups
    }

    /// The job, if it is one alone.
    pub(super) fn single(&self) -> Option<&'s JobState> {
        match self.jobs.as_slice() {
            [job] => Some(job),
            _ => None,
        }
    }

    /// What a cell is called below the title.
    pub(super) fn cell(&self, job: &'s JobState) -> Cow<'s, str> {
        let rest = one_line(&job.name);
        match rest.strip_prefix(self.title.as_ref()).map(str::trim) {
            Some(rest) if !rest.is_empty() => Cow::Owned(
                rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(rest).to_owned(),
            ),
            _ => rest,
        }
    }

    /// When the first began and, if all have ended, the last ended.
    pub(super) fn times(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        let started = self.jobs.iter().filter_map(|job| job.started).min();
        (started, self.jobs.iter().filter_map(|job| job.finished).max())
    }
}

/// What the names of all cells begin with.
fn title<'s>(jobs: &[&'s JobState]) -> Cow<'s, str> {
    let Some(job) = jobs.first() else { return Cow::Borrowed("") };
    if jobs.len() == 1 {
        return one_line(&job.name);
    }
    let title = job.name.split_once(" (").map_or("", |(title, _)| title);
    let shared = jobs.iter().all(|job| job.name.starts_with(title));
    if title.is_empty() || !shared {
        return one_line(matrix(job.key.as_str()).unwrap_or(job.key.as_str()));
    }
    one_line(title)
}

/// The id of the job whose cell this is.
fn matrix(key: &str) -> Option<&str> {
    let (id, number) = key.rsplit_once('/')?;
    number.bytes().all(|byte| byte.is_ascii_digit()).then_some(id)
}
