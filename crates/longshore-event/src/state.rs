//! What the events of a run add up to.

use std::collections::BTreeMap;

use crate::{
    Annotation, Conclusion, Event, EventKind, JobEvent, JobKey, RunEvent, RunId, RunOutline, ServiceState,
    StepEvent, StepNumber, StepStage, Timestamp,
};

/// A run, as far as its events tell. Output is not kept, only counted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunState {
    /// Which run.
    pub run: Option<RunId>,
    /// The last event taken.
    pub seq: u64,
    /// What it was when it began.
    pub outline: RunOutline,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub finished: Option<Timestamp>,
    /// When the last event was.
    pub last: Timestamp,
    /// What it waits for, while it does.
    pub waiting: Option<String>,
    /// Why it is being ended, if it is.
    pub cancelling: Option<String>,
    /// How it ended.
    pub conclusion: Option<Conclusion>,
    /// Its jobs in the order in which they were told of.
    pub jobs: Vec<JobState>,
    /// Findings in order, with the job and step that reported each.
    pub annotations: Vec<(JobKey, Option<StepNumber>, Annotation)>,
}

/// A job of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct JobState {
    /// Its key.
    pub key: JobKey,
    /// Its name.
    pub name: String,
    /// The ids of the jobs that it needs.
    pub needs: Vec<String>,
    /// How far it is.
    pub status: JobStatus,
    /// What its root file system is made of.
    pub image: String,
    /// When it could have begun.
    pub queued: Option<Timestamp>,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub finished: Option<Timestamp>,
    /// Its steps by number.
    pub steps: BTreeMap<StepNumber, StepState>,
    /// Its services: name, image, state.
    pub services: Vec<(String, String, ServiceState)>,
    /// Its outputs.
    pub outputs: BTreeMap<String, String>,
    /// The address of its deployment.
    pub url: Option<String>,
    /// Why it could not run.
    pub error: Option<String>,
    /// Whether its failure does not count.
    pub continue_on_error: bool,
    /// Whether it stayed as it was left.
    pub kept: bool,
}

/// How far a job is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobStatus {
    /// What it needs has not ended.
    Pending,
    /// It waits, perhaps for what is said.
    Queued(Option<String>),
    /// It runs.
    Running,
    /// It did not run; why.
    Skipped(String),
    /// It has ended.
    Finished(Conclusion),
}

/// A step of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct StepState {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: String,
    /// Which part of the job it belongs to.
    pub stage: StepStage,
    /// How far it is.
    pub status: StepStatus,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub finished: Option<Timestamp>,
    /// The exit code of its process.
    pub exit_code: Option<i32>,
    /// Its outputs.
    pub outputs: BTreeMap<String, String>,
    /// Why it failed.
    pub error: Option<String>,
    /// Lines of its log.
    pub lines: u64,
    /// The Markdown that it wrote for the summary.
    pub summary: Option<String>,
}

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepStatus {
    /// It has not begun.
    Pending,
    /// It runs.
    Running,
    /// It has ended: outcome, and conclusion after `continue-on-error`.
    Finished(Conclusion, Conclusion),
}

impl RunState {
    /// Takes one event. Events that were taken already, and those of jobs nobody told of, change nothing that is wrong.
    pub fn apply(&mut self, event: &Event) {
        if event.seq <= self.seq {
            return;
        }
        self.seq = event.seq;
        self.run = Some(event.run);
        self.last = event.at;
        match &event.kind {
            EventKind::Run(kind) => self.apply_run(event.at, kind),
            EventKind::Annotation(annotation) => {
                if let Some(job) = &event.job {
                    self.annotations.push((job.clone(), event.step, annotation.clone()));
                }
            }
            EventKind::Job(kind) => {
                if let Some(key) = &event.job {
                    self.job_mut(key).apply(event.at, kind);
                }
            }
            EventKind::Step(kind) => {
                if let (Some(key), Some(number)) = (&event.job, event.step) {
                    self.job_mut(key).step_mut(number).apply(event.at, kind);
                }
            }
            EventKind::Log(chunk) => {
                if let (Some(key), Some(number)) = (&event.job, event.step) {
                    self.job_mut(key).step_mut(number).lines += chunk.lines.len() as u64;
                }
            }
            EventKind::Image(_) => {}
        }
    }

    /// The job with a key.
    pub fn job(&self, key: &JobKey) -> Option<&JobState> {
        self.jobs.iter().find(|job| job.key == *key)
    }

    /// Whether it has neither ended nor been told of for long is not known here; this is whether it has not ended.
    pub fn is_open(&self) -> bool {
        self.conclusion.is_none()
    }

    fn apply_run(&mut self, at: Timestamp, event: &RunEvent) {
        match event {
            RunEvent::Started(outline) => {
                self.started = Some(at);
                self.outline = (**outline).clone();
                for outline in &outline.jobs {
                    let job = self.job_mut(&JobKey::from(outline.key.as_str()));
                    job.name.clone_from(&outline.name);
                    job.needs.clone_from(&outline.needs);
                }
            }
            RunEvent::Waiting { reason } => self.waiting = Some(reason.clone()),
            RunEvent::Cancelling { reason } => self.cancelling = Some(reason.clone()),
            RunEvent::Finished { conclusion } => {
                self.finished = Some(at);
                self.conclusion = Some(*conclusion);
            }
        }
    }

    fn job_mut(&mut self, key: &JobKey) -> &mut JobState {
        let at = self.jobs.iter().position(|job| job.key == *key).unwrap_or_else(|| {
            self.waiting = None;
            self.forget_placeholder(key);
            self.jobs.push(JobState::new(key.clone()));
            self.jobs.len() - 1
        });
        &mut self.jobs[at]
    }

    /// A job whose matrix was not known stands in the outline once, under its id; its cells take its place.
    fn forget_placeholder(&mut self, key: &JobKey) {
        if let Some((id, _)) = key.as_str().rsplit_once('/') {
            self.jobs.retain(|job| job.key.as_str() != id || job.status != JobStatus::Pending);
        }
    }
}

impl JobState {
    fn new(key: JobKey) -> Self {
        Self {
            name: key.to_string(),
            key,
            needs: Vec::new(),
            status: JobStatus::Pending,
            image: String::new(),
            queued: None,
            started: None,
            finished: None,
            steps: BTreeMap::new(),
            services: Vec::new(),
            outputs: BTreeMap::new(),
            url: None,
            error: None,
            continue_on_error: false,
            kept: false,
        }
    }

    fn step_mut(&mut self, number: StepNumber) -> &mut StepState {
        self.steps.entry(number).or_insert_with(|| StepState::new(String::new()))
    }

    fn apply(&mut self, at: Timestamp, event: &JobEvent) {
        match event {
            JobEvent::Queued { name, reason } => {
                self.name.clone_from(name);
                self.queued.get_or_insert(at);
                self.status = JobStatus::Queued(reason.clone());
            }
            JobEvent::Started { name, runs_on: _, image, steps } => {
                self.name.clone_from(name);
                self.image.clone_from(image);
                self.started = Some(at);
                self.status = JobStatus::Running;
                for outline in steps {
                    self.steps.insert(StepNumber(outline.number), StepState::new(outline.name.clone()));
                }
            }
            JobEvent::Service { name, image, state, ports: _ } => {
                match self.services.iter_mut().find(|(known, ..)| known == name) {
                    Some(service) => service.2 = *state,
                    None => self.services.push((name.clone(), image.clone(), *state)),
                }
            }
            JobEvent::Skipped { name, reason } => {
                self.name.clone_from(name);
                self.finished = Some(at);
                self.status = JobStatus::Skipped(reason.clone());
            }
            JobEvent::Finished { conclusion, continue_on_error, outputs, url, error, kept } => {
                self.finished = Some(at);
                self.status = JobStatus::Finished(*conclusion);
                self.continue_on_error = *continue_on_error;
                self.outputs.clone_from(outputs);
                self.url.clone_from(url);
                self.error.clone_from(error);
                self.kept = *kept;
            }
        }
    }
}

impl StepState {
    fn new(name: String) -> Self {
        Self {
            name,
            id: String::new(),
            stage: StepStage::Main,
            status: StepStatus::Pending,
            started: None,
            finished: None,
            exit_code: None,
            outputs: BTreeMap::new(),
            error: None,
            lines: 0,
            summary: None,
        }
    }

    fn apply(&mut self, at: Timestamp, event: &StepEvent) {
        match event {
            StepEvent::Started { name, id, stage } => {
                self.name.clone_from(name);
                self.id.clone_from(id);
                self.stage = *stage;
                self.started = Some(at);
                self.status = StepStatus::Running;
            }
            StepEvent::Skipped { name, id, stage, condition: _ } => {
                self.name.clone_from(name);
                self.id.clone_from(id);
                self.stage = *stage;
                self.finished = Some(at);
                self.status = StepStatus::Finished(Conclusion::Skipped, Conclusion::Skipped);
            }
            StepEvent::Summary { markdown } => self.summary = Some(markdown.clone()),
            StepEvent::Finished { outcome, conclusion, exit_code, outputs, error } => {
                self.finished = Some(at);
                self.status = StepStatus::Finished(*outcome, *conclusion);
                self.exit_code = *exit_code;
                self.outputs.clone_from(outputs);
                self.error.clone_from(error);
            }
        }
    }
}
