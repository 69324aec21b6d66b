//! `docs/events.md` against the code: every type of event is documented, and every example is an event.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use longshore_event::{Event, SCHEMA};
use serde_json::Value;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn page() -> String {
    fs::read_to_string(repository().join("docs/events.md")).unwrap()
}

/// The names in the attributes of the types, which is where the wire format is decided.
fn types_of_the_code() -> BTreeSet<String> {
    let mut types = BTreeSet::new();
    for file in fs::read_dir(repository().join("crates/longshore-event/src")).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        for attribute in text.lines().filter(|line| line.trim_start().starts_with("#[serde(")) {
            if let Some((_, name)) =
                attribute.split_once(" rename = \"").or(attribute.split_once("(rename = \""))
            {
                types.insert(name.split('"').next().unwrap().to_owned());
            }
        }
    }
    types
}

/// The sections by type, each with its text.
fn sections(page: &str) -> Vec<(&str, &str)> {
    let parts = page.split("\n### `").skip(1);
    parts
        .map(|part| part.split_once("`\n").unwrap())
        .map(|(name, text)| (name, text.split("\n## ").next().unwrap()))
        .collect()
}

#[test]
fn every_type_is_documented() {
    let page = page();
    let documented: BTreeSet<String> = sections(&page).iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(documented, types_of_the_code());
    assert!(page.starts_with(&format!("# Events of a run: schema {SCHEMA}\n")));
}

#[test]
fn every_example_is_an_event_and_every_field_is_named() {
    let page = page();
    let head = page.split("\n### ").next().unwrap();
    for (name, text) in sections(&page) {
        let example = text.split_once("```json\n").unwrap().1.split_once("\n```").unwrap().0;
        for line in example.lines() {
            let event: Event = serde_json::from_str(line).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(serde_json::to_string(&event).unwrap(), line, "{name}");
            let Value::Object(fields) = serde_json::from_str(line).unwrap() else { panic!("{name}") };
            assert_eq!(fields["type"], name);
            for field in fields.keys() {
                let quoted = format!("`{field}`");
                assert!(
                    text.contains(&quoted) || head.contains(&quoted),
                    "{name}: {field} is not documented"
                );
            }
        }
    }
}
