//! Trials: parts of the examination that ask the kernel to do something, each in a process of its own.
//!
//! A trial is this program once more, with a hidden flag. What it found comes back as JSON through a pipe. It starts with
//! an empty environment, and it ends with the process that waits for it.

use std::io;
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clap::ValueEnum;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;

use super::check::{CheckDto, OutcomeDto};
use super::{engine, files, kernel, limits, network, run, storage};

/// How long a trial may take. It is a hundred times of what it needs on an idle machine.
const LIMIT: Duration = Duration::from_secs(8);
/// How long a process that was killed may take to be gone.
const KILLING: Duration = Duration::from_millis(500);
/// More is no answer.
const MAX_ANSWER: usize = 1024 * 1024;

/// One process's part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Trial {
    /// Namespaces and filters of system calls.
    Namespaces,
    /// Mounts: overlays, mounts with other ids.
    Files,
    /// A network of containers.
    Network,
    /// Control groups.
    Limits,
    /// The disk, and the store on it.
    Storage,
    /// Containers, and what is left of them.
    Engine,
    /// A container from beginning to end.
    Run,
    /// A Docker daemon.
    Docker,
}

/// What trials are given.
#[derive(Debug)]
pub(super) struct Setting {
    /// The directory that holds Longshore's own state.
    pub(super) home: PathBuf,
    /// Where files can be made, if that is possible.
    pub(super) scratch: Option<PathBuf>,
    /// Whether to clean up.
    pub(super) reap: bool,
}

impl Trial {
    /// The id of the check that tells that the trial itself failed.
    const fn id(self) -> &'static str {
        match self {
            Self::Namespaces => "kernel.namespaces",
            Self::Files => "kernel.overlayfs",
            Self::Network => "network.containers",
            Self::Limits => "limits.hierarchy",
            Self::Storage => "storage.store",
            Self::Engine => "engine.leftovers",
            Self::Run => "engine.run",
            Self::Docker => "engine.docker",
        }
    }

    /// Does it, in this process.
    pub(super) fn perform(self, setting: &Setting) -> OutcomeDto {
        // If this cannot be had, the limit still ends the trial.
        let _ = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
        match self {
            Self::Namespaces => kernel::try_namespaces().into(),
            Self::Files => files::checks(setting.scratch.as_deref()).into(),
            Self::Network => network::checks(setting.scratch.as_deref()).into(),
            Self::Limits => limits::checks().into(),
            Self::Storage => storage::examine(&setting.home, setting.reap),
            Self::Engine => engine::examine(&setting.home, setting.reap),
            Self::Run => vec![run::check(setting.scratch.as_deref())].into(),
            Self::Docker => vec![engine::docker()].into(),
        }
    }

    fn start(self, setting: &Setting) -> io::Result<Child> {
        let mut command = Command::new(std::env::current_exe()?);
        let name = self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        command.args(["doctor", "--format", "json", "--trial", &name]);
        if let Some(scratch) = &setting.scratch {
            command.arg("--scratch").arg(scratch);
        }
        if !setting.reap {
            command.arg("--no-reap");
        }
        // Settings of a project or a user are this process's matter.
        command.env_clear().env("LONGSHORE_HOME", &setting.home).current_dir("/");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()
    }

    /// What the process found, or that it did not answer.
    fn finish(self, started: io::Result<Child>, deadline: Instant) -> OutcomeDto {
        let failed = |why: String| {
            let check = CheckDto::warning(self.id(), "could not be tried").detail([why]);
            vec![check.help("try again; if it stays so, please report it")].into()
        };
        let mut child = match started {
            Ok(child) => child,
            Err(error) => return failed(format!("failed to start a process for it: {error}")),
        };
        let answer = read(&child, deadline);
        if answer.is_err() {
            let _ = child.kill();
        }
        let gone = reap(&mut child);
        match answer {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .unwrap_or_else(|_| failed(format!("its process ended without an answer{gone}"))),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                failed(format!("its process did not end within {} s{gone}", LIMIT.as_secs()))
            }
            Err(error) => failed(format!("failed to read what its process found: {error}")),
        }
    }
}

/// Does all trials at the same time, and `meanwhile` in this process; its outcome is among the others.
pub(super) fn all(setting: &Setting, meanwhile: impl FnOnce() -> OutcomeDto) -> Vec<OutcomeDto> {
    let started: Vec<_> =
        Trial::value_variants().iter().map(|trial| (*trial, trial.start(setting))).collect();
    let deadline = Instant::now() + LIMIT;
    let mut outcomes = vec![meanwhile()];
    outcomes.extend(started.into_iter().map(|(trial, started)| trial.finish(started, deadline)));
    outcomes
}

/// Everything that a process writes until it closes its output.
fn read(child: &Child, deadline: Instant) -> io::Result<Vec<u8>> {
    let Some(output) = &child.stdout else { return Ok(Vec::new()) };
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        wait(output.as_fd(), deadline)?;
        match rustix::io::read(output, &mut buffer) {
            Ok(0) => return Ok(bytes),
            Ok(length) => bytes.extend(buffer.iter().take(length)),
            Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        if bytes.len() > MAX_ANSWER {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
    }
}

/// Waits until there is something to read, or the deadline is over.
fn wait(descriptor: std::os::fd::BorrowedFd<'_>, deadline: Instant) -> io::Result<()> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).map_err(|_| io::ErrorKind::InvalidInput)?;
        match poll(&mut [PollFd::from_borrowed_fd(descriptor, PollFlags::IN)], Some(&left)) {
            Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
            Ok(_) => return Ok(()),
            Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// Reaps a process that ended or was killed; one that hangs in the kernel is left to whoever reaps orphans.
fn reap(child: &mut Child) -> String {
    let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    let handle =
        pid.and_then(|pid| rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).ok());
    let is_gone =
        || handle.as_ref().is_none_or(|handle| wait(handle.as_fd(), Instant::now() + KILLING).is_ok());
    if !is_gone() {
        let _ = child.kill();
        if !is_gone() {
            return " and cannot be killed".to_owned();
        }
    }
    match child.try_wait() {
        Ok(Some(status)) if !status.success() => format!(" ({status})"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    use super::Trial;
    use crate::cli::doctor::check::StatusDto;

    /// What becomes of a trial whose process is this shell script.
    fn finish(script: &str, limit: Duration) -> super::OutcomeDto {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::piped());
        Trial::Files.finish(command.spawn(), Instant::now() + limit)
    }

    #[test]
    fn a_trial_that_hangs_is_ended_and_told() {
        let outcome = finish("exec sleep 1000", Duration::ZERO);
        let [check] = &outcome.checks[..] else { panic!("{outcome:?}") };
        assert_eq!((check.id.as_str(), check.status), ("kernel.overlayfs", StatusDto::Warning));
        assert!(check.detail[0].contains("did not end"), "{check:?}");
    }

    #[test]
    fn a_trial_without_an_answer_is_told() {
        let patience = Duration::from_mins(1);
        for script in ["kill -9 $$", "exit 3", "echo nonsense", "true"] {
            let outcome = finish(script, patience);
            assert!(outcome.checks[0].detail[0].contains("without an answer"), "{script}: {outcome:?}");
        }
        let endless = finish("exec yes", patience);
        assert!(endless.checks[0].detail[0].starts_with("failed to read"), "{endless:?}");
    }
}
