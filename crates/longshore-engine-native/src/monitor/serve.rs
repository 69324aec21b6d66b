//! While the container runs: its streams, those who are connected, its health, its end.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use longshore_engine::{ContainerState, EngineError, ExitStatus, Fault, RestartPolicy, Stream};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::Signal;

use super::connection::Connection;
use super::probe::Health;
use super::{Monitor, Process};
use crate::control::{AnswerDto, Frame, RequestDto};
use crate::exec::Entered;

/// How a run of the container ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended {
    pub(super) exit: ExitStatus,
    /// How long it ran.
    ran: Duration,
}

/// How long to wait before the next start: doubled each time, from the beginning again after a run that was long enough.
#[derive(Debug)]
pub(super) struct RestartDelay(Duration);

impl Default for RestartDelay {
    fn default() -> Self {
        Self(Self::FIRST)
    }
}

impl RestartDelay {
    const FIRST: Duration = Duration::from_millis(100);
    const LAST: Duration = Duration::from_mins(1);
    const LONG_ENOUGH: Duration = Duration::from_secs(10);

    fn next(&mut self, ran: Duration) -> Duration {
        if ran >= Self::LONG_ENOUGH {
            self.0 = Self::FIRST;
        }
        let delay = self.0;
        self.0 = (self.0 * 2).min(Self::LAST);
        delay
    }
}

/// One run of the container's process.
struct Run {
    process: Process,
    input: VecDeque<u8>,
    input_ended: bool,
    health: Option<Health>,
    /// When it is killed, if it was asked to end.
    deadline: Option<Instant>,
    began: Instant,
    exited: Option<i32>,
    /// When memory that is not needed while nothing happens is given back, if it has not been.
    trim: Option<Instant>,
}

/// How long after its start a container is taken for one that stays.
const SETTLED: Duration = Duration::from_secs(1);

/// What poll told about one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    End,
    Output,
    Error,
    Terminal,
    Input,
    Listener,
    Connection(usize),
    Probe,
}

impl Monitor {
    /// Serves one run of the container until it ends.
    pub(super) fn serve(&mut self, process: Process) -> Ended {
        let health = Health::new(self.record.spec.health.as_ref(), &self.record.shell);
        self.state.health = health.as_ref().map(|health| health.status().clone());
        if self.state.health.is_some() {
            self.write_state();
        }
        let mut run = Run {
            process,
            input: VecDeque::new(),
            input_ended: false,
            health,
            deadline: None,
            began: Instant::now(),
            exited: None,
            trim: Some(Instant::now() + SETTLED),
        };
        for stream in [&run.process.streams.terminal, &run.process.streams.input].into_iter().flatten() {
            let _ = rustix::io::ioctl_fionbio(stream, true);
        }
        if let Some((rows, columns)) = self.size {
            run.resize(rows, columns);
        }
        while run.exited.is_none() || run.has_output() {
            self.wait(&mut run);
        }
        if let Some(health) = &mut run.health {
            health.abandon();
        }
        let out_of_memory = self.count_oom_kills() > self.oom_kills;
        let code = run.exited.unwrap_or(255);
        Ended { exit: ExitStatus { code, out_of_memory }, ran: run.began.elapsed() }
    }

    /// Waits for something to happen, and deals with it.
    fn wait(&mut self, run: &mut Run) {
        let full = self.connections.iter().any(Connection::is_full);
        let (sources, ready) = {
            let mut sources = run.sources(full);
            sources.push((Source::Listener, self.listener.as_fd(), PollFlags::IN));
            for (index, connection) in self.connections.iter().enumerate() {
                let output = if connection.has_output() { PollFlags::OUT } else { PollFlags::empty() };
                sources.push((Source::Connection(index), connection.socket(), PollFlags::IN | output));
            }
            let mut polled: Vec<PollFd<'_>> = sources
                .iter()
                .map(|(_, descriptor, flags)| PollFd::from_borrowed_fd(*descriptor, *flags))
                .collect();
            let timeout = run.timeout();
            let _ = poll(&mut polled, timeout.as_ref());
            let ready: Vec<PollFlags> = polled.iter().map(PollFd::revents).collect();
            (sources.into_iter().map(|(source, ..)| source).collect::<Vec<_>>(), ready)
        };
        for (source, flags) in sources.into_iter().zip(ready) {
            if !flags.is_empty() {
                self.deal(run, source, flags);
            }
        }
        self.connections.retain(|connection| !connection.is_closed() || connection.has_output());
        self.timers(run);
    }

    fn deal(&mut self, run: &mut Run, source: Source, flags: PollFlags) {
        match source {
            Source::End => {
                run.exited = Some(run.process.child.wait().unwrap_or(255));
                run.input.clear();
                run.process.streams.input = None;
            }
            Source::Output | Source::Terminal => self.take_output(run, source, Stream::Stdout),
            Source::Error => self.take_output(run, source, Stream::Stderr),
            Source::Input => run.feed(),
            Source::Listener => self.accept(),
            Source::Connection(index) => self.converse(run, index, flags),
            Source::Probe => self.probe(run),
        }
    }

    fn timers(&mut self, run: &mut Run) {
        let now = Instant::now();
        if run.deadline.is_some_and(|deadline| now >= deadline) && run.exited.is_none() {
            run.deadline = None;
            run.signal(Signal::KILL.as_raw());
        }
        if run.trim.is_some_and(|trim| now >= trim) {
            run.trim = None;
            longshore_sys::release_clean_pages();
        }
        if run.health.as_ref().is_some_and(|health| now >= health.due()) {
            self.probe(run);
        }
    }

    /// Hands on what the container wrote: to its log, and to those who are connected.
    fn take_output(&mut self, run: &mut Run, source: Source, stream: Stream) {
        let mut buffer = vec![0; 64 * 1024];
        let slot = run.stream(source);
        let Some(descriptor) = slot else { return };
        match rustix::io::read(&*descriptor, &mut buffer) {
            Ok(0) => *slot = None,
            Ok(length) => {
                let bytes = &buffer[..length];
                // A full disk must not end the container; what could not be kept is missing from the log.
                let _ = self.log.write(stream, bytes);
                for connection in &mut self.connections {
                    connection.output(stream, bytes);
                }
            }
            Err(Errno::AGAIN | Errno::INTR) => {}
            // A terminal answers so when nobody has it open any more.
            Err(_) => *slot = None,
        }
    }

    fn accept(&mut self) {
        while let Ok((stream, _)) = self.listener.accept() {
            if let Ok(connection) = Connection::new(stream) {
                self.connections.push(connection);
            }
        }
    }

    fn converse(&mut self, run: &mut Run, index: usize, flags: PollFlags) {
        let Some(connection) = self.connections.get_mut(index) else { return };
        if flags.contains(PollFlags::OUT) {
            connection.flush();
        }
        if !flags.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR) {
            return;
        }
        let frames = connection.receive();
        for frame in frames {
            match frame {
                Frame::Request(request) => self.answer(run, index, request),
                Frame::Input(bytes) => {
                    run.input.extend(bytes);
                    run.feed();
                }
                Frame::Answer(_) | Frame::Output(..) => {}
            }
        }
        let gone = self.connections.get(index).is_some_and(|it| it.is_closed() && it.stdin);
        if gone && !self.record.spec.tty && self.connections.iter().filter(|it| it.stdin).count() == 1 {
            run.end_input();
        }
    }

    /// Fulfils a request.
    fn answer(&mut self, run: &mut Run, index: usize, request: RequestDto) {
        let result = match request {
            RequestDto::Attach { stdout, stderr, stdin } => {
                if let Some(connection) = self.connections.get_mut(index) {
                    (connection.stdout, connection.stderr, connection.stdin) = (stdout, stderr, stdin);
                    connection.watches = true;
                }
                return;
            }
            RequestDto::Watch => {
                let warnings = self.state.warnings.clone();
                if let Some(connection) = self.connections.get_mut(index) {
                    if !connection.watches {
                        connection.answer(AnswerDto::Started { warnings });
                    }
                    connection.watches = true;
                }
                return;
            }
            RequestDto::EndOfInput => {
                run.end_input();
                return;
            }
            RequestDto::Resize { rows, columns } => {
                run.resize(rows, columns);
                return;
            }
            RequestDto::Stop { signal, grace } => {
                self.stop(run, index, signal, grace);
                return;
            }
            RequestDto::Kill { signal, for_good } => {
                self.state.stopped_by_hand |= for_good;
                run.signal(signal);
                Ok(())
            }
            RequestDto::Pause => self.pause(true),
            RequestDto::Unpause => self.pause(false),
            RequestDto::Connect(attachment) => self.connect_more(&attachment),
            RequestDto::Disconnect { network } => self.disconnect(&network),
        };
        let answer = result.map_or_else(|error| AnswerDto::Failed((&error).into()), |()| AnswerDto::Done);
        if let Some(connection) = self.connections.get_mut(index) {
            connection.answer(answer);
        }
    }

    /// Asks the container to end; who asked is answered when it has.
    fn stop(&mut self, run: &mut Run, index: usize, signal: Option<i32>, grace: Option<u64>) {
        self.state.stopped_by_hand = true;
        if let Some(connection) = self.connections.get_mut(index) {
            connection.awaits_end = true;
        }
        if self.state.state == ContainerState::Paused {
            // What is frozen can be killed only, and must thaw for that.
            let _ = self.pause(false);
        }
        let default = crate::signal::stop_signal(&self.record.spec);
        let own = self.record.spec.stop_timeout.unwrap_or(Duration::from_secs(10));
        let grace = grace.map_or(own, Duration::from_millis);
        run.signal(signal.unwrap_or(default));
        let deadline = Instant::now() + grace;
        run.deadline = Some(run.deadline.map_or(deadline, |before| before.min(deadline)));
    }

    fn pause(&mut self, pause: bool) -> Result<(), EngineError> {
        let wanted = if pause { ContainerState::Running } else { ContainerState::Paused };
        if self.state.state != wanted {
            let message =
                if pause { "the container is paused already" } else { "the container is not paused" };
            return Err(EngineError::new(Fault::Conflict, message));
        }
        let limit = Duration::from_secs(10);
        let Some(group) = &self.cgroup else {
            return Err(EngineError::new(Fault::Unsupported, "there are no control groups to pause with"));
        };
        let done = if pause { group.freeze(limit) } else { group.thaw() };
        done.map_err(|error| crate::launch::cgroup_error("freeze", error))?;
        self.state.state = if pause { ContainerState::Paused } else { ContainerState::Running };
        self.write_state();
        Ok(())
    }

    fn connect_more(&mut self, attachment: &longshore_engine::Attachment) -> Result<(), EngineError> {
        let status = self.network.add(&self.home, &self.record, attachment, self.privilege)?;
        self.state.networks.insert(attachment.network.clone(), status);
        self.write_state();
        Ok(())
    }

    fn disconnect(&mut self, network: &str) -> Result<(), EngineError> {
        self.network.remove(&self.home, &self.record, network)?;
        self.state.networks.remove(network);
        self.write_state();
        Ok(())
    }

    fn probe(&mut self, run: &mut Run) {
        let Some(health) = &mut run.health else { return };
        if run.exited.is_some() || self.state.state == ContainerState::Paused {
            return;
        }
        let entered = Entered {
            record: &self.record,
            process: run.process.identity,
            cgroup: self.cgroup.as_ref(),
            privilege: self.privilege,
        };
        if health.work(&entered) {
            self.state.health = Some(health.status().clone());
            self.write_state();
        }
    }

    /// Waits for the next start, if there is to be one. False if there is none.
    pub(super) fn restart(&mut self, ended: &Ended, delay: &mut RestartDelay) -> bool {
        let wanted = !self.state.stopped_by_hand
            && match self.record.spec.restart {
                RestartPolicy::No => false,
                RestartPolicy::OnFailure { retries } => {
                    ended.exit.code != 0 && (retries == 0 || self.state.restarts < retries)
                }
                RestartPolicy::Always | RestartPolicy::UnlessStopped => true,
            };
        if !wanted {
            return false;
        }
        self.state.state = ContainerState::Restarting;
        self.state.process = None;
        self.state.exit = Some(ended.exit);
        self.state.finished = Some(super::start::now());
        self.state.restarts += 1;
        self.network.disconnect(&self.home, &self.id);
        self.write_state();
        self.pause_before_restart(delay.next(ended.ran));
        !self.state.stopped_by_hand
    }

    /// Waits, and listens: somebody may not want the next start.
    fn pause_before_restart(&mut self, delay: Duration) {
        let until = Instant::now() + delay;
        while !self.state.stopped_by_hand {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let ready: Vec<bool> = {
                let sockets = self.connections.iter().map(Connection::socket);
                let mut polled: Vec<PollFd<'_>> = std::iter::once(self.listener.as_fd())
                    .chain(sockets)
                    .map(|descriptor| PollFd::from_borrowed_fd(descriptor, PollFlags::IN))
                    .collect();
                let _ = poll(&mut polled, Some(&timespec(left)));
                polled.iter().skip(1).map(|source| !source.revents().is_empty()).collect()
            };
            for (index, ready) in ready.into_iter().enumerate() {
                if ready {
                    self.converse_between(index);
                }
            }
            self.accept();
            self.connections.retain(|connection| !connection.is_closed());
        }
    }

    /// Between two runs there is nothing to do for requests but to be stopped.
    fn converse_between(&mut self, index: usize) {
        let Some(connection) = self.connections.get_mut(index) else { return };
        for frame in connection.receive() {
            match frame {
                Frame::Request(RequestDto::Stop { .. } | RequestDto::Kill { for_good: true, .. }) => {
                    self.state.stopped_by_hand = true;
                    connection.awaits_end = true;
                }
                Frame::Request(RequestDto::Attach { stdout, stderr, stdin }) => {
                    (connection.stdout, connection.stderr, connection.stdin) = (stdout, stderr, stdin);
                    connection.watches = true;
                }
                Frame::Request(RequestDto::Watch) => connection.watches = true,
                Frame::Request(RequestDto::EndOfInput | RequestDto::Resize { .. })
                | Frame::Answer(_)
                | Frame::Output(..)
                | Frame::Input(_) => {}
                Frame::Request(_) => {
                    let error = EngineError::new(Fault::Conflict, "the container is restarting");
                    connection.answer(AnswerDto::Failed((&error).into()));
                }
            }
        }
    }
}

impl Run {
    fn signal(&self, signal: i32) {
        if self.exited.is_none() {
            // It may end at this moment.
            let _ = longshore_sys::send_signal(self.process.pidfd(), signal);
        }
    }

    fn has_output(&self) -> bool {
        // A process that outlived the container's own may hold the streams for ever; in a namespace of process ids of
        // their own there is none, and what is in the pipes is read to its end.
        let streams = &self.process.streams;
        [&streams.output, &streams.error, &streams.terminal]
            .into_iter()
            .flatten()
            .any(|stream| readable_now(stream.as_fd()))
    }

    fn stream(&mut self, source: Source) -> &mut Option<OwnedFd> {
        let streams = &mut self.process.streams;
        match source {
            Source::Error => &mut streams.error,
            Source::Terminal => &mut streams.terminal,
            _ => &mut streams.output,
        }
    }

    fn sources(&self, full: bool) -> Vec<(Source, BorrowedFd<'_>, PollFlags)> {
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
    fn timeout(&self) -> Option<Timespec> {
        let health = self.health.as_ref().filter(|_| self.exited.is_none()).map(Health::due);
        let next = [self.deadline, health, self.trim].into_iter().flatten().min()?;
        Some(timespec(next.saturating_duration_since(Instant::now())))
    }

    /// Gives the container as much input as it takes.
    fn feed(&mut self) {
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

    fn end_input(&mut self) {
        self.input_ended = true;
        self.feed();
    }

    fn resize(&self, rows: u16, columns: u16) {
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

fn timespec(duration: Duration) -> Timespec {
    // Rounded up, so that what is waited for is due when the wait is over.
    let duration = duration + Duration::from_micros(100);
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(duration.subsec_nanos()),
    }
}
