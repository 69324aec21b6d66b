//! Packing a file or directory as Docker's `cp` does: names begin with the last part of the path that was asked for.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use longshore_layer::archive::{Builder, Entry, EntryKind, Timestamp};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, openat, readlinkat, statat};

use crate::inside::open_inside;

/// Directories deeper than this are not packed.
const DEPTH: usize = 1000;

/// Packs what is at a path below a root, by the name `label`.
pub(super) fn pack(
    root: BorrowedFd<'_>,
    (path, label): (&str, &str),
    follow: bool,
    writer: impl Write,
) -> io::Result<()> {
    let (above, name) = path.trim_end_matches("/.").rsplit_once('/').unwrap_or(("", path));
    let directory = OFlags::PATH | OFlags::DIRECTORY;
    let mut builder = Builder::new(writer);
    if name.is_empty() || path.ends_with("/.") {
        // The directory itself, wherever a link of that name leads.
        let open = open_inside(root, path, directory)?;
        let status = statat(&open, "", AtFlags::EMPTY_PATH)?;
        let mut packer = Packer { builder: &mut builder, depth: 0 };
        packer.directory(open.as_fd(), c".", label.as_bytes(), &status)?;
    } else {
        let above = if above.is_empty() { "/" } else { above };
        let open = open_inside(root, above, directory)?;
        let mut packer = Packer { builder: &mut builder, depth: 0 };
        if follow {
            let place = open_inside(root, path, OFlags::PATH)?;
            packer.followed(&place, label)?;
        } else {
            let name_text = std::ffi::CString::new(name)?;
            packer.entry(open.as_fd(), &name_text, label.as_bytes())?;
        }
    }
    builder.finish().map_err(io::Error::other)?.flush()
}

struct Packer<'a, W: Write> {
    builder: &'a mut Builder<W>,
    depth: usize,
}

impl<W: Write> Packer<'_, W> {
    /// Packs what a link leads to, by the link's name.
    fn followed(&mut self, place: &OwnedFd, name: &str) -> io::Result<()> {
        let status = statat(place, "", AtFlags::EMPTY_PATH)?;
        if FileType::from_raw_mode(status.st_mode) == FileType::Directory {
            return self.directory(place.as_fd(), c".", name.as_bytes(), &status);
        }
        let again = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(place));
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = rustix::fs::open(again, flags, Mode::empty())?;
        self.file(file, name.as_bytes(), &status)
    }

    fn entry(&mut self, above: BorrowedFd<'_>, name: &std::ffi::CStr, label: &[u8]) -> io::Result<()> {
        let status = statat(above, name, AtFlags::SYMLINK_NOFOLLOW)?;
        match FileType::from_raw_mode(status.st_mode) {
            FileType::Directory => self.directory(above, name, label, &status),
            FileType::RegularFile => {
                let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
                let file = openat(above, name, flags, Mode::empty())?;
                self.file(file, label, &status)
            }
            FileType::Symlink => {
                let link = readlinkat(above, name, Vec::new())?;
                let entry = described(label, EntryKind::Symlink(link.into_bytes()), &status);
                self.builder.append(&entry, io::empty()).map_err(io::Error::other)
            }
            FileType::Fifo => {
                let entry = described(label, EntryKind::Fifo, &status);
                self.builder.append(&entry, io::empty()).map_err(io::Error::other)
            }
            // Sockets mean nothing elsewhere, and devices are the machine's.
            _ => Ok(()),
        }
    }

    fn file(&mut self, file: OwnedFd, label: &[u8], status: &Stat) -> io::Result<()> {
        let mut entry = described(label, EntryKind::File, status);
        entry.size = u64::try_from(status.st_size).unwrap_or_default();
        // One that grows meanwhile is cut at the size that was told; one that shrinks is an error.
        let content = io::Read::take(File::from(file), entry.size);
        self.builder.append(&entry, content).map_err(io::Error::other)
    }

    fn directory(
        &mut self,
        above: BorrowedFd<'_>,
        name: &std::ffi::CStr,
        label: &[u8],
        status: &Stat,
    ) -> io::Result<()> {
        if self.depth >= DEPTH {
            return Err(io::Error::other("directories are nested too deeply"));
        }
        let mut slashed = label.to_vec();
        slashed.push(b'/');
        let entry = described(&slashed, EntryKind::Directory, status);
        self.builder.append(&entry, io::empty()).map_err(io::Error::other)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let open = openat(above, name, flags, Mode::empty())?;
        let mut names = Vec::new();
        for entry in Dir::read_from(&open)? {
            let name = entry?.file_name().to_owned();
            if !matches!(name.to_bytes(), b"." | b"..") {
                names.push(name);
            }
        }
        names.sort();
        self.depth += 1;
        for name in names {
            let mut label = slashed.clone();
            label.extend_from_slice(name.to_bytes());
            match self.entry(open.as_fd(), &name, &label) {
                // It went away while it was looked at.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                result => result?,
            }
        }
        self.depth -= 1;
        Ok(())
    }
}

fn described(label: &[u8], kind: EntryKind, status: &Stat) -> Entry {
    let mut entry = Entry::new(label, kind);
    entry.mode = status.st_mode & 0o7777;
    entry.uid = status.st_uid;
    entry.gid = status.st_gid;
    entry.modified = Timestamp::from_seconds(status.st_mtime);
    entry
}
