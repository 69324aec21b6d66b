//! Values of a plan as words: what is known as it is, what is not with what it waits for.

use longshore_expr::{Object, Value};
use longshore_workflow::plan::{Deferred, Planned, RunsOn, TokenPermissions};

use super::layout::Text;
use crate::Role;

/// A value shown by `known`, or why there is none yet.
pub(super) fn planned<T>(value: &Planned<T>, known: impl Fn(&T) -> String) -> Text {
    match value {
        Planned::Known(value) => Text::plain(&known(value)),
        Planned::Deferred(later) => deferred(later),
        Planned::Failed(why) => Text::default().role(Role::Error, "fails").and(": ").and(why),
    }
}

/// The text of a value that comes later, and what it waits for.
pub(super) fn deferred(later: &Deferred) -> Text {
    let text = Text::plain(&one_line(&later.text));
    if later.waits_for.is_empty() {
        return text.faint(" (known when it runs)");
    }
    text.faint(&format!(" (known after {})", later.waits_for.join(", ")))
}

/// The same without markup, for comparing and joining.
pub(super) fn words<T>(value: &Planned<T>, known: impl Fn(&T) -> String) -> String {
    match value {
        Planned::Known(value) => known(value),
        Planned::Deferred(later) => one_line(&later.text),
        Planned::Failed(_) => "?".to_owned(),
    }
}

/// A text without line breaks and indentation.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Items, each once, in order; those beyond `most` are counted.
pub(super) fn list(items: impl IntoIterator<Item = String>, most: usize) -> String {
    let mut unique: Vec<String> = Vec::new();
    for item in items {
        if !item.is_empty() && !unique.contains(&item) {
            unique.push(item);
        }
    }
    let rest = unique.len().saturating_sub(most);
    unique.truncate(most);
    let shown = unique.join(", ");
    if rest == 0 { shown } else { format!("{shown} and {rest} more") }
}

/// The values of one cell, as `--matrix` takes them.
pub(super) fn cell(cell: &Object) -> String {
    let values = cell.iter().map(|(key, value)| format!("{key}: {}", value_text(value)));
    values.collect::<Vec<_>>().join(", ")
}

/// A value on one line.
pub(super) fn value_text(value: &Value) -> String {
    match value {
        Value::Array(_) | Value::Object(_) => value.to_json_compact(),
        Value::String(text) if text.is_empty() => "''".to_owned(),
        value => one_line(&value.to_text()),
    }
}

/// A number without needless digits.
pub(super) fn number(value: f64) -> String {
    Value::Number(value).to_text().into_owned()
}

pub(super) fn runs_on(runner: &RunsOn) -> String {
    let labels = runner.labels.join(" ");
    match &runner.group {
        Some(group) if labels.is_empty() => format!("group {group}"),
        Some(group) => format!("group {group}: {labels}"),
        None => labels,
    }
}

/// What a token may do; nothing for the default of the repository.
pub(super) fn permissions(permissions: &TokenPermissions) -> String {
    match permissions {
        TokenPermissions::RepositoryDefault => String::new(),
        TokenPermissions::All(access) => format!("{}-all", access.as_str()),
        TokenPermissions::Scopes(scopes) if scopes.is_empty() => "none".to_owned(),
        TokenPermissions::Scopes(scopes) => {
            let scopes = scopes.iter().map(|(scope, access)| format!("{scope}: {}", access.as_str()));
            scopes.collect::<Vec<_>>().join(", ")
        }
    }
}

/// An action without the digits of its commit that nobody reads.
pub(super) fn short_action(uses: &str) -> String {
    match uses.rsplit_once('@') {
        Some((name, version)) if is_commit(version) => {
            format!("{name}@{}", version.get(..7).unwrap_or(version))
        }
        Some((name, version)) => match version.split_once(':') {
            Some((kind, digits)) if is_commit(digits) => {
                format!("{name}@{kind}:{}", digits.get(..7).unwrap_or(digits))
            }
            _ => uses.to_owned(),
        },
        None => uses.to_owned(),
    }
}

fn is_commit(version: &str) -> bool {
    version.len() >= 40 && version.bytes().all(|digit| digit.is_ascii_hexdigit())
}
