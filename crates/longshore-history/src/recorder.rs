//! Writing a run down while it happens.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use longshore_event::{Event, EventKind, RunEvent, RunId, RunSink, StepEvent};
use thiserror::Error;

use crate::log_writer::{LogWriter, cut_torn_line};
use crate::{layout, lock};

/// Something of a run could not be written down. The run itself is none the worse for it.
#[derive(Debug, Error)]
pub enum RecordError {
    /// A file of the run cannot be made.
    #[error("failed to begin the record of run {run} in `{}`", path.display())]
    Begin {
        /// The run.
        run: RunId,
        /// The directory or file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// An event could not be written. Others may be missing, too.
    #[error("failed to record what happens in run {run}: `{}` does not take it", path.display())]
    Event {
        /// The run.
        run: RunId,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Output could not be written, and from here on none is.
    #[error("failed to record the logs of run {run}, which are not recorded from here on: `{}` does not take more", path.display())]
    Log {
        /// The run.
        run: RunId,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl RecordError {
    /// What the system answered.
    pub fn system_error(&self) -> &io::Error {
        match self {
            Self::Begin { source, .. } | Self::Event { source, .. } | Self::Log { source, .. } => source,
        }
    }
}

/// Writes the events and logs of one run. The run counts as living until this is dropped.
///
/// A disk that is full does not end the run: logs are not recorded from there on, while every later event is still tried,
/// because the end of the run is worth a line if somebody makes room. [`RunRecorder::take_trouble`] tells, once.
#[derive(Debug)]
pub struct RunRecorder {
    id: RunId,
    number: u64,
    attempt: u32,
    directory: PathBuf,
    events: File,
    /// How much of the file is whole lines.
    end: u64,
    line: Vec<u8>,
    /// Until a log could not be written.
    logs: Option<LogWriter>,
    trouble: Option<RecordError>,
    /// Whether there ever was trouble.
    troubled: bool,
    _alive: File,
}

impl RunRecorder {
    /// Records in the directory of a run, which exists. It becomes locked here.
    pub(crate) fn open(
        id: RunId,
        number: u64,
        attempt: u32,
        directory: PathBuf,
    ) -> Result<Self, RecordError> {
        let begin = |path: &Path| {
            let path = path.to_owned();
            move |source| RecordError::Begin { run: id, path, source }
        };
        let alive = lock::hold(&layout::run_lock(&directory)).map_err(begin(&directory))?;
        let path = layout::events(&directory);
        let events =
            OpenOptions::new().create(true).read(true).append(true).open(&path).map_err(begin(&path))?;
        let end = cut_torn_line(&events).map_err(begin(&path))?;
        let logs = Some(LogWriter::new(&directory));
        Ok(Self {
            id,
            number,
            attempt,
            directory,
            events,
            end,
            line: Vec::new(),
            logs,
            trouble: None,
            troubled: false,
            _alive: alive,
        })
    }

    /// The id of the run.
    pub fn id(&self) -> RunId {
        self.id
    }

    /// Which run of its workflow it is, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Which attempt it is, from 1.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The run's directory, in which other parts keep what belongs to the run, each in a directory of its own.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// What went wrong with recording, if something did: the first of it, and once.
    pub fn take_trouble(&mut self) -> Option<RecordError> {
        self.trouble.take()
    }

    /// Makes a directory beside the record, such as `artifacts`, and gives its path.
    pub fn make_directory(&self, name: &str) -> Result<PathBuf, RecordError> {
        let path = self.directory.join(layout::escaped(name));
        match fs::create_dir_all(&path) {
            Ok(()) => Ok(path),
            Err(source) => Err(RecordError::Begin { run: self.id, path, source }),
        }
    }

    fn record(&mut self, event: &Event) {
        self.line.clear();
        let serialised = serde_json::to_writer(&mut self.line, event).map_err(io::Error::from);
        self.line.push(b'\n');
        match serialised.and_then(|()| self.events.write_all(&self.line)) {
            Ok(()) => self.end += self.line.len() as u64,
            Err(source) => {
                // Half a line would take the next one with it. If this fails too, both are lost, and no more.
                let _ = self.events.set_len(self.end);
                let path = layout::events(&self.directory);
                self.complain(RecordError::Event { run: self.id, path, source });
            }
        }
    }

    fn complain(&mut self, error: RecordError) {
        if !self.troubled {
            self.troubled = true;
            self.trouble = Some(error);
        }
    }
}

impl RunSink for RunRecorder {
    fn take(&mut self, event: &Event) {
        let place = (event.job.clone(), event.step);
        match &event.kind {
            EventKind::Log(chunk) => {
                let Some(logs) = &mut self.logs else { return };
                if let Err((path, source)) = logs.append(event.at, &place, &chunk.lines) {
                    self.logs = None;
                    self.complain(RecordError::Log { run: self.id, path, source });
                }
                return;
            }
            EventKind::Step(StepEvent::Finished { .. }) => {
                self.logs.iter_mut().for_each(|logs| logs.close(&place));
            }
            EventKind::Run(RunEvent::Finished { .. }) => self.logs.iter_mut().for_each(LogWriter::close_all),
            _ => {}
        }
        self.record(event);
    }
}

#[cfg(test)]
mod tests {
    use longshore_event::{Conclusion, JobKey, LogChunk, StepNumber, Timestamp};

    use super::*;

    fn event(seq: u64, step: Option<StepNumber>, kind: EventKind) -> Event {
        Event { seq, at: Timestamp(seq), run: RunId(1), job: Some(JobKey::from("build")), step, kind }
    }

    fn full(path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink("/dev/full", path).unwrap();
    }

    #[test]
    fn a_full_disk_ends_the_logs_and_is_told_once() {
        let root = tempfile::tempdir().unwrap();
        full(&root.path().join("logs/build/1.log"));
        let mut recorder = RunRecorder::open(RunId(1), 1, 1, root.path().to_owned()).unwrap();
        let lines = |text: &str| EventKind::from(LogChunk { lines: vec![text.into()] });
        for step in [1, 1, 2] {
            recorder.take(&event(1, Some(StepNumber(step)), lines("text")));
        }
        let trouble = recorder.take_trouble().unwrap();
        assert_eq!(trouble.system_error().kind(), io::ErrorKind::StorageFull);
        assert!(trouble.to_string().contains("logs/build/1.log"), "{trouble}");
        assert!(recorder.take_trouble().is_none());
        assert!(!root.path().join("logs/build/2.log").exists(), "there are no logs with holes");
        recorder.take(&event(2, None, RunEvent::Finished { conclusion: Conclusion::Success }.into()));
        assert!(fs::read_to_string(root.path().join("events.ndjson")).unwrap().contains("run.finished"));
    }

    #[test]
    fn events_that_find_no_room_are_told_of_once() {
        let root = tempfile::tempdir().unwrap();
        full(&root.path().join("events.ndjson"));
        let mut recorder = RunRecorder::open(RunId(1), 1, 1, root.path().to_owned()).unwrap();
        for seq in 1..4 {
            recorder.take(&event(seq, None, RunEvent::Finished { conclusion: Conclusion::Success }.into()));
        }
        assert!(matches!(recorder.take_trouble(), Some(RecordError::Event { .. })));
        assert!(recorder.take_trouble().is_none());
    }
}
