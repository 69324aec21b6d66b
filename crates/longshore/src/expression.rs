//! Expressions outside of a workflow: what `longshore expr` and `debug batch` share.

use std::path::PathBuf;

use longshore_expr::{Allowed, Contexts, EvalError, Expr, MapContexts, ParseError, Value};
use longshore_source::hash_files;
use longshore_syntax::Span;

/// The contexts and functions that exist somewhere in a workflow.
/// <https://docs.github.com/actions/reference/workflows-and-actions/contexts>
const ANYWHERE: &[&str] = &[
    "github",
    "env",
    "vars",
    "job",
    "jobs",
    "steps",
    "runner",
    "secrets",
    "strategy",
    "matrix",
    "needs",
    "inputs",
    "hashFiles(1,255)",
    "always(0,0)",
    "cancelled(0,0)",
    "failure(0,MAX)",
    "success(0,MAX)",
];

/// The names that may be used where `contexts` are given: those, and what exists in any workflow.
pub(crate) fn names(contexts: &MapContexts) -> Vec<&str> {
    // A name that looks like a function's signature would be taken for one.
    let given = contexts.contexts().iter().map(|(name, _)| name.as_ref()).filter(|name| !name.contains('('));
    ANYWHERE.iter().copied().chain(given).collect()
}

/// Parses a text that is an expression, with `${{` and `}}` around it or without. Places in the result and in errors
/// are counted from the start of the expression proper, which begins at the returned offset.
pub(crate) fn parse(text: &str, names: &[&str]) -> (usize, Result<Expr, ParseError>) {
    let trimmed = text.trim();
    let bare = trimmed.strip_prefix("${{").and_then(|text| text.strip_suffix("}}"));
    let (bare, offset) = match bare {
        Some(bare) => (bare, text.len() - text.trim_start().len() + "${{".len()),
        None => (text, 0),
    };
    (offset, longshore_expr::parse_allowed(bare, &Allowed::from_items(names)))
}

/// A place counted from the start of the expression, counted from the start of the text.
pub(crate) fn moved(span: Span, offset: usize) -> Span {
    Span::new(span.start as usize + offset, span.end as usize + offset)
}

/// Contexts as given, with the functions that this machine can answer.
pub(crate) struct Surroundings<'a>(pub(crate) &'a MapContexts);

impl Contexts for Surroundings<'_> {
    fn context(&self, name: &str) -> Option<Value> {
        self.0.context(name)
    }

    fn function(&self, name: &str, args: &[Value]) -> Option<Result<Value, EvalError>> {
        if name.eq_ignore_ascii_case("hashFiles") {
            return Some(hash_here(args));
        }
        self.0.function(name, args)
    }
}

/// `hashFiles` with the working directory as the workspace.
fn hash_here(args: &[Value]) -> Result<Value, EvalError> {
    let workspace = std::env::current_dir()
        .map_err(|error| EvalError::function(format!("failed to find the working directory: {error}")))?;
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let patterns: Vec<_> = args.iter().map(Value::to_text).collect();
    let patterns: Vec<&str> = patterns.iter().map(AsRef::as_ref).collect();
    let digest = hash_files(&workspace, home.as_deref(), &patterns);
    digest.map(Value::string).map_err(|error| EvalError::function(error.to_string()))
}

/// The value as JSON. What JSON has no word for becomes a string: `"NaN"`, `"Infinity"`, `"-Infinity"`.
pub(crate) fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Number(number) if !number.is_finite() => value.to_text().into_owned().into(),
        Value::Array(items) => items.iter().map(json).collect(),
        Value::Object(object) => {
            let entries = object.iter().map(|(key, value)| (key.to_string(), json(value)));
            serde_json::Value::Object(entries.collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.into(),
    }
}

#[cfg(test)]
mod tests {
    use longshore_expr::{MapContexts, eval};

    use super::{Surroundings, json, names, parse};

    #[test]
    fn what_json_cannot_say_is_spelled_out() {
        let contexts =
            MapContexts::from_json(r#"{"x": {"b": [1, -0, 1.5, 1e21, null], "a": ["ü", true]}}"#).unwrap();
        let value = |text: &str| {
            let (_, expr) = parse(text, &names(&contexts));
            json(&eval(&expr.unwrap(), &Surroundings(&contexts)).unwrap()).to_string()
        };
        assert_eq!(value("x"), r#"{"b":[1,0,1.5,1e+21,null],"a":["ü",true]}"#);
        assert_eq!(value(" ${{ fromJSON('[1e999, -1e999]') }} "), r#"["Infinity","-Infinity"]"#);
        assert_eq!(value("fromJSON(toJSON(0x10))"), "16");
    }
}
