//! Programs of this machine in the network of a container.
//!
//! They enter its network, and the user namespace that this belongs to, and stay in all other namespaces of this machine.
//! So they need nothing of the container's files, and no process in the container can see them, look into them, or end them.
//! The pidfd of the container's process is their standard input, by which they know when it has ended.
//!
//! Source: `setns(2)`, `pidfd_open(2)` ("polling"), `capabilities(7)`.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;

use longshore_engine::{EngineError, Fault};
use longshore_sys::{Child, Namespaces, Op, Program, raise_fd, spawn};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};

use crate::exec::own_namespaces;
use crate::launch::path::c_text;
use crate::launch::{Streams, make_streams};
use crate::process::ProcessDto;

/// What is entered.
const KINDS: [(&str, Namespaces); 2] = [("user", Namespaces::USER), ("net", Namespaces::NETWORK)];

/// `CAP_NET_BIND_SERVICE`, the only right that they have.
const BIND_SERVICE: u64 = 1 << 10;

/// Starts a program, whose path is the first word, in a directory.
pub(crate) fn start(
    process: ProcessDto,
    directory: &Path,
    command: &[String],
) -> Result<(Child, Streams), EngineError> {
    let failed = |errno: Errno| {
        let word = command.first().map_or("", String::as_str);
        EngineError::new(Fault::Environment, format!("failed to start `{word}` in the container's network"))
            .because(errno)
    };
    let gone = || EngineError::new(Fault::Conflict, "the container has ended");
    let pidfd = process.open().ok_or_else(gone)?;
    let kinds = own_namespaces(process, &KINDS).ok_or_else(gone)?;
    let end = raise_fd(
        pidfd.try_clone().map_err(|error| failed(Errno::from_io_error(&error).unwrap_or(Errno::BADF)))?,
    );
    let mut program = Program::new();
    // While it is still who we are: our own directories need be open to nobody else.
    program.push(Op::WorkingDirectory(c_text(directory.as_os_str().as_bytes())?));
    if kinds != Namespaces::NONE {
        program.push(Op::Enter(Arc::new(pidfd), kinds));
    }
    if kinds.contains(Namespaces::USER) {
        program.push(Op::BecomeRoot);
    }
    let (streams, _) = make_streams(&mut program, (false, false), false).map_err(failed)?;
    program.push(Op::Stream(Arc::new(end.map_err(failed)?), 0));
    if rustix::process::geteuid().is_root() || kinds.contains(Namespaces::USER) {
        program.push(Op::BoundCapabilities(BIND_SERVICE));
        let (uid, gid) = (Uid::ROOT, Gid::ROOT);
        program.push(Op::Become { uid, gid, groups: None, capabilities: BIND_SERVICE });
    }
    program.push(Op::NoNewPrivileges);
    let words: Vec<_> = command.iter().map(|word| c_text(word.as_str())).collect::<Result<_, _>>()?;
    program.execute(words.first().cloned().into_iter().collect(), words, Vec::new());
    let mut child = spawn(&program, Namespaces::NONE, None).map_err(failed)?;
    child.started().map_err(|error| {
        EngineError::new(Fault::Environment, "failed to start a program in the container's network")
            .because(error)
    })?;
    Ok((child, streams))
}
