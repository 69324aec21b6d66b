//! Removing what containers leave, which may be anything: directories that nobody may enter, and trees so deep that they
//! have no path.
//!
//! Entries are reached by one name below an open directory. Only so many directories are open at once: what lies deeper is
//! moved up beside the tree and removed on its own, so neither descriptors nor stack run out.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, chmodat, fchmod, openat, renameat, unlinkat};
use rustix::io::Errno;

/// How many directories are open at once, each with two descriptors.
const DEPTH: usize = 64;

/// How often a directory is read again in which something is left; file systems may skip entries while others go.
const ROUNDS: usize = 8;

/// Removes a file or a directory with all that is in it. It need not exist. Nothing else may be in its directory that must
/// not be seen with further names for a while.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    let above = path.parent().unwrap_or(Path::new("/"));
    let name = CString::new(path.file_name().unwrap_or_default().as_bytes())?;
    let place =
        match rustix::fs::open(above, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()) {
            Err(Errno::NOENT) => return Ok(()),
            opened => opened?,
        };
    let mut removal = Removal { place, waiting: vec![name.clone()], moved: 0, name };
    while let Some(name) = removal.waiting.pop() {
        removal.tree(name)?;
    }
    Ok(())
}

struct Removal {
    /// The directory that the tree is in.
    place: OwnedFd,
    name: CString,
    /// What is still to be removed from it.
    waiting: Vec<CString>,
    /// How many directories were moved up.
    moved: u64,
}

/// A directory that is being emptied.
struct Level {
    directory: OwnedFd,
    entries: Dir,
    /// Its name in the level above.
    name: CString,
    rounds: usize,
}

impl Removal {
    fn tree(&mut self, name: CString) -> Result<(), Errno> {
        let Some(level) = enter(self.place.as_fd(), name)? else { return Ok(()) };
        let mut levels = vec![level];
        while let Some(level) = levels.last_mut() {
            let Some(entry) = level.entries.read() else {
                self.leave(&mut levels)?;
                continue;
            };
            let entry = entry?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            if entry.file_type() != FileType::Directory && unlink(level.directory.as_fd(), name)? {
                continue;
            }
            if levels.len() >= DEPTH {
                self.move_up(&levels, name)?;
            } else if let Some(next) =
                levels.last().and_then(|level| enter(level.directory.as_fd(), name.to_owned()).transpose())
            {
                levels.push(next?);
            }
        }
        Ok(())
    }

    /// Removes the directory that was emptied last.
    fn leave(&self, levels: &mut Vec<Level>) -> Result<(), Errno> {
        let Some(mut level) = levels.pop() else { return Ok(()) };
        let above = levels.last().map_or(self.place.as_fd(), |above| above.directory.as_fd());
        match opened_up(above, |above| unlinkat(above, &level.name, AtFlags::REMOVEDIR)) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(Errno::NOTEMPTY) if level.rounds < ROUNDS => {
                level.rounds += 1;
                level.entries.rewind();
                levels.push(level);
                Ok(())
            }
            Err(errno) => Err(errno),
        }
    }

    /// Moves a directory of the lowest level beside the tree.
    fn move_up(&mut self, levels: &[Level], name: &CStr) -> Result<(), Errno> {
        let Some(level) = levels.last() else { return Ok(()) };
        self.moved += 1;
        let mut target = self.name.to_bytes().to_vec();
        target.extend_from_slice(format!(".{}.{}", std::process::id(), self.moved).as_bytes());
        let target = CString::new(target).map_err(|_| Errno::INVAL)?;
        // It is changed by the move, since it knows its parent.
        let _ = chmodat(&level.directory, name, Mode::RWXU, AtFlags::empty());
        match opened_up(level.directory.as_fd(), |above| renameat(above, name, &self.place, &target)) {
            Ok(()) => {
                self.waiting.push(target);
                Ok(())
            }
            Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(errno),
        }
    }
}

/// Opens a directory to empty it. What is no directory is removed.
fn enter(above: BorrowedFd<'_>, name: CString) -> Result<Option<Level>, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let open = || opened_up(above, |above| openat(above, &name, flags, Mode::empty()));
    let opened = match open() {
        Err(Errno::ACCESS) => {
            // Whoever owns it may have no right to look.
            chmodat(above, &name, Mode::RWXU, AtFlags::empty())?;
            open()
        }
        opened => opened,
    };
    match opened {
        Ok(directory) => {
            let entries = Dir::read_from(&directory)?;
            Ok(Some(Level { directory, entries, name, rounds: 0 }))
        }
        Err(Errno::NOTDIR | Errno::LOOP) => {
            let removed = opened_up(above, |above| unlinkat(above, &name, AtFlags::empty()));
            if removed == Err(Errno::NOENT) { Ok(None) } else { removed.map(|()| None) }
        }
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// Removes what is no directory; says whether it was none.
fn unlink(above: BorrowedFd<'_>, name: &CStr) -> Result<bool, Errno> {
    match opened_up(above, |above| unlinkat(above, name, AtFlags::empty())) {
        Ok(()) | Err(Errno::NOENT) => Ok(true),
        Err(Errno::ISDIR) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// Does something in a directory, and once more with all rights of its owner if these are missing.
fn opened_up<T>(
    directory: BorrowedFd<'_>,
    act: impl Fn(BorrowedFd<'_>) -> Result<T, Errno>,
) -> Result<T, Errno> {
    match act(directory) {
        Err(Errno::ACCESS) => {
            // The directory that the tree is in cannot be changed through its handle, and has the rights.
            if fchmod(directory, Mode::RWXU).is_err() {
                return Err(Errno::ACCESS);
            }
            act(directory)
        }
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use rustix::fs::{Mode, OFlags, mkdirat, openat};

    use super::{DEPTH, remove};

    #[test]
    fn trees_go_and_nothing_else() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("tree");
        fs::write(place.path().join("stays"), "").unwrap();
        fs::create_dir_all(path.join("a/b")).unwrap();
        for number in 0..500 {
            fs::write(path.join(format!("a/b/{number}")), "").unwrap();
        }
        symlink("../stays", path.join("link")).unwrap();
        symlink("..", path.join("a/up")).unwrap();
        for closed in ["a/b", "a", ""] {
            fs::set_permissions(path.join(closed), fs::Permissions::from_mode(0o000)).unwrap();
        }
        remove(&path).unwrap();
        assert!(!path.exists() && place.path().join("stays").exists());
        for other in ["stays", "never", "never/was"] {
            remove(&place.path().join(other)).unwrap();
        }
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
    }

    #[test]
    fn trees_without_a_path_go_as_well() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("tree");
        fs::create_dir(&path).unwrap();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let mut directory = rustix::fs::open(&path, flags, Mode::empty()).unwrap();
        // Longer than a path may be, deeper than descriptors reach, and with something at each level.
        for level in 0..DEPTH * 20 {
            mkdirat(&directory, "deeper", Mode::RWXU).unwrap();
            if level % 7 == 0 {
                mkdirat(&directory, "beside", Mode::empty()).unwrap();
            }
            directory = openat(&directory, "deeper", flags, Mode::empty()).unwrap();
        }
        remove(&path).unwrap();
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
    }
}
