//! `longshore rerun`, and what `longshore run --resume` does: another attempt at a run.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use longshore_event::{Conclusion, JobState, JobStatus, RunId, RunState};
use longshore_history::{Run, RunSelector, RunStatus};
use longshore_report::diagnostic::text;
use longshore_report::visible;
use longshore_runner::{KeptJob, Prior, Resume};
use longshore_syntax::{Diagnostic, Severity, suggest};
use longshore_workflow::plan::{PlanInput, SourceSet};
use thiserror::Error;

use super::carry::{CarryArgs, CarryError, Stage, kept_of};
use super::logs::is_job;
use super::plan::findings;
use super::run::{Prepared, RunError, nothing};
use super::runs::select;
use super::{Outcome, Session};
use crate::exit::Blame;
use crate::failure::{Explained, Failure};
use crate::plan::drive::drive;
use crate::plan::project::Project;
use crate::run::kept;
use crate::run::recorded::Recorded;
use crate::run::secrets::{self, Secrets};

/// Carry a run out again: all of it, or what did not succeed
///
/// It is another attempt at the same run, with its event, inputs and variables; files are as they are now. Jobs that are not
/// carried out again keep their results and outputs. Secrets are given again, as to `longshore run`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  longshore rerun
  longshore rerun 7 --failed
  longshore rerun 7 -j 'test (3.12)'
  longshore rerun last --failed -s TOKEN")]
pub(super) struct RerunArgs {
    /// The run by its number, or `last`: the newest of this project
    #[arg(value_name = "RUN", default_value = "last")]
    run: RunSelector,

    /// Only jobs that failed or were cancelled, and those that need them
    #[arg(long)]
    failed: bool,

    /// Only this job, by name or key, and those that need it; of a matrix, all its jobs by the id. May be given again
    #[arg(short, long = "job", value_name = "JOB", conflicts_with = "failed")]
    jobs: Vec<String>,

    #[command(flatten)]
    carry: CarryArgs,
}

/// What of a run is carried out again.
pub(super) enum Which<'a> {
    /// Everything.
    All,
    /// What did not succeed.
    Failed,
    /// These jobs.
    Jobs(&'a [String]),
    /// What did not succeed, or these jobs of it, and where they were left if they were kept.
    Resume {
        /// Names; all that did not succeed, if there are none.
        jobs: &'a [String],
        /// The step to go on with.
        from: Option<&'a str>,
    },
}

/// A run cannot be carried out again.
#[derive(Debug, Error)]
enum RerunError {
    #[error("run {run} is still running")]
    Running { run: RunId },
    #[error("run {run} has succeeded: there is nothing to go on with")]
    Succeeded { run: RunId },
    #[error("run {run} has no job `{job}`")]
    Job { run: RunId, job: String, help: String },
    #[error("there is no project in `{}` any more", path.display())]
    Project { path: PathBuf },
    #[error("`--from` is for one job, and of run {run} {count} are kept")]
    From { run: RunId, count: usize, help: String },
}

impl Explained for RerunError {
    fn blame(&self) -> Blame {
        match self {
            Self::Project { .. } => Blame::Environment,
            _ => Blame::User,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Running { run } => format!("wait for its end, which `longshore logs -f {run}` shows"),
            Self::Succeeded { run } => format!("`longshore rerun {run}` carries all of it out again"),
            Self::Job { help, .. } | Self::From { help, .. } => help.clone(),
            Self::Project { .. } => "a run is carried out again where it was".to_owned(),
        })
    }
}

pub(super) fn run(args: &RerunArgs, session: &mut Session) -> Outcome {
    let which = match (args.failed, args.jobs.as_slice()) {
        (true, _) => Which::Failed,
        (false, []) => Which::All,
        (false, jobs) => Which::Jobs(jobs),
    };
    again(args.run, &which, &args.carry, session)
}

/// Another attempt at a run.
pub(super) fn again(
    selector: RunSelector,
    which: &Which<'_>,
    args: &CarryArgs,
    session: &mut Session,
) -> Outcome {
    let run = select(session, selector)?;
    let summary = run.summary()?;
    if summary.status == RunStatus::Running {
        return Err(RerunError::Running { run: run.id() }.into());
    }
    let before = run.replay()?;
    check(&run, &before, which)?;
    let secrets: Secrets =
        secrets::read(&args.secrets, &session.directory, &session.environment, &mut session.output)?;
    let asked = Recorded::read(run.directory(), &secrets)?;
    let root = Path::new(&summary.outline.directory);
    let prepared = prepare(root, &summary.outline.path, &asked, session)?;
    let Some(workflow) = prepared.starting().next() else { return nothing(&prepared, session) };
    let Some(mut request) = prepared.request(workflow, &secrets, args.debug) else {
        return nothing(&prepared, session);
    };
    request.prior = priors(&run, &before, which);
    let stage = Stage::set(args, Some(&asked), session)?;
    let (resumed, locks) = hold(&run, &before, which)?;
    let recorder = stage.history.begin_again(run.id()).map_err(CarryError::History)?;
    let kept = kept::directory(recorder.directory());
    for (job, lock) in resumed.into_iter().zip(&locks) {
        let job = job.move_to(&kept)?;
        let lock = lock.try_clone().map_err(CarryError::Lock)?;
        let from = match which {
            Which::Resume { from, .. } => from.map(str::to_owned),
            _ => None,
        };
        request.resume.insert(job.job().to_owned(), Arc::new(Resume { kept: job, lock, from }));
    }
    if matches!(which, Which::Resume { .. }) && request.resume.is_empty() {
        let note = format!("note: no job of run {} is kept; what did not succeed begins anew\n", run.id());
        session.output.talk(&note);
    }
    let mut asked = Recorded { runs_on: [asked.runs_on.as_slice(), &args.runs_on].concat(), ..asked };
    asked.earlier.insert(0, run.id());
    request.earlier.clone_from(&asked.earlier);
    let begun = stage.begin(recorder, request, &asked, session);
    stage.carry_out(vec![begun], locks, session)
}

/// Refuses what makes no sense.
fn check(run: &Run, state: &RunState, which: &Which<'_>) -> Result<(), RerunError> {
    let names = match which {
        Which::Jobs(jobs) | Which::Resume { jobs, .. } => *jobs,
        Which::All | Which::Failed => &[],
    };
    for name in names {
        if !state.jobs.iter().any(|job| is_job(job, name)) {
            let known: Vec<&str> = state.jobs.iter().map(|job| job.name.as_str()).collect();
            let help = match suggest::nearest(name, known.iter().copied()) {
                Some(near) => format!("did you mean `{}`?", visible(near)),
                None => format!("it has `{}`", visible(&known.join("`, `"))),
            };
            return Err(RerunError::Job { run: run.id(), job: name.clone(), help });
        }
    }
    let partly = matches!(which, Which::Failed | Which::Resume { .. });
    if partly && !state.jobs.iter().any(is_unfinished) {
        return Err(RerunError::Succeeded { run: run.id() });
    }
    Ok(())
}

/// Whether a job did not succeed, and not because that was wanted.
fn is_unfinished(job: &JobState) -> bool {
    !matches!(
        job.status,
        JobStatus::Skipped(_) | JobStatus::Finished(Conclusion::Success | Conclusion::Skipped)
    )
}

fn is_chosen(job: &JobState, which: &Which<'_>) -> bool {
    let named = |jobs: &[String]| jobs.iter().any(|name| is_job(job, name));
    match which {
        Which::All => true,
        Which::Failed => is_unfinished(job),
        Which::Jobs(jobs) => named(jobs),
        Which::Resume { jobs, .. } => is_unfinished(job) && (jobs.is_empty() || named(jobs)),
    }
}

/// The results that still hold, as far as nothing that they need is carried out again.
fn priors(run: &Run, state: &RunState, which: &Which<'_>) -> BTreeMap<String, Prior> {
    let prior = |job: &JobState| {
        let JobStatus::Finished(conclusion) = job.status else { return None };
        let prior = Prior {
            run: run.id(),
            name: job.name.clone(),
            conclusion,
            continue_on_error: job.continue_on_error,
            outputs: job.outputs.clone(),
            url: job.url.clone(),
            error: job.error.clone(),
        };
        (!is_chosen(job, which)).then(|| (job.key.to_string(), prior))
    };
    state.jobs.iter().filter_map(prior).collect()
}

/// The kept jobs that go on, which nobody else may work with from here on.
fn hold(run: &Run, state: &RunState, which: &Which<'_>) -> Result<(Vec<KeptJob>, Vec<File>), Failure> {
    let Which::Resume { from, .. } = which else { return Ok((Vec::new(), Vec::new())) };
    let is_wanted =
        |kept: &KeptJob| state.jobs.iter().any(|job| job.key.as_str() == kept.job() && is_chosen(job, which));
    let jobs: Vec<KeptJob> = KeptJob::list(&kept_of(run)).into_iter().filter(is_wanted).collect();
    if from.is_some() && jobs.len() != 1 {
        let names: Vec<String> = jobs.iter().map(|job| format!("`-j {}`", job.job())).collect();
        let help = if names.is_empty() {
            format!("`longshore rerun {} --failed` carries out again what failed", run.id())
        } else {
            format!("choose one: {}", names.join(", "))
        };
        return Err(RerunError::From { run: run.id(), count: jobs.len(), help }.into());
    }
    let locks = jobs.iter().map(KeptJob::hold).collect::<Result<_, _>>()?;
    Ok((jobs, locks))
}

/// Reads the workflow as it is now, and plans with what the run was asked for.
fn prepare(
    root: &Path,
    workflow: &str,
    recorded: &Recorded,
    session: &mut Session,
) -> Result<Prepared, Failure> {
    if !root.is_dir() {
        return Err(RerunError::Project { path: root.to_owned() }.into());
    }
    let mut project = Project::load(root, recorded.workflows.as_deref())?;
    project.select(root, workflow)?;
    let input = PlanInput {
        event: &recorded.event,
        workflows: &project.workflows,
        sources: &SourceSet::default(),
        vars: Some(&recorded.vars),
        selection: &recorded.selection,
        fetch_actions: false,
    };
    let plan = drive(input, &project.tree, &session.settings, &session.environment).plan;
    let style = session.output.talk_style();
    session.output.complain(&text::render(&findings(&project, &plan), style));
    let is_error = |found: &Diagnostic| found.severity == Severity::Error;
    let runs = plan.workflows.iter().filter_map(|workflow| workflow.run.as_ref());
    if runs.flat_map(|run| &run.diagnostics).any(|found| is_error(&found.diagnostic)) {
        return Err(RunError::Plan.into());
    }
    let has_invalid_files = project.workflows.iter().any(|workflow| !workflow.parsed.is_valid());
    Ok(Prepared {
        project,
        event: recorded.event.clone(),
        vars: recorded.vars.clone(),
        selection: recorded.selection.clone(),
        plan,
        has_invalid_files,
    })
}
