//! Reading events again.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use longshore_event::{Event, EventKind, RunEvent, RunState};

/// A line of events that is longer is passed over: no event is, since GitHub's limits hold for what they quote.
const LONGEST_EVENT: u64 = 64 * 1024 * 1024;
/// How much of the end of a file is looked at for its last event, at first and at most.
const TAIL: [u64; 2] = [4 * 1024, 4 * 1024 * 1024];

/// A file of events, read as far as it goes, again and again.
#[derive(Debug)]
pub(crate) struct Replay {
    path: PathBuf,
    offset: u64,
    state: RunState,
    ended: bool,
}

impl Replay {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, offset: 0, state: RunState::default(), ended: false }
    }

    /// What the events read so far add up to.
    pub(crate) fn state(&self) -> &RunState {
        &self.state
    }

    /// Whether the last event is the end of the run. A run that goes on after its end has not ended.
    pub(crate) fn is_ended(&self) -> bool {
        self.ended
    }

    pub(crate) fn into_state(self) -> RunState {
        self.state
    }

    /// Reads the events that came since. A line that has no end is not there yet; one that is no event, or a kind of
    /// event that only newer programs know, is passed over.
    pub(crate) fn advance(&mut self) -> io::Result<()> {
        let mut file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            opened => opened?,
        };
        file.seek(SeekFrom::Start(self.offset))?;
        let mut reader = BufReader::with_capacity(64 * 1024, file);
        let mut line = Vec::new();
        loop {
            line.clear();
            let length = reader.by_ref().take(LONGEST_EVENT).read_until(b'\n', &mut line)? as u64;
            if line.last() != Some(&b'\n') && length < LONGEST_EVENT {
                return Ok(());
            }
            self.offset += length;
            if let Some(event) = event(&line) {
                self.state.apply(&event);
                self.ended = matches!(event.kind, EventKind::Run(RunEvent::Finished { .. }));
            }
        }
    }
}

/// One line as an event.
pub(crate) fn event(line: &[u8]) -> Option<Event> {
    serde_json::from_slice(line).ok()
}

/// The first line of a file of events, if it is whole.
pub(crate) fn first_line(file: &File) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    BufReader::new(file.take(LONGEST_EVENT)).read_until(b'\n', &mut line)?;
    Ok((line.last() == Some(&b'\n')).then_some(line))
}

/// The last event of a file. What is not found near the end is not looked for elsewhere.
pub(crate) fn last_event(file: &File) -> io::Result<Option<Event>> {
    let length = file.metadata()?.len();
    for tail in TAIL {
        let start = length.saturating_sub(tail);
        let mut bytes = vec![0; (length - start) as usize];
        file.read_exact_at(&mut bytes, start)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').and_then(|end| bytes.get(..end));
        let mut lines = whole.unwrap_or_default().rsplit(|byte| *byte == b'\n');
        if let Some(event) = lines.find_map(event) {
            return Ok(Some(event));
        }
        if start == 0 {
            break;
        }
    }
    Ok(None)
}
