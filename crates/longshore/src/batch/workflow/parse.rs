//! `workflow.parse {name, text, files}`.

use std::collections::HashMap;

use longshore_syntax::SourceFile;
use longshore_workflow::model::{JobKind, Workflow};
use longshore_workflow::template::Refusal;
use longshore_workflow::{Parsed, check_call, parse_workflow};
use serde_json::{Map, Value, json};

use super::shape;
use crate::batch::operation::{OperationError, Parameters};

/// Reads a workflow. As the published parser does, what the schema refuses is reported alone; what is refused later
/// comes with the jobs that could be read.
pub(super) fn parse(parameters: &Parameters<'_>) -> Result<Value, OperationError> {
    let name = parameters.optional_text("name")?.unwrap_or("workflow.yml");
    let file = SourceFile::new(name, parameters.text("text")?);
    let parsed = parse_workflow(&file);
    let mut errors = messages(&file, &parsed.schema_refusals);
    if !errors.is_empty() {
        return Ok(json!({ "errors": errors }));
    }
    let Some(workflow) = &parsed.model else { return Ok(json!({ "errors": errors })) };
    errors.extend(messages(&file, &parsed.model_refusals));
    let files = called_files(parameters)?;
    let mut called = HashMap::new();
    if let Some(files) = &files {
        for job in &workflow.jobs {
            if let JobKind::Call(call) = &job.kind {
                load(&file, call.uses.value.as_str(), call, files, &mut called, &mut errors);
            }
        }
    }
    let mut object = shape::workflow(workflow, &|uses| called.get(uses).cloned());
    if !errors.is_empty() {
        object.insert("errors".to_owned(), Value::Array(errors));
    }
    Ok(Value::Object(object))
}

/// The texts of called workflows by the reference in `uses`; `./` may be left out.
fn called_files<'a>(parameters: &Parameters<'a>) -> Result<Option<&'a Map<String, Value>>, OperationError> {
    match parameters.0.get("files") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(files)) => Ok(Some(files)),
        Some(_) => Err(OperationError::new("bad-request", "`files` must be an object of texts")),
    }
}

fn load(
    file: &SourceFile,
    uses: &str,
    call: &longshore_workflow::model::CallJob,
    files: &Map<String, Value>,
    called: &mut HashMap<String, Workflow>,
    errors: &mut Vec<Value>,
) {
    let local = uses.trim_start_matches("./");
    let text = files.get(uses).or_else(|| files.get(local)).and_then(Value::as_str);
    let Some(text) = text else {
        errors.push(message(file, Some(call.uses.span.start), "Unable to find reusable workflow"));
        return;
    };
    let inner = SourceFile::new(uses, text);
    let Parsed { model, schema_refusals, model_refusals } = parse_workflow(&inner);
    errors.extend(messages(&inner, &schema_refusals));
    let Some(workflow) = model else { return };
    errors.extend(messages(file, &check_call(call, &workflow)));
    errors.extend(messages(&inner, &model_refusals));
    called.insert(uses.to_owned(), workflow);
}

fn messages(file: &SourceFile, refusals: &[Refusal]) -> Vec<Value> {
    let published = refusals.iter().filter_map(|refusal| Some((refusal, refusal.github.as_deref()?)));
    published.map(|(refusal, text)| message(file, refusal.token.map(|span| span.start), text)).collect()
}

/// An error as GitHub prints it: file, line and column before the text.
fn message(file: &SourceFile, offset: Option<u32>, text: &str) -> Value {
    let name = file.name();
    let place = offset.map_or_else(String::new, |offset| {
        let position = file.position(offset);
        format!(" (Line: {}, Col: {})", position.line, position.column)
    });
    json!({ "Message": format!("{name}{place}: {text}") })
}
