//! A directory of a job, used from outside.
//!
//! What is in it was made by steps, which may have put links to anywhere, pipes that never end and files without bound:
//! every access goes component by component below the directory's descriptor (`openat2(2)` with `RESOLVE_BENEATH` and
//! `RESOLVE_NO_SYMLINKS`), opens plain files only, and is bounded.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, fstat, open, openat2, unlinkat};

/// A directory of a job.
#[derive(Debug)]
pub(crate) struct Directory {
    pub(super) place: OwnedFd,
}

impl Directory {
    /// A directory that we made and the job cannot replace.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let place = open(path, OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::PATH, Mode::empty())?;
        Ok(Self { place })
    }

    /// The content of a file in it, at most `limit` bytes of it; whether that was all.
    pub(crate) fn read(&self, name: &str, limit: u64) -> io::Result<(Vec<u8>, bool)> {
        let file = self.open_file(name, OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty())?;
        let mut content = Vec::new();
        file.take(limit.saturating_add(1)).read_to_end(&mut content)?;
        let complete = content.len() as u64 <= limit;
        content.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok((content, complete))
    }

    /// Makes a file in it, which must not exist.
    pub(crate) fn create(&self, name: &str, content: &[u8], mode: u32) -> io::Result<()> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
        let mut file = self.open_file(name, flags, Mode::from_raw_mode(mode))?;
        file.write_all(content)?;
        // The mask of this process is not the job's.
        rustix::fs::fchmod(&file, Mode::from_raw_mode(mode))?;
        Ok(())
    }

    /// Removes a file from it.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        let (around, name) = name.rsplit_once('/').unwrap_or((".", name));
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let flags = OFlags::DIRECTORY | OFlags::PATH | OFlags::CLOEXEC;
        let around = openat2(&self.place, around, flags, Mode::empty(), resolve)?;
        Ok(unlinkat(&around, name, AtFlags::empty())?)
    }

    fn open_file(&self, name: &str, flags: OFlags, mode: Mode) -> io::Result<File> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let file = openat2(&self.place, name, flags | OFlags::CLOEXEC | OFlags::NOFOLLOW, mode, resolve)?;
        if FileType::from_raw_mode(fstat(&file)?.st_mode) != FileType::RegularFile {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("`{name}` is no longer a plain file"),
            ));
        }
        Ok(File::from(file))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::Directory;

    #[test]
    fn links_lead_nowhere_and_sizes_are_bounded() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret"), "s").unwrap();
        let inside = tempfile::tempdir().unwrap();
        let directory = Directory::open(inside.path()).unwrap();
        symlink(outside.path().join("secret"), inside.path().join("link")).unwrap();
        symlink(outside.path(), inside.path().join("dir")).unwrap();
        for name in ["link", "dir/secret", "../x", "/etc/passwd"] {
            assert!(directory.read(name, 10).is_err(), "{name}");
        }
        assert!(directory.create("link", b"x", 0o644).is_err());
        directory.create("file", b"12345", 0o600).unwrap();
        assert_eq!(directory.read("file", 5).unwrap(), (b"12345".to_vec(), true));
        assert_eq!(directory.read("file", 4).unwrap(), (b"1234".to_vec(), false));
        assert!(directory.create("file", b"", 0o600).is_err(), "it exists");
        assert_eq!(std::fs::read_to_string(outside.path().join("secret")).unwrap(), "s");
    }
}
