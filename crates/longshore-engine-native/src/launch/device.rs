//! `/dev` of a container.
//!
//! Root makes the nodes in a file system in memory before the process exists; an ordinary user may not, and has the
//! machine's own nodes mounted over empty files.

use std::ffi::CString;
use std::fs;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;

use longshore_engine::{Device, EngineError, Fault};
use longshore_sys::{Links, MountAttributes, NewMount, Op, Program};
use rustix::fs::{FileType, Gid, Mode, Uid, chownat, mkdirat, mknodat, symlinkat};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsconfig_set_string, fsmount, fsopen,
};

use super::path::{c_text, parent, prefixes};
use crate::home::io_error;
use crate::rootfs::detached;

/// Nodes that every container has, with their numbers.
const NODES: [(&str, u32, u32); 6] =
    [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)];

/// Links that every container has.
const LINKS: [(&str, &str); 6] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("core", "/proc/kcore"),
    ("ptmx", "pts/ptmx"),
];

/// Directories that things are mounted on, and the file for the console.
const PLACES: [&str; 3] = ["pts", "shm", "mqueue"];

/// A file system with the nodes, made by root and attached nowhere.
pub(crate) fn made_by_root(owner: u32, console: bool, devices: &[Node]) -> Result<OwnedFd, EngineError> {
    let make = || -> Result<OwnedFd, Errno> {
        let context = fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
        for (name, value) in [("mode", "755"), ("size", "65536k")] {
            fsconfig_set_string(context.as_fd(), name, value)?;
        }
        fsconfig_create(context.as_fd())?;
        let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NOEXEC;
        let mount = fsmount(context.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, attributes)?;
        fill(mount.as_fd(), owner, console, devices)?;
        Ok(mount)
    };
    make().map_err(|errno| {
        EngineError::new(Fault::Environment, "failed to make the container's `/dev`").because(errno)
    })
}

fn fill(root: BorrowedFd<'_>, owner: u32, console: bool, devices: &[Node]) -> Result<(), Errno> {
    let own = |name: &str| -> Result<(), Errno> {
        if owner == 0 {
            return Ok(());
        }
        let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW | rustix::fs::AtFlags::EMPTY_PATH;
        chownat(root, name, Some(Uid::from_raw(owner)), Some(Gid::from_raw(owner)), flags)
    };
    own("")?;
    // The mask of the process would take bits from the modes.
    let mask = rustix::process::umask(Mode::empty());
    let made = (|| {
        for (name, major, minor) in NODES {
            let mode = Mode::from_raw_mode(0o666);
            mknodat(root, name, FileType::CharacterDevice, mode, rustix::fs::makedev(major, minor))?;
            own(name)?;
        }
        for device in devices {
            make_node(root, device)?;
            own(device.name())?;
        }
        for place in PLACES {
            mkdirat(root, place, Mode::from_raw_mode(0o755))?;
            own(place)?;
        }
        if console {
            mknodat(root, "console", FileType::RegularFile, Mode::from_raw_mode(0o620), 0)?;
            own("console")?;
        }
        Ok(())
    })();
    rustix::process::umask(mask);
    made?;
    LINKS.iter().try_for_each(|(name, to)| symlinkat(*to, root, *name))
}

fn make_node(root: BorrowedFd<'_>, device: &Node) -> Result<(), Errno> {
    let mut directory = String::new();
    let (above, _) = device.name().rsplit_once('/').unwrap_or_default();
    for part in above.split('/').filter(|part| !part.is_empty()) {
        directory.push_str(part);
        match mkdirat(root, directory.as_str(), Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno),
        }
        directory.push('/');
    }
    let kind = if device.block { FileType::BlockDevice } else { FileType::CharacterDevice };
    match mknodat(root, device.name(), kind, Mode::from_raw_mode(device.mode), device.number) {
        Err(Errno::EXIST) => Ok(()),
        result => result,
    }
}

/// Operations that make `/dev` without root.
pub(crate) fn without_root(program: &mut Program, console: bool) -> Result<(), EngineError> {
    program.push(Op::Mount(NewMount {
        kind: c"tmpfs".into(),
        options: vec![(c"mode".into(), Some(c"755".into())), (c"size".into(), Some(c"65536k".into()))],
        attributes: MountAttributes::NO_SUID.and(MountAttributes::NO_EXECUTE),
        target: c"/dev".into(),
        links: Links::Refuse,
        required: true,
    }));
    for (name, ..) in NODES {
        attach_node(program, Path::new("/dev").join(name).as_path(), &format!("/dev/{name}"))?;
    }
    for place in PLACES {
        program.push(Op::MakeDirectories(vec![c_text(format!("/dev/{place}"))?], 0o755));
    }
    for (name, to) in LINKS {
        program.push(Op::Symlink { to: c_text(to)?, at: c_text(format!("/dev/{name}"))? });
    }
    if console {
        program.push(Op::MakeFile(c"/dev/console".into()));
    }
    Ok(())
}

/// Mounts a node of the machine over an empty file.
pub(crate) fn attach_node(program: &mut Program, source: &Path, target: &str) -> Result<(), EngineError> {
    let mount = detached(source, false).map_err(|errno| io_error("open the device", source, errno.into()))?;
    program.push(Op::MakeDirectories(prefixes(&parent(target))?, 0o755));
    let target: CString = c_text(target)?;
    program.push(Op::MakeFile(target.clone()));
    program.push(Op::Attach { mount, target, links: Links::Refuse });
    Ok(())
}

/// A node to make, by its numbers.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// Where, below `/dev`.
    path: String,
    block: bool,
    number: u64,
    mode: u32,
}

impl Node {
    fn name(&self) -> &str {
        self.path.trim_start_matches('/')
    }

    /// The rule of the control group that lets it be used.
    pub(crate) fn rule(&self, permissions: &str) -> String {
        let kind = if self.block { 'b' } else { 'c' };
        format!("{kind} {}:{} {permissions}", rustix::fs::major(self.number), rustix::fs::minor(self.number))
    }

    /// What a path of the machine is, to be made at a path below `/dev`.
    fn of(source: &Path, target: &str) -> Result<Option<Self>, EngineError> {
        let metadata = fs::metadata(source).map_err(|error| {
            EngineError::new(
                Fault::Invalid,
                format!("error gathering device information while adding device `{}`", source.display()),
            )
            .because(error)
        })?;
        let kind = metadata.file_type();
        let device = kind.is_block_device() || kind.is_char_device();
        Ok(device.then(|| Self {
            path: target.to_owned(),
            block: kind.is_block_device(),
            number: metadata.rdev(),
            mode: metadata.mode() & 0o777,
        }))
    }
}

/// What devices of a specification come to.
pub(crate) struct Nodes {
    /// Nodes below `/dev`, each with what may be done with it.
    pub(crate) nodes: Vec<(Node, String)>,
    /// Devices that are elsewhere in the container.
    pub(crate) elsewhere: Vec<Device>,
}

/// The nodes that devices of a specification stand for; a directory stands for all devices below it. Those that are not
/// below `/dev` in the container come back as they are, to be mounted.
pub(crate) fn nodes(devices: &[Device]) -> Result<Nodes, EngineError> {
    let (mut nodes, mut elsewhere) = (Vec::new(), Vec::new());
    for device in devices {
        let Some(below) = device.target.strip_prefix("/dev/") else {
            if Node::of(&device.source, &device.target)?.is_none() && !device.source.is_dir() {
                return Err(no_device(&device.source));
            }
            elsewhere.push(device.clone());
            continue;
        };
        match Node::of(&device.source, below)? {
            Some(node) => nodes.push((node, device.permissions.clone())),
            None if device.source.is_dir() => {
                for node in all_below(&device.source, below) {
                    nodes.push((node, device.permissions.clone()));
                }
            }
            None => return Err(no_device(&device.source)),
        }
    }
    Ok(Nodes { nodes, elsewhere })
}

fn no_device(path: &Path) -> EngineError {
    EngineError::new(Fault::Invalid, format!("`{}` is not a device node", path.display()))
}

/// All devices of the machine, for privileged containers.
pub(crate) fn all() -> Vec<Node> {
    all_below(Path::new("/dev"), "")
}

fn all_below(directory: &Path, target: &str) -> Vec<Node> {
    let mut nodes = Vec::new();
    // What vanishes while it is looked at, and what may not be looked at, is left out.
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let below = if target.is_empty() { name.clone() } else { format!("{target}/{name}") };
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() && !(target.is_empty() && matches!(name.as_str(), "pts" | "shm" | "mqueue" | "fd")) {
            nodes.extend(all_below(&entry.path(), &below));
        } else if (kind.is_block_device() || kind.is_char_device()) && below != "console" && below != "ptmx" {
            nodes.extend(Node::of(&entry.path(), &below).ok().flatten());
        }
    }
    nodes
}
