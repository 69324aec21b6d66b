//! Health checks of a container, made by its monitor.

use std::os::fd::{AsFd as _, OwnedFd};
use std::time::{Duration, Instant};

use longshore_engine::{ExecSpec, HealthLog, HealthSpec, HealthStatus, HealthTracker, ProbeResult};
use longshore_sys::Child;

use crate::exec::{Entered, ExecStreams};

/// How much of what a probe writes is kept.
const OUTPUT: usize = 4096;

/// How many probes are remembered.
const REMEMBERED: usize = 5;

/// The health of one container.
pub(super) struct Health {
    spec: HealthSpec,
    command: Vec<String>,
    tracker: HealthTracker,
    began: Instant,
    status: HealthStatus,
    running: Option<Running>,
}

/// A probe that is being made.
struct Running {
    child: Child,
    output: Option<OwnedFd>,
    error: Option<OwnedFd>,
    written: Vec<u8>,
    start: Duration,
    wall_start: i128,
    deadline: Instant,
}

impl Health {
    /// The health of a container that just started; `None` if it is not checked.
    pub(super) fn new(spec: Option<&HealthSpec>, shell: &[String]) -> Option<Self> {
        let spec = spec?;
        let command = spec.command(shell)?;
        Some(Self {
            spec: spec.clone(),
            command,
            tracker: HealthTracker::new(spec.clone()),
            began: Instant::now(),
            status: HealthStatus::default(),
            running: None,
        })
    }

    /// What is known.
    pub(super) fn status(&self) -> &HealthStatus {
        &self.status
    }

    /// When something is to be done if nothing happens before.
    pub(super) fn due(&self) -> Instant {
        self.running.as_ref().map_or_else(|| self.began + self.tracker.next().at, |running| running.deadline)
    }

    /// The descriptors that tell about the probe: its end, and what it writes.
    pub(super) fn sources(&self) -> Vec<std::os::fd::BorrowedFd<'_>> {
        let Some(running) = &self.running else { return Vec::new() };
        let streams = [&running.output, &running.error];
        std::iter::once(running.child.pidfd())
            .chain(streams.into_iter().flatten().map(|stream| stream.as_fd()))
            .collect()
    }

    /// Does what is due. True if the state, or what is remembered, changed.
    pub(super) fn work(&mut self, entered: &Entered<'_>) -> bool {
        match self.running.take() {
            None if Instant::now() >= self.due() => self.begin(entered),
            None => false,
            Some(running) => self.watch(running),
        }
    }

    /// Ends a probe that is being made: the container is gone, or about to be.
    pub(super) fn abandon(&mut self) {
        if let Some(running) = self.running.take() {
            kill(&running.child);
            let _ = running.child.wait();
        }
    }

    fn begin(&mut self, entered: &Entered<'_>) -> bool {
        let start = self.began.elapsed();
        let wall_start = now();
        let spec = ExecSpec { command: self.command.clone(), ..ExecSpec::default() };
        match entered.start(&spec, ExecStreams::Pipes { input: false }, true) {
            Ok((child, streams)) => {
                self.running = Some(Running {
                    child,
                    output: streams.output,
                    error: streams.error,
                    written: Vec::new(),
                    start,
                    wall_start,
                    deadline: Instant::now() + self.spec.timeout(),
                });
                false
            }
            Err(error) => {
                let mut output = error.to_string();
                if let Some(source) = std::error::Error::source(&error) {
                    output = format!("{output}: {source}");
                }
                self.record((start, wall_start), -1, output)
            }
        }
    }

    fn watch(&mut self, mut running: Running) -> bool {
        running.read();
        let late = Instant::now() >= running.deadline;
        if late {
            kill(&running.child);
        }
        match running.ended(late) {
            None => {
                self.running = Some(running);
                false
            }
            Some(code) => {
                running.read();
                let (code, output) = if late {
                    (-1, format!("Health check exceeded timeout ({:?})", self.spec.timeout()))
                } else {
                    (code, String::from_utf8_lossy(&running.written).into_owned())
                };
                self.record((running.start, running.wall_start), code, output)
            }
        }
    }

    fn record(&mut self, (start, wall_start): (Duration, i128), exit_code: i32, output: String) -> bool {
        let end = self.began.elapsed();
        let result = ProbeResult { start, end, success: exit_code == 0 };
        if !self.tracker.on(result) {
            return false;
        }
        self.status.state = self.tracker.state();
        self.status.failing_streak = self.tracker.failing_streak();
        self.status.log.push(HealthLog { start: wall_start, end: now(), exit_code, output });
        let surplus = self.status.log.len().saturating_sub(REMEMBERED);
        self.status.log.drain(..surplus);
        true
    }
}

impl Running {
    /// Takes what was written, without waiting: what the probe started may hold its streams longer than it lives.
    fn read(&mut self) {
        for stream in [&mut self.output, &mut self.error] {
            let Some(descriptor) = stream.as_ref().filter(|it| is_readable(it.as_fd())) else { continue };
            let mut buffer = [0; 4096];
            match rustix::io::read(descriptor, &mut buffer) {
                Ok(0) => *stream = None,
                Ok(length) => {
                    let room = OUTPUT.saturating_sub(self.written.len());
                    self.written.extend_from_slice(&buffer[..length.min(room)]);
                }
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
                Err(_) => *stream = None,
            }
        }
    }

    /// The exit code, if it has ended; waits if it was killed.
    fn ended(&self, killed: bool) -> Option<i32> {
        if !killed && !is_readable(self.child.pidfd()) {
            return None;
        }
        Some(self.child.wait().unwrap_or(-1))
    }
}

fn is_readable(descriptor: std::os::fd::BorrowedFd<'_>) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let mut source = [PollFd::from_borrowed_fd(descriptor, PollFlags::IN)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut source, Some(&now)).is_ok_and(|count| count > 0)
}

fn kill(child: &Child) {
    let _ = rustix::process::pidfd_send_signal(child.pidfd(), rustix::process::Signal::KILL);
}

fn now() -> i128 {
    jiff::Timestamp::now().as_nanosecond()
}
