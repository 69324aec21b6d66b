//! While the container runs: its streams, those who are connected, its health, its end.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use longshore_engine::{ContainerState, EngineError, ExitStatus, Fault, Stream};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::Signal;

use super::connection::Connection;
use super::probe::Health;
use super::run::{Run, Source};
use super::{Monitor, Process};
use crate::control::{AnswerDto, Frame, RequestDto};
use crate::exec::Entered;

/// How a run of the container ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended {
    pub(super) exit: ExitStatus,
    /// How long it ran.
    pub(super) ran: Duration,
}

impl Monitor {
    /// Serves one run of the container until it ends.
    pub(super) fn serve(&mut self, process: Process) -> Ended {
        let health = Health::new(self.record.spec.health.as_ref(), &self.record.shell);
        self.state.health = health.as_ref().map(|health| health.status().clone());
        if self.state.health.is_some() {
            self.write_state();
        }
        let mut run = Run::new(process, health);
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
            self.spent.clear();
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

    /// Takes those who want to be connected.
    pub(super) fn accept(&mut self) {
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
        if let Some(connection) = self.connections.get_mut(index) {
            connection.answer(AnswerDto::to(result));
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
}
