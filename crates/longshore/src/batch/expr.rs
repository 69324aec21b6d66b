//! `expr.*`: the expression language.

use longshore_expr::{Allowed, EvalError, MapContexts, Template, Value, eval};
use longshore_syntax::{Code, Span};
use serde_json::json;

use super::operation::{Operation, OperationError, Parameters};
use crate::expression::{self, Surroundings, moved};

/// What can be asked about expressions.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "expr.eval", summary: "evaluates an expression", run: evaluate },
    Operation { name: "expr.interpolate", summary: "replaces the expressions in a text", run: interpolate },
];

fn evaluate(parameters: &Parameters<'_>) -> Result<serde_json::Value, OperationError> {
    let text = parameters.text("expr")?;
    let contexts = contexts(parameters)?;
    let (offset, expr) = expression::parse(text, &expression::names(&contexts));
    let expr =
        expr.map_err(|error| failed("parse", error.to_string(), error.code(), moved(error.span, offset)))?;
    let value = eval(&expr, &Surroundings(&contexts)).map_err(|error| no_value(&error, offset))?;
    Ok(expression::json(&value))
}

fn interpolate(parameters: &Parameters<'_>) -> Result<serde_json::Value, OperationError> {
    let text = parameters.text("text")?;
    let contexts = contexts(parameters)?;
    let names = expression::names(&contexts);
    let template = Template::parse(text, Some(&Allowed::from_items(&names)))
        .map_err(|error| failed("parse", error.to_string(), error.code(), error.span))?;
    let value = template.eval(&Surroundings(&contexts)).map_err(|error| no_value(&error, 0))?;
    Ok(value.to_text().into())
}

fn contexts(parameters: &Parameters<'_>) -> Result<MapContexts, OperationError> {
    let Some(object) = parameters.object("contexts")? else { return Ok(MapContexts::default()) };
    let entries = object.iter().map(|(name, value)| (name.as_str(), Value::from(value)));
    Ok(MapContexts::new(entries.collect()))
}

fn no_value(error: &EvalError, offset: usize) -> OperationError {
    failed("evaluation", error.to_string(), error.code(), moved(error.span, offset))
}

fn failed(kind: &'static str, message: String, code: Code, span: Span) -> OperationError {
    let mut error = OperationError::new(kind, message);
    error.detail.insert("code".to_owned(), code.0.into());
    error.detail.insert("start".to_owned(), json!(span.start));
    error.detail.insert("end".to_owned(), json!(span.end));
    error
}
