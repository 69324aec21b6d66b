//! `filter.match {patterns, values, mode}`.

use longshore_workflow::filter::{Filter, FilterMode};
use serde_json::Value;

use crate::batch::operation::{OperationError, Parameters};

/// Whether an event with these values would run.
pub(super) fn run(parameters: &Parameters<'_>) -> Result<Value, OperationError> {
    let patterns = parameters.texts("patterns")?;
    let values = parameters.texts("values")?;
    let mode = match parameters.optional_text("mode")?.unwrap_or("filter") {
        "filter" => FilterMode::Filter,
        "ignore" => FilterMode::Ignore,
        other => {
            return Err(OperationError::new(
                "bad-request",
                format!("`mode` is `filter` or `ignore`, not `{other}`"),
            ));
        }
    };
    let filter = Filter::parse(&patterns, mode)
        .map_err(|error| OperationError::new("invalid-pattern", error.to_string()))?;
    Ok(filter.verdict(&values).runs.into())
}
