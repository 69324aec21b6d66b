//! A directory that steps control, written to from outside.
//!
//! Steps may replace anything in it at any time. Every operation is about one name in an open directory and follows no
//! link; what has a name that is wanted gives way. A directory that somebody moves while we work in it is still one of the
//! job's, so nothing outside of the job's files is ever touched.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path};

use rustix::fs::{
    AtFlags, Dir, FileType, Mode, OFlags, fchmod, fchown, fstat, mkdirat, openat, symlinkat, unlinkat,
};
use rustix::io::Errno;
use rustix::process::{Gid, Uid, getegid, geteuid};

/// How often something is tried that somebody disturbs.
const TRIES: usize = 16;

/// How deep trees are that are removed.
const DEEPEST: usize = 1000;

/// What directories are opened for.
const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// A directory that steps control.
#[derive(Debug)]
pub(crate) struct Folder {
    directory: OwnedFd,
    /// Whom what is made in it shall belong to, if that is not who makes it.
    heir: Option<(Uid, Gid)>,
}

impl Folder {
    /// Opens a directory that we made and the job cannot replace.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let directory = rustix::fs::open(path, DIRECTORY, Mode::empty())?;
        Ok(Self { heir: heir(&directory)?, directory })
    }

    /// A directory that is open.
    pub(crate) fn of(directory: BorrowedFd<'_>) -> io::Result<Self> {
        let directory = directory.try_clone_to_owned()?;
        Ok(Self { heir: heir(&directory)?, directory })
    }

    /// Opens a directory below, made if it is missing.
    pub(crate) fn make_all(&self, path: &Path) -> io::Result<Self> {
        let mut at = self.again()?;
        for component in path.components() {
            match component {
                Component::Normal(name) => at = at.make(name.as_encoded_bytes())?,
                Component::CurDir => {}
                _ => return Err(Errno::INVAL.into()),
            }
        }
        Ok(at)
    }

    /// Opens the directory of this name, made if it is missing. A file or link that has the name gives way.
    pub(crate) fn make(&self, name: &[u8]) -> io::Result<Self> {
        for _ in 0..TRIES {
            match openat(&self.directory, name, DIRECTORY, Mode::empty()) {
                Ok(directory) => return Ok(Self { directory, heir: self.heir }),
                Err(Errno::NOENT) => match mkdirat(&self.directory, name, Mode::from_raw_mode(0o755)) {
                    Ok(()) => {
                        let made = openat(&self.directory, name, DIRECTORY, Mode::empty())?;
                        self.settle(made.as_fd(), Some(0o755))?;
                    }
                    Err(Errno::EXIST) => {}
                    Err(errno) => return Err(errno.into()),
                },
                Err(Errno::NOTDIR | Errno::LOOP) => self.unlink(name)?,
                Err(errno) => return Err(errno.into()),
            }
        }
        Err(Errno::NOTDIR.into())
    }

    /// Opens the directory of this name; none if there is no such directory.
    pub(crate) fn enter(&self, name: &[u8]) -> io::Result<Option<Self>> {
        match openat(&self.directory, name, DIRECTORY, Mode::empty()) {
            Ok(directory) => Ok(Some(Self { directory, heir: self.heir })),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Makes a new file; what has the name gives way.
    pub(crate) fn create(&self, name: &[u8], mode: u32) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        for _ in 0..TRIES {
            match openat(&self.directory, name, flags, Mode::from_raw_mode(mode)) {
                Ok(file) => {
                    self.settle(file.as_fd(), None)?;
                    return Ok(File::from(file));
                }
                Err(Errno::EXIST) => self.remove(name)?,
                Err(errno) => return Err(errno.into()),
            }
        }
        Err(Errno::EXIST.into())
    }

    /// Makes a file with this content; what has the name gives way.
    pub(crate) fn write(&self, name: &str, content: &[u8], mode: u32) -> io::Result<()> {
        let mut file = self.create(name.as_bytes(), mode)?;
        file.write_all(content)?;
        // The mask of this process is not the job's.
        Ok(fchmod(&file, Mode::from_raw_mode(mode))?)
    }

    /// Makes a link; what has the name gives way.
    pub(crate) fn link(&self, name: &[u8], target: &[u8]) -> io::Result<()> {
        for _ in 0..TRIES {
            match symlinkat(target, &self.directory, name) {
                Ok(()) => {
                    if let Some((user, group)) = self.heir {
                        let (user, group) = (Some(user), Some(group));
                        rustix::fs::chownat(&self.directory, name, user, group, AtFlags::SYMLINK_NOFOLLOW)?;
                    }
                    return Ok(());
                }
                Err(Errno::EXIST) => self.remove(name)?,
                Err(errno) => return Err(errno.into()),
            }
        }
        Err(Errno::EXIST.into())
    }

    /// At most `limit` bytes of a plain file; none if there is none, or a longer one.
    pub(crate) fn read(&self, name: &str, limit: u64) -> io::Result<Option<Vec<u8>>> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match openat(&self.directory, name, flags, Mode::empty()) {
            Ok(file) => file,
            Err(Errno::NOENT | Errno::LOOP | Errno::NXIO) => return Ok(None),
            Err(errno) => return Err(errno.into()),
        };
        if FileType::from_raw_mode(fstat(&file)?.st_mode) != FileType::RegularFile {
            return Ok(None);
        }
        let mut content = Vec::new();
        File::from(file).take(limit.saturating_add(1)).read_to_end(&mut content)?;
        Ok((content.len() as u64 <= limit).then_some(content))
    }

    /// What is in it.
    pub(crate) fn names(&self) -> io::Result<Vec<Vec<u8>>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.directory)? {
            let name = entry?.file_name().to_bytes().to_vec();
            if name != b"." && name != b".." {
                names.push(name);
            }
        }
        Ok(names)
    }

    /// Removes all that is in it.
    pub(crate) fn clear(&self) -> io::Result<()> {
        self.names()?.iter().try_for_each(|name| self.remove(name))
    }

    /// Removes what has this name, a directory with all that is in it.
    pub(crate) fn remove(&self, name: &[u8]) -> io::Result<()> {
        Ok(remove(self.directory.as_fd(), name, 0)?)
    }

    /// Removes a file below, and the directories that are empty without it.
    pub(crate) fn remove_below(&self, path: &[u8]) -> io::Result<()> {
        let mut way = vec![self.again()?];
        let mut parts: Vec<&[u8]> =
            path.split(|&byte| byte == b'/').filter(|part| !part.is_empty()).collect();
        let Some(name) = parts.pop() else { return Ok(()) };
        for part in &parts {
            match way.last().map(|at| at.enter(part)).transpose()?.flatten() {
                Some(below) => way.push(below),
                None => return Ok(()),
            }
        }
        if let Some(at) = way.pop() {
            match unlinkat(&at.directory, name, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT | Errno::ISDIR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        for (around, part) in way.iter().zip(&parts).rev() {
            if unlinkat(&around.directory, *part, AtFlags::REMOVEDIR).is_err() {
                // Something else is in it.
                break;
            }
        }
        Ok(())
    }

    /// The same directory once more.
    pub(crate) fn again(&self) -> io::Result<Self> {
        Ok(Self { directory: openat(&self.directory, ".", DIRECTORY, Mode::empty())?, heir: self.heir })
    }

    /// The descriptor.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }

    fn unlink(&self, name: &[u8]) -> io::Result<()> {
        match unlinkat(&self.directory, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Gives something new to the heir, and the mode that our mask may have taken from it.
    fn settle(&self, entry: BorrowedFd<'_>, mode: Option<u32>) -> io::Result<()> {
        if let Some((user, group)) = self.heir {
            fchown(entry, Some(user), Some(group))?;
        }
        if let Some(mode) = mode {
            fchmod(entry, Mode::from_raw_mode(mode))?;
        }
        Ok(())
    }
}

/// Who owns a directory, if root works for somebody else there.
fn heir(directory: &OwnedFd) -> io::Result<Option<(Uid, Gid)>> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    let stat = fstat(directory)?;
    let owner = (Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid));
    Ok((owner != (geteuid(), getegid())).then_some(owner))
}

fn remove(parent: BorrowedFd<'_>, name: &[u8], depth: usize) -> Result<(), Errno> {
    match unlinkat(parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(Errno::ISDIR) => {}
        Err(errno) => return Err(errno),
    }
    if depth > DEEPEST {
        return Err(Errno::NAMETOOLONG);
    }
    let directory = match openat(parent, name, DIRECTORY, Mode::empty()) {
        // Directories that nobody may write to, as those of Go's module cache, or read.
        Err(Errno::ACCESS) => {
            let path = openat(parent, name, OFlags::PATH | DIRECTORY, Mode::empty())?;
            allow(&path)?;
            openat(parent, name, DIRECTORY, Mode::empty())?
        }
        other => other?,
    };
    if fstat(&directory)?.st_mode & 0o300 != 0o300 {
        fchmod(&directory, Mode::RWXU)?;
    }
    for entry in Dir::read_from(&directory)? {
        let entry = entry?;
        let child = entry.file_name().to_bytes();
        if child != b"." && child != b".." {
            remove(directory.as_fd(), child, depth + 1)?;
        }
    }
    match unlinkat(parent, name, AtFlags::REMOVEDIR) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// Lets us into a directory of our own by its descriptor, which only names it.
fn allow(directory: &OwnedFd) -> Result<(), Errno> {
    use std::os::fd::AsRawFd as _;
    let path = format!("/proc/self/fd/{}", directory.as_raw_fd());
    rustix::fs::chmod(path, Mode::RWXU)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::path::Path;

    use super::Folder;

    #[test]
    fn links_give_way_and_are_never_followed() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("kept"), "kept").unwrap();
        let inside = tempfile::tempdir().unwrap();
        let folder = Folder::open(inside.path()).unwrap();
        for name in ["directory", "file", "link"] {
            symlink(outside.path(), inside.path().join(name)).unwrap();
        }
        symlink(outside.path().join("kept"), inside.path().join("read")).unwrap();
        assert_eq!(folder.read("read", 100).unwrap(), None);
        folder.make_all(Path::new("directory/below")).unwrap().write("x", b"1", 0o644).unwrap();
        folder.write("file", b"2", 0o600).unwrap();
        folder.link(b"link", b"/nowhere").unwrap();
        assert_eq!(fs::read(inside.path().join("directory/below/x")).unwrap(), b"1");
        assert_eq!(fs::metadata(inside.path().join("file")).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_link(inside.path().join("link")).unwrap(), Path::new("/nowhere"));
        assert!(folder.make_all(Path::new("../x")).is_err());
        symlink(outside.path(), inside.path().join("directory/out")).unwrap();
        folder.clear().unwrap();
        assert_eq!(fs::read_dir(inside.path()).unwrap().count(), 0);
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
        assert_eq!(fs::read(outside.path().join("kept")).unwrap(), b"kept");
    }

    #[test]
    fn directories_that_forbid_it_are_removed() {
        let inside = tempfile::tempdir().unwrap();
        let sealed = inside.path().join("a/b");
        fs::create_dir_all(&sealed).unwrap();
        fs::write(sealed.join("file"), "").unwrap();
        fs::set_permissions(&sealed, fs::Permissions::from_mode(0o000)).unwrap();
        fs::set_permissions(inside.path().join("a"), fs::Permissions::from_mode(0o555)).unwrap();
        Folder::open(inside.path()).unwrap().clear().unwrap();
        assert_eq!(fs::read_dir(inside.path()).unwrap().count(), 0);
    }
}
