//! Removing trees whose directories may forbid it, as those of Go's module cache do.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, Mode, OFlags, unlinkat};
use rustix::io::Errno;

/// How deep trees are nested at most, which bounds open files and the stack.
pub(crate) const DEEPEST: usize = 200;

/// Removes a file or a directory with everything below, and follows no link.
pub(crate) fn remove_tree(path: &Path) -> io::Result<()> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(Errno::INVAL.into());
    };
    let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
    let parent = rustix::fs::open(parent, flags, Mode::empty())?;
    Ok(remove(&parent, name.as_encoded_bytes(), 0)?)
}

fn remove(parent: &OwnedFd, name: &[u8], depth: usize) -> Result<(), Errno> {
    match unlinkat(parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(Errno::ISDIR) => {}
        Err(errno) => return Err(errno),
    }
    if depth > DEEPEST {
        return Err(Errno::NAMETOOLONG);
    }
    let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    // The store belongs to who removes, and nothing in it is a link, so the mode may be changed by name.
    let _ = rustix::fs::chmodat(parent, name, Mode::RWXU, AtFlags::empty());
    let opened = rustix::fs::openat(parent, name, flags, Mode::empty())?;
    for entry in rustix::fs::Dir::read_from(&opened)? {
        let entry = entry?;
        let child = entry.file_name().to_bytes();
        if child != b"." && child != b".." {
            remove(&opened, child, depth + 1)?;
        }
    }
    match unlinkat(parent, name, AtFlags::REMOVEDIR) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(errno),
    }
}
