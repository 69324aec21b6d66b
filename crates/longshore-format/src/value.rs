//! What templates see: JSON values, with what Go's types would add.
//!
//! Go prints, ranges and fails differently for structs and maps, for nil slices and empty ones, and for a nil pointer and
//! an interface that holds nothing. JSON knows none of that, so a caller says it by the kind of value it builds:
//! [`Value::raw`] takes a document as Go's decoder does when it knows no types, [`Value::document`] as the structs of
//! Docker's API, and [`Value::row`] makes a line of a listing.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::shape::Shape;

/// A value of a template. It is cheap to clone.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing at all, such as the entry of a key that a map does not have. It prints as `<no value>`.
    Absent,
    /// A nil pointer of the type that is named, or a nil interface.
    Nil(&'static str),
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number without sign: what indexing a text gives.
    Uint(u64),
    /// A number with a fraction.
    Float(f64),
    /// A text.
    Text(Arc<str>),
    /// A slice.
    List(Arc<List>),
    /// A map, whose keys are sorted wherever they show.
    Map(Arc<Map>),
    /// A struct: its fields keep their order, and there are no others.
    Record(Arc<Record>),
    /// A method that takes a name and returns a text, such as `.Label "com.example"`.
    Lookup(Arc<Lookup>),
}

/// What a method does with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// Finds the text that belongs to it.
    Entries(BTreeMap<Arc<str>, Arc<str>>),
    /// Makes it the title of a column.
    Title,
}

impl Lookup {
    /// The text for a name.
    pub(crate) fn text(&self, name: &str) -> Arc<str> {
        match self {
            Self::Entries(entries) => entries.get(name).cloned().unwrap_or_default(),
            Self::Title => {
                let last = name.rsplit('.').next().unwrap_or(name);
                last.replace(['-', '_'], " ").into()
            }
        }
    }
}

/// The name of Go's type of a value that may be anything.
pub(crate) const INTERFACE: &str = "interface {}";

/// A slice.
#[derive(Debug, Clone, PartialEq)]
pub struct List {
    /// What the elements are, which decides about the type's name.
    pub(crate) element: Shape,
    /// The elements.
    pub(crate) items: Vec<Value>,
    /// Whether this is Go's nil slice: it prints as an empty one, and is `null` in JSON.
    pub(crate) nil: bool,
}

/// A map from texts.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    /// What the entries are, which decides what `index` gives for a key that is missing.
    pub(crate) element: Shape,
    /// The entries.
    pub(crate) entries: BTreeMap<Arc<str>, Value>,
    /// Whether this is Go's nil map.
    pub(crate) nil: bool,
}

/// A struct.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The name of Go's type, which messages show.
    pub(crate) type_name: &'static str,
    /// The fields in their order.
    pub(crate) fields: Vec<(Arc<str>, Value)>,
    /// Fields that the type has and the document leaves out, because they are empty.
    pub(crate) omitted: Vec<(&'static str, Value)>,
    /// Whether this is a line of a listing: Docker writes the JSON of those with sorted keys, and escapes `<`, `>` and `&`.
    pub(crate) row: bool,
}

impl Value {
    /// A text.
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into())
    }

    /// A slice of texts.
    pub fn texts<I: IntoIterator<Item: Into<Arc<str>>>>(items: I) -> Self {
        let items = items.into_iter().map(Self::text).collect();
        Self::List(Arc::new(List { element: Shape::Text, items, nil: false }))
    }

    /// A map from texts to texts.
    pub fn text_map<K: Into<Arc<str>>, V: Into<Arc<str>>>(entries: impl IntoIterator<Item = (K, V)>) -> Self {
        Self::Map(Arc::new(Map::texts(entries)))
    }

    /// A line of a listing. Its type's name shows in messages about fields that it does not have.
    pub fn row(type_name: &'static str, fields: impl IntoIterator<Item = (&'static str, Self)>) -> Self {
        let fields = fields.into_iter().map(|(name, value)| (name.into(), value)).collect();
        Self::Record(Arc::new(Record { type_name, fields, omitted: Vec::new(), row: true }))
    }

    /// The method `.Label NAME` of a line of a listing.
    pub fn lookup<K: Into<Arc<str>>, V: Into<Arc<str>>>(entries: impl IntoIterator<Item = (K, V)>) -> Self {
        let entries = entries.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        Self::Lookup(Arc::new(Lookup::Entries(entries)))
    }

    /// A document as Go decodes JSON without knowing its type: all objects are maps.
    pub fn raw(json: &serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Nil(INTERFACE),
            serde_json::Value::Array(items) => {
                let items = items.iter().map(Self::raw).collect();
                Self::List(Arc::new(List { element: Shape::Any, items, nil: false }))
            }
            serde_json::Value::Object(object) => {
                let entries =
                    object.iter().map(|(key, value)| (key.as_str().into(), Self::raw(value))).collect();
                Self::Map(Arc::new(Map { element: Shape::Any, entries, nil: false }))
            }
            scalar => Self::scalar(scalar),
        }
    }

    /// A scalar of JSON.
    pub(crate) fn scalar(json: &serde_json::Value) -> Self {
        match json {
            serde_json::Value::Bool(truth) => Self::Bool(*truth),
            serde_json::Value::String(text) => Self::text(text.as_str()),
            serde_json::Value::Number(number) => {
                if let Some(int) = number.as_i64() {
                    Self::Int(int)
                } else if let Some(uint) = number.as_u64() {
                    Self::Uint(uint)
                } else {
                    Self::Float(number.as_f64().unwrap_or_default())
                }
            }
            _ => Self::Nil(INTERFACE),
        }
    }

    /// Go's notion of truth: what is neither zero, nil nor empty.
    pub(crate) fn is_true(&self) -> bool {
        match self {
            Self::Absent | Self::Nil(_) => false,
            Self::Bool(truth) => *truth,
            Self::Int(number) => *number != 0,
            Self::Uint(number) => *number != 0,
            Self::Float(number) => *number != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::List(list) => !list.items.is_empty(),
            Self::Map(map) => !map.entries.is_empty(),
            Self::Record(_) | Self::Lookup(_) => true,
        }
    }

    /// The name of Go's type.
    pub(crate) fn type_name(&self) -> String {
        match self {
            Self::Absent => "<nil>".to_owned(),
            Self::Nil(name) => (*name).to_owned(),
            Self::Bool(_) => "bool".to_owned(),
            Self::Int(_) => "int".to_owned(),
            Self::Uint(number) => if u8::try_from(*number).is_ok() { "uint8" } else { "uint64" }.to_owned(),
            Self::Float(_) => "float64".to_owned(),
            Self::Text(_) => "string".to_owned(),
            Self::List(list) => format!("[]{}", list.element.type_name()),
            Self::Map(map) => format!("map[string]{}", map.element.type_name()),
            Self::Record(record) => record.type_name.to_owned(),
            Self::Lookup(_) => "func(string) string".to_owned(),
        }
    }
}

impl Map {
    /// A map from texts to texts.
    fn texts<K: Into<Arc<str>>, V: Into<Arc<str>>>(entries: impl IntoIterator<Item = (K, V)>) -> Self {
        let entries = entries.into_iter().map(|(key, value)| (key.into(), Value::text(value))).collect();
        Self { element: Shape::Text, entries, nil: false }
    }
}

impl Record {
    /// The field of a name.
    pub(crate) fn field(&self, name: &str) -> Option<&Value> {
        let written = self.fields.iter().find(|(field, _)| &**field == name).map(|(_, value)| value);
        written.or_else(|| self.omitted.iter().find(|(field, _)| *field == name).map(|(_, value)| value))
    }
}
