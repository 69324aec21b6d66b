//! Objects of the project, lent to jobs: mounted read-only, so that a checkout has history without copying it.
//!
//! Mounts are made when the job's container is, before anybody knows what steps will check out: all repositories of the
//! project's work tree, submodules included, are lent then.

use std::path::{Path, PathBuf};

use longshore_engine::Mount;
use longshore_source::Repository;

use crate::job::bind;

/// Where they are inside.
const PLACE: &str = "/run/longshore/objects";
/// No project has more submodules below each other that anybody wants.
const DEEPEST: usize = 8;
/// No job gets more mounts from us.
const MOST: usize = 256;

/// A directory of objects that a job sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LentObjects {
    /// On this machine.
    pub(crate) outside: PathBuf,
    /// Inside.
    pub(crate) inside: String,
}

impl LentObjects {
    /// The objects of a project; of one that git does not know, or cannot read, there are none.
    pub(crate) fn of(project: &Path) -> Vec<Self> {
        let mut lent = Vec::new();
        add(project, 0, &mut lent);
        lent
    }

    pub(crate) fn mount(&self) -> Mount {
        bind(&self.outside, &self.inside, true)
    }
}

fn add(directory: &Path, depth: usize, lent: &mut Vec<LentObjects>) {
    let Ok(Some(repository)) = Repository::at(directory) else { return };
    let Ok(directories) = repository.object_directories() else { return };
    for (number, outside) in directories.into_iter().enumerate() {
        let Ok(outside) = outside.canonicalize() else { continue };
        if lent.len() >= MOST || lent.iter().any(|known| known.outside == outside) {
            continue;
        }
        let inside = match number {
            0 => format!("{PLACE}/{}", lent.len()),
            // What borrows names these by their own paths.
            _ => outside.display().to_string(),
        };
        lent.push(LentObjects { outside, inside });
    }
    if depth < DEEPEST {
        for submodule in repository.submodule_places().unwrap_or_default() {
            if let Some(path) = inner(directory, &submodule.path) {
                add(&path, depth + 1, lent);
            }
        }
    }
}

/// The directory of a submodule; none if it is not there, or a link leads out of the work tree.
pub(super) fn inner(directory: &Path, submodule: &[u8]) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt as _;
    let root = directory.canonicalize().ok()?;
    let path = directory.join(std::ffi::OsStr::from_bytes(submodule)).canonicalize().ok()?;
    (path != root && path.starts_with(&root)).then_some(path)
}
