//! What steps leave for the steps after them. Shared by steps that run at the same time.

use std::sync::{Mutex, MutexGuard, PoisonError};

use longshore_event::Conclusion;
use longshore_expr::{Object, Value};

use crate::environment::set;

/// What steps leave for the steps after them.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    state: Mutex<State>,
}

#[derive(Debug, Clone)]
pub(crate) struct State {
    /// Variables that steps have set by `GITHUB_ENV`.
    pub(crate) env: Vec<(String, String)>,
    /// Directories that steps have put before `PATH`, the newest first.
    pub(crate) path: Vec<String>,
    /// `job.status`.
    pub(crate) status: Conclusion,
}

impl Default for State {
    fn default() -> Self {
        Self { env: Vec::new(), path: Vec::new(), status: Conclusion::Success }
    }
}

impl Progress {
    /// What steps before have left.
    pub(crate) fn with(env: Vec<(String, String)>, path: Vec<String>) -> Self {
        Self { state: Mutex::new(State { env, path, ..State::default() }) }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_env(&self, name: &str, value: String) {
        set(&mut self.state().env, name, value);
    }

    /// Puts a directory before `PATH`; one that is there already moves to the front.
    pub(crate) fn add_path(&self, directory: String) {
        let mut state = self.state();
        state.path.retain(|known| *known != directory);
        state.path.insert(0, directory);
    }

    pub(crate) fn status(&self) -> Conclusion {
        self.state().status
    }

    /// A step has ended so; a failure stays one, and a cancelled job stays cancelled.
    pub(crate) fn settle(&self, conclusion: Conclusion) {
        let mut state = self.state();
        state.status = match (state.status, conclusion) {
            (Conclusion::Cancelled, _) | (_, Conclusion::Cancelled) => Conclusion::Cancelled,
            (Conclusion::Failure, _) | (_, Conclusion::Failure) => Conclusion::Failure,
            (status, _) => status,
        };
    }
}

/// The result of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StepResult {
    pub(crate) id: String,
    pub(crate) outcome: String,
    pub(crate) conclusion: String,
    pub(crate) outputs: Vec<(String, String)>,
}

/// The `steps` context: results of steps that have ended, by id.
#[derive(Debug, Default)]
pub(crate) struct StepResults {
    results: Mutex<Object>,
}

impl StepResults {
    /// All results: ids, outcomes, conclusions, outputs.
    pub(crate) fn entries(&self) -> Vec<StepResult> {
        let text = |entry: &Value, key: &str| {
            entry.property(key).map(|value| value.to_text().into_owned()).unwrap_or_default()
        };
        let results = self.results.lock().unwrap_or_else(PoisonError::into_inner);
        results
            .iter()
            .map(|(id, entry)| StepResult {
                id: id.to_string(),
                outcome: text(entry, "outcome"),
                conclusion: text(entry, "conclusion"),
                outputs: match entry.property("outputs") {
                    Some(Value::Object(outputs)) => outputs
                        .iter()
                        .map(|(name, value)| (name.to_string(), value.to_text().into_owned()))
                        .collect(),
                    _ => Vec::new(),
                },
            })
            .collect()
    }

    pub(crate) fn value(&self) -> Value {
        Value::Object(self.results.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// Adds a step. Those whose ids are made up are in no context, as on GitHub.
    pub(crate) fn set(
        &self,
        id: &str,
        outcome: Conclusion,
        conclusion: Conclusion,
        outputs: &[(String, String)],
    ) {
        if id.starts_with("__") {
            return;
        }
        let outputs: Object =
            outputs.iter().map(|(name, value)| (name.as_str(), Value::from(value.as_str()))).collect();
        let entry: Object = [
            ("outputs", Value::Object(outputs)),
            ("outcome", Value::from(outcome.as_str())),
            ("conclusion", Value::from(conclusion.as_str())),
        ]
        .into_iter()
        .collect();
        let mut results = self.results.lock().unwrap_or_else(PoisonError::into_inner);
        *results = results.with(id, Value::Object(entry));
    }
}
