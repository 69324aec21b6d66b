//! `workflow.plan {name, text, event, payload}`.

use longshore_expr::Value as Payload;
use longshore_syntax::SourceFile;
use longshore_workflow::event::Event;
use longshore_workflow::model::Workflow;
use longshore_workflow::parse_workflow;
use longshore_workflow::plan::stages;
use longshore_workflow::start::{Start, start};
use serde_json::{Map, Value};

use crate::batch::operation::{OperationError, Parameters};

/// The ids of the jobs by stage, whatever their `if` says; no stages if the event does not start the workflow.
pub(super) fn plan(parameters: &Parameters<'_>) -> Result<Value, OperationError> {
    let name = parameters.optional_text("name")?.unwrap_or("workflow.yml");
    let file = SourceFile::new(name, parameters.text("text")?);
    let event = parameters.optional_text("event")?;
    let payload = parameters.object("payload")?.filter(|payload| !payload.is_empty());
    let parsed = parse_workflow(&file);
    // What only github.com refuses, such as a job without steps, leaves the stages as they are.
    let refused =
        parsed.schema_refusals.iter().chain(&parsed.model_refusals).any(|refusal| refusal.github.is_some());
    let Some(workflow) = parsed.model.as_ref().filter(|_| !refused) else {
        let messages = parsed.diagnostics().into_iter().map(|finding| {
            let position = file.position(finding.span.start);
            format!("{name}:{}:{}: {}", position.line, position.column, finding.message)
        });
        return Err(invalid(messages.collect()));
    };
    let stages = if starts(workflow, event, payload) { stages(workflow) } else { Vec::new() };
    Ok(stages.into_iter().map(Value::from).collect())
}

/// Without payload, or with an empty one, any event of the name will do; without both, any event at all.
fn starts(workflow: &Workflow, event: Option<&str>, payload: Option<&Map<String, Value>>) -> bool {
    match (event, payload) {
        (None, None) => true,
        (Some(event), None) => workflow.trigger(event).is_some(),
        (event, Some(payload)) => {
            let payload = Payload::from(&Value::Object(payload.clone()));
            matches!(start(workflow, &Event::from_payload(event, payload)), Start::Starts(_))
        }
    }
}

fn invalid(messages: Vec<String>) -> OperationError {
    let mut error = OperationError::new("invalid-workflow", messages.join("; "));
    error.detail.insert("messages".to_owned(), messages.into());
    error
}
