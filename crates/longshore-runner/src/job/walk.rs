//! Looking around in a directory of a job: kinds, links and names, without ever following a link.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, fstat, openat2, readlinkat, statat};
use rustix::io::Errno;

use super::Directory;

/// Directories with more entries are not read to their end.
const MOST_ENTRIES: usize = 1_000_000;

/// What something in a directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    File,
    Directory,
    Link,
    /// A device, a pipe, a socket.
    Other,
}

impl From<FileType> for Kind {
    fn from(kind: FileType) -> Self {
        match kind {
            FileType::RegularFile => Self::File,
            FileType::Directory => Self::Directory,
            FileType::Symlink => Self::Link,
            _ => Self::Other,
        }
    }
}

impl Directory {
    /// What a path is; a link at its end is a link. `None` if nothing is there, or there is a link on the way.
    pub(crate) fn kind(&self, path: &Path) -> io::Result<Option<Kind>> {
        match self.look(path, OFlags::PATH | OFlags::NOFOLLOW) {
            Ok(found) => Ok(Some(FileType::from_raw_mode(fstat(&found)?.st_mode).into())),
            Err(error) => absent(error),
        }
    }

    /// Where a link leads.
    pub(crate) fn link(&self, path: &Path) -> io::Result<PathBuf> {
        let link = self.look(path, OFlags::PATH | OFlags::NOFOLLOW)?;
        let target = readlinkat(&link, "", Vec::new())?;
        Ok(PathBuf::from(OsString::from_vec(target.into_bytes())))
    }

    /// What is in a directory, in the order of the names' bytes.
    pub(crate) fn list(&self, path: &Path) -> io::Result<Vec<(OsString, Kind)>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW;
        let directory = self.look(path, flags)?;
        let mut found = Vec::new();
        for entry in Dir::read_from(&directory)? {
            let entry = entry?;
            let name = entry.file_name();
            if name == c"." || name == c".." {
                continue;
            }
            let kind = match entry.file_type() {
                // Not every file system says.
                FileType::Unknown => match statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(stat) => FileType::from_raw_mode(stat.st_mode),
                    Err(_) => continue,
                },
                kind => kind,
            };
            if found.len() >= MOST_ENTRIES {
                return Err(io::Error::other(format!("it has more than {MOST_ENTRIES} entries")));
            }
            found.push((OsString::from_vec(name.to_bytes().to_vec()), kind.into()));
        }
        found.sort();
        Ok(found)
    }

    fn look(&self, path: &Path, flags: OFlags) -> io::Result<std::os::fd::OwnedFd> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        Ok(openat2(&self.place, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve)?)
    }
}

fn absent<T>(error: io::Error) -> io::Result<Option<T>> {
    let is_absent = [Errno::NOENT, Errno::NOTDIR, Errno::LOOP]
        .iter()
        .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()));
    if is_absent { Ok(None) } else { Err(error) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::{Directory, Kind};

    #[test]
    fn links_are_seen_and_not_followed() {
        let inside = tempfile::tempdir().unwrap();
        std::fs::create_dir(inside.path().join("dir")).unwrap();
        std::fs::write(inside.path().join("dir/file"), "x").unwrap();
        symlink("dir", inside.path().join("link")).unwrap();
        let directory = Directory::open(inside.path()).unwrap();
        let kind = |path: &str| directory.kind(Path::new(path)).unwrap();
        assert_eq!(kind("dir"), Some(Kind::Directory));
        assert_eq!(kind("dir/file"), Some(Kind::File));
        assert_eq!(kind("link"), Some(Kind::Link));
        assert_eq!(kind("link/file"), None);
        assert_eq!(kind("none"), None);
        assert!(directory.kind(Path::new("../x")).is_err(), "it leads out");
        assert_eq!(directory.link(Path::new("link")).unwrap(), Path::new("dir"));
        let names = directory.list(Path::new("")).unwrap();
        assert_eq!(names, [("dir".into(), Kind::Directory), ("link".into(), Kind::Link)]);
        assert!(directory.list(Path::new("link")).is_err());
    }
}
