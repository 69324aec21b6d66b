//! Which files are examined, and what is found in each.
//!
//! A file is an action manifest by its name (`action.yml`, `action.yaml`) and a workflow else. What cannot be read as
//! text is a finding, so that one bad file does not hide what is wrong with the others.

use std::collections::HashSet;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread;

use longshore_lint::{Level, LintContext, lint_action, lint_workflow};
use longshore_report::diagnostic::FileFindings;
use longshore_source::{PathError, RepositoryPath, WorkTree, WorkTreeError};
use longshore_syntax::{Code, Diagnostic, Severity, SourceFile, Span};
use longshore_workflow::plan::certain_failures;
use longshore_workflow::{parse_action, parse_workflow};
use thiserror::Error;

use crate::called;
use crate::exit::Blame;
use crate::failure::Explained;
use crate::settings::Settings;

/// A file holds no text.
pub(crate) const NOT_TEXT: Code = Code("source/not-text");
/// A file has more findings than anyone reads.
const TOO_MANY: Code = Code("check/too-many-findings");
/// Findings shown of one file.
const MOST: usize = 500;

/// Fewer files are not worth another thread.
const FILES_OF_A_WORKER: usize = 16;
/// As much stack as the main thread has.
const STACK_OF_A_WORKER: usize = 8 << 20;

/// A file to examine.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    /// The text; empty if there is none to be had.
    pub(crate) file: SourceFile,
    /// Where it is on disk, links resolved.
    pub(crate) place: PathBuf,
    /// Why the text could not be had.
    unreadable: Option<String>,
}

impl Subject {
    /// Its path as a person at `directory` writes it: relative below it or beside it in the project, absolute elsewhere.
    pub(crate) fn path_from(&self, directory: &Path) -> String {
        // The empty path means the working directory, but is no path that can be resolved.
        let directory = Path::new(".").join(directory);
        let directory = directory.canonicalize().unwrap_or(directory);
        let shown = match (self.place.strip_prefix(&directory), directory.strip_prefix(self.root())) {
            (Ok(below), _) => below.to_owned(),
            (Err(_), Ok(inside)) => {
                inside.components().map(|_| "..").collect::<PathBuf>().join(self.file.name())
            }
            (Err(_), Err(_)) => self.place.clone(),
        };
        shown.to_string_lossy().into_owned()
    }

    /// The root of the project that it is named from.
    fn root(&self) -> &Path {
        let depth = self.file.name().split('/').count();
        self.place.ancestors().nth(depth).unwrap_or(&self.place)
    }
}

/// Why there is nothing to examine.
#[derive(Debug, Error)]
pub(crate) enum SubjectError {
    /// A path that was named is not there.
    #[error("there is no file or directory `{}`", path.display())]
    Missing {
        /// The path as given.
        path: PathBuf,
    },
    /// Something is there and cannot be read.
    #[error("failed to find the files to check")]
    Tree(#[from] WorkTreeError),
}

impl Explained for SubjectError {
    fn blame(&self) -> Blame {
        Blame::Environment
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Missing { .. } => {
                Some("check the spelling; paths are relative to the working directory".to_owned())
            }
            Self::Tree(_) => None,
        }
    }
}

/// The files that `paths` name: workflow and action files themselves, and for directories the workflows and actions of
/// the project there. Without paths, those of the project that `directory` belongs to.
pub(crate) fn subjects(directory: &Path, paths: &[PathBuf]) -> Result<Vec<Subject>, SubjectError> {
    if paths.is_empty() {
        return project(&tree_of(directory)?);
    }
    let mut subjects = Vec::new();
    for path in paths {
        let full = directory.join(path);
        if full.is_dir() {
            subjects.extend(project(&WorkTree::at(&full)?)?);
        } else {
            let tree = tree_of(full.parent().unwrap_or(directory)).map_err(|_| missing(path))?;
            subjects.push(named(&tree, &full)?.ok_or_else(|| missing(path))?);
        }
    }
    // One file under two spellings is one file.
    let mut seen = HashSet::new();
    subjects.retain(|subject| seen.insert(subject.place.clone()));
    Ok(subjects)
}

fn missing(path: &Path) -> SubjectError {
    SubjectError::Missing { path: path.to_owned() }
}

/// A directory with workflows of its own is a project, also inside of another's repository.
pub(crate) fn tree_of(directory: &Path) -> Result<WorkTree, WorkTreeError> {
    if directory.join(".github/workflows").is_dir() {
        return WorkTree::at(directory);
    }
    WorkTree::discover(directory)
}

fn project(tree: &WorkTree) -> Result<Vec<Subject>, SubjectError> {
    let mut paths = tree.workflows()?;
    paths.extend(actions(tree.root()));
    let mut subjects = Vec::new();
    for path in paths {
        subjects.extend(read(tree, &path)?);
    }
    Ok(subjects)
}

/// The manifests in the root and in the directories of `.github/actions`, where projects keep their own actions.
fn actions(root: &Path) -> Vec<RepositoryPath> {
    let mut directories = vec![String::new()];
    if let Ok(entries) = std::fs::read_dir(root.join(".github/actions")) {
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        directories.extend(names.map(|name| format!(".github/actions/{name}/")));
    }
    directories.sort();
    let manifests = directories
        .iter()
        .flat_map(|directory| ["action.yml", "action.yaml"].map(|manifest| format!("{directory}{manifest}")));
    let present = manifests.filter(|manifest| root.join(manifest).is_file());
    present.filter_map(|manifest| RepositoryPath::parse(&manifest).ok()).collect()
}

/// The file at a path of the machine, named after its place in `tree`.
fn named(tree: &WorkTree, path: &Path) -> Result<Option<Subject>, SubjectError> {
    let Ok(full) = path.canonicalize() else { return Ok(None) };
    let relative = full.strip_prefix(tree.root()).unwrap_or(&full).to_string_lossy().into_owned();
    let parsed: Result<RepositoryPath, PathError> = RepositoryPath::parse(&relative);
    read(tree, &parsed.map_err(WorkTreeError::from)?)
}

fn read(tree: &WorkTree, path: &RepositoryPath) -> Result<Option<Subject>, SubjectError> {
    let place = tree.root().join(path.as_str());
    let place = place.canonicalize().unwrap_or(place);
    match tree.read(path) {
        Ok(file) => Ok(file.map(|file| Subject { file, place, unreadable: None })),
        Err(WorkTreeError::Text(error)) => {
            let file = SourceFile::new(path.as_str(), "");
            Ok(Some(Subject { file, place, unreadable: Some(error.to_string()) }))
        }
        Err(error) => Err(error.into()),
    }
}

/// The examination of some files under the same settings.
pub(crate) struct Examination<'a> {
    settings: &'a Settings,
    context: LintContext,
}

impl<'a> Examination<'a> {
    /// An examination of `subjects`; if they are a `whole` project, references between them are checked too.
    pub(crate) fn new(subjects: &[Subject], whole: bool, settings: &'a Settings) -> Self {
        let levels = settings.rules.iter().map(|(code, level)| {
            let level = level.value.severity().map_or(Level::Off, Level::On);
            (code.clone(), level)
        });
        // Only `workflow_run` refers to names, so they are collected only where it stands.
        let refers = || subjects.iter().any(|subject| subject.file.text().contains("workflow_run"));
        let context = LintContext {
            runner_labels: settings.labels.iter().map(|label| label.value.clone()).collect(),
            levels: levels.collect(),
            workflow_names: (whole && refers()).then(|| names(subjects)),
        };
        Self { settings, context }
    }

    /// What is found in each file, in their order. Many files are shared among the cores of the machine.
    pub(crate) fn examine_all(&self, subjects: &[Subject]) -> Vec<FileFindings> {
        let one_after_another =
            |part: &[Subject]| part.iter().map(|each| self.examine(each)).collect::<Vec<_>>();
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let workers = cores.min(subjects.len() / FILES_OF_A_WORKER);
        if workers < 2 {
            return one_after_another(subjects);
        }
        thread::scope(|scope| {
            let start = |part| {
                let worker = thread::Builder::new().stack_size(STACK_OF_A_WORKER);
                (part, worker.spawn_scoped(scope, move || one_after_another(part)))
            };
            let running: Vec<_> = subjects.chunks(subjects.len().div_ceil(workers)).map(start).collect();
            let found =
                running.into_iter().map(|(part, worker)| match worker.map(thread::ScopedJoinHandle::join) {
                    Ok(Ok(found)) => found,
                    Ok(Err(panic)) => std::panic::resume_unwind(panic),
                    // No thread could be had; the work is done here.
                    Err(_) => one_after_another(part),
                });
            found.flatten().collect()
        })
    }

    /// What is found in one file, as the settings want it.
    pub(crate) fn examine(&self, subject: &Subject) -> FileFindings {
        let file = &subject.file;
        let mut diagnostics = match &subject.unreadable {
            Some(why) => vec![Diagnostic::error(NOT_TEXT, Span::at(0), why.clone())],
            None if is_action(file.name()) => {
                let parsed = parse_action(file);
                let lint = parsed.model.as_ref().map(|action| lint_action(action, &self.context));
                [parsed.diagnostics(), lint.unwrap_or_default()].concat()
            }
            None => {
                let parsed = parse_workflow(file);
                let mut found = parsed.diagnostics();
                if let Some(workflow) = &parsed.model {
                    found.extend(certain_failures(workflow));
                    found.extend(called::check(workflow, subject.root()));
                    found.extend(lint_workflow(workflow, &self.context));
                }
                found
            }
        };
        diagnostics.sort_by_key(|finding| finding.span);
        let levelled = diagnostics.into_iter().filter_map(|finding| level(finding, self.settings)).collect();
        FileFindings { file: file.clone(), diagnostics: bounded(levelled) }
    }
}

/// The names that `workflow_run` may refer to: a workflow without one is called by its path.
fn names(subjects: &[Subject]) -> Vec<String> {
    let workflows = subjects.iter().filter(|subject| !is_action(subject.file.name()));
    workflows
        .map(|subject| {
            let name = parse_workflow(&subject.file).model.and_then(|workflow| workflow.name);
            name.map_or_else(|| subject.file.name().to_owned(), |name| name.value)
        })
        .collect()
}

pub(crate) fn is_action(name: &str) -> bool {
    matches!(name.rsplit('/').next(), Some("action.yml" | "action.yaml"))
}

/// The finding with the severity that settings give its code; `None` if they switch it off.
fn level(mut finding: Diagnostic, settings: &Settings) -> Option<Diagnostic> {
    if let Some(level) = settings.rules.get(finding.code.0) {
        finding.severity = level.value.severity()?;
    }
    Some(finding)
}

fn bounded(mut findings: Vec<Diagnostic>) -> Vec<Diagnostic> {
    if findings.len() > MOST {
        let rest = findings.split_off(MOST);
        let severity = rest.iter().map(|finding| finding.severity).max().unwrap_or(Severity::Note);
        let message = format!("{} further findings in this file are not shown", rest.len());
        let place = rest.first().map_or(Span::at(0), |finding| finding.span);
        findings.push(Diagnostic::new(severity, TOO_MANY, place, message));
    }
    findings
}
