//! Carrying out a program in the new process.
//!
//! **Invariant:** after the clone nothing here allocates, takes a lock, drops a value that owns memory, or returns; files that
//! it opened it may close.
//! Every call is a bare system call: those of `rustix` (which calls the kernel directly), and those of `libc` whose C
//! functions do no more.

mod file;

use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};

use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::{self, Errno};
use rustix::mount::{MountPropagationFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags};
use rustix::net::{RecvFlags, SendFlags, recv, send};
use rustix::process::Pid;

use self::file::{attach, file_step, tolerate_missing};
use crate::clone::{Clone, check, clone3};
use crate::program::{Execution, Links, Op};
use crate::{Child, Program, Report, supervise};

/// What becomes of the process after an operation.
type Step = Result<(), Errno>;

/// Carries out a program. Never returns.
pub(crate) fn run(program: &Program, report: &OwnedFd) -> ! {
    let mut kind = Report::FAILED;
    for (index, op) in program.ops.iter().enumerate() {
        if let Err(errno) = step(op, report) {
            let failed = Report { kind, op: index as u32, value: errno.raw_os_error() };
            let _ = send(report, &failed.bytes(), SendFlags::NOSIGNAL);
            leave(255);
        }
        if matches!(op, Op::Split) {
            kind = Report::FAILED_AFTER_SPLIT;
        }
    }
    leave(0)
}

fn step(op: &Op, report: &OwnedFd) -> Step {
    match op {
        Op::Await => wait_for_word(report),
        Op::DieWithParent(signal) => prctl(libc::PR_SET_PDEATHSIG, u64::from(signal.unsigned_abs())),
        Op::JoinGroup(procs) => io::write(procs, b"0").map(|_| ()),
        Op::Enter(namespace, kinds) => set_namespace(namespace.as_fd(), kinds.0),
        Op::Unshare(kinds) => unshare(kinds.0),
        Op::Split => split(report),
        Op::Orphan => orphan(),
        Op::BecomeRoot => become_root(),
        Op::RaiseLoopback => raise_loopback(),
        Op::IsolateMounts => {
            rustix::mount::mount_change(c"/", MountPropagationFlags::REC | MountPropagationFlags::DOWNSTREAM)
        }
        Op::ChangeRoot(mount) => change_root(mount),
        Op::DropOldRoot => drop_old_root(),
        Op::MakeDirectories(..)
        | Op::MakeFile(_)
        | Op::Attach { .. }
        | Op::Mount(_)
        | Op::Remount { .. }
        | Op::ReadOnlyOver(_)
        | Op::Mask(_)
        | Op::Symlink { .. }
        | Op::Write { .. } => file_step(op),
        Op::HostName(name) => rustix::system::sethostname(name),
        Op::DomainName(name) => rustix::system::setdomainname(name),
        _ => process_step(op),
    }
}

/// Operations on the process itself.
fn process_step(op: &Op) -> Step {
    match op {
        Op::Session => rustix::process::setsid().map(|_| ()),
        Op::Terminal(socket) => terminal(socket),
        Op::Console => tolerate_missing(cover_console()),
        Op::Stream(from, to) => duplicate(from.as_fd(), *to),
        Op::Limit { resource, soft, hard } => limit(*resource, *soft, *hard),
        Op::BoundCapabilities(keep) => bound_capabilities(*keep),
        Op::Become { uid, gid, groups, capabilities } => {
            let user = supervise::Identity { uid: *uid, gid: *gid, groups: groups.as_deref() };
            supervise::become_user(&user, *capabilities)
        }
        Op::NoNewPrivileges => rustix::thread::set_no_new_privs(true),
        Op::Filter(instructions) => filter(instructions),
        Op::Undumpable => prctl(libc::PR_SET_DUMPABLE, 0),
        Op::Dumpable => prctl(libc::PR_SET_DUMPABLE, 1),
        Op::Supervise => supervise::supervise(),
        Op::Hold => supervise::hold(),
        Op::WorkingDirectory(path) => rustix::process::chdir(path.as_c_str()),
        Op::Execute(execution) => execute(execution),
        _ => Err(Errno::NOSYS),
    }
}

/// Ends the process, without anything that a C library or Rust does at an end.
pub(crate) fn leave(code: i32) -> ! {
    loop {
        // SAFETY: exit_group(2) takes an integer and does not return.
        #[expect(unsafe_code, reason = "see the comment on safety")]
        unsafe {
            libc::syscall(libc::SYS_exit_group, code)
        };
    }
}

fn wait_for_word(report: &OwnedFd) -> Step {
    let mut word = [0_u8; 1];
    loop {
        match recv(report, &mut word, RecvFlags::empty()) {
            Ok((_, 0)) => leave(Child::ABANDONED),
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

fn prctl(option: libc::c_int, value: libc::c_ulong) -> Step {
    // SAFETY: prctl(2) with an option that takes one integer.
    #[expect(unsafe_code, reason = "see the comment on safety")]
    let answer = unsafe { libc::syscall(libc::SYS_prctl, option, value, 0, 0, 0) };
    check(answer).map(|_| ())
}

fn set_namespace(namespace: BorrowedFd<'_>, kinds: u32) -> Step {
    // SAFETY: setns(2) takes a descriptor, which is borrowed and therefore open, and flags.
    #[expect(unsafe_code, reason = "see the comment on safety")]
    let answer = unsafe { libc::syscall(libc::SYS_setns, namespace.as_raw_fd(), kinds) };
    check(answer).map(|_| ())
}

fn unshare(kinds: u32) -> Step {
    // SAFETY: unshare(2) takes flags; only kinds of namespaces are given, so descriptors and memory stay as they are.
    #[expect(unsafe_code, reason = "see the comment on safety")]
    let answer = unsafe { libc::syscall(libc::SYS_unshare, kinds) };
    check(answer).map(|_| ())
}

fn split(report: &OwnedFd) -> Step {
    match clone3(crate::Namespaces::NONE, None, libc::CLONE_PARENT as u64)? {
        Clone::Child => Ok(()),
        Clone::Parent { pid, .. } => {
            let value = Pid::as_raw_nonzero(pid).get();
            let news = Report { kind: Report::SPLIT, op: 0, value };
            let sent = send(report, &news.bytes(), SendFlags::NOSIGNAL);
            leave(i32::from(sent.is_err()))
        }
    }
}

fn orphan() -> Step {
    match clone3(crate::Namespaces::NONE, None, 0)? {
        Clone::Child => Ok(()),
        Clone::Parent { .. } => leave(0),
    }
}

fn become_root() -> Step {
    // Groups of before cannot be dropped where setting groups is denied; there they mean nothing either.
    let _ = rustix::thread::set_thread_groups(&[]);
    rustix::thread::set_thread_res_gid(rustix::fs::Gid::ROOT, rustix::fs::Gid::ROOT, rustix::fs::Gid::ROOT)?;
    rustix::thread::set_thread_res_uid(rustix::fs::Uid::ROOT, rustix::fs::Uid::ROOT, rustix::fs::Uid::ROOT)
}

/// Sets the flags of the interface `lo`, see `netdevice(7)`; it has no other in a new namespace.
fn raise_loopback() -> Step {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
    let socket = socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
    // SAFETY: all of the structure's fields are numbers, or structures and unions of these, for which zero is valid.
    #[expect(unsafe_code, reason = "see the comment on safety")]
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    request.ifr_name[0] = b'l'.cast_signed() as libc::c_char;
    request.ifr_name[1] = b'o'.cast_signed() as libc::c_char;
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    // SAFETY: ioctl(2) with `SIOCSIFFLAGS` reads the structure, which outlives the call.
    #[expect(unsafe_code, reason = "see the comment on safety")]
    let answer =
        unsafe { libc::syscall(libc::SYS_ioctl, socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) };
    std::mem::forget(socket);
    check(answer).map(|_| ())
}

fn change_root(mount: &OwnedFd) -> Step {
    // The root directory is the one place that everybody may reach, whatever directories the machine closes to the
    // container's user; and the mount itself is a descriptor, so no path has to be walked.
    rustix::mount::move_mount(mount, c"", CWD, c"/", MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?;
    rustix::process::fchdir(mount)?;
    // The old root is put over the new one, see pivot_root(2), "pivot_root(".", ".")".
    rustix::process::pivot_root(c".", c".")
}

fn drop_old_root() -> Step {
    rustix::process::chdir(c"/")?;
    // What is mounted over the root is the old one: the process's own root is below it.
    rustix::mount::unmount(c".", UnmountFlags::DETACH)?;
    rustix::process::chdir(c"/")
}

pub(crate) fn duplicate(from: BorrowedFd<'_>, to: i32) -> Step {
    // SAFETY: dup3(2) and fcntl(2) take integers. The target is one of the three streams, whose descriptors nothing owns.
    #[expect(unsafe_code, reason = "see the comment on safety")]
    let answer = unsafe { libc::syscall(libc::SYS_dup3, from.as_raw_fd(), to, 0) };
    check(answer).map(|_| ())
}

/// Opens a terminal of the container's own `/dev/pts`.
fn terminal(socket: &OwnedFd) -> Step {
    use rustix::pty::OpenptFlags;
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let master = rustix::fs::openat(CWD, c"/dev/pts/ptmx", flags, Mode::empty())?;
    rustix::pty::unlockpt(&master)?;
    let open = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let slave = rustix::pty::ioctl_tiocgptpeer(&master, open)?;
    send_descriptor(socket, master.as_fd())?;
    rustix::process::ioctl_tiocsctty(&slave)?;
    for stream in 0..3 {
        duplicate(slave.as_fd(), stream)?;
    }
    std::mem::forget((master, slave));
    Ok(())
}

/// Shows the terminal as `/dev/console`, which programs that write to the console find.
fn cover_console() -> Step {
    let tree = rustix::mount::open_tree(
        CWD,
        c"/proc/self/fd/0",
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC,
    )?;
    let result = attach(tree.as_fd(), c"/dev/console", Links::Refuse);
    std::mem::forget(tree);
    result
}

fn send_descriptor(socket: &OwnedFd, descriptor: BorrowedFd<'_>) -> Step {
    use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, sendmsg};
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let descriptors = [descriptor];
    if !ancillary.push(SendAncillaryMessage::ScmRights(&descriptors)) {
        return Err(Errno::NOBUFS);
    }
    sendmsg(socket, &[std::io::IoSlice::new(b"t")], &mut ancillary, SendFlags::NOSIGNAL).map(|_| ())
}

/// Sets a limit; one that may not be raised is clamped to what is allowed.
fn limit(resource: rustix::process::Resource, soft: Option<u64>, hard: Option<u64>) -> Step {
    use rustix::process::{Rlimit, getrlimit, setrlimit};
    match setrlimit(resource, Rlimit { current: soft, maximum: hard }) {
        Err(Errno::PERM) => {
            let allowed = getrlimit(resource).maximum;
            let lower = |wanted: Option<u64>| match (wanted, allowed) {
                (Some(wanted), Some(allowed)) => Some(wanted.min(allowed)),
                (None, allowed) => allowed,
                (wanted, None) => wanted,
            };
            setrlimit(resource, Rlimit { current: lower(soft), maximum: lower(hard) })
        }
        result => result,
    }
}

fn bound_capabilities(keep: u64) -> Step {
    for number in 0..64_u64 {
        if keep & (1 << number) == 0 {
            match prctl(libc::PR_CAPBSET_DROP, number) {
                // The kernel knows no capability of this number, nor any higher.
                Err(Errno::INVAL) => break,
                result => result?,
            }
        }
    }
    Ok(())
}

fn filter(instructions: &[crate::FilterInstruction]) -> Step {
    let program = libc::sock_fprog {
        len: u16::try_from(instructions.len()).map_err(|_| Errno::INVAL)?,
        filter: instructions.as_ptr().cast_mut().cast(),
    };
    // SAFETY: seccomp(2). `program` describes the instructions, which have the kernel's layout and outlive the call; the
    // kernel copies and checks them.
    #[expect(unsafe_code, reason = "see the comment on safety")]
    let answer =
        unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const program) };
    check(answer).map(|_| ())
}

/// Becomes another program. Returns only if none of the candidates can be run, and then with the error that says most:
/// what was found and refused, before what was not found.
fn execute(execution: &Execution) -> Step {
    reset_signals()?;
    close_on_execute()?;
    let mut worst = Errno::NOENT;
    for candidate in &execution.candidates {
        // SAFETY: execve(2). The path ends with a zero; both lists end with a null pointer, and their texts live as long
        // as the program, which is not dropped in this process.
        #[expect(unsafe_code, reason = "see the comment on safety")]
        let answer = unsafe {
            libc::syscall(
                libc::SYS_execve,
                candidate.as_ptr(),
                execution.arguments.as_ptr(),
                execution.environment.as_ptr(),
            )
        };
        match check(answer) {
            Err(Errno::NOENT | Errno::NOTDIR) | Ok(_) => {}
            Err(Errno::ACCESS) => worst = Errno::ACCESS,
            Err(errno) => return Err(errno),
        }
    }
    Err(worst)
}

/// Gives all signals their default, and blocks none: Rust ignores `SIGPIPE`, and so may whoever called us.
fn reset_signals() -> Step {
    for number in 1..=64 {
        set_default(number);
    }
    unblock_signals()
}

pub(crate) fn unblock_signals() -> Step {
    let none = 0_u64;
    // SAFETY: rt_sigprocmask(2) reads a mask of eight bytes, which outlives the call, and writes nothing.
    #[expect(unsafe_code, reason = "see the comment on safety")]
    let answer = unsafe {
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            libc::SIG_SETMASK,
            &raw const none,
            std::ptr::null_mut::<u64>(),
            8,
        )
    };
    check(answer).map(|_| ())
}

pub(crate) fn set_default(number: i32) {
    let action = [0_u64; 4];
    // SAFETY: rt_sigaction(2) reads the kernel's `struct sigaction` (handler, flags, restorer, mask: four words), which
    // outlives the call, and writes nothing. A null handler is the default. Signals that have no handler are refused.
    #[expect(unsafe_code, reason = "see the comment on safety")]
    let _ = unsafe {
        libc::syscall(libc::SYS_rt_sigaction, number, &raw const action, std::ptr::null_mut::<u64>(), 8)
    };
}

/// Lets nothing but the streams through to the new program.
fn close_on_execute() -> Step {
    const CLOSE_ON_EXEC: u32 = 4;
    // SAFETY: close_range(2) takes integers; with this flag nothing is closed now.
    #[expect(unsafe_code, reason = "see the comment on safety")]
    let answer = unsafe { libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, CLOSE_ON_EXEC) };
    check(answer).map(|_| ())
}
