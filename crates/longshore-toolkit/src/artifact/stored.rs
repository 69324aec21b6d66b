//! Reading artifacts: as files, into a job's directories, as an archive.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use super::record::FileDto;
use super::save::{ARCHIVE, CONTENT, FILES, TREE};
use super::store::RECORD;
use super::{Artifact, ArtifactForm};
use crate::StorageError;
use crate::copy::{Allowance, copy_allowed};
use crate::error::Attempt as _;
use crate::limits::Limits;
use crate::place::Target;
use crate::root::Root;
use crate::transfer::{Transferred, in_parallel};
use crate::zip;

/// What the list of a tree's files may be long.
const MOST_LIST: u64 = 1 << 30;

/// An artifact that is open for reading. It stays complete while this value lives, also if it is deleted meanwhile.
#[derive(Debug)]
pub struct StoredArtifact {
    artifact: Artifact,
    directory: OwnedFd,
    path: PathBuf,
    limits: Limits,
}

/// A file of an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactFile {
    /// Its path; ends with a slash if it is a directory.
    pub name: String,
    /// Its rights.
    pub mode: u32,
    /// Its length.
    pub size: u64,
    /// Its SHA-256 in hexadecimal; known of trees.
    pub sha256: Option<String>,
}

/// An artifact as one piece, as it is downloaded.
#[derive(Debug)]
pub struct Blob {
    /// The bytes.
    pub file: File,
    /// How many.
    pub size: u64,
    /// What they are.
    pub media_type: String,
    /// What the file is called where it is downloaded.
    pub file_name: String,
}

impl StoredArtifact {
    pub(super) fn open(
        directory: OwnedFd,
        path: PathBuf,
        limits: Limits,
    ) -> Result<Option<Self>, StorageError> {
        let mut record = Vec::new();
        match open_at(&directory, RECORD) {
            Ok(file) => file.take(1 << 20).read_to_end(&mut record).attempt("read", path.join(RECORD))?,
            // It was deleted between opening and locking.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StorageError::io("read", path.join(RECORD), error)),
        };
        let artifact = Artifact::read(&record);
        Ok(artifact.map(|artifact| Self { artifact, directory, path, limits }))
    }

    /// What is known of it.
    pub fn artifact(&self) -> &Artifact {
        &self.artifact
    }

    /// Its files.
    pub fn files(&self) -> Result<Vec<ArtifactFile>, StorageError> {
        match self.artifact.form {
            ArtifactForm::Tree => Ok(self.list()?.into_iter().map(ArtifactFile::from).collect()),
            ArtifactForm::Zip => {
                let archive = zip::Archive::open(self.inner(ARCHIVE)?, self.limits.entries)?;
                archive.entries().map(|entry| Ok(ArtifactFile::from(&entry?))).collect()
            }
            ArtifactForm::File => Ok(vec![ArtifactFile {
                name: self.artifact.name.clone(),
                mode: 0o644,
                size: self.artifact.size,
                sha256: self.artifact.digest.strip_prefix("sha256:").map(str::to_owned),
            }]),
        }
    }

    /// Puts its files below a directory of a job, which is made if it is missing.
    ///
    /// Files that are there are replaced; links that are there are replaced too, and never followed, except on the way
    /// to the destination itself.
    pub fn extract(&self, root: &Root, destination: &Path) -> Result<Transferred, StorageError> {
        let target = Target::open(root, destination)?;
        let bytes = Allowance::new(self.limits.bytes, "bytes");
        match self.artifact.form {
            ArtifactForm::Tree => self.extract_tree(target, &bytes),
            ArtifactForm::Zip => zip::extract(self.inner(ARCHIVE)?, target, &bytes, self.limits.entries),
            ArtifactForm::File => {
                let mut target = target;
                let file = target.create(self.artifact.name.as_bytes())?;
                copy_allowed(&self.inner(CONTENT)?, &file, &bytes, || self.path.join(CONTENT))?;
                target.finish(&file, 0o644)?;
                Ok(Transferred { files: 1, bytes: bytes.spent(), skipped: 0 })
            }
        }
    }

    /// The artifact as one piece. Of a tree an archive is made, and kept for the next who wants one.
    pub fn blob(&self) -> Result<Blob, StorageError> {
        let (name, media_type) = match self.artifact.form {
            ArtifactForm::Tree => {
                if matches!(open_at(&self.directory, ARCHIVE), Err(error) if error.kind() == io::ErrorKind::NotFound)
                {
                    self.make_archive()?;
                }
                (ARCHIVE, None)
            }
            ArtifactForm::Zip => (ARCHIVE, None),
            ArtifactForm::File => (CONTENT, self.artifact.media_type.clone()),
        };
        let file = self.inner(name)?;
        let size = file.metadata().attempt("inspect", self.path.join(name))?.len();
        let file_name = match self.artifact.form {
            ArtifactForm::File => self.artifact.name.clone(),
            _ => format!("{}.zip", self.artifact.name),
        };
        let media_type = media_type.unwrap_or_else(|| "application/zip".to_owned());
        Ok(Blob { file, size, media_type, file_name })
    }

    /// Writes a zip archive of it; `level` is 0 (stored) to 9, and counts only if it is not an archive yet.
    pub fn write_zip(&self, mut target: File, level: u8) -> Result<(), StorageError> {
        match self.artifact.form {
            ArtifactForm::Zip => {
                let mut archive = self.inner(ARCHIVE)?;
                io::copy(&mut archive, &mut target).attempt("copy", self.path.join(ARCHIVE))?;
                Ok(())
            }
            ArtifactForm::Tree => self.zip_tree(target, level),
            ArtifactForm::File => {
                let mut writer = zip::Writer::new(target, level);
                let content = self.inner(CONTENT)?;
                writer.file(&self.artifact.name, 0o644, self.artifact.size, content)?;
                writer.finish()
            }
        }
    }

    fn list(&self) -> Result<Vec<FileDto>, StorageError> {
        let mut text = String::new();
        let shown = self.path.join(FILES);
        self.inner(FILES)?.take(MOST_LIST).read_to_string(&mut text).attempt("read", &shown)?;
        let lines = text.lines().map(|line| serde_json::from_str(line).map_err(io::Error::from));
        lines.collect::<io::Result<_>>().attempt("read", &shown)
    }

    fn extract_tree(&self, mut target: Target, bytes: &Allowance) -> Result<Transferred, StorageError> {
        let mut done = Transferred::default();
        for batch in self.list()?.chunks(1024) {
            let mut jobs = Vec::new();
            for file in batch {
                match &file.sha256 {
                    Some(_) => jobs.push((file, target.locate(file.name.as_bytes())?)),
                    None => target.directory(file.name.as_bytes())?,
                }
            }
            let copied = in_parallel(&jobs, |(file, spot)| {
                let source = self.inner(&format!("{TREE}/{}", file.name))?;
                let made = spot.create()?;
                let size = copy_allowed(&source, &made, bytes, || self.path.join(&file.name))?;
                spot.finish(&made, file.mode)?;
                Ok(Transferred { files: 1, bytes: size, skipped: 0 })
            })?;
            copied.into_iter().for_each(|copied| done.add(copied));
        }
        Ok(done)
    }

    fn zip_tree(&self, target: File, level: u8) -> Result<(), StorageError> {
        let mut writer = zip::Writer::new(target, level);
        for file in self.list()? {
            if file.sha256.is_some() {
                let content = self.inner(&format!("{TREE}/{}", file.name))?;
                writer.file(&file.name, file.mode, file.size, content)?;
            } else {
                writer.directory(&file.name, file.mode)?;
            }
        }
        writer.finish()
    }

    fn make_archive(&self) -> Result<(), StorageError> {
        let name = format!(".{}", crate::depot::random_name()?);
        let shown = self.path.join(ARCHIVE);
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.directory, name.as_str(), flags, Mode::RUSR | Mode::WUSR)
            .attempt("create", &shown)?;
        let made = self.zip_tree(file.into(), self.artifact.compression).and_then(|()| {
            rustix::fs::renameat(&self.directory, name.as_str(), &self.directory, ARCHIVE)
                .attempt("create", &shown)
        });
        if made.is_err() {
            // What cannot be removed now goes with the artifact.
            let _ = rustix::fs::unlinkat(&self.directory, name.as_str(), rustix::fs::AtFlags::empty());
        }
        made
    }

    fn inner(&self, name: &str) -> Result<File, StorageError> {
        open_at(&self.directory, name).attempt("open", self.path.join(name))
    }
}

impl From<FileDto> for ArtifactFile {
    fn from(file: FileDto) -> Self {
        let name = if file.sha256.is_some() { file.name } else { format!("{}/", file.name) };
        Self { name, mode: file.mode, size: file.size, sha256: file.sha256 }
    }
}

impl From<&zip::Entry> for ArtifactFile {
    fn from(entry: &zip::Entry) -> Self {
        let name = String::from_utf8_lossy(&entry.name).into_owned();
        Self { name, mode: entry.mode, size: entry.size, sha256: None }
    }
}

/// Opens a file of an artifact. What is in the store was put there by us, so no link is met.
fn open_at(directory: &OwnedFd, name: &str) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(directory.as_fd(), name, flags, Mode::empty())?.into())
}
