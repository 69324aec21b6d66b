//! Reading and writing the kernel's small files.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use crate::error::CgroupError;

/// Writes a value in one call, as the kernel wants it. The file must be there.
pub(crate) fn write(path: &Path, value: &str) -> io::Result<()> {
    OpenOptions::new().write(true).open(path)?.write_all(value.as_bytes())
}

/// Writes values, and keeps the latest file open: rules for devices are many lines for one file.
#[derive(Default)]
pub(crate) struct Writer {
    open: Option<(PathBuf, File)>,
}

impl Writer {
    /// Writes a value in one call. The file must be there.
    pub(crate) fn write(&mut self, path: &Path, value: &str) -> io::Result<()> {
        let mut file = match self.open.take() {
            Some((open, file)) if open == path => file,
            _ => OpenOptions::new().write(true).open(path)?,
        };
        let written = file.write_all(value.as_bytes());
        self.open = Some((path.to_owned(), file));
        written
    }
}

/// Writes a value, and names the file if that fails.
pub(crate) fn put(path: &Path, value: &str) -> Result<(), CgroupError> {
    write(path, value).map_err(|source| CgroupError::Write {
        path: path.to_owned(),
        value: value.to_owned(),
        source,
    })
}

/// Reads a whole file, and names it if that fails.
pub(crate) fn read(path: &Path) -> Result<String, CgroupError> {
    fs::read_to_string(path).map_err(|source| CgroupError::Read { path: path.to_owned(), source })
}

/// Reads a whole file; `None` if it, or its directory, is not there.
pub(crate) fn read_if_there(path: &Path) -> Result<Option<String>, CgroupError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if is_gone(&error) => Ok(None),
        Err(source) => Err(CgroupError::Read { path: path.to_owned(), source }),
    }
}

/// Opens a file for reading; `None` if it is not there.
pub(crate) fn open_if_there(path: &Path) -> Result<Option<File>, CgroupError> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if is_gone(&error) => Ok(None),
        Err(source) => Err(CgroupError::Read { path: path.to_owned(), source }),
    }
}

/// Reads an open file from its start again. `None` once its directory is removed.
pub(crate) fn reread(mut file: &File, path: &Path) -> Result<Option<String>, CgroupError> {
    let mut text = String::new();
    match file.rewind().and_then(|()| file.read_to_string(&mut text)) {
        Ok(_) => Ok(Some(text)),
        Err(error) if is_gone(&error) => Ok(None),
        Err(source) => Err(CgroupError::Read { path: path.to_owned(), source }),
    }
}

/// Whether an error says that the directory went away, before or after its file was opened.
pub(crate) fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
        || error.raw_os_error() == Some(rustix::io::Errno::NODEV.raw_os_error())
}

/// The directories right below one, if it is there.
pub(crate) fn subdirectories(path: &Path) -> Result<Vec<PathBuf>, CgroupError> {
    let failed = |source| CgroupError::Read { path: path.to_owned(), source };
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if is_gone(&error) => return Ok(Vec::new()),
        Err(source) => return Err(failed(source)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) if is_gone(&error) => break,
            Err(source) => return Err(failed(source)),
        };
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// The number after a key in lines of `key number`.
pub(crate) fn keyed(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')?.trim().parse().ok())
}

/// A directory and all below it, each before what is below it.
pub(crate) fn tree(root: &Path) -> Result<Vec<PathBuf>, CgroupError> {
    let mut found = vec![root.to_owned()];
    let mut next = 0;
    while let Some(directory) = found.get(next).cloned() {
        found.extend(subdirectories(&directory)?);
        next += 1;
    }
    Ok(found)
}
