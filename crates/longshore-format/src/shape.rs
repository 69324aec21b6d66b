//! What the types of Docker's API say about a document and its JSON does not.
//!
//! Which objects are maps and which are structs, what an absent or `null` member is, and what `index` gives for a missing
//! key all follow from Go's types. [`DOCUMENT`] has the members of the documents of `inspect` (containers, images,
//! networks, volumes) where that makes a difference; everything else is a struct, a slice or a scalar as JSON has it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::value::{INTERFACE, List, Map, Record, Value};

/// Go's type of a value, as far as templates show it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shape {
    /// Anything.
    Any,
    /// A text.
    Text,
    /// A whole number.
    Int,
    /// A struct of the type that is named.
    Record(&'static str),
    /// A pointer of the type that is named.
    Pointer(&'static str),
    /// A slice of these.
    List(&'static Shape),
    /// A map from texts to these.
    Map(&'static Shape),
}

impl Shape {
    /// The name of Go's type.
    pub(crate) fn type_name(self) -> String {
        match self {
            Self::Any => INTERFACE.to_owned(),
            Self::Text => "string".to_owned(),
            Self::Int => "int".to_owned(),
            Self::Record(name) | Self::Pointer(name) => name.to_owned(),
            Self::List(element) => format!("[]{}", element.type_name()),
            Self::Map(element) => format!("map[string]{}", element.type_name()),
        }
    }

    /// The value that Go gives to a variable of this type.
    pub(crate) fn zero(self) -> Value {
        match self {
            Self::Any => Value::Nil(INTERFACE),
            Self::Text => Value::text(""),
            Self::Int => Value::Int(0),
            Self::Record(type_name) => {
                let record = Record { type_name, fields: Vec::new(), omitted: Vec::new(), row: false };
                Value::Record(Arc::new(record))
            }
            Self::Pointer(name) => Value::Nil(name),
            Self::List(element) => {
                Value::List(Arc::new(List { element: *element, items: Vec::new(), nil: true }))
            }
            Self::Map(element) => {
                Value::Map(Arc::new(Map { element: *element, entries: BTreeMap::new(), nil: true }))
            }
        }
    }
}

/// Stands for every parent in a row of [`DOCUMENT`].
const ANYWHERE: &str = "*";

const TEXTS: Shape = Shape::List(&Shape::Text);
const TEXT_MAP: Shape = Shape::Map(&Shape::Text);
const NAME_SET: Shape = Shape::Map(&Shape::Record("struct {}"));
const BINDINGS: Shape = Shape::Map(&Shape::List(&Shape::Record("nat.PortBinding")));

/// The member that the parent is (the top of a document is the empty text), its own name, and its type.
///
/// A row with a parent also says that the field exists where the document leaves it out.
const DOCUMENT: &[(&str, &str, Shape)] = &[
    ("", "Containers", Shape::Map(&Shape::Record("network.EndpointResource"))),
    ("", "ExecIDs", TEXTS),
    ("Config", "ArgsEscaped", Shape::Any),
    ("Config", "ExposedPorts", NAME_SET),
    ("Config", "Healthcheck", Shape::Pointer("*container.HealthConfig")),
    ("Config", "MacAddress", Shape::Text),
    ("Config", "OnBuild", TEXTS),
    ("Config", "Shell", TEXTS),
    ("Config", "StopSignal", Shape::Text),
    ("Config", "StopTimeout", Shape::Pointer("*int")),
    ("GraphDriver", "Data", TEXT_MAP),
    ("HostConfig", "Annotations", TEXT_MAP),
    ("HostConfig", "Init", Shape::Pointer("*bool")),
    ("HostConfig", "StorageOpt", TEXT_MAP),
    ("HostConfig", "Sysctls", TEXT_MAP),
    ("HostConfig", "Tmpfs", TEXT_MAP),
    ("LogConfig", "Config", TEXT_MAP),
    ("Mounts", "Driver", Shape::Text),
    ("Mounts", "Name", Shape::Text),
    ("State", "Health", Shape::Pointer("*container.Health")),
    (ANYWHERE, "Aliases", TEXTS),
    (ANYWHERE, "Args", TEXTS),
    (ANYWHERE, "Binds", TEXTS),
    (ANYWHERE, "CapAdd", TEXTS),
    (ANYWHERE, "CapDrop", TEXTS),
    (ANYWHERE, "Cmd", TEXTS),
    (ANYWHERE, "DNSNames", TEXTS),
    (ANYWHERE, "Dns", TEXTS),
    (ANYWHERE, "DnsOptions", TEXTS),
    (ANYWHERE, "DnsSearch", TEXTS),
    (ANYWHERE, "DriverOpts", TEXT_MAP),
    (ANYWHERE, "Entrypoint", TEXTS),
    (ANYWHERE, "Env", TEXTS),
    (ANYWHERE, "ExtraHosts", TEXTS),
    (ANYWHERE, "GroupAdd", TEXTS),
    (ANYWHERE, "Labels", TEXT_MAP),
    (ANYWHERE, "Layers", TEXTS),
    (ANYWHERE, "Links", TEXTS),
    (ANYWHERE, "MaskedPaths", TEXTS),
    (ANYWHERE, "Networks", Shape::Map(&Shape::Pointer("*network.EndpointSettings"))),
    (ANYWHERE, "Options", TEXT_MAP),
    (ANYWHERE, "PortBindings", BINDINGS),
    (ANYWHERE, "Ports", BINDINGS),
    (ANYWHERE, "ReadonlyPaths", TEXTS),
    (ANYWHERE, "RepoDigests", TEXTS),
    (ANYWHERE, "RepoTags", TEXTS),
    (ANYWHERE, "SecurityOpt", TEXTS),
    (ANYWHERE, "Volumes", NAME_SET),
    (ANYWHERE, "VolumesFrom", TEXTS),
];

/// What the members of a member are, or what it is itself.
fn shape_of(parent: &str, member: &str) -> Option<Shape> {
    let row = DOCUMENT.iter().find(|row| (row.0 == parent || row.0 == ANYWHERE) && row.1 == member);
    row.map(|row| row.2)
}

impl Value {
    /// A document of `inspect`, as Docker's own types hold it: objects are structs, except for the maps of `DOCUMENT`.
    pub fn document(json: &serde_json::Value) -> Self {
        convert(json, "", None)
    }
}

/// Converts the member of a name, of a type that is known or not.
fn convert(json: &serde_json::Value, name: &str, shape: Option<Shape>) -> Value {
    match (json, shape) {
        (serde_json::Value::Null, shape) => shape.unwrap_or(Shape::Pointer("*struct")).zero(),
        (serde_json::Value::Object(object), Some(Shape::Map(element))) => {
            let entry =
                |(key, value): (&String, _)| (key.as_str().into(), convert(value, name, Some(*element)));
            let entries = object.iter().map(entry).collect();
            Value::Map(Arc::new(Map { element: *element, entries, nil: false }))
        }
        (serde_json::Value::Object(_), Some(Shape::Any)) => Value::raw(json),
        (serde_json::Value::Object(object), shape) => record(object, name, shape),
        (serde_json::Value::Array(items), shape) => {
            let element = match shape {
                Some(Shape::List(element)) => *element,
                _ => element_of(items),
            };
            let items = items.iter().map(|item| convert(item, name, Some(element))).collect();
            Value::List(Arc::new(List { element, items, nil: false }))
        }
        (scalar, _) => Value::scalar(scalar),
    }
}

/// A struct, and the fields that its type has beside those that are written.
fn record(object: &serde_json::Map<String, serde_json::Value>, name: &str, shape: Option<Shape>) -> Value {
    let type_name = match shape {
        Some(Shape::Record(name)) => name,
        Some(Shape::Pointer(name)) => name.trim_start_matches('*'),
        _ => "struct",
    };
    let field = |(key, value): (&String, _)| (key.as_str().into(), convert(value, key, shape_of(name, key)));
    let omitted = DOCUMENT
        .iter()
        .filter(|row| row.0 == name && !name.is_empty() && !object.contains_key(row.1))
        .map(|row| (row.1, row.2.zero()))
        .collect();
    Value::Record(Arc::new(Record {
        type_name,
        fields: object.iter().map(field).collect(),
        omitted,
        row: false,
    }))
}

/// What the elements of a list are, if they are all the same.
fn element_of(items: &[serde_json::Value]) -> Shape {
    let shape_of = |item: &serde_json::Value| match item {
        serde_json::Value::String(_) => Shape::Text,
        serde_json::Value::Number(number) if number.is_i64() => Shape::Int,
        serde_json::Value::Object(_) => Shape::Record("struct"),
        _ => Shape::Any,
    };
    let first = items.first().map_or(Shape::Any, shape_of);
    if items.iter().all(|item| shape_of(item) == first) { first } else { Shape::Any }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_get_the_types_of_the_engine() {
        let json = json!({
            "State": {"Running": true},
            "Config": {"Labels": null, "Cmd": null, "Volumes": {"/data": {}}},
            "HostConfig": {"LogConfig": {"Type": "json-file", "Config": {}}},
            "NetworkSettings": {"Networks": {"MyNet": {"IPAddress": "10.0.0.2", "Aliases": null}}},
        });
        let Value::Record(top) = Value::document(&json) else { panic!("a struct") };
        let field = |path: &[&str]| {
            let mut value = Value::Record(Arc::clone(&top));
            for name in path {
                value = match &value {
                    Value::Record(record) => record.field(name).cloned(),
                    Value::Map(map) => map.entries.get(*name).cloned(),
                    _ => None,
                }
                .unwrap_or(Value::Absent);
            }
            value
        };
        assert_eq!(field(&["State", "Health"]), Value::Nil("*container.Health"));
        assert_eq!(field(&["Health"]), Value::Absent);
        assert_eq!(field(&["Config", "Labels"]).type_name(), "map[string]string");
        assert_eq!(field(&["Config", "Cmd"]).type_name(), "[]string");
        assert_eq!(field(&["Config", "Volumes"]).type_name(), "map[string]struct {}");
        assert_eq!(field(&["HostConfig", "LogConfig", "Config"]).type_name(), "map[string]string");
        let network = field(&["NetworkSettings", "Networks", "MyNet"]);
        assert_eq!(network.type_name(), "network.EndpointSettings");
        let aliases = field(&["NetworkSettings", "Networks", "MyNet", "Aliases"]);
        assert_eq!(aliases.type_name(), "[]string");
    }
}
