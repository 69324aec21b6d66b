//! Making artifacts: of a job's files, or of bytes that somebody uploads.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use jiff::{SignedDuration, Timestamp};
use rustix::fs::FileType;

use super::record::FileDto;
use super::store::place;
use super::{Artifact, ArtifactForm, ArtifactName, ArtifactStore, check_path};
use crate::StorageError;
use crate::content::ContentDraft;
use crate::copy::{Allowance, copy_content, pump};
use crate::depot::Draft;
use crate::digest::{Hashing, sha256};
use crate::error::Attempt as _;
use crate::identifier::BackendId;
use crate::root::{Root, components};
use crate::transfer::in_parallel;

pub(super) const TREE: &str = "tree";
pub(super) const FILES: &str = "files.ndjson";
pub(super) const ARCHIVE: &str = "archive.zip";
pub(super) const CONTENT: &str = "content";
/// From which length on a second thread is worth it.
const LARGE: u64 = 16 << 20;

/// What a new artifact is to be.
#[derive(Debug, Clone)]
pub struct NewArtifact {
    /// The run it belongs to.
    pub run: BackendId,
    /// The job that makes it.
    pub job: BackendId,
    /// Its name.
    pub name: ArtifactName,
    /// Now.
    pub created: Timestamp,
    /// For how long it is kept.
    pub retention_days: u32,
    /// The level at which it is compressed if somebody wants an archive: 0 to 9.
    pub compression: u8,
    /// Whether it may replace one of the same name.
    pub overwrite: bool,
}

/// A file for an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Where it is for the job; links are followed. A directory stands for itself, without what is in it.
    pub source: PathBuf,
    /// Its path in the artifact.
    pub name: String,
}

impl NewArtifact {
    fn artifact(&self, form: ArtifactForm) -> Artifact {
        let kept = SignedDuration::from_hours(i64::from(self.retention_days.max(1)) * 24);
        Artifact {
            id: 0,
            run: self.run.to_string(),
            job: self.job.to_string(),
            name: self.name.to_string(),
            form,
            created: self.created,
            expires: self.created.saturating_add(kept).unwrap_or(Timestamp::MAX),
            size: 0,
            digest: String::new(),
            compression: self.compression.min(9),
            media_type: None,
        }
    }
}

impl ArtifactStore {
    /// Makes an artifact of files of a job. They are copied, so the job may go on changing them.
    pub fn save_files(
        &self,
        new: &NewArtifact,
        root: &Root,
        files: &[SourceFile],
    ) -> Result<Artifact, StorageError> {
        self.refuse_taken(new)?;
        let draft = self.depot.draft()?;
        let tree = draft.path().join(TREE);
        fs::create_dir(&tree).attempt("create", &tree)?;
        let (bytes, entries) =
            (Allowance::new(self.limits.bytes, "bytes"), Allowance::new(self.limits.entries, "files"));
        let plan = plan(files, &tree, &entries)?;
        let saved = in_parallel(&plan, |(name, source)| take(root, source, &tree, name, &bytes))?;
        let mut artifact = new.artifact(ArtifactForm::Tree);
        artifact.size = saved.iter().map(|file| file.size).sum();
        artifact.digest = write_list(&draft, saved)?;
        self.publish(draft, artifact, &place(&new.run, &new.name), new.overwrite)
    }

    /// Begins an artifact whose bytes come in one stream.
    pub fn begin(&self) -> Result<ContentDraft, StorageError> {
        ContentDraft::new(self.depot.draft()?, self.limits.bytes)
    }

    /// Completes an artifact whose bytes have come: a zip archive, or with a media type a file as it is.
    pub fn finish(
        &self,
        new: &NewArtifact,
        content: ContentDraft,
        media_type: Option<String>,
    ) -> Result<Artifact, StorageError> {
        let form = if media_type.is_some() { ArtifactForm::File } else { ArtifactForm::Zip };
        let mut artifact = new.artifact(form);
        let name = if form == ArtifactForm::Zip { ARCHIVE } else { CONTENT };
        let (draft, sealed) = content.seal(name)?;
        artifact.size = sealed.size;
        artifact.digest = sealed.digest;
        artifact.media_type = media_type;
        self.publish(draft, artifact, &place(&new.run, &new.name), new.overwrite)
    }

    /// Says early what publishing would say in the end.
    pub fn refuse_taken(&self, new: &NewArtifact) -> Result<(), StorageError> {
        if new.overwrite || self.find(&new.run, &new.name, new.created)?.is_none() {
            return Ok(());
        }
        Err(StorageError::ArtifactExists { name: new.name.to_string(), run: new.run.to_string() })
    }
}

/// Which file gets which name, with all directories made. Of two files of one name the later is taken.
fn plan<'f>(
    files: &'f [SourceFile],
    tree: &Path,
    entries: &Allowance,
) -> Result<Vec<(String, &'f Path)>, StorageError> {
    let mut plan = BTreeMap::new();
    for file in files {
        check_path(&file.name).map_err(StorageError::ArtifactName)?;
        let parts = components(file.name.trim_start_matches('/').as_bytes())?;
        let parts: Vec<_> = parts.into_iter().filter_map(|part| part.to_str()).collect();
        if parts.is_empty() {
            return Err(StorageError::entry(&file.name, "it names no file"));
        }
        plan.insert(parts.join("/"), file.source.as_path());
    }
    entries.spend(plan.len() as u64)?;
    let parents: BTreeSet<_> = plan.keys().filter_map(|name| Path::new(name).parent()).collect();
    for parent in parents {
        let path = tree.join(parent);
        fs::create_dir_all(&path).attempt("create", path)?;
    }
    Ok(plan.into_iter().collect())
}

/// Copies one file into the tree.
fn take(
    root: &Root,
    source: &Path,
    tree: &Path,
    name: &str,
    allowance: &Allowance,
) -> Result<FileDto, StorageError> {
    let opened = root.read(source).attempt("open", root.shown(source))?;
    let stat = rustix::fs::fstat(&opened).attempt("inspect", root.shown(source))?;
    let (target, mode) = (tree.join(name), stat.st_mode & 0o777);
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => {
            fs::create_dir_all(&target).attempt("create", &target)?;
            return Ok(FileDto { name: name.to_owned(), mode, sha256: None, size: 0 });
        }
        FileType::RegularFile => {}
        _ => return Err(StorageError::entry(name, "it is neither a file nor a directory")),
    }
    let copy = match OpenOptions::new().read(true).write(true).create_new(true).open(&target) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(StorageError::entry(name, "it is to be both a file and a directory"));
        }
        other => other.attempt("create", &target)?,
    };
    let (size, sha256) = copy_hashed(&File::from(opened), &copy, allowance, &root.shown(source))?;
    // The owner must be able to read it again, whatever the job's rights were; the list has the mode as it was.
    fs::set_permissions(&target, fs::Permissions::from_mode(mode | 0o600)).attempt("write", &target)?;
    Ok(FileDto { name: name.to_owned(), mode, sha256: Some(sha256), size })
}

/// Copies and hashes: small files as they pass by, large ones on two threads.
fn copy_hashed(
    source: &File,
    target: &File,
    allowance: &Allowance,
    shown: &Path,
) -> Result<(u64, String), StorageError> {
    if source.metadata().attempt("inspect", shown)?.len() >= LARGE {
        return copy_while_hashing(source, target, allowance, shown);
    }
    let mut hashing = Hashing::new(target);
    stream(&mut { source }, &mut hashing, allowance, shown)?;
    Ok((hashing.length(), hashing.finish().1))
}

/// The kernel copies, or shares, and a second thread hashes what is there already. It reads the copy, because the job may
/// change the source at any time.
fn copy_while_hashing(
    source: &File,
    target: &File,
    allowance: &Allowance,
    shown: &Path,
) -> Result<(u64, String), StorageError> {
    let (sender, receiver) = mpsc::channel();
    let (copied, hashed) = std::thread::scope(|scope| {
        let hasher = scope.spawn(move || hash_behind(target, &receiver));
        let copied = copy_content(source, target, allowance.left(), |end| {
            // The other thread ends early only with an error, which is found below.
            let _ = sender.send(end);
        });
        drop(sender);
        (copied, hasher.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    let length = copied.attempt("copy", shown)?.ok_or_else(|| allowance.exhausted())?;
    allowance.spend(length)?;
    Ok((length, hashed.attempt("read the copy of", shown)?))
}

fn hash_behind(copy: &File, ends: &mpsc::Receiver<u64>) -> io::Result<String> {
    let mut hashing = Hashing::new(io::sink());
    let mut buffer = vec![0; 256 << 10];
    for end in ends {
        while hashing.length() < end {
            let left = usize::try_from(end - hashing.length()).unwrap_or(usize::MAX).min(buffer.len());
            let read = copy.read_at(buffer.get_mut(..left).unwrap_or_default(), hashing.length())?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            hashing.write_all(buffer.get(..read).unwrap_or_default())?;
        }
    }
    Ok(hashing.finish().1)
}

fn stream(
    source: &mut impl io::Read,
    target: &mut impl Write,
    allowance: &Allowance,
    shown: &Path,
) -> Result<(), StorageError> {
    let length = pump(source, target, allowance.left()).attempt("copy", shown)?;
    allowance.spend(length.ok_or_else(|| allowance.exhausted())?)
}

/// Writes the list of a tree's files; gives its digest.
fn write_list(draft: &Draft, mut files: Vec<FileDto>) -> Result<String, StorageError> {
    files.sort_by(|one, other| one.name.cmp(&other.name));
    let mut list = Vec::new();
    for file in &files {
        serde_json::to_writer(&mut list, file).map_err(io::Error::from).attempt("write", FILES)?;
        list.push(b'\n');
    }
    draft.write(FILES, &list)?;
    Ok(format!("sha256:{}", sha256(&list)))
}
