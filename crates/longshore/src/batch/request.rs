//! From a line to its answer.

use std::panic::{AssertUnwindSafe, catch_unwind};

use longshore_syntax::suggest;
use serde_json::{Map, Value, json};

use super::line::MAX_BYTES;
use super::operation::{Operation, OperationError, Parameters};
use super::operations;

/// What can be asked about the door itself.
pub(super) const OPERATIONS: &[Operation] = &[Operation {
    name: "batch.operations",
    summary: "lists the operations",
    run: |_| {
        let list = operations().map(|each| json!({ "op": each.name, "summary": each.summary }));
        Ok(list.collect())
    },
}];

/// The answer to a request, one line of JSON without line feed. Whatever the line holds, there is one.
pub(crate) fn answer(line: &[u8]) -> String {
    let request: Map<String, Value> = match serde_json::from_slice(line) {
        Ok(request) => request,
        Err(error) => {
            let error =
                OperationError::new("bad-request", format!("a request is one JSON object a line: {error}"));
            return render(None, Err(error));
        }
    };
    render(request.get("id"), perform(&request))
}

/// The answer to a line that was not read.
pub(crate) fn too_long() -> String {
    render(None, Err(OperationError::new("too-long", format!("a request has at most {MAX_BYTES} bytes"))))
}

fn perform(request: &Map<String, Value>) -> Result<Value, OperationError> {
    let name = Parameters(request).text("op")?;
    // Parameters stand beside `op`, or together in `params`.
    let parameters = Parameters(request.get("params").and_then(Value::as_object).unwrap_or(request));
    let Some(operation) = operations().find(|operation| operation.name == name) else {
        let near = suggest::nearest(name, operations().map(|operation| operation.name));
        let hint = near.map_or_else(
            || "`batch.operations` lists them".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        return Err(OperationError::new(
            "unknown-operation",
            format!("no operation is called `{name}`; {hint}"),
        ));
    };
    // The door stays open even if we are wrong; the hook has told standard error about it.
    catch_unwind(AssertUnwindSafe(|| (operation.run)(&parameters))).unwrap_or_else(|_| {
        Err(OperationError::new("internal", "longshore made a mistake; see standard error"))
    })
}

fn render(id: Option<&Value>, result: Result<Value, OperationError>) -> String {
    let mut answer = Map::new();
    if let Some(id) = id {
        answer.insert("id".to_owned(), id.clone());
    }
    match result {
        Ok(value) => answer.insert("ok".to_owned(), value),
        Err(OperationError { kind, message, detail }) => {
            let mut error = Map::new();
            error.insert("kind".to_owned(), kind.into());
            error.insert("message".to_owned(), message.into());
            error.extend(detail);
            answer.insert("error".to_owned(), Value::Object(error))
        }
    };
    Value::Object(answer).to_string()
}
