//! Mounts: whether root file systems of containers can be put together on the home's file system.

use std::ffi::CString;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use longshore_sys::{MountAttributes, Namespaces, Op, Program, idmap, set_mount_attributes, spawn};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, OpenTreeFlags, fsconfig_create, fsconfig_set_fd,
    fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, open_tree,
};

use super::check::CheckDto;
use super::is_root;

/// Ids that nobody has; where the engine's containers have theirs.
const MAPPING: &str = "0 268435456 65536";

/// An overlay to try.
struct Overlay {
    lower: PathBuf,
    upper: PathBuf,
    work: PathBuf,
}

pub(super) fn checks(scratch: Option<&Path>) -> Vec<CheckDto> {
    const ID: &str = "kernel.overlayfs";
    let Some(scratch) = scratch else {
        return vec![CheckDto::warning(ID, "could not be tried: the home cannot be written to")];
    };
    if let Err(error) = enter_namespaces() {
        return vec![CheckDto::problem(ID, "cannot be tried without namespaces").because(&error)];
    }
    let overlay = match Overlay::prepare(&scratch.join("overlay")) {
        Ok(overlay) => overlay,
        Err(error) => return vec![CheckDto::warning(ID, "could not be tried").because(&error)],
    };
    let mut checks = vec![mount_calls(&overlay.lower), overlay.check()];
    if is_root() {
        checks.push(overlay.check_mapped());
    }
    checks
}

/// Leaves the machine's mounts alone, and becomes root of a user namespace if need be, as the engine does.
pub(super) fn enter_namespaces() -> io::Result<()> {
    if rustix::process::geteuid().is_root() {
        return Ok(longshore_sys::unshare_mounts()?);
    }
    let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    longshore_sys::unshare_user_and_mounts()?;
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("0 {uid} 1"))?;
    fs::write("/proc/self/gid_map", format!("0 {gid} 1"))
}

/// The calls that put mounts together before anybody sees them.
fn mount_calls(directory: &Path) -> CheckDto {
    const ID: &str = "kernel.mount-calls";
    let tried = fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)
        .and_then(|context| fsconfig_create(context.as_fd()))
        .and_then(|()| detached(directory))
        .and_then(|mount| set_mount_attributes(mount.as_fd(), c"", MountAttributes::READ_ONLY, false));
    match tried {
        Ok(()) => {
            CheckDto::ok(ID, "mounts can be put together unseen (`fsopen`, `open_tree`, `mount_setattr`)")
        }
        Err(errno) => {
            CheckDto::problem(ID, "the kernel refuses the calls that containers' mounts are made with")
                .because(&io::Error::from(errno))
                .help("use Linux 5.12 or newer; in a container, its seccomp profile may be what refuses them")
        }
    }
}

impl Overlay {
    fn prepare(place: &Path) -> io::Result<Self> {
        let overlay =
            Self { lower: place.join("lower"), upper: place.join("upper"), work: place.join("work") };
        for directory in [&overlay.lower, &overlay.upper, &overlay.work] {
            DirBuilder::new().recursive(true).mode(0o755).create(directory)?;
        }
        for name in ["changed", "removed"] {
            fs::write(overlay.lower.join(name), "below")?;
        }
        Ok(overlay)
    }

    fn check(&self) -> CheckDto {
        const ID: &str = "kernel.overlayfs";
        match self.attempt(None) {
            Ok(()) => CheckDto::ok(ID, "an overlay was mounted on the home's file system, and written to"),
            Err(error) => {
                let errno = Errno::from_io_error(&error);
                let help = match errno {
                    Some(Errno::NODEV) => "this kernel has no overlay file system; load the module `overlay`",
                    Some(Errno::PERM) => "ordinary users may mount overlays since Linux 5.11; or run as root",
                    _ => {
                        "the file system of the home may not do for overlays, as other overlays and some network file \
                         systems do not; set LONGSHORE_HOME to a directory on another one"
                    }
                };
                CheckDto::warning(ID, "overlays cannot be used: every container gets a copy of its image, which takes time and room")
                    .because(&error)
                    .help(help)
            }
        }
    }

    fn check_mapped(&self) -> CheckDto {
        const ID: &str = "kernel.idmapped-mounts";
        let tried = user_namespace().and_then(|users| self.attempt(Some(users.as_fd())));
        match tried {
            Ok(()) => CheckDto::ok(ID, "layers can be shown with the ids of each container"),
            Err(error) => {
                CheckDto::warning(ID, "layers cannot be shown with other ids: containers have the machine's user ids")
                    .because(&error)
                    .help("the file system of the home must support it (ext4, xfs and btrfs do), and Linux 5.19 or newer")
            }
        }
    }

    /// Mounts it, changes and removes a file, and looks whether that went where it should.
    fn attempt(&self, users: Option<BorrowedFd<'_>>) -> io::Result<()> {
        let mount = self.mount(users)?;
        if users.is_some() {
            // Owners are of interest here; who writes as whom is the matter of a process inside.
            return Ok(());
        }
        let flags = OFlags::WRONLY | OFlags::TRUNC | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&mount, "changed", flags, Mode::empty())?;
        File::from(file).write_all(b"above")?;
        rustix::fs::unlinkat(&mount, "removed", rustix::fs::AtFlags::empty())?;
        let kept = fs::read(self.lower.join("changed"))? == b"below" && self.lower.join("removed").exists();
        let changed = fs::read(self.upper.join("changed"))? == b"above";
        if kept && changed { Ok(()) } else { Err(io::Error::other("changes went to the wrong directory")) }
    }

    fn mount(&self, users: Option<BorrowedFd<'_>>) -> io::Result<OwnedFd> {
        let context = fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC)?;
        let context = context.as_fd();
        let mapped = users.map(|users| mapped(&self.lower, users)).transpose()?;
        match &mapped {
            Some(lower) => fsconfig_set_fd(context, "lowerdir+", lower.as_fd())?,
            None => fsconfig_set_string(context, "lowerdir", escaped(&self.lower))?,
        }
        fsconfig_set_string(context, "upperdir", &self.upper)?;
        fsconfig_set_string(context, "workdir", &self.work)?;
        if !is_root() {
            fsconfig_set_flag(context, "userxattr")?;
        }
        if let Err(errno) = fsconfig_create(context) {
            return Err(explained(context, errno));
        }
        Ok(fsmount(context, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())?)
    }
}

/// The kernel's answer; what it says beyond that is put in front if there is no other way to see it.
fn explained(context: BorrowedFd<'_>, errno: Errno) -> io::Error {
    let mut buffer = [0; 512];
    match rustix::io::read(context, &mut buffer) {
        // Errors without an own number keep it, so that help can be chosen by it.
        Ok(length) if errno == Errno::INVAL => {
            let said = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default()).trim().to_owned();
            io::Error::other(said.get(2..).unwrap_or_default().to_owned())
        }
        _ => errno.into(),
    }
}

/// In the option `lowerdir`, colons separate directories.
fn escaped(path: &Path) -> CString {
    let mut text = Vec::new();
    for byte in path.as_os_str().as_bytes() {
        if matches!(byte, b':' | b'\\') {
            text.push(b'\\');
        }
        text.push(*byte);
    }
    CString::new(text).unwrap_or_default()
}

/// A directory as a mount that is attached nowhere.
fn detached(path: &Path) -> Result<OwnedFd, Errno> {
    open_tree(CWD, path, OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC)
}

fn mapped(path: &Path, users: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let mount = detached(path)?;
    idmap(mount.as_fd(), users, false)?;
    Ok(mount)
}

/// A user namespace with ids of nobody, and nobody in it.
fn user_namespace() -> io::Result<OwnedFd> {
    let mut program = Program::new();
    program.push(Op::Await);
    let child = spawn(&program, Namespaces::USER, None)?;
    let process = PathBuf::from(format!("/proc/{}", child.pid().as_raw_nonzero()));
    let namespace = ["uid_map", "gid_map"]
        .iter()
        .try_for_each(|map| fs::write(process.join(map), MAPPING))
        .and_then(|()| File::open(process.join("ns/user")));
    // It waits for a word, and ends with it.
    let _ = child.go();
    let _ = child.wait();
    namespace.map(OwnedFd::from)
}
