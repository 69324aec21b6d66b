//! The part of JSON Schema (draft 2020-12) that `docs/plan.schema.json` uses, as a check.

use serde_json::Value;

/// Keywords that are heeded elsewhere, or that say nothing about this value.
const KEYWORDS: &[&str] = &[
    "$schema",
    "$defs",
    "title",
    "description",
    "properties",
    "additionalProperties",
    "items",
    "required",
    "minProperties",
    "maxProperties",
];

/// Where `value` is not as `schema` says. Keywords that are not known here fail, so that none is left out by mistake.
pub(super) fn violations(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(schema, schema, value, "$", &mut found);
    found
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    for (keyword, rule) in schema.as_object().unwrap() {
        match keyword.as_str() {
            "$ref" => {
                let name = rule.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                check(root, &root["$defs"][name], value, at, found);
            }
            "type" => {
                let allowed: Vec<&str> = match rule {
                    Value::Array(words) => words.iter().filter_map(Value::as_str).collect(),
                    word => vec![word.as_str().unwrap()],
                };
                if !allowed.iter().any(|word| is(word, value)) {
                    found.push(format!("{at} is not {}: {value}", allowed.join(" or ")));
                }
            }
            "const" if rule == value => {}
            "enum" if rule.as_array().unwrap().contains(value) => {}
            "const" | "enum" => found.push(format!("{at} is not {rule}: {value}")),
            "required" if value.is_object() => {
                for key in rule.as_array().unwrap().iter().filter_map(Value::as_str) {
                    if value.get(key).is_none() {
                        found.push(format!("{at} lacks {key}"));
                    }
                }
            }
            "oneOf" => {
                let fits = |rule: &&Value| {
                    let mut inner = Vec::new();
                    check(root, rule, value, at, &mut inner);
                    inner.is_empty()
                };
                let number = rule.as_array().unwrap().iter().filter(fits).count();
                if number != 1 {
                    found.push(format!("{at} fits {number} of the alternatives: {value}"));
                }
            }
            "minProperties" | "maxProperties" if value.is_object() => {
                let (number, limit) = (value.as_object().unwrap().len() as u64, rule.as_u64().unwrap());
                let fits = if keyword == "minProperties" { number >= limit } else { number <= limit };
                if !fits {
                    found.push(format!("{at} has {number} keys, {keyword} is {limit}"));
                }
            }
            other if KEYWORDS.contains(&other) => {}
            other => panic!("the schema has a keyword that this check does not know: {other}"),
        }
    }
    descend(root, schema, value, at, found);
}

fn descend(root: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                let place = format!("{at}.{key}");
                let known = schema.get("properties").and_then(|known| known.get(key));
                match known.or_else(|| schema.get("additionalProperties")) {
                    Some(Value::Bool(false)) => found.push(format!("{place} is not in the schema")),
                    Some(rule @ Value::Object(_)) => check(root, rule, value, &place, found),
                    _ => {}
                }
            }
        }
        Value::Array(items) => {
            if let Some(rule) = schema.get("items") {
                for (number, item) in items.iter().enumerate() {
                    check(root, rule, item, &format!("{at}[{number}]"), found);
                }
            }
        }
        _ => {}
    }
}

fn is(word: &str, value: &Value) -> bool {
    match word {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        other => panic!("the schema has a type that there is not: {other}"),
    }
}
