//! How the threads of a job speak: by events, which the dispatcher stamps.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use longshore_event::{
    Annotation, AnnotationLevel, EventKind, JobKey, LogChunk, Masker, StepNumber, Timestamp,
};

use crate::dispatch::Message;

/// Speaks for a run.
#[derive(Debug, Clone)]
pub(crate) struct Voice {
    pub(crate) messages: SyncSender<Message>,
    pub(crate) masker: Arc<Masker>,
    pub(crate) clock: fn() -> Timestamp,
}

/// Speaks for a job.
#[derive(Debug, Clone)]
pub(crate) struct JobVoice {
    pub(crate) run: Voice,
    pub(crate) job: JobKey,
}

/// Speaks for a step.
#[derive(Debug, Clone)]
pub(crate) struct StepVoice {
    pub(crate) job: JobVoice,
    pub(crate) step: StepNumber,
}

impl Voice {
    fn say(&self, job: Option<JobKey>, step: Option<StepNumber>, kind: EventKind) {
        // The dispatcher listens until all jobs have ended; when it does not, nobody is left to be told.
        let _ = self.messages.send(Message::Event { at: (self.clock)(), job, step, kind });
    }

    /// A text without secrets.
    pub(crate) fn mask(&self, text: &str) -> String {
        self.masker.mask(text).into_owned()
    }
}

impl JobVoice {
    pub(crate) fn say(&self, kind: impl Into<EventKind>) {
        self.run.say(Some(self.job.clone()), None, kind.into());
    }

    pub(crate) fn step(&self, step: StepNumber) -> StepVoice {
        StepVoice { job: self.clone(), step }
    }
}

impl StepVoice {
    pub(crate) fn say(&self, kind: impl Into<EventKind>) {
        self.job.run.say(Some(self.job.job.clone()), Some(self.step), kind.into());
    }

    /// Adds lines to the log, masked.
    pub(crate) fn lines<'l>(&self, lines: impl IntoIterator<Item = &'l str>) {
        let lines: Vec<String> =
            lines.into_iter().flat_map(str::lines).map(|line| self.job.run.mask(line)).collect();
        if !lines.is_empty() {
            self.say(LogChunk { lines });
        }
    }

    /// Adds a text of one or more lines to the log, masked.
    pub(crate) fn line(&self, text: &str) {
        self.lines([text]);
    }

    /// Reports an error of the runner itself: in the log and as a finding.
    pub(crate) fn error(&self, message: &str) {
        self.annotate(AnnotationLevel::Error, message);
    }

    /// Reports a warning of the runner itself.
    pub(crate) fn warning(&self, message: &str) {
        self.annotate(AnnotationLevel::Warning, message);
    }

    fn annotate(&self, level: AnnotationLevel, message: &str) {
        let message = self.job.run.mask(message);
        let lines = message.lines().map(|line| format!("##[{}]{line}", level.as_str())).collect();
        self.say(LogChunk { lines });
        self.say(Annotation::new(level, message));
    }
}
