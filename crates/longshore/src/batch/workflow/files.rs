//! `files.parse {kind, text}`.

use longshore_workflow::file_command::{
    EnvDisposition, FileCommandKind, env_disposition, parse_pairs, parse_paths,
};
use serde_json::{Map, Value};

use crate::batch::operation::{OperationError, Parameters};

/// The pairs of an environment file as an object; a later value of a name wins, and variables that the runner does not let
/// steps set are left out, as on the runner.
pub(super) fn parse(parameters: &Parameters<'_>) -> Result<Value, OperationError> {
    let text = parameters.text("text")?;
    let kind = match parameters.text("kind")? {
        "env" => FileCommandKind::Env,
        "output" => FileCommandKind::Output,
        "state" => FileCommandKind::State,
        "path" => return Ok(parse_paths(text).into()),
        other => {
            let message = format!("`kind` is `env`, `output`, `state` or `path`, not `{other}`");
            return Err(OperationError::new("bad-request", message));
        }
    };
    let pairs =
        parse_pairs(kind, text).map_err(|error| OperationError::new("invalid-file", error.to_string()))?;
    let is_set = |name: &str| {
        kind != FileCommandKind::Env || !matches!(env_disposition(name), EnvDisposition::Blocked)
    };
    let set = pairs.into_iter().filter(|(name, _)| is_set(name));
    let object: Map<String, Value> = set.map(|(name, value)| (name, value.into())).collect();
    Ok(Value::Object(object))
}
