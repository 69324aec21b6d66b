//! Where saved images go: an archive, or a directory.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use longshore_layer::archive::{Builder, Entry, EntryKind};

use super::SaveError;

/// Takes files under names, each once.
pub(super) trait Target {
    /// Takes a file of `size` bytes.
    fn file(&mut self, path: &str, size: u64, content: &mut dyn Read) -> Result<(), SaveError>;

    /// Takes a document.
    fn document(&mut self, path: &str, bytes: &[u8]) -> Result<(), SaveError> {
        self.file(path, bytes.len() as u64, &mut &bytes[..])
    }
}

/// A tar archive.
pub(super) struct Archive<W: Write> {
    builder: Builder<W>,
    /// The directories that have entries already.
    directories: Vec<String>,
}

impl<W: Write> Archive<W> {
    pub(super) fn new(writer: W) -> Self {
        Self { builder: Builder::new(writer), directories: Vec::new() }
    }

    pub(super) fn finish(self) -> Result<W, SaveError> {
        Ok(self.builder.finish()?)
    }

    /// Docker's archives have entries for directories, and some readers want them.
    fn directories_of(&mut self, path: &str) -> Result<(), SaveError> {
        for (at, _) in path.match_indices('/') {
            let directory = path.get(..=at).unwrap_or_default();
            if !self.directories.iter().any(|each| each == directory) {
                self.builder.append(&Entry::new(directory, EntryKind::Directory), io::empty())?;
                self.directories.push(directory.to_owned());
            }
        }
        Ok(())
    }
}

impl<W: Write> Target for Archive<W> {
    fn file(&mut self, path: &str, size: u64, content: &mut dyn Read) -> Result<(), SaveError> {
        self.directories_of(path)?;
        let mut entry = Entry::new(path, EntryKind::File);
        entry.size = size;
        Ok(self.builder.append(&entry, content)?)
    }
}

/// A directory.
pub(super) struct Directory {
    root: PathBuf,
}

impl Directory {
    /// Takes a directory that is empty, or makes one.
    pub(super) fn create(root: &Path) -> Result<Self, SaveError> {
        let failed = |source| SaveError::Path { path: root.to_owned(), source };
        fs::create_dir_all(root).map_err(failed)?;
        if fs::read_dir(root).map_err(failed)?.next().is_some() {
            return Err(SaveError::NotEmpty { path: root.to_owned() });
        }
        Ok(Self { root: root.to_owned() })
    }
}

impl Target for Directory {
    fn file(&mut self, path: &str, _size: u64, content: &mut dyn Read) -> Result<(), SaveError> {
        let path = self.root.join(path);
        let failed = |source| SaveError::Path { path: path.clone(), source };
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        let mut file = File::create_new(&path).map_err(failed)?;
        io::copy(content, &mut file).map_err(failed)?;
        Ok(())
    }
}
