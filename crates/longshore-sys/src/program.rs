//! What a new process does before it becomes the user's: a list of operations, prepared before the clone.

use std::ffi::{CString, c_char};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::process::{Gid, Resource, Uid};

use crate::{MountAttributes, Namespaces};

/// One operation of a new process. Paths are those that it sees at that point.
#[derive(Debug)]
pub enum Op {
    /// Waits for [`crate::Child::go`]. If whoever started us is gone, so are we.
    Await,
    /// Asks the kernel to end this process by a signal when the thread that started it ends.
    DieWithParent(i32),
    /// Joins a control group through its open `cgroup.procs`.
    JoinGroup(OwnedFd),
    /// Enters namespaces of a process (a pidfd), or one namespace (an open `/proc/…/ns/…`).
    Enter(Arc<OwnedFd>, Namespaces),
    /// Leaves shared namespaces for new ones.
    Unshare(Namespaces),
    /// Goes on in a child of the same parent, so that a process-id namespace that was entered takes effect.
    Split,
    /// Goes on in a child that belongs to nobody here: whoever started this process need not reap it.
    Orphan,
    /// Sets the loopback of its own network namespace up.
    RaiseLoopback,
    /// Takes user and group 0 of a user namespace that was just made or entered, without further groups.
    BecomeRoot,
    /// Keeps changes of mounts from reaching the machine; changes of the machine reach here until the root is changed.
    IsolateMounts,
    /// Makes a mount the root directory. All else stays mounted until [`Op::DropOldRoot`]: in a user namespace, `/proc` and
    /// `/sys` can be mounted only where they are seen already.
    ChangeRoot(OwnedFd),
    /// Drops all mounts of before. The working directory is the root.
    DropOldRoot,
    /// Makes directories, each after its parent; those that exist stay as they are.
    MakeDirectories(Vec<CString>, u32),
    /// Makes an empty file, unless something is there.
    MakeFile(CString),
    /// Attaches a prepared mount.
    Attach {
        /// The mount.
        mount: OwnedFd,
        /// Where.
        target: CString,
        /// Whether the target may lead over symbolic links.
        links: Links,
    },
    /// Makes a file system and attaches it.
    Mount(NewMount),
    /// Changes attributes of what is mounted; a target that does not exist is left.
    Remount {
        /// Where.
        target: CString,
        /// What is set.
        set: MountAttributes,
        /// Below it, too.
        recursive: bool,
    },
    /// Mounts what is at a place once more over itself, read-only, with all below it. Left if it does not exist.
    ReadOnlyOver(CString),
    /// Covers a file with `/dev/null`, or a directory with an empty one. Left if it does not exist.
    Mask(CString),
    /// Makes a symbolic link, unless something is there.
    Symlink {
        /// Where it leads.
        to: CString,
        /// Where it is.
        at: CString,
    },
    /// Writes a text to a file that exists.
    Write {
        /// Where.
        path: CString,
        /// What.
        text: Vec<u8>,
        /// Whether it matters if it fails.
        required: bool,
    },
    /// Sets the host name of the namespace.
    HostName(Vec<u8>),
    /// Sets the domain name of the namespace.
    DomainName(Vec<u8>),
    /// Begins a session.
    Session,
    /// Opens a terminal of the mounted `/dev/pts`, makes it the session's and the process's streams, and sends the other
    /// side over a socket.
    Terminal(Arc<OwnedFd>),
    /// Shows the terminal as `/dev/console`, if that exists.
    Console,
    /// Makes a descriptor one of the streams 0, 1, 2.
    Stream(Arc<OwnedFd>, i32),
    /// Sets a limit of the process; what may not be raised is set as high as may be.
    Limit {
        /// Which.
        resource: Resource,
        /// What holds; `None` is no limit.
        soft: Option<u64>,
        /// How far it may be raised; `None` is no limit.
        hard: Option<u64>,
    },
    /// Drops all capabilities for good that are not in the set (bits by number).
    BoundCapabilities(u64),
    /// Becomes a user and keeps the capabilities in the set if that is root, none otherwise.
    Become {
        /// The user.
        uid: Uid,
        /// The group.
        gid: Gid,
        /// Further groups; `None` leaves them.
        groups: Option<Vec<Gid>>,
        /// Capabilities, by number.
        capabilities: u64,
    },
    /// Sets `no_new_privs`.
    NoNewPrivileges,
    /// Lets only some system calls through.
    Filter(Vec<FilterInstruction>),
    /// Keeps processes of the container from looking into this one as long as it is not theirs.
    Undumpable,
    /// Lets processes of the same user look into this one again, as they must to enter its namespaces.
    Dumpable,
    /// Goes on in a child, and stays as its reaper: hands signals on, collects orphans, ends as the child ended.
    Supervise,
    /// Becomes no program: collects orphans until it is asked to end (`SIGTERM`, `SIGINT`), and ends with 0.
    Hold,
    /// Changes the working directory.
    WorkingDirectory(CString),
    /// Resets signals, closes what is not a stream, and becomes the first of some programs that can be run.
    Execute(Execution),
}

/// Whether a target may lead over symbolic links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// Yes; the process's root directory bounds them.
    Follow,
    /// No: a link in the image may not decide where system directories are.
    Refuse,
}

/// A file system to make.
#[derive(Debug)]
pub struct NewMount {
    /// Its type, such as `proc`.
    pub kind: CString,
    /// Options with values, and without.
    pub options: Vec<(CString, Option<CString>)>,
    /// Attributes of the mount.
    pub attributes: MountAttributes,
    /// Where; an existing directory.
    pub target: CString,
    /// Whether the target may lead over symbolic links.
    pub links: Links,
    /// Whether it matters if the kernel does not have it.
    pub required: bool,
}

/// One instruction of a filter of system calls, see `seccomp(2)`; laid out as the kernel's `sock_filter`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct FilterInstruction {
    /// What to do.
    pub code: u16,
    /// How far to jump if true.
    pub jump_true: u8,
    /// How far to jump if false.
    pub jump_false: u8,
    /// The operand.
    pub operand: u32,
}

/// Pointers for `execve(2)`, and the texts that they point to.
#[derive(Debug)]
pub struct Execution {
    pub(crate) candidates: Vec<CString>,
    #[expect(dead_code, reason = "owns what the pointers point to")]
    texts: Vec<CString>,
    pub(crate) arguments: Vec<*const c_char>,
    pub(crate) environment: Vec<*const c_char>,
}

impl Execution {
    fn new(candidates: Vec<CString>, arguments: Vec<CString>, environment: Vec<CString>) -> Self {
        // Moving a `CString` does not move its bytes, so the pointers stay right as long as `texts` lives.
        let pointers = |texts: &[CString]| -> Vec<*const c_char> {
            texts.iter().map(|text| text.as_ptr()).chain(std::iter::once(std::ptr::null())).collect()
        };
        let (argument_pointers, environment_pointers) = (pointers(&arguments), pointers(&environment));
        let texts = arguments.into_iter().chain(environment).collect();
        Self { candidates, texts, arguments: argument_pointers, environment: environment_pointers }
    }
}

/// What a new process does, in order. See [`crate::spawn`].
#[derive(Debug, Default)]
pub struct Program {
    pub(crate) ops: Vec<Op>,
}

impl Program {
    /// A program that does nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an operation at the end.
    pub fn push(&mut self, op: Op) {
        self.ops.push(op);
    }

    /// Adds the last operation: become another program. `candidates` are tried in order, as a search of `PATH` does.
    pub fn execute(&mut self, candidates: Vec<CString>, arguments: Vec<CString>, environment: Vec<CString>) {
        self.ops.push(Op::Execute(Execution::new(candidates, arguments, environment)));
    }

    /// The operations, for who explains a failure.
    pub fn ops(&self) -> &[Op] {
        &self.ops
    }
}
