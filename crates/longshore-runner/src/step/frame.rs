//! A list of steps in its place: those of a job, or those of a composite action.

use longshore_expr::Value;
use longshore_syntax::SourceFile;

use crate::action::ResolvedActions;
use crate::context::Scope;
use crate::job::Progress;
use crate::job::StepResults;

/// A list of steps in its place.
pub(crate) struct Frame<'f> {
    /// The file that the steps stand in.
    pub(crate) file: &'f SourceFile,
    /// The contexts, without what changes from step to step.
    pub(crate) scope: Scope,
    /// The `steps` context.
    pub(crate) results: StepResults,
    /// `env` around the steps.
    pub(crate) env: Vec<(String, String)>,
    /// The actions of the job.
    pub(crate) actions: ActionsOf<'f>,
    /// How many composite actions are around.
    pub(crate) depth: usize,
    /// What its steps have come to so far; for the steps of a job that is the job's status.
    pub(crate) own_status: Option<Progress>,
    /// What stands before `__id` in `github.action` of its steps.
    pub(crate) id_prefix: String,
}

/// The actions of a job, owned by the frame of the job and borrowed by those inside.
pub(crate) enum ActionsOf<'f> {
    Owned(ResolvedActions),
    Shared(&'f ResolvedActions),
}

impl std::ops::Deref for ActionsOf<'_> {
    type Target = ResolvedActions;

    fn deref(&self) -> &ResolvedActions {
        match self {
            Self::Owned(actions) => actions,
            Self::Shared(actions) => actions,
        }
    }
}

impl<'f> Frame<'f> {
    /// The steps of a job.
    pub(crate) fn top(
        file: &'f SourceFile,
        scope: Scope,
        env: Vec<(String, String)>,
        actions: ResolvedActions,
    ) -> Self {
        Self {
            file,
            scope,
            results: StepResults::default(),
            env,
            actions: ActionsOf::Owned(actions),
            depth: 0,
            own_status: None,
            id_prefix: String::new(),
        }
    }

    /// The contexts when all steps have ended.
    pub(crate) fn closing_scope(&self, progress: &Progress) -> Scope {
        let mut scope = self.scope.clone();
        scope.status = progress.status();
        scope.set("steps", self.results.value());
        scope.set_entry("job", "status", Value::from(progress.status().as_str()));
        let mut env = self.env.clone();
        for (name, value) in progress.state().env.clone() {
            crate::environment::set(&mut env, &name, value);
        }
        scope.set(
            "env",
            crate::context::texts(env.iter().map(|(name, value)| (name.as_str(), value.as_str()))),
        );
        scope
    }
}
