//! Steps of a plan.

use longshore_syntax::Span;

use super::Planned;

/// One step.
#[derive(Debug, Clone, PartialEq)]
pub struct StepPlan {
    /// Its id: the file's, or one made like GitHub's.
    pub id: String,
    /// Where it stands.
    pub span: Span,
    /// What GitHub shows: its name, or what it does.
    pub name: Planned<String>,
    /// Its `if:` as written.
    pub condition: Option<String>,
    /// Whether the next step does not wait for it.
    pub background: bool,
    /// What it does.
    pub kind: StepPlanKind,
}

/// The kinds of steps.
#[derive(Debug, Clone, PartialEq)]
pub enum StepPlanKind {
    /// A script.
    Run,
    /// An action.
    Uses {
        /// As written.
        uses: String,
    },
    /// Waits for background steps.
    Wait {
        /// Their ids.
        targets: Vec<String>,
    },
    /// Waits for all background steps.
    WaitAll,
    /// Ends a background step.
    Cancel {
        /// Its id.
        target: String,
    },
    /// Steps at the same time.
    Parallel {
        /// The steps.
        steps: Vec<StepPlan>,
    },
}
