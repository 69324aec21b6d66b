//! Runs that a display follows, with what of their logs it may have to show.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use longshore_event::{
    Event, EventKind, JobKey, JobStatus, RunEvent, RunId, RunState, StepEvent, StepNumber, Timestamp,
};

use super::excerpt::Excerpt;
use super::words;
use crate::{Progress, Style};

/// A run and the logs of its running steps.
#[derive(Debug, Clone, Default)]
pub(super) struct Tracked {
    pub(super) state: RunState,
    logs: HashMap<(JobKey, StepNumber), Excerpt>,
    images: HashMap<Option<JobKey>, Transfers>,
}

/// Images on their way to a job.
#[derive(Debug, Clone, Default)]
pub(super) struct Transfers {
    progress: Progress,
    began: Timestamp,
}

impl Transfers {
    /// The lines to draw.
    pub(super) fn lines(&self, now: Timestamp, style: Style) -> Vec<String> {
        if self.progress.is_busy() { self.progress.lines(since(self.began, now), style) } else { Vec::new() }
    }
}

/// What an event makes worth showing beside the state.
#[derive(Debug, Clone, Default)]
pub(super) struct News {
    /// The log of the step that has ended.
    pub(super) excerpt: Option<Excerpt>,
    /// A line about an image.
    pub(super) image: Option<String>,
}

/// All runs that were told of.
#[derive(Debug, Clone, Default)]
pub(super) struct Tracking {
    pub(super) runs: BTreeMap<RunId, Tracked>,
}

impl Tracking {
    /// Takes an event. Nothing if it was taken before.
    pub(super) fn take(&mut self, event: &Event) -> Option<News> {
        let run = self.runs.entry(event.run).or_default();
        if event.seq <= run.state.seq {
            return None;
        }
        run.state.apply(event);
        Some(run.keep(event))
    }

    /// How a job is called: with its workflow, if jobs of several run.
    pub(super) fn label(&self, run: RunId, key: &JobKey) -> String {
        let Some(tracked) = self.runs.get(&run) else { return key.to_string() };
        let name = words::job_name(&tracked.state, key);
        if self.runs.len() > 1 {
            format!("{} › {name}", words::workflow(&tracked.state))
        } else {
            name.into_owned()
        }
    }

    /// Whether several jobs run now.
    pub(super) fn is_parallel(&self) -> bool {
        let jobs = self.runs.values().flat_map(|run| &run.state.jobs);
        jobs.filter(|job| job.status == JobStatus::Running).nth(1).is_some()
    }
}

impl Tracked {
    /// The log of a step that runs.
    pub(super) fn log(&self, job: &JobKey, step: StepNumber) -> Option<&Excerpt> {
        self.logs.get(&(job.clone(), step))
    }

    /// The images that a job, or the run as a whole, waits for.
    pub(super) fn transfers(&self, job: Option<&JobKey>) -> Option<&Transfers> {
        self.images.get(&job.cloned())
    }

    fn keep(&mut self, event: &Event) -> News {
        let mut news = News::default();
        let place = event.job.clone().zip(event.step);
        match (&event.kind, place) {
            (EventKind::Log(chunk), Some(place)) => self.logs.entry(place).or_default().take(&chunk.lines),
            (EventKind::Step(StepEvent::Finished { .. } | StepEvent::Skipped { .. }), Some(place)) => {
                news.excerpt = self.logs.remove(&place);
                self.images.remove(&Some(place.0));
            }
            (EventKind::Image(image), _) => {
                let transfers = self.images.entry(event.job.clone()).or_default();
                if transfers.began == Timestamp::default() {
                    transfers.began = event.at;
                }
                news.image = transfers.progress.take(image, since(transfers.began, event.at));
            }
            (EventKind::Run(RunEvent::Finished { .. }), _) => {
                self.logs.clear();
                self.images.clear();
            }
            _ => {}
        }
        news
    }
}

fn since(began: Timestamp, now: Timestamp) -> Duration {
    Duration::from_millis(now.0.saturating_sub(began.0))
}
