//! Why a container's process could not be started, in words for people.

use longshore_engine::{EngineError, Fault};
use longshore_sys::{Op, Program, StartError};
use rustix::io::Errno;

/// Why a new process did not become its program, in the words of its operations.
pub(crate) struct Failure<'a> {
    pub(crate) program: &'a Program,
    pub(crate) word: &'a str,
    pub(crate) directory: &'a str,
}

impl Failure<'_> {
    pub(crate) fn explain(&self, error: StartError) -> EngineError {
        let StartError::Operation { op, errno } = error else {
            return EngineError::new(
                Fault::Environment,
                "the container's process ended before it was complete",
            )
            .because(error);
        };
        let word = self.word;
        match self.program.ops().get(op) {
            Some(Op::Execute(_)) => self.explain_execution(errno),
            Some(Op::WorkingDirectory(_)) => {
                let fault =
                    if errno == Errno::NOENT { Fault::CommandNotFound } else { Fault::CommandNotRunnable };
                let message = format!("failed to start `{word}` in the directory `{}`", self.directory);
                EngineError::new(fault, message).because(errno)
            }
            Some(Op::Become { uid, gid, .. }) if errno == Errno::INVAL => {
                let (uid, gid) = (uid.as_raw(), gid.as_raw());
                let message =
                    format!("user {uid}:{gid}, or one of its groups, does not exist in the container");
                EngineError::new(Fault::Unsupported, message).because(errno).help(
                    "its user namespace has as many ids as /etc/subuid and /etc/subgid give you, and one more",
                )
            }
            Some(op) => {
                let attempt = describe(op);
                EngineError::new(Fault::Environment, format!("failed to {attempt} for the container"))
                    .because(errno)
            }
            None => EngineError::new(Fault::Bug, "an operation failed that does not exist").because(errno),
        }
    }

    fn explain_execution(&self, errno: Errno) -> EngineError {
        let word = self.word;
        match errno {
            Errno::NOENT if word.contains('/') => EngineError::new(
                Fault::CommandNotFound,
                format!("failed to run `{word}`: no such file or directory"),
            )
            .help("check the path; if it exists, the interpreter or loader that it names does not"),
            Errno::NOENT => EngineError::new(
                Fault::CommandNotFound,
                format!("failed to run `{word}`: executable file not found in $PATH"),
            ),
            Errno::NOEXEC => EngineError::new(
                Fault::CommandNotRunnable,
                format!("failed to run `{word}`: exec format error"),
            )
            .help(
                "it is no program of this machine's architecture, or a script without `#!` in its first line",
            ),
            _ => {
                EngineError::new(Fault::CommandNotRunnable, format!("failed to run `{word}`")).because(errno)
            }
        }
    }
}

/// What an operation was about.
fn describe(op: &Op) -> String {
    let text = |path: &std::ffi::CString| path.to_string_lossy().into_owned();
    match op {
        Op::JoinGroup(_) => "join a control group".to_owned(),
        Op::Enter(..) => "enter a namespace".to_owned(),
        Op::Unshare(_) => "make a namespace".to_owned(),
        Op::ChangeRoot(_) => "change the root directory".to_owned(),
        Op::MakeDirectories(paths, _) => {
            format!("make the directory `{}`", paths.last().map(text).unwrap_or_default())
        }
        Op::MakeFile(path) => format!("make the file `{}`", text(path)),
        Op::Attach { target, .. } => format!("mount on `{}`", text(target)),
        Op::Mount(mount) => format!("mount {} on `{}`", text(&mount.kind), text(&mount.target)),
        Op::Remount { target, .. } => format!("change the mount at `{}`", text(target)),
        Op::ReadOnlyOver(path) => format!("make `{}` read-only", text(path)),
        Op::Mask(path) => format!("mask `{}`", text(path)),
        Op::Write { path, text: value, .. } => {
            format!("write `{}` to `{}`", String::from_utf8_lossy(value), text(path))
        }
        Op::HostName(_) | Op::DomainName(_) => "set the host name".to_owned(),
        Op::Terminal(_) => "open a terminal".to_owned(),
        Op::Become { uid, gid, .. } => format!("become user {}:{}", uid.as_raw(), gid.as_raw()),
        Op::Filter(_) => "set the filter of system calls".to_owned(),
        Op::BoundCapabilities(_) => "drop capabilities".to_owned(),
        other => {
            let name = format!("{other:?}");
            let name = name.split([' ', '(', '{']).next().unwrap_or_default().to_owned();
            format!("carry out {name}")
        }
    }
}
