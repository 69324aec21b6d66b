//! A file as rules see it, computed once for all of them.

use std::cell::OnceCell;
use std::ops::Range;
use std::sync::Arc;

use longshore_expr::Reference;
use longshore_syntax::{Node, SourceFile, Span};
use longshore_workflow::model::{
    ActionManifest, Condition, Job, JobKind, Runs, Step, StepKind, StepsJob, Workflow,
};
use longshore_workflow::template::{Embedded, Token, TokenKind};

use crate::LintContext;
use crate::place::Lines;
use crate::script::{self, Script};

/// The model a file was read into.
#[derive(Debug, Clone, Copy)]
pub enum Document<'a> {
    /// A workflow.
    Workflow(&'a Workflow),
    /// An action manifest.
    Action(&'a ActionManifest),
}

/// What stands where.
#[derive(Debug)]
pub struct Subject<'a> {
    /// The file.
    pub file: &'a SourceFile,
    /// What it was read into.
    pub document: Document<'a>,
    /// Settings and surroundings.
    pub context: &'a LintContext,
    /// Every step of every job, the steps of groups after their group.
    pub steps: Vec<StepView<'a>>,
    /// Every expression.
    pub sites: Vec<Site<'a>>,
    /// The steps of each job, by the job's index.
    job_steps: Vec<Range<usize>>,
}

/// A step with where it belongs.
#[derive(Debug)]
pub struct StepView<'a> {
    /// The index of its job; `None` in an action.
    pub job: Option<usize>,
    /// Itself.
    pub step: &'a Step,
    /// What carries out its script.
    pub shell: Shell,
    /// Its script, if a POSIX shell carries it out and it is not longer than [`StepView::MAX_SCRIPT`].
    pub script: Option<Script<'a>>,
    /// Where the lines of its script stand, once somebody has asked.
    lines: OnceCell<Option<Lines>>,
}

/// What carries out a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shell {
    /// bash, with `-e`; `pipefail` only if the file says `shell: bash`.
    Bash {
        /// Whether a failing part of a pipe fails the pipe.
        pipefail: bool,
    },
    /// `sh -e`.
    Sh,
    /// `PowerShell`, Windows' or the other one.
    PowerShell,
    /// Anything else, and what is known only at run time.
    Other,
}

impl Shell {
    /// Whether its scripts are in the language of the POSIX shell.
    pub fn is_posix(self) -> bool {
        matches!(self, Self::Bash { .. } | Self::Sh)
    }
}

/// What an expression stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The script of `run`.
    Run,
    /// `shell`.
    Shell,
    /// `with` of an action or reusable workflow.
    With,
    /// `env` of a step, job or workflow.
    Env,
    /// `if`.
    If,
    /// `outputs` of a job, a reusable workflow or an action.
    Outputs,
    /// `secrets` of a call.
    Secrets,
    /// Elsewhere.
    Other,
}

/// One expression in the file.
#[derive(Debug)]
pub struct Site<'a> {
    /// The expression with its place.
    pub embedded: &'a Embedded,
    /// What it reads.
    pub references: Vec<Reference<'a>>,
    /// What it stands in.
    pub place: Place,
    /// The key of the entry it is in: the input for `With`, the variable for `Env`, the output for `Outputs`.
    pub key: Option<&'a str>,
    /// The index of its job.
    pub job: Option<usize>,
    /// The index of its step in [`Subject::steps`].
    pub step: Option<usize>,
}

impl Site<'_> {
    /// Where a reference stands in the file.
    pub fn locate(&self, reference: &Reference<'_>) -> Span {
        self.embedded.locate(reference.span)
    }
}

impl<'a> StepView<'a> {
    /// Longer scripts, in bytes, are no scripts that anyone wrote.
    pub const MAX_SCRIPT: usize = 64 * 1024;

    /// The token of the script of a `run` step.
    pub fn run(&self) -> Option<&'a Token> {
        match &self.step.kind {
            StepKind::Run { script, .. } => Some(script),
            _ => None,
        }
    }

    /// The action's reference and inputs.
    pub fn uses(&self) -> Option<(&'a longshore_syntax::Spanned<String>, Option<&'a Token>)> {
        match &self.step.kind {
            StepKind::Uses { uses, with } => Some((uses, with.as_ref())),
            _ => None,
        }
    }

    /// The name of the action before `@` in lower case, if it is one of a repository.
    pub fn action(&self) -> Option<String> {
        let (uses, _) = self.uses()?;
        let (name, _) = uses.value.split_once('@')?;
        (!name.starts_with('.') && !name.starts_with("docker:")).then(|| name.to_ascii_lowercase())
    }

    /// The text of an input, expressions and all.
    pub fn input(&self, name: &str) -> Option<&'a str> {
        self.input_token(name)?.node.as_str()
    }

    /// The token of an input, whatever the case of its name.
    pub fn input_token(&self, name: &str) -> Option<&'a Token> {
        let (_, with) = self.uses()?;
        let is_name = |key: &Token| key.as_str().is_some_and(|key| key.eq_ignore_ascii_case(name));
        with?.entries().iter().find(|(key, _)| is_name(key)).map(|(_, value)| value)
    }

    /// Where a part of the script stands; the whole script where that cannot be told exactly.
    pub fn locate(&self, file: &SourceFile, range: &Range<usize>) -> Span {
        let whole = self.run().map_or(self.step.span, Token::span);
        self.locate_exactly(file, range).unwrap_or_else(|| {
            let node = self.run().map(|run| &run.node).filter(|_| whole.range().len() <= Self::MAX_SCRIPT);
            node.map_or(whole, |node| node.locate(file, range.clone()))
        })
    }

    /// Where a part of the script stands, if it can be edited there.
    pub fn locate_exactly(&self, file: &SourceFile, range: &Range<usize>) -> Option<Span> {
        let node = &self.run()?.node;
        let lines = self.lines.get_or_init(|| Lines::of(file, node)).as_ref()?;
        lines.locate(node.as_str()?, range)
    }
}

impl<'a> Subject<'a> {
    /// A workflow as rules see it.
    pub fn of_workflow(workflow: &'a Workflow, context: &'a LintContext) -> Self {
        let mut subject = Self::new(&workflow.file, Document::Workflow(workflow), context);
        for part in [&workflow.run_name, &workflow.defaults.shell, &workflow.defaults.working_directory] {
            subject.add(part.as_ref(), Place::Other, None, None);
        }
        subject.add_entries(workflow.env.as_ref(), Place::Env, None, None);
        subject.add(workflow.concurrency.as_ref().map(|it| &it.token), Place::Other, None, None);
        for trigger in &workflow.triggers {
            for input in &trigger.inputs {
                subject.add(input.default.as_ref(), Place::Other, None, None);
            }
            for output in &trigger.outputs {
                subject.add(Some(&output.value), Place::Outputs, None, None);
            }
        }
        for (index, job) in workflow.jobs.iter().enumerate() {
            let from = subject.steps.len();
            subject.add_job(workflow, index, job);
            subject.job_steps.push(from..subject.steps.len());
        }
        subject
    }

    /// An action manifest as rules see it.
    pub fn of_action(action: &'a ActionManifest, context: &'a LintContext) -> Self {
        let mut subject = Self::new(&action.file, Document::Action(action), context);
        for output in &action.outputs {
            subject.add(output.value.as_ref(), Place::Outputs, None, None);
        }
        match &action.runs {
            Some(Runs::Composite { steps }) => {
                steps.iter().for_each(|step| subject.add_step(None, step, Shell::Other));
            }
            Some(Runs::Docker { args, env, .. }) => {
                args.iter().for_each(|arg| subject.add(Some(arg), Place::Other, None, None));
                subject.add_entries(env.as_ref(), Place::Env, None, None);
            }
            _ => {}
        }
        subject
    }

    fn new(file: &'a SourceFile, document: Document<'a>, context: &'a LintContext) -> Self {
        Self { file, document, context, steps: Vec::new(), sites: Vec::new(), job_steps: Vec::new() }
    }

    /// The workflow, if the file is one.
    pub fn workflow(&self) -> Option<&'a Workflow> {
        match self.document {
            Document::Workflow(workflow) => Some(workflow),
            Document::Action(_) => None,
        }
    }

    /// The jobs, none in an action.
    pub fn jobs(&self) -> &'a [Job] {
        self.workflow().map_or(&[], |workflow| &workflow.jobs)
    }

    /// The steps of a job, or of the action.
    pub fn steps_of(&self, job: Option<usize>) -> impl Iterator<Item = &StepView<'a>> {
        let range = match job {
            Some(job) => self.job_steps.get(job).cloned().unwrap_or(0..0),
            None => 0..if self.workflow().is_some() { 0 } else { self.steps.len() },
        };
        self.steps.get(range).unwrap_or(&[]).iter()
    }

    /// Whether an event starts the workflow.
    pub fn has_trigger(&self, event: &str) -> bool {
        self.workflow().is_some_and(|workflow| workflow.trigger(event).is_some())
    }

    fn add_job(&mut self, workflow: &'a Workflow, index: usize, job: &'a Job) {
        let at = Some(index);
        self.add_condition(&job.condition, at, None);
        for part in [&job.name, &job.strategy] {
            self.add(part.as_ref(), Place::Other, at, None);
        }
        self.add(job.concurrency.as_ref().map(|it| &it.token), Place::Other, at, None);
        match &job.kind {
            JobKind::Call(call) => {
                self.add_entries(call.with.as_ref(), Place::With, at, None);
                if let longshore_workflow::model::CallSecrets::Mapping(token) = &call.secrets {
                    self.add_entries(Some(token), Place::Secrets, at, None);
                }
            }
            JobKind::Steps(steps) => self.add_steps_job(workflow, index, steps),
        }
    }

    fn add_steps_job(&mut self, workflow: &'a Workflow, index: usize, job: &'a StepsJob) {
        let at = Some(index);
        let defaults = &job.defaults;
        for part in [
            &job.runs_on,
            &job.environment,
            &job.timeout_minutes,
            &job.cancel_timeout_minutes,
            &job.continue_on_error,
            &job.container,
            &job.services,
            &job.snapshot,
            &defaults.shell,
            &defaults.working_directory,
        ] {
            self.add(part.as_ref(), Place::Other, at, None);
        }
        self.add_entries(job.env.as_ref(), Place::Env, at, None);
        self.add_entries(job.outputs.as_ref(), Place::Outputs, at, None);
        let default = defaults.shell.as_ref().or(workflow.defaults.shell.as_ref());
        let shell = default.map_or_else(|| native_shell(job), |token| shell_of(Some(token)));
        for step in &job.steps {
            self.add_step(at, step, shell);
        }
    }

    fn add_step(&mut self, job: Option<usize>, step: &'a Step, default: Shell) {
        let at = Some(self.steps.len());
        let mut view = StepView { job, step, shell: default, script: None, lines: OnceCell::new() };
        if let StepKind::Run { script, shell, .. } = &step.kind {
            if shell.is_some() {
                view.shell = shell_of(shell.as_ref());
            }
            if view.shell.is_posix() {
                let text = script.node.as_str().filter(|text| text.len() <= StepView::MAX_SCRIPT);
                view.script = text.map(script::parse);
            }
        }
        self.steps.push(view);
        self.add_condition(&step.condition, job, at);
        for part in [&step.name, &step.continue_on_error, &step.timeout_minutes] {
            self.add(part.as_ref(), Place::Other, job, at);
        }
        self.add_entries(step.env.as_ref(), Place::Env, job, at);
        match &step.kind {
            StepKind::Run { script, shell, working_directory } => {
                self.add(Some(script), Place::Run, job, at);
                self.add(shell.as_ref(), Place::Shell, job, at);
                self.add(working_directory.as_ref(), Place::Other, job, at);
            }
            StepKind::Uses { with, .. } => self.add_entries(with.as_ref(), Place::With, job, at),
            StepKind::Parallel { steps } => {
                steps.iter().for_each(|step| self.add_step(job, step, default));
            }
            StepKind::Wait { .. } | StepKind::WaitAll | StepKind::Cancel { .. } => {}
        }
    }

    fn add_condition(&mut self, condition: &'a Condition, job: Option<usize>, step: Option<usize>) {
        if let Some(embedded) = &condition.written {
            self.push(embedded, Place::If, None, job, step);
        }
    }

    fn add(&mut self, token: Option<&'a Token>, place: Place, job: Option<usize>, step: Option<usize>) {
        let Some(token) = token else { return };
        let mut found: Vec<&'a Embedded> = Vec::new();
        token.visit(&mut |token| {
            if let TokenKind::Expression(expression) = &token.kind {
                found.extend(&expression.embedded);
            }
        });
        found.into_iter().for_each(|embedded| self.push(embedded, place, None, job, step));
    }

    /// Adds the expressions of a mapping, each with its entry's key.
    fn add_entries(
        &mut self,
        token: Option<&'a Token>,
        place: Place,
        job: Option<usize>,
        step: Option<usize>,
    ) {
        let Some(token) = token else { return };
        if token.entries().is_empty() {
            return self.add(Some(token), place, job, step);
        }
        for (key, value) in token.entries() {
            let from = self.sites.len();
            self.add(Some(key), place, job, step);
            self.add(Some(value), place, job, step);
            self.sites.iter_mut().skip(from).for_each(|site| site.key = key.as_str());
        }
    }

    fn push(
        &mut self,
        embedded: &'a Embedded,
        place: Place,
        key: Option<&'a str>,
        job: Option<usize>,
        step: Option<usize>,
    ) {
        let references = embedded.expr.references();
        self.sites.push(Site { embedded, references, place, key, job, step });
    }
}

/// The shell of steps that name none, by where they run.
fn native_shell(job: &StepsJob) -> Shell {
    let mut windows = false;
    let mut known = job.runs_on.is_some();
    if let Some(runs_on) = &job.runs_on {
        runs_on.visit(&mut |token| match &token.kind {
            TokenKind::String(text) => windows |= text.to_ascii_lowercase().contains("windows"),
            TokenKind::Expression(_) => known &= !mentions_windows(&token.node),
            _ => {}
        });
    }
    match (windows, known) {
        (true, _) => Shell::PowerShell,
        (false, true) => Shell::Bash { pipefail: false },
        (false, false) => Shell::Other,
    }
}

/// Whether a computed `runs-on` says itself that it may be Windows.
fn mentions_windows(node: &Arc<Node>) -> bool {
    node.as_str().is_some_and(|text| text.to_ascii_lowercase().contains("windows"))
}

fn shell_of(token: Option<&Token>) -> Shell {
    let Some(text) = token.and_then(Token::as_str) else { return Shell::Other };
    let mut words = text.split_whitespace();
    let program = words.next().unwrap_or_default();
    match program.rsplit('/').next().unwrap_or_default() {
        // `bash` alone means `bash --noprofile --norc -eo pipefail {0}`.
        "bash" => Shell::Bash { pipefail: text.trim() == "bash" || text.contains("pipefail") },
        "sh" | "dash" => Shell::Sh,
        "pwsh" | "powershell" => Shell::PowerShell,
        _ => Shell::Other,
    }
}
