//! Layouts and unpacked archives as directories.

use std::fs::{self, OpenOptions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use longshore_oci::Layout;
use rustix::fs::OFlags;

use super::contents::Contents;
use super::docker;
use super::error::LoadError;

/// `blobs/sha256/…` is the deepest that is of interest.
const DEEPEST: usize = 3;

/// Reads a directory as if it were an archive. Links between its files are followed as names, never on this machine.
pub(super) fn read(root: &Path, contents: &mut Contents<'_>) -> Result<(), LoadError> {
    if ![Layout::INDEX_FILE, docker::MANIFEST_FILE].iter().any(|name| root.join(name).is_file()) {
        return Err(LoadError::NoImages);
    }
    read_below(root, &PathBuf::new(), contents, 1)
}

fn read_below(root: &Path, below: &Path, contents: &mut Contents<'_>, depth: usize) -> Result<(), LoadError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| LoadError::Open { path, source }
    };
    let directory = root.join(below);
    let mut names = Vec::new();
    for entry in fs::read_dir(&directory).map_err(failed(&directory))? {
        names.push(entry.map_err(failed(&directory))?.file_name());
    }
    names.sort();
    for file_name in names {
        let relative = below.join(&file_name);
        let path = root.join(&relative);
        let kind = fs::symlink_metadata(&path).map_err(failed(&path))?.file_type();
        if kind.is_symlink() {
            let target = fs::read_link(&path).map_err(failed(&path))?;
            contents.link(relative.as_os_str().as_bytes(), target.as_os_str().as_bytes(), false)?;
        } else if kind.is_dir() && depth < DEEPEST {
            read_below(root, &relative, contents, depth + 1)?;
        } else if kind.is_file() {
            // What became a link or a pipe meanwhile is neither followed nor waited for.
            let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
            let file = OpenOptions::new().read(true).custom_flags(flags).open(&path);
            let mut file = file.map_err(failed(&path))?;
            let size = file.metadata().map_err(failed(&path))?.len();
            contents.file(relative.as_os_str().as_bytes(), size, &mut file)?;
        }
    }
    Ok(())
}
