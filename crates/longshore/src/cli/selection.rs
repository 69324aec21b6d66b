//! The flags that say which workflows, jobs and cells are meant; verbs that plan or run workflows share them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use longshore_expr::{Object, Value};
use longshore_workflow::plan::Selection;

use super::event::pair;
use super::plan::{check_jobs, has_one_of};
use crate::failure::Failure;
use crate::plan::project::Project;
use crate::run::secrets;

use super::Session;

/// Which workflows, jobs and cells are meant.
#[derive(Debug, clap::Args)]
pub(super) struct SelectionArgs {
    /// The workflow: its name, its file's name, or a path [default: all]
    #[arg(value_name = "WORKFLOW")]
    pub(super) workflow: Option<String>,

    /// Keep this job and what it needs; may be given again
    #[arg(short, long = "job", value_name = "JOB")]
    pub(super) jobs: Vec<String>,

    /// Keep the cells of matrices that have this value; may be given again
    #[arg(long, value_name = "KEY:VALUE", value_parser = cell_value)]
    pub(super) matrix: Vec<(String, String)>,

    /// A directory of workflows, or one file, in place of `.github/workflows`
    #[arg(short = 'W', long = "workflows", value_name = "PATH")]
    pub(super) workflows: Option<PathBuf>,

    /// A configuration variable, besides those in `longshore.toml`
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = pair)]
    pub(super) vars: Vec<(String, String)>,

    /// A file of configuration variables, a `NAME=VALUE` on each line; may be given again [default: `.vars`, if there is one]
    #[arg(long = "var-file", value_name = "FILE")]
    var_files: Vec<PathBuf>,
}

impl SelectionArgs {
    /// The project with the workflows that are meant.
    pub(super) fn project(&self, session: &Session) -> Result<Project, Failure> {
        let mut project = Project::load(&session.directory, self.workflows.as_deref())?;
        if let Some(name) = &self.workflow {
            project.select(&session.directory, name)?;
        }
        check_jobs(&self.jobs, &project.workflows)?;
        project.workflows.retain(|workflow| has_one_of(workflow, &self.jobs));
        Ok(project)
    }

    /// The configuration variables: those of flags go before those of files, and these before the settings.
    pub(super) fn vars(&self, session: &Session) -> Result<Option<Object>, Failure> {
        let settings = session.settings.vars.iter().map(|(name, value)| (name.clone(), value.value.clone()));
        let mut vars: BTreeMap<String, String> = settings.collect();
        vars.extend(secrets::variables(&self.var_files, &session.directory)?);
        vars.extend(self.vars.iter().cloned());
        let entries = vars.iter().map(|(name, value)| (name.as_str(), Value::from(value.as_str())));
        Ok((!vars.is_empty()).then(|| entries.collect()))
    }

    /// The jobs and cells that are meant.
    pub(super) fn selection(&self) -> Selection {
        Selection { jobs: self.jobs.clone(), matrix: self.matrix.clone() }
    }
}

/// `KEY:VALUE` in two.
fn cell_value(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.trim().to_owned())),
        _ => Err("write KEY:VALUE, such as `os:ubuntu-latest`".to_owned()),
    }
}
