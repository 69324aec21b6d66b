//! The workflow files at hand, and which of them are meant.
//!
//! A file that cannot be read as text is a finding; it does not stop the others.

use std::path::{Path, PathBuf};

use longshore_report::diagnostic::FileFindings;
use longshore_source::{PathError, RepositoryPath, WorkTree, WorkTreeError};
use longshore_syntax::{Diagnostic, SourceFile, Span, suggest};
use longshore_workflow::plan::WorkflowFile;
use thiserror::Error;

use crate::examine::{NOT_TEXT, tree_of};
use crate::exit::Blame;
use crate::failure::Explained;

/// A directory with workflows.
#[derive(Debug)]
pub(crate) struct Project {
    /// The files.
    pub(crate) tree: WorkTree,
    /// The workflows, in the order of their names.
    pub(crate) workflows: Vec<WorkflowFile>,
    /// Workflow files that hold no text.
    pub(crate) unreadable: Vec<FileFindings>,
}

/// Why there are no workflows to work with.
#[derive(Debug, Error)]
pub(crate) enum ProjectError {
    /// A path that was named is not there.
    #[error("there is no file or directory `{}`", path.display())]
    Missing {
        /// As given.
        path: PathBuf,
    },
    /// Something is there and cannot be read.
    #[error("failed to find the workflows")]
    Tree(#[from] WorkTreeError),
    /// No workflow has this name.
    #[error("no workflow is called `{name}`")]
    Unknown {
        /// As given.
        name: String,
        /// What would do.
        help: String,
    },
}

impl From<PathError> for ProjectError {
    fn from(error: PathError) -> Self {
        Self::Tree(error.into())
    }
}

impl Explained for ProjectError {
    fn blame(&self) -> Blame {
        match self {
            Self::Missing { .. } | Self::Tree(_) => Blame::Environment,
            Self::Unknown { .. } => Blame::User,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Missing { .. } => {
                Some("check the spelling; paths are relative to the working directory".to_owned())
            }
            Self::Tree(_) => None,
            Self::Unknown { help, .. } => Some(help.clone()),
        }
    }
}

impl Project {
    /// The project that `directory` belongs to. `place` names another directory of workflows, or one file.
    pub(crate) fn load(directory: &Path, place: Option<&Path>) -> Result<Self, ProjectError> {
        let tree = tree_of(directory)?;
        let mut project = Self { tree, workflows: Vec::new(), unreadable: Vec::new() };
        match place {
            None => {
                for path in project.tree.workflows()? {
                    project.read(&path)?;
                }
            }
            Some(place) => project.load_place(&directory.join(place), place)?,
        }
        Ok(project)
    }

    /// Keeps the workflow that is meant by `name`: its name, the name of its file with or without extension, or a path.
    pub(crate) fn select(&mut self, directory: &Path, name: &str) -> Result<(), ProjectError> {
        let meant: Vec<bool> = self.workflows.iter().map(|workflow| is_called(workflow, name)).collect();
        if meant.contains(&true) {
            let mut meant = meant.into_iter();
            self.workflows.retain(|_| meant.next().unwrap_or(false));
            self.unreadable.clear();
            return Ok(());
        }
        let path = directory.join(name);
        if path.is_file() {
            self.workflows.clear();
            self.unreadable.clear();
            return self.load_file(&path);
        }
        Err(ProjectError::Unknown { name: name.to_owned(), help: self.names(name) })
    }

    /// What could be meant by `name`, or all there is.
    fn names(&self, name: &str) -> String {
        let stems = self.workflows.iter().map(|workflow| file_name(workflow.file.name()));
        let names = self.workflows.iter().filter_map(|workflow| {
            workflow.parsed.model.as_ref().map(longshore_workflow::model::Workflow::display_name)
        });
        if let Some(near) = suggest::nearest(name, stems.clone().chain(names)) {
            return format!("did you mean `{near}`?");
        }
        if self.workflows.is_empty() {
            return "`.github/workflows` holds no workflows".to_owned();
        }
        let stems: Vec<String> = stems.map(|stem| format!("`{stem}`")).collect();
        format!("there are {}", stems.join(", "))
    }

    fn load_place(&mut self, full: &Path, given: &Path) -> Result<(), ProjectError> {
        if !full.is_dir() {
            return if full.is_file() {
                self.load_file(full)
            } else {
                Err(ProjectError::Missing { path: given.to_owned() })
            };
        }
        let read = |source| ProjectError::Tree(WorkTreeError::Open { path: given.to_owned(), source });
        let mut files: Vec<PathBuf> = Vec::new();
        for entry in std::fs::read_dir(full).map_err(read)? {
            let path = entry.map_err(read)?.path();
            let is_yaml = path.extension().is_some_and(|extension| extension == "yml" || extension == "yaml");
            if is_yaml && path.is_file() {
                files.push(path);
            }
        }
        files.sort();
        files.iter().try_for_each(|file| self.load_file(file))
    }

    /// A file anywhere on this machine; one outside of the tree keeps the name of its path.
    fn load_file(&mut self, full: &Path) -> Result<(), ProjectError> {
        let missing = || ProjectError::Missing { path: full.to_owned() };
        let found = full.canonicalize().map_err(|_| missing())?;
        if let Ok(relative) = found.strip_prefix(self.tree.root()) {
            return self.read(&RepositoryPath::parse(&relative.to_string_lossy())?);
        }
        let (Some(parent), Some(name)) = (found.parent(), found.file_name()) else { return Err(missing()) };
        let tree = WorkTree::at(parent)?;
        let path = RepositoryPath::parse(&name.to_string_lossy())?;
        let name = found.to_string_lossy();
        match tree.read(&path) {
            Ok(file) => {
                let file = file.ok_or_else(missing)?;
                self.workflows.push(WorkflowFile::read(SourceFile::new(name, file.text())));
            }
            Err(WorkTreeError::Text(error)) => self.unreadable(&name, &error.to_string()),
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn read(&mut self, path: &RepositoryPath) -> Result<(), ProjectError> {
        match self.tree.read(path) {
            Ok(Some(file)) => self.workflows.push(WorkflowFile::read(file)),
            Ok(None) => {}
            Err(WorkTreeError::Text(error)) => self.unreadable(path.as_str(), &error.to_string()),
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Says that a file is no text.
    fn unreadable(&mut self, name: &str, why: &str) {
        let file = SourceFile::new(name, "");
        let diagnostic = Diagnostic::error(NOT_TEXT, Span::at(0), why);
        self.unreadable.push(FileFindings { file, diagnostics: vec![diagnostic] });
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn is_called(workflow: &WorkflowFile, name: &str) -> bool {
    let path = workflow.file.name();
    let file = file_name(path);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let display = workflow.parsed.model.as_ref().map(longshore_workflow::model::Workflow::display_name);
    let given = name.strip_prefix("./").unwrap_or(name);
    path == given
        || file == given
        || stem == given
        || display.is_some_and(|display| display.eq_ignore_ascii_case(name))
}
