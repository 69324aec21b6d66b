//! The contexts that expressions read while a job runs.

use std::path::PathBuf;
use std::sync::Arc;

use longshore_event::Conclusion;
use longshore_expr::{Contexts, EvalError, Object, Value};
use longshore_source::hash_files;

/// Values by context, and the answers of the functions that depend on the runner. Cheap to clone: values are shared.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    values: Vec<(&'static str, Value)>,
    /// What `success()` and its kin answer after.
    pub(crate) status: Conclusion,
    /// The workspace and home directory on this machine, for `hashFiles`.
    pub(crate) files: Option<Arc<Files>>,
}

/// Where `hashFiles` looks.
#[derive(Debug)]
pub(crate) struct Files {
    pub(crate) workspace: PathBuf,
    pub(crate) home: PathBuf,
}

impl Default for Scope {
    fn default() -> Self {
        Self { values: Vec::new(), status: Conclusion::Success, files: None }
    }
}

impl Scope {
    /// Sets a context.
    pub(crate) fn set(&mut self, name: &'static str, value: Value) {
        match self.values.iter_mut().find(|(known, _)| *known == name) {
            Some(entry) => entry.1 = value,
            None => self.values.push((name, value)),
        }
    }

    /// The same with another context.
    pub(crate) fn with(mut self, name: &'static str, value: Value) -> Self {
        self.set(name, value);
        self
    }

    /// A context.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.values.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// An entry of a context as text.
    pub(crate) fn text(&self, context: &str, key: &str) -> Option<String> {
        Some(self.get(context)?.property(key)?.to_text().into_owned())
    }

    /// Sets an entry of a context.
    pub(crate) fn set_entry(&mut self, context: &'static str, key: &str, value: Value) {
        let object = match self.get(context) {
            Some(Value::Object(object)) => object.with(key, value),
            _ => Object::default().with(key, value),
        };
        self.set(context, Value::Object(object));
    }

    /// Sets texts of a context.
    pub(crate) fn set_entries(&mut self, context: &'static str, entries: Vec<(String, String)>) {
        let known = match self.get(context) {
            Some(Value::Object(known)) => known.clone(),
            _ => Object::default(),
        };
        let object = entries
            .into_iter()
            .fold(known, |object, (key, value)| object.with(&key, Value::from(value.as_str())));
        self.set(context, Value::Object(object));
    }
}

impl Contexts for Scope {
    fn context(&self, name: &str) -> Option<Value> {
        self.get(name).cloned()
    }

    fn function(&self, name: &str, args: &[Value]) -> Option<Result<Value, EvalError>> {
        let answer = match name.to_ascii_lowercase().as_str() {
            "always" => true,
            "success" => self.status == Conclusion::Success,
            "failure" => self.status == Conclusion::Failure,
            "cancelled" => self.status == Conclusion::Cancelled,
            "hashfiles" => return Some(self.hash_files(args)),
            _ => return None,
        };
        Some(Ok(Value::Bool(answer)))
    }
}

impl Scope {
    fn hash_files(&self, args: &[Value]) -> Result<Value, EvalError> {
        let Some(files) = &self.files else {
            return Err(EvalError::function("hashFiles is not available here: the job has no workspace yet"));
        };
        let texts: Vec<String> = args.iter().map(|arg| arg.to_text().into_owned()).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        hash_files(&files.workspace, Some(&files.home), &texts)
            .map(|hash| Value::from(hash.as_str()))
            .map_err(|error| {
                EvalError::function(format!("hashFiles('{}') failed. {error}", texts.join(", ")))
            })
    }
}

/// An object of names and texts.
pub(crate) fn texts<'t>(entries: impl IntoIterator<Item = (&'t str, &'t str)>) -> Value {
    Value::Object(entries.into_iter().map(|(name, value)| (name, Value::from(value))).collect())
}
