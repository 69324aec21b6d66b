//! Further processes in a container that runs.
//!
//! The process that asks enters the container itself, through a child that is cloned twice: the first joins the
//! namespaces, the second is born in them, as a child of who asked. So streams are handed over without anyone between,
//! and the exit code comes from the kernel.

use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use longshore_cgroup::{Cgroup, Entry};
use longshore_engine::{EngineError, ExecSpec, Fault};
use longshore_sys::{Child, Namespaces, Op, Program, spawn};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::launch::environment::of_exec;
use crate::launch::identity::{Command, Identity, available_capabilities};
use crate::launch::{self, Failure, Privilege, Streams, push_joins};
use crate::process::ProcessDto;
use crate::record::RecordDto;
use crate::user::Accounts;

/// A container that is entered.
pub(crate) struct Entered<'a> {
    pub(crate) record: &'a RecordDto,
    /// The container's own process.
    pub(crate) process: ProcessDto,
    pub(crate) cgroup: Option<&'a Cgroup>,
    pub(crate) privilege: Privilege,
}

/// The streams of a further process.
pub(crate) enum ExecStreams {
    /// A terminal of the container.
    Terminal,
    /// Pipes; whether there is one for input.
    Pipes {
        /// There is one for input.
        input: bool,
    },
    /// Descriptors that are there.
    Given([Arc<OwnedFd>; 3]),
}

/// Kinds of namespaces with their names below `/proc/PID/ns`.
const KINDS: [(&str, Namespaces); 7] = [
    ("user", Namespaces::USER),
    ("mnt", Namespaces::MOUNT),
    ("pid", Namespaces::PID),
    ("net", Namespaces::NETWORK),
    ("ipc", Namespaces::IPC),
    ("uts", Namespaces::UTS),
    ("cgroup", Namespaces::CGROUP),
];

impl Entered<'_> {
    /// Starts a process. `die_with_us` ends it when this thread ends.
    pub(crate) fn start(
        &self,
        spec: &ExecSpec,
        streams: ExecStreams,
        die_with_us: bool,
    ) -> Result<(Child, Streams), EngineError> {
        let gone = || EngineError::new(Fault::Conflict, "the container has ended");
        let pidfd = self.process.open().ok_or_else(gone)?;
        let kinds = own_namespaces(self.process, &KINDS).ok_or_else(gone)?;
        let mut program = Program::new();
        let failed = |errno: Errno| {
            EngineError::new(Fault::Environment, "failed to start a process in the container").because(errno)
        };
        if die_with_us {
            program.push(Op::DieWithParent(rustix::process::Signal::KILL.as_raw()));
        }
        push_joins(&mut program, self.cgroup, Entry::Born)?;
        program.push(Op::Enter(Arc::new(pidfd), kinds));
        program.push(Op::Undumpable);
        if kinds.contains(Namespaces::PID) {
            program.push(Op::Split);
        }
        if kinds.contains(Namespaces::USER) {
            program.push(Op::BecomeRoot);
        }
        let (streams, terminal) = push_streams(&mut program, streams).map_err(failed)?;
        let directory = self.push_identity(&mut program, spec, die_with_us)?;
        let group = self.cgroup.map(Cgroup::directory).transpose();
        let group = group.map_err(|error| launch::cgroup_error("open", error))?.flatten();
        let mut child = spawn(&program, Namespaces::NONE, group.as_ref().map(AsFd::as_fd)).map_err(failed)?;
        let mut streams = streams;
        let received = terminal.map(|socket| launch::receive_terminal(&socket, &mut child)).transpose();
        match received.and_then(|received| child.started().map(|()| received.flatten())) {
            Ok(received) => {
                streams.terminal = received;
                Ok((child, streams))
            }
            Err(error) => {
                let word = spec.command.first().map(String::as_str).unwrap_or_default();
                Err(Failure { program: &program, word, directory: &directory }.explain(error))
            }
        }
    }

    fn push_identity(
        &self,
        program: &mut Program,
        spec: &ExecSpec,
        die_with_us: bool,
    ) -> Result<String, EngineError> {
        let container = &self.record.spec;
        if spec.command.is_empty() {
            return Err(EngineError::new(Fault::Invalid, "no command specified"));
        }
        let root = rustix::fs::open(
            format!("/proc/{}/root", self.process.pid),
            OFlags::PATH | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .map_err(|errno| {
            EngineError::new(Fault::Environment, "failed to open the container's root directory")
                .because(errno)
        })?;
        let name = spec.user.as_deref().or(container.user.as_deref()).unwrap_or_default();
        let user = Accounts::read(root.as_fd()).find(name, &container.security.groups)?;
        let environment = of_exec(self.record, &user, spec.tty, &spec.env);
        let directory = spec
            .working_directory
            .clone()
            .or_else(|| container.working_directory.clone())
            .unwrap_or_else(|| "/".to_owned());
        let command =
            Command { words: &spec.command, environment: &environment, working_directory: &directory };
        let identity = Identity {
            security: &container.security,
            ulimits: &container.resources.ulimits,
            user: &user,
            single_user: self.privilege == Privilege::SingleUser,
            privileged: spec.privileged || container.security.privileged,
            available: available_capabilities(),
        };
        if die_with_us {
            // Entering and splitting have made another process, which has to ask again.
            program.push(Op::DieWithParent(rustix::process::Signal::KILL.as_raw()));
        }
        identity.push(program, &command)?;
        Ok(directory)
    }
}

/// The namespaces among some kinds that a process has and we have not; none if it is gone.
pub(crate) fn own_namespaces(process: ProcessDto, kinds: &[(&str, Namespaces)]) -> Option<Namespaces> {
    let mut own = Namespaces::NONE;
    for (name, kind) in kinds {
        let theirs = fs::read_link(format!("/proc/{}/ns/{name}", process.pid)).ok()?;
        let ours = fs::read_link(format!("/proc/self/ns/{name}")).ok()?;
        if theirs != ours {
            own = own.and(*kind);
        }
    }
    Some(own)
}

fn push_streams(program: &mut Program, streams: ExecStreams) -> Result<(Streams, Option<OwnedFd>), Errno> {
    match streams {
        ExecStreams::Terminal => launch::make_streams(program, (true, false), false),
        ExecStreams::Pipes { input } => launch::make_streams(program, (false, false), input),
        ExecStreams::Given(descriptors) => {
            program.push(Op::Session);
            for (stream, descriptor) in (0..).zip(descriptors) {
                program.push(Op::Stream(descriptor, stream));
            }
            Ok((Streams::default(), None))
        }
    }
}
