//! Starting a monitor.

use std::ffi::{CString, OsStr};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use longshore_engine::{ContainerId, EngineError, Fault};
use longshore_sys::{Namespaces, Op, Program, copy_aside, raise_fd, spawn};

use crate::control::{Client, RequestDto};
use crate::home::Home;
use crate::launch::path::c_path;
use crate::monitor::MONITOR;
use crate::record::LiveLock;

/// How processes beside this one are started.
#[derive(Debug, Clone)]
pub(crate) struct Starter {
    /// The program that is started under other names.
    pub(crate) program: PathBuf,
    /// Whether they may be copies of this process, which ends soon: nobody here asks how they ended.
    pub(crate) copies: bool,
}

/// Starts the monitor of a container, which starts the container. The requests are sent before it begins, so nothing of
/// what the container does is missed. `None` if it has a monitor already.
pub(crate) fn start(
    home: &Home,
    starter: &Starter,
    id: &ContainerId,
    requests: &[RequestDto],
) -> Result<Option<Client>, EngineError> {
    let Some(lock) = LiveLock::take(home, id)? else { return Ok(None) };
    let failed = |error: io::Error| {
        EngineError::new(Fault::Environment, "failed to start the container's monitor").because(error)
    };
    let (ours, theirs) = UnixStream::pair().map_err(failed)?;
    let mut client = Client::new(ours);
    for request in requests {
        client.send(request.clone()).map_err(failed)?;
    }
    let lock = lock.file().try_clone().map_err(failed)?;
    let null = File::options().write(true).open("/dev/null").map_err(failed)?;
    let arguments = [MONITOR.as_ref(), home.root().as_os_str(), id.as_str().as_ref()];
    let streams = [theirs.into(), lock.into(), null.into()];
    starter.monitor(&arguments, streams).map_err(|error| EngineError {
        message: "failed to start the container's monitor".to_owned(),
        ..error
    })?;
    Ok(Some(client))
}

impl Starter {
    /// Starts a monitor: as a copy of this process where that can be, which takes half the time.
    fn monitor(&self, arguments: &[&OsStr], streams: [OwnedFd; 3]) -> Result<(), EngineError> {
        if self.copies && copy_aside(&words(arguments)?, &streams, copied_main).is_ok() {
            return Ok(());
        }
        aside(&self.program, arguments, streams)
    }
}

/// What a copy of this process does.
fn copied_main(words: &[CString]) -> u8 {
    let words: Option<Vec<String>> =
        words.iter().skip(2).map(|word| word.to_str().ok().map(str::to_owned)).collect();
    u8::from(!words.is_some_and(|words| crate::monitor::watch(&words)))
}

/// The words of this program under another name.
fn words(arguments: &[&OsStr]) -> Result<Vec<CString>, EngineError> {
    let words = std::iter::once(OsStr::new("longshore")).chain(arguments.iter().copied());
    words.map(|word| c_path(Path::new(word))).collect()
}

/// Starts this program under another name, with these streams, as nobody's child.
pub(crate) fn aside(path: &Path, arguments: &[&OsStr], streams: [OwnedFd; 3]) -> Result<(), EngineError> {
    let failed = |error: io::Error| {
        EngineError::new(Fault::Environment, "failed to start a process beside this one").because(error)
    };
    let mut program = Program::new();
    program.push(Op::Orphan);
    program.push(Op::Session);
    for (stream, descriptor) in (0..).zip(streams) {
        let descriptor = raise_fd(descriptor).map_err(|errno| failed(errno.into()))?;
        program.push(Op::Stream(Arc::new(descriptor), stream));
    }
    program.push(Op::WorkingDirectory(c"/".into()));
    program.execute(vec![c_path(path)?], words(arguments)?, Vec::new());
    let mut child = spawn(&program, Namespaces::NONE, None).map_err(|errno| failed(errno.into()))?;
    child.started().map_err(|error| {
        EngineError::new(Fault::Environment, "failed to start a process beside this one").because(error)
    })?;
    // The first of the two processes has ended; the other is nobody's child here.
    let _ = child.wait();
    Ok(())
}
