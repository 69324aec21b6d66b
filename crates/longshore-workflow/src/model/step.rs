//! Steps.

use longshore_syntax::{Span, Spanned};

use super::Condition;
use crate::template::Token;

/// One step of a job or composite action.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its id: the file's, or one made like GitHub's (`__run`, `__actions_checkout`, `__run_2`).
    pub id: String,
    /// `id:` as written.
    pub written_id: Option<Spanned<String>>,
    /// The whole step.
    pub span: Span,
    /// `name:`.
    pub name: Option<Token>,
    /// `if:`.
    pub condition: Condition,
    /// `continue-on-error:`.
    pub continue_on_error: Option<Token>,
    /// `timeout-minutes:`.
    pub timeout_minutes: Option<Token>,
    /// `env:`.
    pub env: Option<Token>,
    /// `background:`: the next step does not wait for this one.
    pub background: Option<Spanned<bool>>,
    /// What it does.
    pub kind: StepKind,
}

/// The kinds of steps.
#[derive(Debug, Clone)]
pub enum StepKind {
    /// A script.
    Run {
        /// The script, text or expression.
        script: Token,
        /// `shell:`.
        shell: Option<Token>,
        /// `working-directory:`.
        working_directory: Option<Token>,
    },
    /// An action.
    Uses {
        /// The action.
        uses: Spanned<String>,
        /// Its inputs.
        with: Option<Token>,
    },
    /// Waits for background steps.
    Wait {
        /// Their ids.
        targets: Vec<Spanned<String>>,
    },
    /// Waits for all background steps before it.
    WaitAll,
    /// Ends a background step.
    Cancel {
        /// Its id.
        target: Spanned<String>,
    },
    /// Steps at the same time; the next step waits for all.
    Parallel {
        /// The steps, `run` and `uses` alone.
        steps: Vec<Step>,
    },
}

impl Step {
    /// This step and the steps of its group.
    pub fn flatten(&self) -> Vec<&Self> {
        match &self.kind {
            StepKind::Parallel { steps } => std::iter::once(self).chain(steps).collect(),
            _ => vec![self],
        }
    }
}
