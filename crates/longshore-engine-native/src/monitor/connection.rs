//! Those who are connected to a monitor.

use std::collections::VecDeque;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use longshore_engine::Stream;

use crate::control::{AnswerDto, Frame, FrameReader};

/// While more than this waits for somebody, the container's output is not read.
const FULL: usize = 1024 * 1024;

/// One who is connected.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each with its own name")]
pub(super) struct Connection {
    stream: UnixStream,
    reader: FrameReader,
    waiting: VecDeque<u8>,
    /// Gets what the container writes to its standard output.
    pub(super) stdout: bool,
    /// Gets what it writes to its standard error.
    pub(super) stderr: bool,
    /// Sends input, and the input ends with the connection.
    pub(super) stdin: bool,
    /// Is told how the container starts and ends.
    pub(super) watches: bool,
    /// Asked for a stop and is answered when the container has ended.
    pub(super) awaits_end: bool,
    closed: bool,
}

impl Connection {
    /// Somebody who just connected.
    pub(super) fn new(stream: UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            reader: FrameReader::default(),
            waiting: VecDeque::new(),
            stdout: false,
            stderr: false,
            stdin: false,
            watches: false,
            awaits_end: false,
            closed: false,
        })
    }

    /// The socket, to poll.
    pub(super) fn socket(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    /// Whether something waits to be written.
    pub(super) fn has_output(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether so much waits that there should not be more.
    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() > FULL
    }

    /// Whether the other side is gone.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Sends what the container wrote, if it is wanted.
    pub(super) fn output(&mut self, stream: Stream, bytes: &[u8]) {
        let wanted = if stream == Stream::Stdout { self.stdout } else { self.stderr };
        if wanted {
            self.send(&Frame::output(stream, bytes));
        }
    }

    /// Says something.
    pub(super) fn answer(&mut self, answer: AnswerDto) {
        self.send(&Frame::Answer(answer).bytes());
    }

    fn send(&mut self, bytes: &[u8]) {
        if self.closed {
            return;
        }
        self.waiting.extend(bytes);
        self.flush();
    }

    /// Writes as much as the other side takes.
    pub(super) fn flush(&mut self) {
        while !self.waiting.is_empty() {
            let (front, _) = self.waiting.as_slices();
            match self.stream.write(front) {
                Ok(written) => {
                    self.waiting.drain(..written);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => {
                    self.closed = true;
                    self.waiting.clear();
                }
            }
        }
    }

    /// Writes all that waits, however long the other side takes; only for the last words.
    pub(super) fn finish(&mut self) {
        if self.stream.set_nonblocking(false).is_ok() {
            // One who does not read for so long is not there.
            let _ = self.stream.set_write_timeout(Some(std::time::Duration::from_secs(10)));
            self.flush();
        }
    }

    /// Reads what was sent.
    pub(super) fn receive(&mut self) -> Vec<Frame> {
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(0) => self.closed = true,
            Ok(length) => self.reader.push(&buffer[..length]),
            Err(error) if matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock) => {}
            Err(_) => self.closed = true,
        }
        let mut frames = Vec::new();
        loop {
            match self.reader.next() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => return frames,
                Err(_) => {
                    self.closed = true;
                    return frames;
                }
            }
        }
    }
}
