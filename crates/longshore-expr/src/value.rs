//! Values and what they become where another kind is wanted.

use std::borrow::Cow;
use std::ops::Deref;
use std::sync::Arc;

use crate::{Object, number};

/// A value of the expression language. Cheap to clone.
///
/// `PartialEq` is structural and exact, for tests and caches; the language's own `==` is
/// [`Value::loosely_equals`].
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A double-precision number.
    Number(f64),
    /// A text.
    String(Arc<str>),
    /// A sequence.
    Array(Array),
    /// A mapping.
    Object(Object),
}

/// A sequence of values. Cheap to clone.
///
/// What `.*` yields is *filtered*: a further property or index is looked up in every item. Use it as a slice.
#[derive(Debug, Clone, Default)]
pub struct Array(Arc<Items>);

/// What an [`Array`] shares between its clones.
#[derive(Debug, Default)]
struct Items {
    /// The values.
    list: Vec<Value>,
    /// Whether it came from `.*`.
    filtered: bool,
}

impl Array {
    /// The result of `.*`.
    pub(crate) fn filtered(list: Vec<Value>) -> Self {
        Self(Arc::new(Items { list, filtered: true }))
    }

    /// Whether it came from `.*`.
    pub fn is_filtered(&self) -> bool {
        self.0.filtered
    }

    /// Whether both are one and the same array, which is what `==` asks.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl From<Vec<Value>> for Array {
    fn from(list: Vec<Value>) -> Self {
        Self(Arc::new(Items { list, filtered: false }))
    }
}

impl FromIterator<Value> for Array {
    fn from_iter<I: IntoIterator<Item = Value>>(items: I) -> Self {
        Self::from(items.into_iter().collect::<Vec<_>>())
    }
}

impl Deref for Array {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        &self.0.list
    }
}

impl PartialEq for Array {
    fn eq(&self, other: &Self) -> bool {
        self.is(other) || self.0.list == other.0.list
    }
}

impl Value {
    /// A text value.
    pub fn string(text: impl Into<Arc<str>>) -> Self {
        Self::String(text.into())
    }

    /// Whether it is neither array nor object.
    pub fn is_primitive(&self) -> bool {
        !matches!(self, Self::Array(_) | Self::Object(_))
    }

    /// The text, if it is a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The word GitHub uses for the kind of value.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "Null",
            Self::Bool(_) => "Boolean",
            Self::Number(_) => "Number",
            Self::String(_) => "String",
            Self::Array(_) => "Array",
            Self::Object(_) => "Object",
        }
    }

    /// Whether it counts as true: everything but null, false, zero, NaN and the empty text.
    pub fn is_truthy(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(value) => *value,
            Self::Number(number) => *number != 0.0 && !number.is_nan(),
            Self::String(text) => !text.is_empty(),
            Self::Array(_) | Self::Object(_) => true,
        }
    }

    /// The value as a number; NaN for arrays, objects and texts that are none.
    pub fn to_number(&self) -> f64 {
        match self {
            Self::Null => 0.0,
            Self::Bool(value) => f64::from(u8::from(*value)),
            Self::Number(number) => *number,
            Self::String(text) => number::parse(text),
            Self::Array(_) | Self::Object(_) => f64::NAN,
        }
    }

    /// The value as text: empty for null, the words `Array` and `Object` for these.
    pub fn to_text(&self) -> Cow<'_, str> {
        match self {
            Self::Null => Cow::Borrowed(""),
            Self::Bool(true) => Cow::Borrowed("true"),
            Self::Bool(false) => Cow::Borrowed("false"),
            Self::Number(number) => Cow::Owned(number::coerce(*number)),
            Self::String(text) => Cow::Borrowed(text),
            Self::Array(_) | Self::Object(_) => Cow::Borrowed(self.kind()),
        }
    }

    /// The value under `key`, whatever its case, if this is an object that has it.
    pub fn property(&self, key: &str) -> Option<&Value> {
        match self {
            Self::Object(object) => object.get(key),
            _ => None,
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::string(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::string(text)
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Self::Array(Array::from(items))
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(object)
    }
}
