//! What is taken out of a new root so that the same packages give the same layer: logs, caches, what is random, what is
//! of this machine, and times.
//!
//! The root is walked by descriptors, no link in it is followed, and no mount entered: if a configurator left the
//! machine's `/dev` mounted in the root, cleaning fails and does not empty it.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{self, AtFlags, Dir, Mode, OFlags, Timespec, Timestamps};
use rustix::io::Errno;

use crate::rootfs::{Attributes, Root};

/// Files that are removed.
const REMOVED: &[&str] = &[
    "etc/.pwd.lock",
    "etc/group-",
    "etc/gshadow-",
    "etc/hostname",
    "etc/hosts",
    "etc/passwd-",
    "etc/resolv.conf",
    "etc/shadow-",
    "etc/subgid-",
    "etc/subuid-",
    "root/.rnd",
    "var/cache/apt/pkgcache.bin",
    "var/cache/apt/srcpkgcache.bin",
    "var/cache/debconf/config.dat-old",
    "var/cache/debconf/passwords.dat-old",
    "var/cache/debconf/templates.dat-old",
    "var/cache/ldconfig/aux-cache",
    "var/lib/dbus/machine-id",
    "var/lib/dpkg/available-old",
    "var/lib/dpkg/diversions-old",
    "var/lib/dpkg/lock",
    "var/lib/dpkg/lock-frontend",
    "var/lib/dpkg/status-old",
    "var/lib/dpkg/statoverride-old",
    "var/lib/dpkg/triggers/Lock",
    "var/lib/systemd/random-seed",
    "var/lib/urandom/random-seed",
];

/// Directories whose files are removed, however deep; the directories stay.
const EMPTIED: &[&str] = &[
    "dev",
    "run",
    "tmp",
    "var/tmp",
    "var/cache/apt/archives",
    "var/cache/debconf/tmp.ci",
    "var/lib/apt/lists",
];

/// Directories whose files lose their content.
const TRUNCATED: &[&str] = &["var/log"];

/// Cleans a root. Everything in it then has a time of at most `epoch`, and what changed since `started` has that time.
pub(crate) fn clean(path: &Path, epoch: i64, started: i64) -> io::Result<()> {
    let mut root = Root::open(path)?;
    for file in REMOVED {
        match root.remove(file.as_bytes()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    if root.standing(b"etc/machine-id")? != crate::rootfs::Standing::Nothing {
        // Empty, so that whoever boots it writes an own one.
        root.file(b"etc/machine-id", &mut io::empty(), Attributes::of_root(0o444))?;
    }
    let top = fs::open(path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    for directory in EMPTIED {
        if let Some(opened) = open_inside(&top, directory)? {
            empty(&opened)?;
        }
    }
    for directory in TRUNCATED {
        if let Some(opened) = open_inside(&top, directory)? {
            truncate(&opened)?;
        }
    }
    clamp(&top, &Clamp { epoch, started })
}

/// How directories are reached.
const INSIDE: fs::ResolveFlags =
    fs::ResolveFlags::BENEATH.union(fs::ResolveFlags::NO_SYMLINKS).union(fs::ResolveFlags::NO_XDEV);

/// A directory below another, if it is there and no link leads to it.
fn open_inside(top: &OwnedFd, path: &str) -> io::Result<Option<OwnedFd>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match fs::openat2(top, path, flags, Mode::empty(), INSIDE) {
        Ok(opened) => Ok(Some(opened)),
        Err(Errno::NOENT | Errno::LOOP | Errno::NOTDIR) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Calls for each name in a directory.
fn each(
    directory: &OwnedFd,
    act: &mut dyn FnMut(&std::ffi::CStr, fs::FileType) -> io::Result<()>,
) -> io::Result<()> {
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let kind = match entry.file_type() {
            fs::FileType::Unknown => {
                let stat = fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
                fs::FileType::from_raw_mode(stat.st_mode)
            }
            kind => kind,
        };
        act(name, kind)?;
    }
    Ok(())
}

fn open_child(directory: impl AsFd, name: &std::ffi::CStr) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(fs::openat2(directory, name, flags, Mode::empty(), INSIDE)?)
}

/// Removes everything in a directory but directories that packages brought (which all have a time of their own).
fn empty(directory: &OwnedFd) -> io::Result<()> {
    each(directory, &mut |name, kind| {
        if kind.is_dir() {
            return empty(&open_child(directory, name)?);
        }
        Ok(fs::unlinkat(directory, name, AtFlags::empty())?)
    })
}

fn truncate(directory: &OwnedFd) -> io::Result<()> {
    each(directory, &mut |name, kind| {
        if kind.is_dir() {
            return truncate(&open_child(directory, name)?);
        }
        if kind.is_file() {
            let flags = OFlags::WRONLY | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            fs::openat(directory, name, flags, Mode::empty())?;
        }
        Ok(())
    })
}

struct Clamp {
    epoch: i64,
    started: i64,
}

impl Clamp {
    fn needed(&self, modified: i64) -> bool {
        modified > self.epoch || modified >= self.started
    }

    fn times(&self) -> Timestamps {
        let time = Timespec { tv_sec: self.epoch, tv_nsec: 0 };
        Timestamps { last_access: time, last_modification: time }
    }
}

/// Gives files that are newer the time of the release, and all directories, whose times say nothing.
fn clamp(directory: &OwnedFd, clamped: &Clamp) -> io::Result<()> {
    each(directory, &mut |name, kind| {
        if kind.is_dir() {
            return clamp(&open_child(directory, name)?, clamped);
        }
        let stat = fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
        if clamped.needed(stat.st_mtime) {
            fs::utimensat(directory, name, &clamped.times(), AtFlags::SYMLINK_NOFOLLOW)?;
        }
        Ok(())
    })?;
    Ok(fs::futimens(directory, &clamped.times())?)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt as _, symlink};

    use super::clean;

    #[test]
    fn what_differs_between_runs_goes() {
        let directory = tempfile::tempdir().unwrap();
        let (root, outside) = (directory.path().join("root"), directory.path().join("outside"));
        for path in ["root/etc", "root/var/log/apt", "root/run/lock", "outside"] {
            fs::create_dir_all(directory.path().join(path)).unwrap();
        }
        for path in
            ["etc/machine-id", "etc/hostname", "etc/kept", "var/log/apt/term.log", "run/lock/x", "run/y"]
        {
            fs::write(root.join(path), "content").unwrap();
        }
        fs::write(outside.join("victim"), "content").unwrap();
        symlink(&outside, root.join("run/link")).unwrap();
        symlink(&outside, root.join("tmp")).unwrap();
        symlink(outside.join("victim"), root.join("var/log/link")).unwrap();
        clean(&root, 1000, 0).unwrap();

        assert_eq!(fs::read_dir(root.join("run")).unwrap().count(), 1);
        assert_eq!(fs::read(root.join("var/log/apt/term.log")).unwrap(), b"");
        assert_eq!(fs::read(root.join("etc/machine-id")).unwrap(), b"");
        assert!(!root.join("etc/hostname").exists());
        assert_eq!(fs::read(outside.join("victim")).unwrap(), b"content");
        for path in ["", "etc", "etc/kept", "tmp", "var/log/apt"] {
            assert_eq!(fs::symlink_metadata(root.join(path)).unwrap().mtime(), 1000, "{path}");
        }
        assert_ne!(fs::metadata(&outside).unwrap().mtime(), 1000);
    }
}
