//! Jobs.

use longshore_syntax::{Span, Spanned};

use super::{Concurrency, Condition, Defaults, Permissions, Step};
use crate::template::Token;

/// One entry of `jobs:`, before its matrix is expanded.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its key.
    pub id: Spanned<String>,
    /// The whole job.
    pub span: Span,
    /// `name:`, text or expression.
    pub name: Option<Token>,
    /// `needs:` in file order.
    pub needs: Vec<Spanned<String>>,
    /// Whether `needs:` stands there at all.
    pub has_needs: bool,
    /// `if:`.
    pub condition: Condition,
    /// `strategy:`, a mapping or an expression.
    pub strategy: Option<Token>,
    /// `permissions:`; `None` leaves the workflow's.
    pub permissions: Option<Permissions>,
    /// `concurrency:`.
    pub concurrency: Option<Concurrency>,
    /// What it does.
    pub kind: JobKind,
}

/// The two kinds of jobs.
#[derive(Debug, Clone)]
pub enum JobKind {
    /// Steps on a runner.
    Steps(Box<StepsJob>),
    /// A reusable workflow.
    Call(Box<CallJob>),
}

/// A job of steps on a runner.
#[derive(Debug, Clone, Default)]
pub struct StepsJob {
    /// `runs-on:`: text, a list, a mapping of `group` and `labels`, or an expression.
    pub runs_on: Option<Token>,
    /// `environment:`.
    pub environment: Option<Token>,
    /// `env:`.
    pub env: Option<Token>,
    /// `defaults.run:`.
    pub defaults: Defaults,
    /// `timeout-minutes:`; 360 without one.
    pub timeout_minutes: Option<Token>,
    /// `cancel-timeout-minutes:`; 5 without one.
    pub cancel_timeout_minutes: Option<Token>,
    /// `continue-on-error:`.
    pub continue_on_error: Option<Token>,
    /// `container:`.
    pub container: Option<Token>,
    /// `services:`.
    pub services: Option<Token>,
    /// `outputs:`, evaluated on the runner when the steps have ended.
    pub outputs: Option<Token>,
    /// `snapshot:`.
    pub snapshot: Option<Token>,
    /// `steps:`.
    pub steps: Vec<Step>,
}

/// A job that calls a reusable workflow.
#[derive(Debug, Clone)]
pub struct CallJob {
    /// `uses:`.
    pub uses: Spanned<String>,
    /// `with:`.
    pub with: Option<Token>,
    /// `secrets:`.
    pub secrets: CallSecrets,
}

/// What a call passes of the caller's secrets.
#[derive(Debug, Clone)]
pub enum CallSecrets {
    /// None.
    None,
    /// `inherit`: all.
    Inherit,
    /// These.
    Mapping(Token),
}

impl Job {
    /// The steps; none for a call.
    pub fn steps(&self) -> &[Step] {
        match &self.kind {
            JobKind::Steps(job) => &job.steps,
            JobKind::Call(_) => &[],
        }
    }
}
