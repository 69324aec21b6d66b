//! Writing the logs of a run's steps.
//!
//! A line is GitHub's raw form: `2026-01-02T03:04:05.678Z text`. A chunk goes to its file in one write where it is not
//! very large, and nothing is kept back, so that what was told of is there whatever happens next. Few files are open at a
//! time; the one that was not written to for longest is closed first.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use longshore_event::{JobKey, StepNumber, Timestamp};

use crate::layout;

/// Files that are open at a time.
const OPEN_FILES: usize = 96;
/// What is written at once.
const PIECE: usize = 256 * 1024;

type Place = (Option<JobKey>, Option<StepNumber>);

/// The logs of a run.
#[derive(Debug)]
pub(crate) struct LogWriter {
    run: PathBuf,
    open: HashMap<Place, OpenLog>,
    /// Counts chunks, to know which file was not written to for longest.
    clock: u64,
    /// The time that `stamp` spells.
    stamped: Option<Timestamp>,
    stamp: String,
    buffer: Vec<u8>,
}

#[derive(Debug)]
struct OpenLog {
    file: File,
    used: u64,
}

impl LogWriter {
    pub(crate) fn new(run: &Path) -> Self {
        Self {
            run: run.to_owned(),
            open: HashMap::new(),
            clock: 0,
            stamped: None,
            stamp: String::new(),
            buffer: Vec::new(),
        }
    }

    /// Adds lines to the log of a step. On failure the path that could not be written is told with the reason.
    pub(crate) fn append(
        &mut self,
        at: Timestamp,
        place: &Place,
        lines: &[String],
    ) -> Result<(), (PathBuf, io::Error)> {
        if self.stamped != Some(at) {
            self.stamp = stamp(at);
            self.stamped = Some(at);
        }
        let path = |run: &Path| layout::log(run, place.0.as_ref(), place.1);
        let failed = |error| (path(&self.run), error);
        self.clock += 1;
        if !self.open.contains_key(place) {
            let file = open(&path(&self.run)).map_err(failed)?;
            close_oldest(&mut self.open);
            self.open.insert(place.clone(), OpenLog { file, used: 0 });
        }
        let Some(log) = self.open.get_mut(place) else { return Ok(()) };
        log.used = self.clock;
        let buffer = &mut self.buffer;
        buffer.clear();
        for line in lines {
            // A line feed within a line would make the rest of it a line without a time.
            for line in line.split('\n') {
                buffer.extend_from_slice(self.stamp.as_bytes());
                buffer.push(b' ');
                buffer.extend_from_slice(line.as_bytes());
                buffer.push(b'\n');
            }
            if buffer.len() >= PIECE {
                log.file.write_all(buffer).map_err(|error| (path(&self.run), error))?;
                buffer.clear();
            }
        }
        log.file.write_all(buffer).map_err(|error| (path(&self.run), error))?;
        // One huge line is no reason to hold its size to the end of the run.
        buffer.shrink_to(2 * PIECE);
        Ok(())
    }

    /// The step has ended.
    pub(crate) fn close(&mut self, place: &Place) {
        self.open.remove(place);
    }

    /// The run has ended.
    pub(crate) fn close_all(&mut self) {
        self.open = HashMap::new();
        self.buffer = Vec::new();
    }

    #[cfg(test)]
    pub(crate) fn open_files(&self) -> usize {
        self.open.len()
    }
}

fn close_oldest(open: &mut HashMap<Place, OpenLog>) {
    if open.len() < OPEN_FILES {
        return;
    }
    let oldest = open.iter().min_by_key(|(_, log)| log.used).map(|(place, _)| place.clone());
    if let Some(place) = oldest {
        open.remove(&place);
    }
}

/// Opens a log for adding to it. A torn line, left by who was killed while writing it, is cut off.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).read(true).append(true);
    let file = match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            options.open(path)?
        }
        opened => opened?,
    };
    cut_torn_line(&file)?;
    Ok(file)
}

/// Cuts a last line without its end off a file, and tells how long the rest is.
pub(crate) fn cut_torn_line(file: &File) -> io::Result<u64> {
    let length = file.metadata()?.len();
    let mut block = vec![0; 1];
    let mut end = length;
    while end > 0 {
        let start = end.saturating_sub(block.len() as u64);
        let piece = block.get_mut(..(end - start) as usize).unwrap_or_default();
        file.read_exact_at(piece, start)?;
        if let Some(at) = piece.iter().rposition(|byte| *byte == b'\n') {
            end = start + at as u64 + 1;
            break;
        }
        end = start;
        // The first look is at the last byte alone, because nearly always it is a line feed.
        block.resize(64 * 1024, 0);
    }
    if end < length {
        file.set_len(end)?;
    }
    Ok(end)
}

/// `2026-01-02T03:04:05.678Z`.
fn stamp(at: Timestamp) -> String {
    let time = i64::try_from(at.0).ok().and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
    format!("{:.3}", time.unwrap_or(jiff::Timestamp::UNIX_EPOCH))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(job: &str, step: u32) -> Place {
        (Some(JobKey::from(job)), Some(StepNumber(step)))
    }

    #[test]
    fn lines_have_times_and_files_are_few() {
        let root = tempfile::tempdir().unwrap();
        let mut logs = LogWriter::new(root.path());
        for round in 0..2_u64 {
            for cell in 0..256 {
                let lines = ["one".to_owned(), "tw\no".to_owned()];
                logs.append(Timestamp(round * 1500), &place(&format!("test/{cell}"), 3), &lines).unwrap();
                assert!(logs.open_files() <= OPEN_FILES);
            }
        }
        let text = fs::read_to_string(root.path().join("logs/test%2F0/3.log")).unwrap();
        assert_eq!(
            text,
            "1970-01-01T00:00:00.000Z one\n1970-01-01T00:00:00.000Z tw\n1970-01-01T00:00:00.000Z o\n\
             1970-01-01T00:00:01.500Z one\n1970-01-01T00:00:01.500Z tw\n1970-01-01T00:00:01.500Z o\n"
        );
    }

    #[test]
    fn torn_lines_are_cut_off() {
        let root = tempfile::tempdir().unwrap();
        let long = "x".repeat(200_000);
        for (text, expected) in [
            ("", ""),
            ("a\n", "a\n"),
            ("a\nb", "a\n"),
            ("ab", ""),
            (&format!("a\n{long}"), "a\n"),
            (&long, ""),
        ] {
            let path = root.path().join("log");
            fs::write(&path, text).unwrap();
            let file = OpenOptions::new().read(true).append(true).open(&path).unwrap();
            assert_eq!(cut_torn_line(&file).unwrap(), expected.len() as u64);
            assert_eq!(fs::read_to_string(&path).unwrap(), expected);
        }
    }
}
