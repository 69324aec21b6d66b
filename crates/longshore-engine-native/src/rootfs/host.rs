//! The image `host` for ordinary users.
//!
//! In a user namespace the kernel keeps `/` from being the lower directory of an overlay: what is mounted on it must not
//! be uncovered, and an overlay would. So the root directory is a plain one, with an overlay for each directory of the
//! machine's root that has nothing mounted below it. A directory that has is taken apart in the same way, and what is
//! mounted stays an empty directory in it, as it does for root.
//!
//! Source: `clone_private_mount` and `has_locked_children` of the kernel's `fs/namespace.c`.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use longshore_engine::{EngineError, Fault};
use longshore_sys::MountAttributes;
use rustix::fs::{Access, access};

use super::{Overlay, detached};
use crate::home::io_error;

/// Directories that every container has of its own.
const OWN: [&str; 9] = ["/proc", "/sys", "/dev", "/tmp", "/run", "/home", "/root", "/mnt", "/media"];

/// Files up to this size are copied; larger ones can only be read.
const COPIED: u64 = 1 << 20;

/// How many overlays and files one view may be made of.
const PARTS: usize = 4096;

/// The machine's root, in parts that are attached when the root directory has been changed.
pub(crate) struct View {
    /// The root directory.
    pub(crate) root: OwnedFd,
    /// What is attached, and where.
    pub(crate) parts: Vec<(OwnedFd, PathBuf)>,
}

struct Composer<'a> {
    /// The directory of the container.
    changes: &'a Path,
    disposable: bool,
    /// Where something is mounted on the machine.
    mounts: BTreeSet<PathBuf>,
    /// The root directory was made before, and is as the container left it.
    again: bool,
    parts: Vec<(OwnedFd, PathBuf)>,
}

/// Makes the view.
pub(crate) fn compose(changes: &Path, disposable: bool) -> Result<View, EngineError> {
    let table = fs::read_to_string("/proc/self/mountinfo")
        .map_err(|error| io_error("read", Path::new("/proc/self/mountinfo"), error))?;
    let (skeleton, complete) = (changes.join("upper"), changes.join("complete"));
    let again = complete.exists();
    let mut composer =
        Composer { changes, disposable, mounts: mount_points(&table), again, parts: Vec::new() };
    fs::create_dir_all(&skeleton).map_err(|error| io_error("make", &skeleton, error))?;
    composer.directory(Path::new("/"), &skeleton)?;
    if !again {
        fs::write(&complete, "").map_err(|error| io_error("write", &complete, error))?;
    }
    let root = detached(&skeleton, false)
        .map_err(|errno| io_error("mount the directory", &skeleton, errno.into()))?;
    Ok(View { root, parts: composer.parts })
}

/// The directories that hold the changes of all parts.
pub(crate) fn add_changes(changes: &Path, found: &mut Vec<PathBuf>) {
    add_parts(&changes.join("parts"), found);
}

fn add_parts(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let part = entry.path();
        if part.join("upper").is_dir() && part.join("work").is_dir() {
            found.push(part.join("upper"));
        } else {
            add_parts(&part, found);
        }
    }
}

impl Composer<'_> {
    /// Shows what is in a directory of the machine, piece by piece.
    fn directory(&mut self, source: &Path, skeleton: &Path) -> Result<(), EngineError> {
        // What may not be read stays empty.
        for entry in fs::read_dir(source).into_iter().flatten().flatten() {
            let (path, place) = (entry.path(), skeleton.join(entry.file_name()));
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                self.subdirectory(&path, &place)?;
            } else if !self.again {
                self.skeleton_entry(&path, &place, kind).map_err(|error| io_error("show", &path, error))?;
            } else if kind.is_file() && place.exists() {
                self.large_file(&path).map_err(|error| io_error("show", &path, error))?;
            }
            if self.parts.len() > PARTS {
                let message = format!("`{}` has too much mounted in it to be shown", source.display());
                return Err(EngineError::new(Fault::Unsupported, message)
                    .help("use an image: `longshore image bootstrap` makes one without a registry"));
            }
        }
        Ok(())
    }

    fn subdirectory(&mut self, source: &Path, place: &Path) -> Result<(), EngineError> {
        let failed = |error| io_error("make", place, error);
        match fs::create_dir(place) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
            _ => {}
        }
        let is_own = OWN.iter().any(|own| source == Path::new(own));
        let is_top = source.parent() == Some(Path::new("/"));
        if is_own || (!is_top && self.mounts.contains(source)) {
            return Ok(());
        }
        if self.mounts.iter().any(|mount| mount != source && mount.starts_with(source)) {
            return self.directory(source, place);
        }
        // Where nobody may look there is nothing to show.
        if access(source, Access::READ_OK | Access::EXEC_OK).is_err() {
            return Ok(());
        }
        let changes = self.changes.join("parts").join(source.strip_prefix("/").unwrap_or(source));
        let part = Overlay {
            lower: &[source.to_owned()],
            changes: &changes,
            disposable: self.disposable,
            rootless: true,
            users: None,
            base: 0,
        };
        self.parts.push((part.mount()?.mount, source.to_owned()));
        Ok(())
    }

    fn skeleton_entry(&mut self, source: &Path, place: &Path, kind: fs::FileType) -> io::Result<()> {
        if kind.is_symlink() {
            return match symlink(fs::read_link(source)?, place) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                result => result,
            };
        }
        // Sockets and devices of the machine are none of the container's.
        if !kind.is_file() || access(source, Access::READ_OK).is_err() {
            return Ok(());
        }
        let metadata = fs::metadata(source)?;
        if metadata.len() <= COPIED {
            fs::copy(source, place)?;
            return fs::set_permissions(
                place,
                fs::Permissions::from_mode(metadata.permissions().mode() & 0o777),
            );
        }
        fs::write(place, "")?;
        self.large_file(source)
    }

    /// A file that is too large to be copied can be read where it is.
    fn large_file(&mut self, source: &Path) -> io::Result<()> {
        if fs::metadata(source)?.len() <= COPIED {
            return Ok(());
        }
        let file = detached(source, false)?;
        longshore_sys::set_mount_attributes(file.as_fd(), c"", MountAttributes::READ_ONLY, false)?;
        self.parts.push((file, source.to_owned()));
        Ok(())
    }
}

/// Where something is mounted, of the text of `/proc/self/mountinfo`; see `proc_pid_mountinfo(5)`.
fn mount_points(table: &str) -> BTreeSet<PathBuf> {
    table.lines().filter_map(|line| line.split(' ').nth(4)).map(unescaped).collect()
}

/// A path whose blanks are written as octal numbers.
fn unescaped(text: &str) -> PathBuf {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let octal = after.get(..3).filter(|_| *first == b'\\');
        let number = octal.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        bytes.push(number.unwrap_or(*first));
        rest = if number.is_some() { after.get(3..).unwrap_or_default() } else { after };
    }
    PathBuf::from(std::ffi::OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::mount_points;

    #[test]
    fn mount_points_are_read() {
        let table = "29 1 254:0 / / rw shared:1 - ext4 /dev/vda rw\n\
                     30 29 0:5 / /a\\040b\\134c rw - tmpfs x rw\nbroken\n31 29 0:5 / /odd\\9 rw - tmpfs x rw\n";
        let points = mount_points(table);
        let expected = ["/", "/a b\\c", "/odd\\9"];
        assert_eq!(points.len(), expected.len());
        assert!(expected.iter().all(|path| points.contains(Path::new(path))));
    }
}
