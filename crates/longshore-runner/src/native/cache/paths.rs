//! The paths of a cache: from what a workflow writes to what is saved, and back.

use std::path::{Path, PathBuf};

use longshore_source::{GlobError, GlobSet};
use longshore_toolkit::cache::CachePart;

use super::super::files::{FilesError, JobFiles, search};
use crate::job::{Kind, Paths};

/// The paths of a cache, as the workflow writes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CachePaths(pub(crate) Vec<String>);

impl CachePaths {
    /// What is there of them, as the parts of an entry.
    pub(super) fn parts(
        &self,
        files: &mut JobFiles<'_>,
    ) -> Result<Result<Vec<CachePart>, FilesError>, GlobError> {
        let paths = files.paths();
        let home = Path::new(&paths.home);
        let set = GlobSet::parse(&self.0.join("\n"), Path::new(&paths.workspace), Some(home), false)?;
        let paths = paths.clone();
        Ok(search(files, &set, true).map(|found| {
            let mut parts: Vec<CachePart> = Vec::new();
            let mut last: Option<PathBuf> = None;
            for found in found {
                // What is in a directory that was found comes with it.
                if last.as_ref().is_some_and(|last| found.inside.starts_with(last)) {
                    continue;
                }
                parts.push(CachePart { label: label(&paths, &found.inside), path: found.source });
                if found.kind == Kind::Directory {
                    last = Some(found.inside);
                }
            }
            parts
        }))
    }
}

/// How a part is called: by its path in the workspace or the home directory, wherever these are.
fn label(paths: &Paths, inside: &Path) -> String {
    let below = |top: &str, name: &str| {
        let rest = inside.strip_prefix(top).ok()?;
        Some(if rest.as_os_str().is_empty() { name.to_owned() } else { format!("{name}/{}", rest.display()) })
    };
    let workspace = below(&paths.workspace, "./");
    let home = || below(&paths.home, "~");
    workspace
        .map(|path| path.replacen(".//", "./", 1))
        .or_else(home)
        .unwrap_or_else(|| inside.display().to_string())
}

/// The path inside that a label stands for.
pub(super) fn place_of(paths: &Paths, label: &str) -> PathBuf {
    let below = |top: &str, rest: &str| {
        let rest = rest.trim_start_matches('/');
        if rest.is_empty() { PathBuf::from(top) } else { Path::new(top).join(rest) }
    };
    match (label.strip_prefix("./"), label.strip_prefix('~')) {
        (Some(rest), _) => below(&paths.workspace, rest),
        (_, Some(rest)) => below(&paths.home, rest),
        _ => PathBuf::from(label),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{label, place_of};
    use crate::job::Paths;

    #[test]
    fn labels_mean_the_same_in_jobs_with_other_directories() {
        let machine = Paths::new(Path::new("/j"), "shop", false);
        let container = Paths::new(Path::new("/j"), "shop", true);
        let table = [
            ("/home/runner/work/shop/shop/a/b", "./a/b", "/__w/shop/shop/a/b"),
            ("/home/runner/work/shop/shop", "./", "/__w/shop/shop"),
            ("/home/runner/.npm", "~/.npm", "/github/home/.npm"),
            ("/usr/local/x", "/usr/local/x", "/usr/local/x"),
        ];
        for (path, wanted, other) in table {
            let found = label(&machine, Path::new(path));
            assert_eq!(found, wanted, "{path}");
            assert_eq!(place_of(&machine, &found), Path::new(path));
            assert_eq!(place_of(&container, &found), Path::new(other));
        }
    }
}
