//! What GitHub calls the job of a cell.

use longshore_expr::{Object, Value};

/// Longer names are cut; measured in UTF-16 units, as GitHub does.
pub const MAX_NAME: usize = 100;

/// The name of a cell: the job's name with the cell's values in parentheses. The values of lists and mappings stand
/// there one by one, empty ones are left out.
pub fn cell_name(job: &str, cell: &Object) -> String {
    let mut values = Vec::new();
    cell.iter().for_each(|(_, value)| leaves(value, 0, &mut values));
    if values.is_empty() {
        return cut(job.to_owned());
    }
    cut(format!("{job} ({})", values.join(", ")))
}

fn leaves(value: &Value, depth: usize, found: &mut Vec<String>) {
    // A name is cut anyway; so many values cannot show in it.
    if depth > longshore_expr::json::MAX_DEPTH || found.len() > MAX_NAME {
        return;
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| leaves(item, depth + 1, found)),
        Value::Object(entries) => entries.iter().for_each(|(_, value)| leaves(value, depth + 1, found)),
        value => {
            let text = value.to_text();
            if !text.is_empty() {
                found.push(text.into_owned());
            }
        }
    }
}

fn cut(name: String) -> String {
    if name.encode_utf16().count() <= MAX_NAME {
        return name;
    }
    let mut units = 0;
    let kept: String = name
        .chars()
        .take_while(|c| {
            units += c.len_utf16();
            units <= MAX_NAME - 3
        })
        .collect();
    format!("{kept}...")
}
