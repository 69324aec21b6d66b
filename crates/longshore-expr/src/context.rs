//! Where names get their values.

use crate::json::JsonError;
use crate::{EvalError, Object, Value};

/// The surroundings of an evaluation.
pub trait Contexts {
    /// The value of a context. `name` is as written; its case does not count. What has no value is null.
    fn context(&self, name: &str) -> Option<Value>;

    /// The result of a function that depends on the surroundings, such as `hashFiles` or `success`; none if there is
    /// no such function here. `name` is as written; its case does not count. The arguments are evaluated.
    fn function(&self, name: &str, args: &[Value]) -> Option<Result<Value, EvalError>> {
        let _ = (name, args);
        None
    }
}

/// Contexts held in an object.
///
/// The status functions answer after `job.status`, as they do in a step: `success()` is true unless the status is
/// something other than `success`, `failure()` and `cancelled()` only with the status of their name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MapContexts {
    contexts: Object,
}

impl MapContexts {
    /// The contexts are the entries of `contexts`.
    pub fn new(contexts: Object) -> Self {
        Self { contexts }
    }

    /// Reads a JSON object whose entries are the contexts.
    pub fn from_json(text: &str) -> Result<Self, JsonError> {
        match Value::from_json(text)? {
            Value::Object(contexts) => Ok(Self { contexts }),
            _ => Err(JsonError { reason: "contexts must be an object", offset: 0 }),
        }
    }

    /// Sets one context.
    pub fn set(&mut self, name: &str, value: Value) {
        self.contexts = self.contexts.with(name, value);
    }

    /// The contexts by name.
    pub fn contexts(&self) -> &Object {
        &self.contexts
    }

    /// The text at `job.status`, or `success`.
    fn status(&self) -> String {
        let status = self.contexts.get("job").and_then(|job| job.property("status"));
        status.map_or_else(|| "success".to_owned(), |status| status.to_text().to_ascii_lowercase())
    }
}

impl Contexts for MapContexts {
    fn context(&self, name: &str) -> Option<Value> {
        self.contexts.get(name).cloned()
    }

    fn function(&self, name: &str, _args: &[Value]) -> Option<Result<Value, EvalError>> {
        let answer = match name.to_ascii_lowercase().as_str() {
            "always" => true,
            "success" => matches!(self.status().as_str(), "success" | ""),
            "failure" => self.status() == "failure",
            "cancelled" => self.status() == "cancelled",
            _ => return None,
        };
        Some(Ok(Value::Bool(answer)))
    }
}
