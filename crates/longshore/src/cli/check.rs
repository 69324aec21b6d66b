//! `longshore check`: what is wrong with the project's workflow and action files.

use std::io;
use std::path::PathBuf;

use clap::ValueEnum;
use longshore_report::diagnostic::sarif::{Rule, Tool};
use longshore_report::diagnostic::{Counts, FileFindings, annotation, json, sarif, summary, text};
use longshore_report::{Role, count};
use longshore_syntax::{Severity, SourceFile};
use thiserror::Error;

use super::{Outcome, Session};
use crate::examine::{Examination, Subject, subjects};
use crate::exit::{Blame, Exit};
use crate::failure::Explained;
use crate::settings::{OutputFormat, Threshold};
use crate::{fix, pages};

/// A fix may make room for another; more rounds than this mean that two undo each other.
const ROUNDS: usize = 8;

/// Find what is wrong with workflow and action files
///
/// Without paths, the workflows in `.github/workflows` of the project at hand are checked, and the actions in its root
/// and in `.github/actions`. A path is a file, or a directory that is taken as a project.
///
/// Findings go to standard output, the summary to standard error. Each finding has a code that `longshore explain`
/// says more about, and whose level can be set in `longshore.toml`. The exit code is 1 if there are findings of the
/// severity that `--fail-on` names, or of a higher one.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  longshore check
  longshore check --fail-on warning .github/workflows/ci.yml
  longshore check --fix
  longshore check --format sarif > findings.sarif")]
pub(super) struct CheckArgs {
    /// Files to check, or directories of projects
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Format of the findings
    #[arg(long, value_enum)]
    format: Option<CheckFormat>,

    /// Least severity that makes the check fail
    #[arg(long, value_name = "SEVERITY", value_enum)]
    fail_on: Option<Threshold>,

    /// Make the changes that are safe to make, and report what is left
    #[arg(long)]
    fix: bool,
}

/// What findings can be written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CheckFormat {
    /// With a view of the line, for people
    Text,
    /// Longshore's own shape, see docs/output.md
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations in a log of a GitHub job
    Github,
}

/// A file could not be changed.
#[derive(Debug, Error)]
#[error("failed to write the fixed file `{}`", path.display())]
struct FixError {
    path: PathBuf,
    source: io::Error,
}

impl Explained for FixError {
    fn blame(&self) -> Blame {
        Blame::Environment
    }

    fn help(&self) -> Option<String> {
        Some("the file is as it was; check that you may write in its directory".to_owned())
    }
}

pub(super) fn run(args: &CheckArgs, session: &mut Session) -> Outcome {
    let mut subjects = subjects(&session.directory, &args.paths)?;
    let examination = Examination::new(&subjects, args.paths.is_empty(), &session.settings);
    let mut fixed = 0;
    if args.fix {
        for subject in &mut subjects {
            fixed += mend(subject, &examination)?;
        }
    }
    let mut found = examination.examine_all(&subjects);
    for (findings, subject) in found.iter_mut().zip(&subjects) {
        findings.file = findings.file.renamed(subject.path_from(&session.directory));
    }
    let format = args.format.unwrap_or(match session.settings.format.value {
        OutputFormat::Text => CheckFormat::Text,
        OutputFormat::Json => CheckFormat::Json,
    });
    let findings = render(format, &found, session);
    session.output.data(&findings)?;
    if fixed > 0 {
        session.output.talk(&format!("fixed {}\n", count(fixed, "finding")));
    }
    let counts = Counts::of(&found);
    conclude(counts, session);
    let threshold = args.fail_on.unwrap_or(session.settings.fail_on.value);
    let failed = threshold.severity().is_some_and(|severity| counts.at_least(severity) > 0);
    Ok(if failed { Exit::Failed } else { Exit::Success })
}

fn render(format: CheckFormat, found: &[FileFindings], session: &Session) -> String {
    match format {
        CheckFormat::Text => text::render(found, session.output.style()),
        CheckFormat::Json => json::render(found),
        CheckFormat::Sarif => sarif::render(found, &Tool { version: env!("CARGO_PKG_VERSION"), rule: &rule }),
        CheckFormat::Github => annotation::render(found),
    }
}

/// Says how it went.
fn conclude(counts: Counts, session: &mut Session) {
    if counts.files == 0 {
        session.output.talk("no workflow or action files here: `.github/workflows` holds none\n");
        return;
    }
    let role = match counts {
        Counts { errors: 1.., .. } => Role::Error,
        Counts { warnings: 1.., .. } => Role::Warning,
        _ => Role::Note,
    };
    let line = session.output.talk_style().paint(role, &summary(counts));
    session.output.talk(&format!("{line}\n"));
}

/// What the page of a code says of it.
fn rule(code: &str) -> Option<Rule> {
    let page = pages::find(code)?;
    let homepage = env!("CARGO_PKG_HOMEPAGE");
    Some(Rule {
        title: page.title.to_owned(),
        summary: page.summary.to_owned(),
        severity: page.severity.unwrap_or(Severity::Warning),
        page: page.body.to_owned(),
        url: (!homepage.is_empty()).then(|| format!("{homepage}/docs/codes/{code}.md")),
    })
}

/// Makes the fixes of one file, as many rounds as they need, and writes it once. Returns how many were made.
fn mend(subject: &mut Subject, examination: &Examination<'_>) -> Result<usize, FixError> {
    let mut made = 0;
    for _ in 0..ROUNDS {
        let (text, applied) = fix::apply(subject.file.text(), &examination.examine(subject).diagnostics);
        if applied == 0 {
            break;
        }
        made += applied;
        subject.file = SourceFile::new(subject.file.name(), text);
    }
    if made > 0 {
        let written = fix::replace(&subject.place, subject.file.text());
        written.map_err(|source| FixError { path: subject.place.clone(), source })?;
    }
    Ok(made)
}
