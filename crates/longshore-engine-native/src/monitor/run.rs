//! One run of the container's process: its streams, its deadlines, and what to wait for.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::Process;
use super::probe::Health;

/// One run of the container's process.
pub(super) struct Run {
    pub(super) process: Process,
    pub(super) input: VecDeque<u8>,
    input_ended: bool,
    pub(super) health: Option<Health>,
    /// When it is killed, if it was asked to end.
    pub(super) deadline: Option<Instant>,
    pub(super) began: Instant,
    pub(super) exited: Option<i32>,
    /// When memory that is not needed while nothing happens is given back, if it has not been.
    pub(super) trim: Option<Instant>,
}

/// How long after its start a container is taken for one that stays.
const SETTLED: Duration = Duration::from_secs(1);

/// What poll told about one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    End,
    Output,
    Error,
    Terminal,
    Input,
    Listener,
    Connection(usize),
    Probe,
}

impl Run {
    /// A run that begins now.
    pub(super) fn new(process: Process, health: Option<Health>) -> Self {
        for stream in [&process.streams.terminal, &process.streams.input].into_iter().flatten() {
            let _ = rustix::io::ioctl_fionbio(stream, true);
        }
        Self {
            process,
            input: VecDeque::new(),
            input_ended: false,
            health,
            deadline: None,
            began: Instant::now(),
            exited: None,
            trim: Some(Instant::now() + SETTLED),
        }
    }

    /// Sends a signal to the process, if it has not ended.
    pub(super) fn signal(&self, signal: i32) {
        if self.exited.is_none() {
            // It may end at this moment.
            let _ = longshore_sys::send_signal(self.process.pidfd(), signal);
        }
    }

    /// Whether there is something to read that the container wrote.
    pub(super) fn has_output(&self) -> bool {
        // A process that outlived the container's own may hold the streams for ever; in a namespace of process ids of
        // their own there is none, and what is in the pipes is read to its end.
        let streams = &self.process.streams;
        [&streams.output, &streams.error, &streams.terminal]
            .into_iter()
            .flatten()
            .any(|stream| readable_now(stream.as_fd()))
    }

    /// The stream that a source stands for.
    pub(super) fn stream(&mut self, source: Source) -> &mut Option<OwnedFd> {
        let streams = &mut self.process.streams;
        match source {
            Source::Error => &mut streams.error,
            Source::Terminal => &mut streams.terminal,
            _ => &mut streams.output,
        }
    }

    /// What to wait for; without what the container writes if those who are connected are `full`.
    pub(super) fn sources(&self, full: bool) -> Vec<(Source, BorrowedFd<'_>, PollFlags)> {
        let mut sources = Vec::new();
        if self.exited.is_none() {
            sources.push((Source::End, self.process.pidfd(), PollFlags::IN));
        }
        let streams = &self.process.streams;
        let outputs = [
            (Source::Output, &streams.output),
            (Source::Error, &streams.error),
            (Source::Terminal, &streams.terminal),
        ];
        for (source, stream) in outputs {
            if let (false, Some(stream)) = (full, stream) {
                sources.push((source, stream.as_fd(), PollFlags::IN));
            }
        }
        let input = streams.terminal.as_ref().or(streams.input.as_ref());
        if let (false, Some(input)) = (self.input.is_empty(), input) {
            sources.push((Source::Input, input.as_fd(), PollFlags::OUT));
        }
        let probe = self.health.iter().flat_map(Health::sources);
        sources.extend(probe.map(|descriptor| (Source::Probe, descriptor, PollFlags::IN)));
        sources
    }

    /// How long to wait if nothing happens.
    pub(super) fn timeout(&self) -> Option<Timespec> {
        let health = self.health.as_ref().filter(|_| self.exited.is_none()).map(Health::due);
        let next = [self.deadline, health, self.trim].into_iter().flatten().min()?;
        Some(timespec(next.saturating_duration_since(Instant::now())))
    }

    /// Gives the container as much input as it takes.
    pub(super) fn feed(&mut self) {
        while !self.input.is_empty() {
            let streams = &self.process.streams;
            let Some(input) = streams.terminal.as_ref().or(streams.input.as_ref()) else {
                self.input.clear();
                return;
            };
            let (front, _) = self.input.as_slices();
            match rustix::io::write(input, front) {
                Ok(written) => {
                    self.input.drain(..written);
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                Err(_) => {
                    // It does not read any more.
                    self.input.clear();
                    self.process.streams.input = None;
                }
            }
        }
        if self.input_ended {
            self.process.streams.input = None;
        }
    }

    /// Ends the input when the container has taken what there is.
    pub(super) fn end_input(&mut self) {
        self.input_ended = true;
        self.feed();
    }

    /// Gives the terminal another size.
    pub(super) fn resize(&self, rows: u16, columns: u16) {
        if let Some(terminal) = &self.process.streams.terminal {
            let size = rustix::termios::Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
            let _ = rustix::termios::tcsetwinsize(terminal, size);
        }
    }
}

fn readable_now(descriptor: BorrowedFd<'_>) -> bool {
    let mut source = [PollFd::from_borrowed_fd(descriptor, PollFlags::IN)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    // At its end a pipe tells that it was hung up, which is nothing to read.
    poll(&mut source, Some(&now)).is_ok_and(|count| count > 0) && source[0].revents().contains(PollFlags::IN)
}

/// A duration to wait for.
pub(super) fn timespec(duration: Duration) -> Timespec {
    // Rounded up, so that what is waited for is due when the wait is over.
    let duration = duration + Duration::from_micros(100);
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(duration.subsec_nanos()),
    }
}
