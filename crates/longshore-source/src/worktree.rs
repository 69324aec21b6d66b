//! The files at hand: a directory tree, with or without git.
//!
//! Follows GitHub's documentation "Workflow syntax for GitHub Actions", section "About YAML syntax for workflows":
//! workflow files are the `.yml` and `.yaml` files directly in `.github/workflows`. A reference that names a directory
//! means the action manifest inside of it ("Metadata syntax for GitHub Actions").
//!
//! Symbolic links are followed as long as they stay inside the root: what a checkout brings must never make Longshore
//! read, or show in a diagnostic, a file of the machine.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use longshore_syntax::{SourceFile, SourceLoader, SourceRef};
use thiserror::Error;

use crate::path::{MANIFESTS, PathError, RepositoryPath};
use crate::text::{self, MAX_FILE_BYTES, TextError};

/// Where GitHub looks for workflows.
const WORKFLOWS: &str = ".github/workflows";

/// A directory tree that source files are read from.
///
/// Paths are relative to its root and spelled with `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkTree {
    root: PathBuf,
}

/// Why a file of the tree could not be read.
#[derive(Debug, Error)]
pub enum WorkTreeError {
    /// The directory to start from is not there or cannot be entered.
    #[error("failed to open directory `{}`; check the path and its permissions", path.display())]
    Open {
        /// The directory.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// The path does not name a place inside the tree.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A symbolic link leads out of the tree.
    #[error("refused to read `{path}`: it is a symbolic link out of the repository, to `{}`; copy the file into the repository", target.display())]
    Outside {
        /// The path as asked for.
        path: String,
        /// Where it leads.
        target: PathBuf,
    },
    /// A pipe, socket or device.
    #[error("refused to read `{path}`: it is neither a file nor a directory; remove it or name another file")]
    NotAFile {
        /// The path as asked for.
        path: String,
    },
    /// The system refused.
    #[error("failed to read `{path}`; check its permissions")]
    Read {
        /// The path as asked for.
        path: String,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// The file is not source text.
    #[error(transparent)]
    Text(#[from] TextError),
    /// Files of another repository are not in this tree.
    #[error(
        "`{reference}` is in another repository, not in this directory; resolve it through a mirror or the cache"
    )]
    Remote {
        /// The reference.
        reference: String,
    },
}

impl WorkTree {
    /// The tree that `directory` belongs to: the nearest directory upwards that holds `.git` (a directory, or the file
    /// that linked work trees and submodules have), else the nearest that holds `.github/workflows`, else itself.
    ///
    /// # Errors
    /// The directory does not exist or cannot be entered.
    pub fn discover(directory: &Path) -> Result<Self, WorkTreeError> {
        let open = |source| WorkTreeError::Open { path: directory.to_owned(), source };
        let start = fs::canonicalize(directory).map_err(open)?;
        if !start.is_dir() {
            return Err(open(io::ErrorKind::NotADirectory.into()));
        }
        let holds = |name: &str| start.ancestors().find(|at| at.join(name).exists()).map(Path::to_path_buf);
        let root = holds(".git").or_else(|| holds(WORKFLOWS)).unwrap_or(start.clone());
        Ok(Self { root })
    }

    /// Exactly `root`, without looking upwards.
    ///
    /// # Errors
    /// The directory does not exist or cannot be entered.
    pub fn at(root: &Path) -> Result<Self, WorkTreeError> {
        let open = |source| WorkTreeError::Open { path: root.to_owned(), source };
        let root = fs::canonicalize(root).map_err(open)?;
        if !root.is_dir() {
            return Err(open(io::ErrorKind::NotADirectory.into()));
        }
        Ok(Self { root })
    }

    /// The root, absolute and without symbolic links.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether git knows this tree.
    pub fn is_git(&self) -> bool {
        self.root.join(".git").exists()
    }

    /// The workflow files, sorted by name. Directories below are not searched, as on GitHub.
    ///
    /// # Errors
    /// The directory exists but cannot be listed, or is a symbolic link out of the tree.
    pub fn workflows(&self) -> Result<Vec<RepositoryPath>, WorkTreeError> {
        let Some(directory) = self.locate(WORKFLOWS)? else { return Ok(Vec::new()) };
        if !directory.is_dir() {
            return Ok(Vec::new());
        }
        let read = |source| WorkTreeError::Read { path: WORKFLOWS.to_owned(), source };
        let mut paths = Vec::new();
        for entry in fs::read_dir(&directory).map_err(read)? {
            let entry = entry.map_err(read)?;
            // A name that is not UTF-8 or holds control characters cannot be referred to from any workflow.
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
            let extension = Path::new(&name).extension().and_then(|extension| extension.to_str());
            let is_yaml = matches!(extension, Some("yml" | "yaml"));
            let is_directory = entry.path().is_dir();
            if is_yaml && !is_directory {
                paths.push(RepositoryPath::parse(&format!("{WORKFLOWS}/{name}"))?);
            }
        }
        paths.sort();
        Ok(paths)
    }

    /// The file at `path`, or the action manifest if `path` is a directory that has one, or `None` if there is no such
    /// file.
    ///
    /// # Errors
    /// See [`WorkTreeError`].
    pub fn read(&self, path: &RepositoryPath) -> Result<Option<SourceFile>, WorkTreeError> {
        let Some(found) = self.locate(path.as_str())? else { return Ok(None) };
        if !found.is_dir() {
            return read_file(path.as_str(), &found).map(Some);
        }
        for manifest in MANIFESTS {
            let name = path.child(manifest);
            if let Some(found) = self.locate(name.as_str())?.filter(|found| !found.is_dir()) {
                return read_file(name.as_str(), &found).map(Some);
            }
        }
        Ok(None)
    }

    /// The absolute place of `path` with links resolved, `None` if nothing is there.
    fn locate(&self, path: &str) -> Result<Option<PathBuf>, WorkTreeError> {
        match fs::canonicalize(self.root.join(path)) {
            Ok(found) if found.starts_with(&self.root) => Ok(Some(found)),
            Ok(target) => Err(WorkTreeError::Outside { path: path.to_owned(), target }),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Ok(None)
            }
            Err(source) => Err(WorkTreeError::Read { path: path.to_owned(), source }),
        }
    }
}

impl SourceLoader for WorkTree {
    type Error = WorkTreeError;

    fn load(&self, reference: &SourceRef) -> Result<Option<SourceFile>, Self::Error> {
        match reference {
            SourceRef::Local { path } => self.read(&RepositoryPath::parse(path)?),
            SourceRef::Remote { .. } => Err(WorkTreeError::Remote { reference: reference.to_string() }),
        }
    }
}

/// Reads a file whose place is known to be inside the tree. The size is checked before and while reading, so that a
/// file that grows meanwhile costs no more memory.
fn read_file(name: &str, place: &Path) -> Result<SourceFile, WorkTreeError> {
    let read = |source| WorkTreeError::Read { path: name.to_owned(), source };
    let metadata = fs::metadata(place).map_err(read)?;
    if !metadata.is_file() {
        return Err(WorkTreeError::NotAFile { path: name.to_owned() });
    }
    text::check_size(name, metadata.len())?;
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    fs::File::open(place)
        .and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes))
        .map_err(read)?;
    Ok(text::source_file(name, &bytes)?)
}
