//! Operations on files and mounts of the new process.
//!
//! **Invariant:** that of [`crate::interpret`]: bare system calls only, nothing allocates, and files that are opened here may be closed.

use std::ffi::CStr;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
use rustix::io::{self, Errno};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags};

use super::Step;
use crate::program::{Links, NewMount, Op};
use crate::{MountAttributes, mount};

/// Carries out an operation on files or mounts.
pub(super) fn file_step(op: &Op) -> Step {
    match op {
        Op::MakeDirectories(paths, mode) => make_directories(paths, Mode::from_bits_truncate(*mode)),
        Op::MakeFile(path) => make_file(path),
        Op::Attach { mount, target, links } => attach(mount.as_fd(), target, *links),
        Op::Mount(new) => new_mount(new),
        Op::Remount { target, set, recursive } => {
            tolerate_missing(mount::set_mount_attributes(CWD, target, *set, *recursive))
        }
        Op::ReadOnlyOver(path) => tolerate_missing(read_only_over(path)),
        Op::Mask(path) => tolerate_missing(mask(path)),
        Op::Symlink { to, at } => match rustix::fs::symlinkat(to.as_c_str(), CWD, at.as_c_str()) {
            Err(Errno::EXIST) => Ok(()),
            result => result,
        },
        Op::Write { path, text, required } => match write_file(path, text) {
            Err(_) if !required => Ok(()),
            result => result,
        },
        _ => Err(Errno::NOSYS),
    }
}

fn make_directories(paths: &[std::ffi::CString], mode: Mode) -> Step {
    for path in paths {
        match rustix::fs::mkdirat(CWD, path.as_c_str(), mode) {
            Ok(()) | Err(Errno::EXIST) => {}
            // What is there may be a link that leads nowhere, or a file; whoever uses the path says so.
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

fn make_file(path: &CStr) -> Step {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    match rustix::fs::openat(CWD, path, flags, Mode::from_bits_truncate(0o755)) {
        Ok(file) => {
            // Closed now: a file that is open for writing keeps its mount from becoming read-only.
            drop(file);
            Ok(())
        }
        Err(Errno::EXIST) => make_through_link(path),
        Err(errno) => Err(errno),
    }
}

/// Makes the file that a link leads to, if there is a link and its file is missing. The root directory bounds it.
fn make_through_link(path: &CStr) -> Step {
    let mut space = [std::mem::MaybeUninit::<u8>::uninit(); 1];
    if rustix::fs::readlinkat_raw(CWD, path, &mut space).is_err() {
        return Ok(());
    }
    let flags = OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    match rustix::fs::openat(CWD, path, flags, Mode::from_bits_truncate(0o644)) {
        Ok(file) => {
            drop(file);
            Ok(())
        }
        // There is something, if not a file; whoever attaches to it says what is wrong.
        Err(Errno::ISDIR | Errno::NXIO | Errno::TXTBSY | Errno::ACCESS) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// Opens the place that something is attached to.
fn open_target(target: &CStr, links: Links) -> Result<OwnedFd, Errno> {
    let resolve = match links {
        Links::Follow => ResolveFlags::NO_MAGICLINKS,
        Links::Refuse => ResolveFlags::NO_SYMLINKS,
    };
    rustix::fs::openat2(CWD, target, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), resolve)
}

pub(super) fn attach(mount: BorrowedFd<'_>, target: &CStr, links: Links) -> Step {
    let target = open_target(target, links)?;
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    let moved = rustix::mount::move_mount(mount, c"", &target, c"", flags);
    std::mem::forget(target);
    moved
}

fn new_mount(new: &NewMount) -> Step {
    match make_mount(new) {
        Err(Errno::NODEV | Errno::NOENT | Errno::PERM) if !new.required => Ok(()),
        result => result,
    }
}

fn make_mount(new: &NewMount) -> Step {
    let context = rustix::mount::fsopen(new.kind.as_c_str(), FsOpenFlags::FSOPEN_CLOEXEC)?;
    for (name, value) in &new.options {
        match value {
            Some(value) => {
                rustix::mount::fsconfig_set_string(context.as_fd(), name.as_c_str(), value.as_c_str())?;
            }
            None => rustix::mount::fsconfig_set_flag(context.as_fd(), name.as_c_str())?,
        }
    }
    // The kernel's tables of mounts and `df` show it, where there would be `none`.
    let _ = rustix::mount::fsconfig_set_string(context.as_fd(), c"source", new.kind.as_c_str());
    rustix::mount::fsconfig_create(context.as_fd())?;
    let attributes = MountAttrFlags::from_bits_retain(new.attributes.0);
    let mounted = rustix::mount::fsmount(context.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, attributes)?;
    let result = attach(mounted.as_fd(), &new.target, new.links);
    std::mem::forget((context, mounted));
    result
}

pub(super) fn tolerate_missing(result: Step) -> Step {
    match result {
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(()),
        result => result,
    }
}

fn clone_tree(path: &CStr, recursive: bool) -> Result<OwnedFd, Errno> {
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    if recursive {
        flags |= OpenTreeFlags::AT_RECURSIVE;
    }
    rustix::mount::open_tree(CWD, path, flags | OpenTreeFlags::AT_SYMLINK_NOFOLLOW)
}

fn read_only_over(path: &CStr) -> Step {
    let tree = clone_tree(path, true)?;
    mount::set_mount_attributes(tree.as_fd(), c"", MountAttributes::READ_ONLY, true)?;
    let result = attach(tree.as_fd(), path, Links::Refuse);
    std::mem::forget(tree);
    result
}

/// Covers a file with `/dev/null`, or a directory with an empty one that cannot be changed.
fn mask(path: &CStr) -> Step {
    let place = open_target(path, Links::Refuse)?;
    let is_directory = rustix::fs::FileType::from_raw_mode(rustix::fs::fstat(&place)?.st_mode)
        == rustix::fs::FileType::Directory;
    let cover = if is_directory {
        let context = rustix::mount::fsopen(c"tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
        rustix::mount::fsconfig_create(context.as_fd())?;
        let attributes = MountAttrFlags::MOUNT_ATTR_RDONLY;
        let cover = rustix::mount::fsmount(context.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, attributes)?;
        std::mem::forget(context);
        cover
    } else {
        clone_tree(c"/dev/null", false)?
    };
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    let result = rustix::mount::move_mount(&cover, c"", &place, c"", flags);
    std::mem::forget((place, cover));
    result
}

fn write_file(path: &CStr, text: &[u8]) -> Step {
    let flags = OFlags::WRONLY | OFlags::CLOEXEC;
    let file = rustix::fs::openat(CWD, path, flags, Mode::empty())?;
    io::write(&file, text).map(|_| ())
}
