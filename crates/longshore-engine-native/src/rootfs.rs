//! Root file systems: an overlay of an image's layers, a view of this machine, or a directory as it is.
//!
//! They are made by the kernel's new mount interface, which takes hundreds of layers where `mount(2)` has room for some
//! sixty, and gives a mount that is attached nowhere: it is the new process that attaches it, in a mount namespace of its
//! own, so that nothing is left on the machine when the processes are gone.
//!
//! Source: the kernel's `Documentation/filesystems/overlayfs.rst`.

pub(crate) mod copy;
mod host;
mod places;
mod private;
mod root;

use std::ffi::CString;
use std::fs;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use longshore_engine::{EngineError, Fault, ImageSource};
use rustix::fs::CWD;
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, OpenTreeFlags, fsconfig_create, fsconfig_set_fd,
    fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, open_tree,
};

pub(crate) use self::root::{Root, RootSource};
use crate::home::{Home, io_error};
use crate::launch::Privilege;

/// What is needed to mount an overlay.
#[derive(Debug)]
struct Overlay<'a> {
    /// Directories that are not changed, top first.
    pub(crate) lower: &'a [PathBuf],
    /// Where changes go: holds `upper` and `work`.
    pub(crate) changes: &'a Path,
    /// Whether the changes may be lost if the machine fails, which makes unmounting quick.
    pub(crate) disposable: bool,
    /// Whether an ordinary user mounts it.
    pub(crate) rootless: bool,
    /// Whose ids its files are shown with.
    pub(crate) users: Option<BorrowedFd<'a>>,
    /// Who their 0 is on the machine.
    pub(crate) base: u32,
}

impl Overlay<'_> {
    /// Mounts it, attached nowhere. The error says by its fault whether overlays are possible at all here:
    /// [`Fault::Unsupported`] if not.
    pub(crate) fn mount(&self) -> Result<Root, EngineError> {
        let (upper, work) = (self.changes.join("upper"), self.changes.join("work"));
        for directory in [&upper, &work] {
            fs::create_dir_all(directory).map_err(|error| io_error("make", directory, error))?;
        }
        self.take_after_lower(&upper).map_err(|error| io_error("prepare", &upper, error))?;
        // Left behind by a mount that was disposable, or that the machine took down with it.
        let _ = fs::remove_dir_all(work.join("work/incompat"));
        let context = fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC)
            .map_err(|errno| self.explain(errno, Vec::new()))?;
        self.configure(context.as_fd(), &upper, &work)
            .map_err(|errno| self.explain(errno, messages(context.as_fd())))
    }

    /// The directory of changes is the container's root directory, so it has owner and mode of the image's.
    fn take_after_lower(&self, upper: &Path) -> std::io::Result<()> {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
        let Some(lower) = self.lower.first() else { return Ok(()) };
        let metadata = fs::metadata(lower)?;
        fs::set_permissions(upper, fs::Permissions::from_mode(metadata.mode() & 0o7777))?;
        if self.rootless {
            return Ok(());
        }
        chown(upper, Some(metadata.uid() + self.base), Some(metadata.gid() + self.base))
    }

    fn configure(&self, context: BorrowedFd<'_>, upper: &Path, work: &Path) -> Result<Root, Errno> {
        // Mounts that are attached nowhere end with their descriptors, which have to last until the overlay has its own.
        let mut spent = Vec::new();
        match self.users {
            Some(users) => {
                for lower in self.lower {
                    let lower = mapped(lower, users)?;
                    fsconfig_set_fd(context, "lowerdir+", lower.as_fd())?;
                    spent.push(lower);
                }
            }
            None => {
                self.add_lower(context)?;
            }
        }
        // Changes lie on the disk with the ids of the container: the kernel itself has to make files in the upper layer,
        // and it has no id in the container.
        fsconfig_set_string(context, "upperdir", upper)?;
        fsconfig_set_string(context, "workdir", work)?;
        // Cheap answers for one host's containers; see the kernel's documentation of each.
        // With `userxattr` the kernel takes no other `redirect_dir` than this, which means the same there.
        let redirect = if self.rootless { "nofollow" } else { "off" };
        for (name, value) in
            [("index", "off"), ("metacopy", "off"), ("redirect_dir", redirect), ("xino", "off")]
        {
            // An option that the kernel was built without is off.
            let _ = fsconfig_set_string(context, name, value);
        }
        if self.disposable {
            fsconfig_set_flag(context, "volatile")?;
        }
        if self.rootless {
            fsconfig_set_flag(context, "userxattr")?;
        }
        fsconfig_create(context)?;
        let mount = fsmount(context, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())?;
        Ok(Root { spent, ..Root::from(mount) })
    }

    /// One option for each layer; kernels before 6.8 want them in one text.
    fn add_lower(&self, context: BorrowedFd<'_>) -> Result<(), Errno> {
        for (index, lower) in self.lower.iter().enumerate() {
            match fsconfig_set_string(context, "lowerdir+", lower) {
                Err(Errno::INVAL) if index == 0 => {
                    return fsconfig_set_string(context, "lowerdir", joined(self.lower));
                }
                result => result?,
            }
        }
        Ok(())
    }

    fn explain(&self, errno: Errno, said: Vec<String>) -> EngineError {
        let mut message = format!("failed to mount the root file system of {} layers", self.lower.len());
        for line in said {
            message = format!("{message}: {line}");
        }
        let fault = match errno {
            Errno::NODEV | Errno::INVAL | Errno::PERM | Errno::ACCESS | Errno::OPNOTSUPP => {
                Fault::Unsupported
            }
            _ => Fault::Environment,
        };
        let error = EngineError::new(fault, message).because(errno);
        match errno {
            Errno::NODEV => error.help("this kernel has no overlay file system; load the module `overlay`"),
            Errno::INVAL => error.help(
                "the file system below LONGSHORE_HOME may not do for overlays (as other overlays do not); choose \
                 another directory",
            ),
            Errno::PERM => error.help("this kernel does not allow ordinary users to mount overlays (Linux 5.11 does)"),
            _ => error,
        }
    }
}

/// What the kernel said about a file system that could not be made, see `fsopen(2)`.
fn messages(context: BorrowedFd<'_>) -> Vec<String> {
    let mut messages = Vec::new();
    let mut buffer = [0; 1024];
    while let Ok(length) = rustix::io::read(context, &mut buffer) {
        let text = String::from_utf8_lossy(&buffer[..length]).trim_end().to_owned();
        messages.push(text.get(2..).unwrap_or_default().to_owned());
        if messages.len() == 8 {
            break;
        }
    }
    messages
}

/// Layers in the syntax of the option `lowerdir`.
fn joined(layers: &[PathBuf]) -> CString {
    use std::os::unix::ffi::OsStrExt as _;
    let mut text = Vec::new();
    for layer in layers {
        if !text.is_empty() {
            text.push(b':');
        }
        for byte in layer.as_os_str().as_bytes() {
            if matches!(byte, b':' | b'\\') {
                text.push(b'\\');
            }
            text.push(*byte);
        }
    }
    CString::new(text).unwrap_or_default()
}

/// Layers as one tree that cannot be changed, attached nowhere.
pub(crate) fn read_only(lower: &[PathBuf], privilege: Privilege) -> Result<OwnedFd, EngineError> {
    let rootless = privilege != Privilege::Root;
    let mount = || match lower {
        // In a user namespace, a directory is seen with all that is mounted on it or not at all.
        [single] => detached(single, rootless),
        several => {
            let context = fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC)?;
            for layer in several {
                fsconfig_set_string(context.as_fd(), "lowerdir+", layer)?;
            }
            if rootless {
                fsconfig_set_flag(context.as_fd(), "userxattr")?;
            }
            fsconfig_create(context.as_fd())?;
            fsmount(context.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::MOUNT_ATTR_RDONLY)
        }
    };
    mount().map_err(|errno| {
        EngineError::new(Fault::Environment, "failed to mount the image's layers").because(errno)
    })
}

/// A directory as a mount that is attached nowhere.
pub(crate) fn detached(path: &Path, recursive: bool) -> Result<OwnedFd, Errno> {
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    if recursive {
        flags |= OpenTreeFlags::AT_RECURSIVE;
    }
    open_tree(CWD, path, flags)
}

/// A directory as a mount that shows its files' owners by the mapping of a user namespace.
fn mapped(path: &Path, users: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    let mount = detached(path, false)?;
    longshore_sys::idmap(mount.as_fd(), users, false)?;
    Ok(mount)
}

/// The directories that hold what a container has changed, by the directory of the container.
pub(crate) fn changes(container: &Path) -> Vec<PathBuf> {
    let mut found = match copy::existing(container) {
        Some(copy) => vec![copy],
        None => vec![container.join("upper")],
    };
    host::add_changes(container, &mut found);
    found.retain(|directory| directory.is_dir());
    found
}

/// What a root file system is mounted from.
pub(crate) fn lower_directories(image: &ImageSource, layers: &[PathBuf], home: &Home) -> Vec<PathBuf> {
    match image {
        ImageSource::Host => vec![PathBuf::from("/")],
        ImageSource::Directory(path) => vec![path.clone()],
        // An overlay needs one layer at least; an image may have none.
        _ if layers.is_empty() => {
            let empty = home.root().join("empty");
            let _ = fs::create_dir(&empty);
            vec![empty]
        }
        _ => layers.to_vec(),
    }
}
