//! Repositories of actions as directories, for jobs that run them.
//!
//! On disk, below `$LONGSHORE_HOME/actions/trees`: a directory for each commit, complete when it has its name, and never
//! changed afterwards. Commits are content, so no repository's name is needed. Directories that override a repository, and
//! mirrors that are plain directories, are used as they are.

use std::io;
use std::path::{Path, PathBuf};

use longshore_syntax::SourceRef;
use thiserror::Error;

use crate::draft::Draft;
use crate::export::ExportError;
use crate::git_tree::GitTree;
use crate::resolve::{Missing, Origin, ResolveError, Resolver};

/// The trees of commits, as directories.
#[derive(Debug, Clone)]
pub struct ActionTrees {
    root: PathBuf,
}

/// Where the files of a repository are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Located {
    /// In this directory, which nobody writes to.
    Found {
        /// The root of the repository.
        directory: PathBuf,
        /// Where the repository was found.
        origin: Origin,
    },
    /// No place has it.
    Missing(Missing),
}

/// Why the files of a repository could not be had.
#[derive(Debug, Error)]
pub enum TreeError {
    /// The reference could not be resolved.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// The commit could not be written.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The directory for it could not be made.
    #[error("failed to keep the files of an action in `{}`", path.display())]
    Keep {
        /// Where.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
}

impl ActionTrees {
    /// The trees in the state directory `home`. Nothing is created before something is stored.
    pub fn in_home(home: &Path) -> Self {
        Self { root: home.join("actions").join("trees") }
    }

    /// The directory of a commit's tree, written if it is not there yet.
    pub(crate) fn keep(&self, tree: &GitTree) -> Result<PathBuf, TreeError> {
        let place = self.root.join(tree.commit().as_str());
        if place.is_dir() {
            return Ok(place);
        }
        let failed = |source| TreeError::Keep { path: self.root.clone(), source };
        let draft = Draft::new(&self.root).map_err(failed)?;
        tree.write_into(&draft.path)?;
        draft.publish(&place).map_err(failed)?;
        Ok(place)
    }
}

impl Resolver {
    /// Finds the whole repository that `reference` names, in its version, as a directory.
    ///
    /// # Errors
    /// The reference is refused, a place that should be readable is not, or the files cannot be written. That no place has
    /// it is no error.
    pub fn locate(&self, reference: &SourceRef, trees: &ActionTrees) -> Result<Located, TreeError> {
        self.find_repository(reference, trees)
    }
}
