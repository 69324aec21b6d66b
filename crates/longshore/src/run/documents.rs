//! Documents about runs that have ended: JUnit and HTML, from the history.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use longshore_event::{JobKey, RunId, RunState, StepNumber};
use longshore_history::{History, LogLine, Run};
use longshore_report::run::{StepLogs, html, junit};
use thiserror::Error;

use crate::cli::{Session, artifact};
use crate::exit::Blame;
use crate::failure::{Explained, Failure};

/// Which documents are written at the end.
#[derive(Debug, clap::Args)]
pub(crate) struct DocumentArgs {
    /// Write jobs and steps as JUnit XML into this file
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,

    /// Write the runs as an HTML page into this file, several into files with their numbers in the names
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

impl DocumentArgs {
    /// The files that are written.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        self.junit.iter().chain(&self.html)
    }
}

/// A document cannot be written.
#[derive(Debug, Error)]
#[error("failed to write `{}`", path.display())]
pub(crate) struct DocumentError {
    path: PathBuf,
    source: io::Error,
}

impl Explained for DocumentError {
    fn blame(&self) -> Blame {
        Blame::Environment
    }
}

/// Documents to be written, whose files can be.
#[derive(Debug)]
pub(crate) struct Documents {
    junit: Option<PathBuf>,
    html: Option<PathBuf>,
}

impl Documents {
    /// Finds out before anything runs whether the files can be written.
    pub(crate) fn open(args: &DocumentArgs) -> Result<Self, DocumentError> {
        for path in args.paths() {
            File::create(path).map_err(|source| DocumentError { path: path.clone(), source })?;
        }
        Ok(Self { junit: args.junit.clone(), html: args.html.clone() })
    }

    /// Writes them.
    pub(crate) fn write(&self, history: &History, runs: &[RunId], session: &Session) -> Result<(), Failure> {
        if self.junit.is_none() && self.html.is_none() {
            return Ok(());
        }
        let runs: Vec<Run> = runs.iter().map(|run| history.run(*run)).collect::<Result<_, _>>()?;
        if let Some(path) = &self.junit {
            let states: Vec<RunState> = runs.iter().map(Run::state).collect::<Result<_, _>>()?;
            let states: Vec<&RunState> = states.iter().collect();
            to_file(path, |out| junit::write(&states, &mut Logs(history), out))?;
        }
        let Some(path) = &self.html else { return Ok(()) };
        for run in &runs {
            let own = if runs.len() == 1 { path.clone() } else { numbered(path, run.id()) };
            write_html(history, run, &own, session)?;
        }
        Ok(())
    }
}

/// Writes a run as an HTML page.
pub(crate) fn write_html(
    history: &History,
    run: &Run,
    path: &Path,
    session: &Session,
) -> Result<(), Failure> {
    let state = run.state()?;
    let artifacts = artifact::documented(run, session)?;
    Ok(to_file(path, |out| html::write(&state, &artifacts, &mut Logs(history), out))?)
}

fn to_file(
    path: &Path,
    write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
) -> Result<(), DocumentError> {
    let failed = |source| DocumentError { path: path.to_owned(), source };
    let mut out = BufWriter::new(File::create(path).map_err(failed)?);
    write(&mut out).and_then(|()| out.flush()).map_err(failed)
}

/// `report.html` of run 7 is `report-7.html`.
fn numbered(path: &Path, run: RunId) -> PathBuf {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let extension = path.extension().map(|extension| format!(".{}", extension.to_string_lossy()));
    path.with_file_name(format!("{stem}-{run}{}", extension.unwrap_or_default()))
}

/// The logs as the history has them.
struct Logs<'h>(&'h History);

impl StepLogs for Logs<'_> {
    fn read(
        &mut self,
        run: RunId,
        job: &JobKey,
        step: StepNumber,
        line: &mut dyn FnMut(&str),
    ) -> io::Result<()> {
        let run = self.0.run(run).map_err(io::Error::other)?;
        let each = &mut |entry: &LogLine<'_>| {
            line(&entry.text);
            ControlFlow::Continue(())
        };
        run.log(job, step).read(0, each).map(drop)
    }
}
