//! What a container wrote, as lines with times.

use longshore_engine::{LogEntry, LogQuery, Stream};

/// A line longer than this is kept in parts, as Docker does.
const PART: usize = 16 * 1024;

/// What a container wrote. Nothing is rotated away: the tests that use a fake write little.
#[derive(Debug, Default)]
pub(super) struct Log {
    entries: Vec<LogEntry>,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Log {
    /// Takes what was written at a time.
    pub(super) fn write(&mut self, at: i128, stream: Stream, bytes: &[u8]) {
        let mut rest = std::mem::take(self.open(stream));
        rest.extend_from_slice(bytes);
        while let Some(length) = line(&rest) {
            let after = rest.split_off(length);
            self.entries.push(LogEntry { at, stream, bytes: std::mem::replace(&mut rest, after) });
        }
        *self.open(stream) = rest;
    }

    /// The last lines get no end any more.
    pub(super) fn close(&mut self, at: i128) {
        for stream in [Stream::Stdout, Stream::Stderr] {
            let bytes = std::mem::take(self.open(stream));
            if !bytes.is_empty() {
                self.entries.push(LogEntry { at, stream, bytes });
            }
        }
    }

    fn open(&mut self, stream: Stream) -> &mut Vec<u8> {
        match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        }
    }

    /// Where reading begins.
    pub(super) fn begin(&self, query: &LogQuery) -> usize {
        let Some(tail) = query.tail else { return 0 };
        let wanted = self.entries.iter().enumerate().rev().filter(|(_, entry)| matches(query, entry));
        wanted.take(tail).last().map_or(self.entries.len(), |(place, _)| place)
    }

    /// What there is from a place on, and the place after it.
    pub(super) fn since(&self, place: usize, query: &LogQuery) -> (Vec<LogEntry>, usize) {
        let rest = self.entries.get(place..).unwrap_or_default();
        (rest.iter().filter(|entry| matches(query, entry)).cloned().collect(), self.entries.len())
    }
}

fn matches(query: &LogQuery, entry: &LogEntry) -> bool {
    query.since.is_none_or(|since| entry.at >= since) && query.until.is_none_or(|until| entry.at < until)
}

/// The length of the first whole line, or of a part of a line that is too long.
fn line(bytes: &[u8]) -> Option<usize> {
    let head = bytes.get(..PART).unwrap_or(bytes);
    let end = head.iter().position(|byte| *byte == b'\n').map(|place| place + 1);
    end.or_else(|| (bytes.len() >= PART).then_some(PART))
}
