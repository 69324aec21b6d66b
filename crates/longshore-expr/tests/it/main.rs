//! What the expression language does, seen from outside.
//!
//! The rows of the tables were confirmed against GitHub's published evaluator (`@actions/expressions` 0.3), except
//! those about the differences that the crate's documentation lists.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

mod evaluation;
mod functions;
mod limits;
mod properties;
mod references;
mod syntax;
mod templates;
mod values;

use longshore_expr::{Allowed, Contexts, EvalError, MapContexts, Value, eval, parse_allowed};

/// What the tables may name.
const ALLOWED: Allowed<'static> = Allowed::from_items(&[
    "github",
    "env",
    "arr",
    "nest",
    "mixed",
    "hashFiles(1,255)",
    "always(0,0)",
    "fail(0,0)",
]);

/// The contexts of the tables.
const CONTEXTS: &str = r#"{
  "github": {
    "ref": "refs/heads/main", "Name": "Ada", "true": "yes", "null": null,
    "items": [{"name": "one", "list": [1, 2]}, {"NAME": "two", "list": [3]}, {"x": null}, "text", null]
  },
  "env": {"A": "1", "EMPTY": ""},
  "arr": [0, 1, "a", "B", null, true, 1.5, [1, 2], {"a": 1}],
  "nest": [[1, 2], [3, [4, 5]], [], [{"a": {"b": 2}}, {"a": {"b": 3}}]],
  "mixed": {"a": [{"id": 1}, {"id": 2}, {"ID": 3}], "b": {"id": 4}, "name": "m"}
}"#;

/// The contexts of the tables, with functions.
struct Surroundings(MapContexts);

impl Contexts for Surroundings {
    fn context(&self, name: &str) -> Option<Value> {
        self.0.context(name)
    }

    fn function(&self, name: &str, args: &[Value]) -> Option<Result<Value, EvalError>> {
        match name.to_ascii_lowercase().as_str() {
            "hashfiles" => Some(Ok(Value::from(format!("hash of {}", args.len())))),
            "always" => Some(Ok(Value::Bool(true))),
            "fail" => Some(Err(EvalError::function("the disk is gone"))),
            _ => None,
        }
    }
}

fn surroundings() -> Surroundings {
    Surroundings(MapContexts::from_json(CONTEXTS).unwrap())
}

/// The value as compact JSON in which no number is lost.
fn show(value: &Value) -> String {
    match value {
        Value::Number(number) if !number.is_finite() => value.to_text().into_owned(),
        Value::Number(number) if *number == 0.0 && number.is_sign_negative() => "-0".to_owned(),
        Value::Array(items) => format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(",")),
        Value::Object(object) => {
            let entries = object.iter().map(|(key, value)| format!("{key}:{}", show(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
        }
        _ => value.to_json_compact(),
    }
}

/// The value of an expression, or `error: …`.
fn result(text: &str) -> String {
    let expr = match parse_allowed(text, &ALLOWED) {
        Ok(expr) => expr,
        Err(error) => return format!("error: {error}"),
    };
    match eval(&expr, &surroundings()) {
        Ok(value) => show(&value),
        Err(error) => format!("error: {error}"),
    }
}

/// Checks expressions against what they give, and reports every row that differs.
fn check(rows: &[(&str, &str)]) {
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|(text, expected)| {
            let found = result(text);
            (found != *expected).then(|| format!("{text}\n  expected {expected}\n  found    {found}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
