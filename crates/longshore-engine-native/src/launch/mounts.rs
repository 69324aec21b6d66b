//! What the user mounts: directories of the machine, volumes, memory.

use std::ffi::CString;
use std::fs;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use longshore_engine::{Bind, EngineError, Fault, Mount, MountKind, Propagation, Tmpfs};
use longshore_sys::{Links, MountAttributes, NewMount, Op, Program};
use rustix::io::Errno;

use super::path::{c_text, clean, parent, prefixes};
use crate::home::io_error;
use crate::rootfs::detached;

/// A mount whose source is known and exists.
#[derive(Debug)]
pub(crate) struct Placed<'a> {
    mount: &'a Mount,
    /// What is mounted; `None` is memory.
    source: Option<PathBuf>,
}

/// Finds or makes the sources of mounts, and orders them so that none covers another by accident.
pub(crate) fn place<'a>(
    mounts: &'a [Mount],
    volume: &dyn Fn(&Mount) -> Result<PathBuf, EngineError>,
) -> Result<Vec<Placed<'a>>, EngineError> {
    let mut placed = Vec::new();
    for mount in mounts {
        let source = match &mount.kind {
            MountKind::Bind(bind) => Some(bind_source(bind)?),
            MountKind::Volume { .. } => Some(volume(mount)?),
            MountKind::Tmpfs(_) => None,
        };
        placed.push(Placed { mount, source });
    }
    placed.sort_by_key(|placed| clean(&placed.mount.target).matches('/').count());
    Ok(placed)
}

fn bind_source(bind: &Bind) -> Result<PathBuf, EngineError> {
    if !bind.source.exists() {
        if !bind.create {
            return Err(EngineError::new(
                Fault::Invalid,
                format!("bind source path does not exist: {}", bind.source.display()),
            )
            .help("make it first, or use `-v`, which makes a directory"));
        }
        fs::create_dir_all(&bind.source).map_err(|error| io_error("make", &bind.source, error))?;
    }
    Ok(bind.source.clone())
}

/// The file systems of the machine cannot all be shown with other ids.
#[derive(Debug)]
pub(crate) struct Unmappable;

/// Operations that mount them. The outer error is that ids cannot be mapped, which is no failure yet.
pub(crate) fn push(
    program: &mut Program,
    placed: &[Placed<'_>],
    users: Option<BorrowedFd<'_>>,
) -> Result<Result<(), Unmappable>, EngineError> {
    for placed in placed {
        let target = clean(&placed.mount.target);
        match (&placed.source, &placed.mount.kind) {
            (Some(source), kind) => {
                if push_tree(program, placed.mount, (kind, source), (&target, users))?.is_err() {
                    return Ok(Err(Unmappable));
                }
            }
            (None, MountKind::Tmpfs(tmpfs)) => push_tmpfs(program, tmpfs, &target, placed.mount.read_only)?,
            (None, _) => {}
        }
    }
    Ok(Ok(()))
}

fn push_tree(
    program: &mut Program,
    mount: &Mount,
    (kind, source): (&MountKind, &Path),
    (target, users): (&str, Option<BorrowedFd<'_>>),
) -> Result<Result<(), Unmappable>, EngineError> {
    let failed = |errno: Errno| io_error("mount", source, errno.into());
    let recursive = !matches!(kind, MountKind::Bind(Bind { non_recursive: true, .. }));
    let tree = detached(source, recursive).map_err(failed)?;
    if let Some(users) = users {
        match longshore_sys::idmap(tree.as_fd(), users, recursive) {
            Err(Errno::INVAL | Errno::OPNOTSUPP | Errno::PERM) => return Ok(Err(Unmappable)),
            result => result.map_err(failed)?,
        }
    }
    if mount.read_only {
        longshore_sys::set_mount_attributes(tree.as_fd(), c"", MountAttributes::READ_ONLY, recursive)
            .map_err(failed)?;
    }
    if let MountKind::Bind(Bind { propagation, .. }) = kind
        && !matches!(propagation, Propagation::Private | Propagation::Rprivate)
    {
        let message = format!("bind propagation `{propagation:?}` of `{target}` is not possible");
        return Err(EngineError::new(Fault::Unsupported, message.to_lowercase()).help(
            "containers have mount namespaces that end with them; leave the option away, or mount the directory \
             before the container starts",
        ));
    }
    if source.is_dir() {
        program.push(Op::MakeDirectories(prefixes(target)?, 0o755));
    } else {
        program.push(Op::MakeDirectories(prefixes(&parent(target))?, 0o755));
        program.push(Op::MakeFile(c_text(target)?));
    }
    program.push(Op::Attach { mount: tree, target: c_text(target)?, links: Links::Follow });
    Ok(Ok(()))
}

/// Memory, with Docker's defaults: `nosuid,nodev,noexec`.
fn push_tmpfs(
    program: &mut Program,
    tmpfs: &Tmpfs,
    target: &str,
    read_only: bool,
) -> Result<(), EngineError> {
    let mut attributes =
        MountAttributes::NO_SUID.and(MountAttributes::NO_DEVICES).and(MountAttributes::NO_EXECUTE);
    let mut options = Vec::new();
    if let Some(size) = tmpfs.size {
        options.push((c"size".into(), Some(c_text(size.to_string())?)));
    }
    if let Some(mode) = tmpfs.mode {
        options.push((c"mode".into(), Some(c_text(format!("{mode:o}"))?)));
    }
    let mut read_only = read_only;
    for option in &tmpfs.options {
        match option.as_str() {
            "rw" | "" => read_only = false,
            "ro" => read_only = true,
            "exec" => attributes.0 &= !MountAttributes::NO_EXECUTE.0,
            "noexec" => attributes = attributes.and(MountAttributes::NO_EXECUTE),
            "suid" => attributes.0 &= !MountAttributes::NO_SUID.0,
            "nosuid" => attributes = attributes.and(MountAttributes::NO_SUID),
            "dev" => attributes.0 &= !MountAttributes::NO_DEVICES.0,
            "nodev" => attributes = attributes.and(MountAttributes::NO_DEVICES),
            other => options.push(tmpfs_option(other, target)?),
        }
    }
    if read_only {
        attributes = attributes.and(MountAttributes::READ_ONLY);
    }
    program.push(Op::MakeDirectories(prefixes(target)?, 0o755));
    program.push(Op::Mount(NewMount {
        kind: c"tmpfs".into(),
        options,
        attributes,
        target: c_text(target)?,
        links: Links::Follow,
        required: true,
    }));
    Ok(())
}

/// An option of the file system itself, with its value.
fn tmpfs_option(option: &str, target: &str) -> Result<(CString, Option<CString>), EngineError> {
    const KNOWN: [&str; 7] = ["size", "mode", "uid", "gid", "nr_inodes", "nr_blocks", "huge"];
    if let Some((name, value)) = option.split_once('=')
        && KNOWN.contains(&name)
    {
        return Ok((c_text(name)?, Some(c_text(value)?)));
    }
    let message = format!("`{option}` is not an option of memory that is mounted at `{target}`");
    Err(EngineError::new(Fault::Invalid, message)
        .help("there are `size=`, `mode=`, `uid=`, `gid=`, `nr_inodes=`, `ro`, `exec`, `suid` and `dev`"))
}
