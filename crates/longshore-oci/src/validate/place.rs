//! A place in a document, and the list of what is wrong.

use serde_json::Value;

use super::Problem;

/// More problems are not listed; whoever has so many needs no list.
const MAX_PROBLEMS: usize = 100;

/// What was found so far.
#[derive(Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    /// Adds a problem, unless there are too many.
    pub(super) fn add(&mut self, path: &str, message: impl Into<String>) {
        if !self.is_full() {
            self.0.push(Problem { path: path.to_owned(), message: message.into() });
        }
    }

    /// Whether nothing more will be listed.
    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= MAX_PROBLEMS
    }

    pub(super) fn into_list(self) -> Vec<Problem> {
        self.0
    }
}

/// A value and the JSON pointer to it.
pub(super) struct Place<'v> {
    value: &'v Value,
    path: String,
}

impl<'v> Place<'v> {
    pub(super) fn root(value: &'v Value) -> Self {
        Self { value, path: String::new() }
    }

    pub(super) fn value(&self) -> &'v Value {
        self.value
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    fn below(&self, value: &'v Value, key: &str) -> Self {
        let key = key.replace('~', "~0").replace('/', "~1");
        Self { value, path: format!("{}/{key}", self.path) }
    }

    /// A field that may be there.
    pub(super) fn field(&self, name: &str) -> Option<Self> {
        self.value.get(name).map(|value| self.below(value, name))
    }

    /// A field that may be there, for which null is as good as absent.
    pub(super) fn nullable(&self, name: &str) -> Option<Self> {
        self.field(name).filter(|field| !field.value.is_null())
    }

    /// A field that must be there.
    pub(super) fn required(&self, name: &str, problems: &mut Problems) -> Option<Self> {
        let field = self.field(name);
        if field.is_none() {
            problems.add(&self.path, format!("`{name}` is missing"));
        }
        field
    }

    pub(super) fn is_object(&self, problems: &mut Problems) -> bool {
        if !self.value.is_object() {
            self.wrong("an object", problems);
        }
        self.value.is_object()
    }

    pub(super) fn string(&self, problems: &mut Problems) -> Option<&'v str> {
        if !self.value.is_string() {
            self.wrong("a string", problems);
        }
        self.value.as_str()
    }

    pub(super) fn boolean(&self, problems: &mut Problems) {
        if !self.value.is_boolean() {
            self.wrong("a boolean", problems);
        }
    }

    /// A whole number of 64 bits with sign, written without fraction and exponent.
    pub(super) fn integer(&self, problems: &mut Problems) -> Option<i64> {
        if self.value.as_i64().is_none() {
            self.wrong("an integer of 64 bits", problems);
        }
        self.value.as_i64()
    }

    /// The items of an array.
    pub(super) fn items(&self, problems: &mut Problems) -> impl Iterator<Item = Self> + use<'v> {
        if !self.value.is_array() {
            self.wrong("an array", problems);
        }
        let path = self.path.clone();
        let items = self.value.as_array().into_iter().flatten().enumerate();
        items.map(move |(index, value)| Self { value, path: format!("{path}/{index}") })
    }

    /// An array whose items are strings.
    pub(super) fn strings(&self, problems: &mut Problems) {
        for item in self.items(problems) {
            item.string(problems);
            if problems.is_full() {
                return;
            }
        }
    }

    /// An object whose values all pass a rule.
    pub(super) fn values(&self, rule: impl Fn(&Self, &mut Problems), problems: &mut Problems) {
        if !self.is_object(problems) {
            return;
        }
        for (key, value) in self.value.as_object().into_iter().flatten() {
            rule(&self.below(value, key), problems);
            if problems.is_full() {
                return;
            }
        }
    }

    /// An object whose values are strings.
    pub(super) fn string_map(&self, problems: &mut Problems) {
        self.values(|value, problems| _ = value.string(problems), problems);
    }

    /// An object whose values are objects, which is how sets are written.
    pub(super) fn object_map(&self, problems: &mut Problems) {
        self.values(|value, problems| _ = value.is_object(problems), problems);
    }

    fn wrong(&self, wanted: &str, problems: &mut Problems) {
        let found = match self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "another number",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        };
        let found = if self.value.is_number() && !wanted.contains("integer") { "a number" } else { found };
        problems.add(&self.path, format!("must be {wanted}, but is {found}"));
    }
}
