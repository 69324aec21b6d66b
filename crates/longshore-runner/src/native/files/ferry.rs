//! Copies between the job's container and this machine, for what lies in no directory of the job.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use longshore_engine::{EngineError, Fault};
use longshore_layer::archive::{Builder, Entry, EntryKind, Timestamp};
use longshore_layer::{ApplyOptions, Devices, Ownership, Whiteouts, apply};

use super::{FilesError, JobFiles};

impl JobFiles<'_> {
    /// Copies something out of the container. Whether it was there.
    pub(super) fn fetch(&mut self, inside: &Path) -> Result<bool, FilesError> {
        let Some(name) = inside.file_name() else {
            return Err(FilesError::Broad { path: inside.to_owned() });
        };
        let place = self.staging.join(format!("in{}", self.fetched.len()));
        let target = self.make(&place, inside)?;
        let failed = |source| FilesError::Fetch { path: inside.to_owned(), source };
        let id = self
            .place
            .container()
            .ok_or_else(|| failed(EngineError::new(Fault::Bug, "there is no container yet")))?;
        let engine = self.place.engine();
        let (reader, mut writer) =
            io::pipe().map_err(|source| FilesError::Stage { path: inside.to_owned(), source })?;
        // Owners are those of another user namespace; what is kept is content, rights and times.
        let options = ApplyOptions {
            whiteouts: Whiteouts::Literal,
            ownership: Ownership::Ignore,
            devices: Devices::Refuse,
            ..ApplyOptions::default()
        };
        let (copied, unpacked) = std::thread::scope(|threads| {
            let copying = threads.spawn(move || engine.copy_out(id, inside, &mut writer));
            let unpacked = apply(reader, &target, &options);
            let panicked = |_| Err(EngineError::new(Fault::Bug, "the thread that copies has panicked"));
            (copying.join().unwrap_or_else(panicked), unpacked)
        });
        match (copied, unpacked) {
            (Err(error), _) if error.fault == Fault::NotFound => Ok(false),
            // Who cannot unpack stops reading, and the copy fails for that.
            (_, Err(source)) => Err(FilesError::Unpack { path: inside.to_owned(), source }),
            (Err(error), _) => Err(failed(error)),
            (Ok(()), Ok(_)) => {
                self.fetched.push((inside.to_owned(), place.join(name)));
                Ok(true)
            }
        }
    }

    /// A place for what is to be copied into the container.
    pub(super) fn stage(&mut self, inside: &Path) -> Result<PathBuf, FilesError> {
        let out = self.staging.join("out");
        self.make(&out, inside)?;
        self.outgoing.push(inside.to_owned());
        Ok(out.join(inside.strip_prefix("/").unwrap_or(inside)))
    }

    /// Copies into the container what was put to places of its own.
    pub(crate) fn deliver(&mut self) -> Result<(), FilesError> {
        let out = self.place.paths.root.join(self.staging.join("out"));
        for inside in std::mem::take(&mut self.outgoing) {
            let source = out.join(inside.strip_prefix("/").unwrap_or(&inside));
            if fs::symlink_metadata(&source).is_err() {
                continue;
            }
            self.carry(&inside, |writer| pack((&out, Path::new("")), &source, writer))?;
        }
        Ok(())
    }

    /// Copies a directory of this machine, which no job can change, to a path inside.
    pub(crate) fn send(&self, source: &Path, inside: &Path) -> Result<(), FilesError> {
        let name = inside.strip_prefix("/").unwrap_or(inside);
        self.carry(inside, |writer| pack((source, name), source, writer))
    }

    /// Hands what packs an archive to the container, which unpacks it from its root.
    fn carry(
        &self,
        inside: &Path,
        pack: impl FnOnce(io::PipeWriter) -> io::Result<()> + Send,
    ) -> Result<(), FilesError> {
        let failed = |source| FilesError::Deliver { path: inside.to_owned(), source };
        let id = self.place.container();
        let id = id.ok_or_else(|| failed(EngineError::new(Fault::Bug, "there is no container yet")))?;
        let engine = self.place.engine();
        let staged = |source| FilesError::Stage { path: inside.to_owned(), source };
        let (mut reader, writer) = io::pipe().map_err(staged)?;
        let (copied, packed) = std::thread::scope(|threads| {
            let packing = threads.spawn(|| pack(writer));
            let copied = engine.copy_in(id, Path::new("/"), &mut reader);
            drop(reader);
            let panicked = |_| Err(io::Error::other("the thread that packs has panicked"));
            (copied, packing.join().unwrap_or_else(panicked))
        });
        copied.map_err(failed)?;
        packed.map_err(staged)
    }

    /// A directory of one's own below the root, which the job does not see.
    pub(crate) fn scratch(&self, name: &str) -> Result<PathBuf, FilesError> {
        let place = self.staging.join(name);
        self.make(&place, Path::new(name))?;
        Ok(place)
    }

    fn make(&self, place: &Path, inside: &Path) -> Result<PathBuf, FilesError> {
        let path = self.place.paths.root.join(place);
        fs::create_dir_all(&path).map_err(|source| FilesError::Stage { path: inside.to_owned(), source })?;
        Ok(path)
    }
}

/// Packs what is at `source` by its path below `top`, which is called otherwise in the archive. Directories above it have no entries, nor has it itself if it is a
/// directory: they may be there, with rights of their own.
fn pack((top, named): (&Path, &Path), source: &Path, writer: impl Write) -> io::Result<()> {
    let mut builder = Builder::new(writer);
    let mut left = vec![source.to_owned()];
    while let Some(path) = left.pop() {
        let metadata = fs::symlink_metadata(&path)?;
        if metadata.is_dir() {
            for entry in fs::read_dir(&path)? {
                left.push(entry?.path());
            }
            if path == source {
                continue;
            }
        }
        let kind = match metadata.file_type() {
            kind if kind.is_dir() => EntryKind::Directory,
            kind if kind.is_symlink() => {
                EntryKind::Symlink(fs::read_link(&path)?.as_os_str().as_bytes().to_vec())
            }
            kind if kind.is_file() => EntryKind::File,
            _ => continue,
        };
        let name = named.join(path.strip_prefix(top).unwrap_or(&path));
        let mut entry = Entry::new(name.as_os_str().as_bytes(), kind);
        entry.mode = metadata.permissions().mode() & 0o777;
        entry.modified = Timestamp::from_seconds(metadata.mtime());
        let appended = if entry.kind == EntryKind::File {
            entry.size = metadata.len();
            builder.append(&entry, File::open(&path)?)
        } else {
            builder.append(&entry, io::empty())
        };
        appended.map_err(io::Error::other)?;
    }
    builder.finish().map(drop).map_err(io::Error::other)
}
