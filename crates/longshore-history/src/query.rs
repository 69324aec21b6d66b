//! Reading the logs of many steps, once or for as long as they grow.

use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
use std::time::Duration;

use longshore_event::{JobState, JobStatus, StepNumber, StepState, StepStatus};

use crate::layout;
use crate::replay::Replay;
use crate::run::{ReadError, Run};

/// How often growing logs are looked at. Files on every file system can be looked at; not all can be watched.
const PAUSE: Duration = Duration::from_millis(100);

/// Whether a step's log is wanted.
pub type StepFilter<'a> = dyn Fn(StepNumber, &StepState) -> bool + 'a;

/// Which logs are wanted.
pub struct LogQuery<'a> {
    /// Of which jobs.
    pub job: &'a (dyn Fn(&JobState) -> bool + 'a),
    /// Of which steps of these, if not of all.
    pub step: Option<&'a StepFilter<'a>>,
    /// Only so many lines from the end of the log of each step.
    pub tail: Option<usize>,
    /// Whether to go on until what is wanted has ended.
    pub follow: bool,
}

impl std::fmt::Debug for LogQuery<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("LogQuery").field("tail", &self.tail).field("follow", &self.follow).finish()
    }
}

/// One line with the step that printed it.
#[derive(Debug)]
pub struct LogEntry<'a> {
    /// The job.
    pub job: &'a JobState,
    /// The step's number.
    pub number: StepNumber,
    /// The step.
    pub step: &'a StepState,
    /// When, as `2026-01-02T03:04:05.678Z`.
    pub at: Option<&'a str>,
    /// What.
    pub text: &'a str,
}

/// What is told of each line; it may have had enough.
type Each<'e> = dyn FnMut(&LogEntry<'_>) -> ControlFlow<()> + 'e;

impl Run {
    /// Hands on the lines of the logs that are wanted: job by job and step by step, and, when following, in the order in
    /// which they come. `idle` is called before each pause.
    pub fn read_logs(
        &self,
        query: &LogQuery<'_>,
        each: &mut Each<'_>,
        idle: &mut dyn FnMut() -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        let path = layout::events(self.directory());
        let mut events = Replay::new(path.clone());
        let mut offsets = BTreeMap::new();
        let mut first = true;
        loop {
            // Whether it lives is asked before its events are read, and events are read before logs: whatever is found
            // ended has written all that it will.
            let alive = self.is_alive()?;
            events.advance().map_err(|source| ReadError::Io {
                run: self.id(),
                path: path.clone(),
                source,
            })?;
            for job in events.state().jobs.iter().filter(|job| (query.job)(job)) {
                for (number, step) in &job.steps {
                    let from =
                        offsets.entry((job.key.clone(), *number)).or_insert(Place::Unread { tail: first });
                    if query.wants(*number, step)
                        && self.pass(query, (job, *number, step), from, each)?.is_break()
                    {
                        return Ok(());
                    }
                }
            }
            first = false;
            let over = !alive || events.is_ended() || query.is_over(&events.state().jobs);
            if !query.follow || over || idle().is_break() {
                return Ok(());
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Hands on what is new of one log.
    fn pass(
        &self,
        query: &LogQuery<'_>,
        (job, number, step): (&JobState, StepNumber, &StepState),
        place: &mut Place,
        each: &mut Each<'_>,
    ) -> Result<ControlFlow<()>, ReadError> {
        let log = self.log(&job.key, number);
        let failed =
            |source: io::Error| ReadError::Io { run: self.id(), path: log.path().to_owned(), source };
        let from = match (*place, query.tail) {
            (Place::Read, _) => return Ok(ControlFlow::Continue(())),
            (Place::At(offset), _) => offset,
            (Place::Unread { tail: true }, Some(lines)) => log.tail(lines).map_err(failed)?,
            (Place::Unread { .. }, _) => 0,
        };
        if step.status == StepStatus::Pending {
            *place = Place::At(0);
            return Ok(ControlFlow::Continue(()));
        }
        let mut pass = |line: &crate::LogLine<'_>| {
            each(&LogEntry { job, number, step, at: line.at.as_deref(), text: &line.text })
        };
        let (offset, flow) = log.read(from, &mut pass).map_err(failed)?;
        let ended = matches!(step.status, StepStatus::Finished(..));
        *place = if ended { Place::Read } else { Place::At(offset) };
        Ok(flow)
    }
}

/// How far a log was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Not at all; whether it was there when reading began, so that its end will do.
    Unread { tail: bool },
    /// To an offset.
    At(u64),
    /// To the end that it will have.
    Read,
}

impl LogQuery<'_> {
    fn wants(&self, number: StepNumber, step: &StepState) -> bool {
        self.step.is_none_or(|wanted| wanted(number, step))
    }

    /// Whether there are wanted jobs and nothing more will come of any.
    fn is_over(&self, jobs: &[JobState]) -> bool {
        let mut wanted = jobs.iter().filter(|job| (self.job)(job)).peekable();
        wanted.peek().is_some() && wanted.all(|job| is_over(job) || self.has_its_steps(job))
    }

    /// Whether single steps are wanted of a job, and they have ended.
    fn has_its_steps(&self, job: &JobState) -> bool {
        let Some(wants) = self.step else { return false };
        let mut steps = job.steps.iter().filter(|(number, step)| wants(**number, step)).peekable();
        steps.peek().is_some() && steps.all(|(_, step)| matches!(step.status, StepStatus::Finished(..)))
    }
}

fn is_over(job: &JobState) -> bool {
    matches!(job.status, JobStatus::Skipped(_) | JobStatus::Finished(_))
}
