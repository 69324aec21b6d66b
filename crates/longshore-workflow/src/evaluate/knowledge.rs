//! What is known of the contexts.

use std::sync::Arc;

use longshore_expr::{Array, Object, Value};

/// What is known of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// All of it.
    Known(Value),
    /// Nothing.
    Unknown,
    /// Some of its entries.
    Object {
        /// Names and what is known of them, in order.
        entries: Vec<(Arc<str>, Fact)>,
        /// Whether it may have further entries. If not, what is not listed is null.
        open: bool,
    },
    /// Its items.
    Array(Vec<Fact>),
}

impl Fact {
    /// An object that has these entries and no others.
    pub fn object<K: Into<Arc<str>>>(entries: impl IntoIterator<Item = (K, Self)>) -> Self {
        let entries = entries.into_iter().map(|(key, fact)| (key.into(), fact)).collect();
        Self::Object { entries, open: false }
    }

    /// A text.
    pub fn text(text: &str) -> Self {
        Self::Known(Value::from(text))
    }

    /// A text, or unknown.
    pub fn maybe(text: Option<&str>) -> Self {
        text.map_or(Self::Unknown, Self::text)
    }

    /// `value`, with objects in it that may have more entries than listed.
    pub fn open(value: &Value) -> Self {
        match value {
            Value::Object(object) => Self::Object {
                entries: object.iter().map(|(key, value)| (Arc::clone(key), Self::open(value))).collect(),
                open: true,
            },
            Value::Array(items) => Self::Array(items.iter().map(Self::open).collect()),
            value => Self::Known(value.clone()),
        }
    }

    /// The value, if all of it is known.
    pub fn value(&self) -> Option<Value> {
        match self {
            Self::Known(value) => Some(value.clone()),
            Self::Unknown | Self::Object { open: true, .. } => None,
            Self::Object { entries, open: false } => {
                let entries = entries.iter().map(|(key, fact)| Some((Arc::clone(key), fact.value()?)));
                Some(Value::Object(Object::from_entries(entries.collect::<Option<_>>()?)))
            }
            Self::Array(items) => {
                let items: Option<Vec<Value>> = items.iter().map(Self::value).collect();
                Some(Value::Array(Array::from(items?)))
            }
        }
    }

    /// The value for an access: always that of what is known as a whole, that of anything else only if `whole`.
    pub(super) fn value_unless_open(&self, whole: bool) -> Option<Value> {
        match self {
            Self::Known(value) => Some(value.clone()),
            _ if whole => self.value(),
            _ => None,
        }
    }

    /// The parts that are known, as a value; what is not known is left out of objects and null in arrays.
    pub fn known_part(&self) -> Value {
        match self {
            Self::Known(value) => value.clone(),
            Self::Unknown => Value::Null,
            Self::Object { entries, .. } => {
                let known = entries.iter().filter(|(_, fact)| *fact != Self::Unknown);
                Value::Object(known.map(|(key, fact)| (Arc::clone(key), fact.known_part())).collect())
            }
            Self::Array(items) => Value::Array(items.iter().map(Self::known_part).collect()),
        }
    }

    /// The entry under a key, whatever its case.
    pub(super) fn entry(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object { entries, .. } => {
                entries.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, fact)| fact)
            }
            _ => None,
        }
    }
}

/// What is known of the status functions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatusFacts {
    /// `success()`; `None` if not known.
    pub success: Option<bool>,
    /// `failure()`; `None` if not known.
    pub failure: Option<bool>,
    /// `cancelled()`; `None` if not known.
    pub cancelled: Option<bool>,
    /// Whether single jobs named in `success('a')` and `failure('a')` have succeeded; `None` if not known.
    pub jobs: Vec<(String, Option<bool>)>,
}

/// What is known in one place of a workflow.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Knowledge {
    /// Shared, because every place of a workflow has its own knowledge and most of it is the same.
    contexts: Vec<(&'static str, Arc<Fact>)>,
    /// The status functions.
    pub status: StatusFacts,
}

impl Knowledge {
    /// Sets what is known of a context.
    pub fn set(&mut self, context: &'static str, fact: Fact) {
        match self.contexts.iter_mut().find(|(name, _)| *name == context) {
            Some(entry) => entry.1 = Arc::new(fact),
            None => self.contexts.push((context, Arc::new(fact))),
        }
    }

    /// The same with one more context.
    pub fn with(mut self, context: &'static str, fact: Fact) -> Self {
        self.set(context, fact);
        self
    }

    /// What is known of a context, whatever the case of its name. A context nobody set is unknown.
    pub fn context(&self, name: &str) -> &Fact {
        const UNKNOWN: &Fact = &Fact::Unknown;
        self.contexts
            .iter()
            .find(|(context, _)| context.eq_ignore_ascii_case(name))
            .map_or(UNKNOWN, |(_, fact)| &**fact)
    }
}
