//! What may stand where in workflow and action files: GitHub's published template schemas as static tables.
//!
//! Source: `workflow-v1.0.json` and `action-v1.0.json` as published with GitHub's reference parser (npm package
//! `@actions/workflow-parser`, 0.3.61). Only names and rules are taken over. Two deviations: the features that the
//! reference keeps behind a flag although GitHub has released them (background steps) are always on, and
//! `on: repository_dispatch` is accepted (the reference's table misspells that constant).
//!
//! Adding a key means adding a [`Property`] here and a field in the model.

mod action;
mod allowed;
mod event;
mod step;
mod workflow;

pub use action::ACTION_ROOT;
pub use allowed::{AllowedSet, Status};
pub use event::{activity_types, event_names};
pub use workflow::{PERMISSION_SCOPES, WORKFLOW_ROOT};

/// The rule for one kind of value.
#[derive(Debug)]
pub struct Definition {
    /// The schema's name for it; messages and tests use it.
    pub name: &'static str,
    /// What expressions may use here, in addition to what they may use around it. Empty adds nothing.
    pub allowed: AllowedSet,
    /// The values it takes.
    pub shape: Shape,
}

/// The values that a definition takes.
#[derive(Debug)]
pub enum Shape {
    /// Nothing.
    Null,
    /// `true` or `false`.
    Boolean,
    /// A number.
    Number,
    /// Any text.
    String,
    /// Any text but the empty one.
    NonEmptyString,
    /// One of these texts, in this letter case.
    OneOfStrings(&'static [&'static str]),
    /// Items that are all of one kind.
    Sequence(&'static Definition),
    /// Entries.
    Mapping(Mapping),
    /// Any of these; at most one of each scalar and sequence kind, mappings told apart by their keys.
    OneOf(&'static [&'static Definition]),
    /// Anything.
    Any,
}

/// The entries that a mapping takes.
#[derive(Debug)]
pub struct Mapping {
    /// Known keys.
    pub properties: &'static [Property],
    /// What every other key and value must be; `None` refuses other keys.
    pub loose: Option<(&'static Definition, &'static Definition)>,
}

/// A known key.
#[derive(Debug)]
pub struct Property {
    /// The key.
    pub name: &'static str,
    /// The rule for its value.
    pub definition: &'static Definition,
    /// Whether it must be there.
    pub required: bool,
}

impl Definition {
    const fn new(name: &'static str, shape: Shape) -> Self {
        Self { name, allowed: AllowedSet::NONE, shape }
    }

    const fn mapping(name: &'static str, properties: &'static [Property]) -> Self {
        Self::new(name, Shape::Mapping(Mapping { properties, loose: None }))
    }

    const fn entries(name: &'static str, key: &'static Definition, value: &'static Definition) -> Self {
        Self::new(name, Shape::Mapping(Mapping { properties: &[], loose: Some((key, value)) }))
    }

    const fn sequence(name: &'static str, item: &'static Definition) -> Self {
        Self::new(name, Shape::Sequence(item))
    }

    const fn one_of(name: &'static str, choices: &'static [&'static Definition]) -> Self {
        Self::new(name, Shape::OneOf(choices))
    }

    const fn words(name: &'static str, words: &'static [&'static str]) -> Self {
        Self::new(name, Shape::OneOfStrings(words))
    }

    const fn allowing(mut self, allowed: AllowedSet) -> Self {
        self.allowed = allowed;
        self
    }

    /// The definitions of scalars in it, choices unfolded.
    pub fn scalars(&'static self, found: &mut Vec<&'static Self>) {
        match &self.shape {
            Shape::OneOf(choices) => choices.iter().for_each(|choice| choice.scalars(found)),
            Shape::Any => found.extend([&NULL, &BOOLEAN, &NUMBER, &STRING]),
            Shape::Sequence(_) | Shape::Mapping(_) => {}
            _ => found.push(self),
        }
    }

    /// The rule for items, if it takes a sequence.
    pub fn item(&'static self) -> Option<&'static Self> {
        match &self.shape {
            Shape::Sequence(item) => Some(item),
            Shape::OneOf(choices) => choices.iter().find_map(|choice| match &choice.shape {
                Shape::Sequence(item) => Some(*item),
                _ => None,
            }),
            Shape::Any => Some(&ANY),
            _ => None,
        }
    }

    /// The mappings that it may be.
    pub fn mappings(&'static self) -> Vec<&'static Mapping> {
        let own = |definition: &'static Self| match &definition.shape {
            Shape::Mapping(mapping) => Some(mapping),
            Shape::Any => Some(&ANY_MAPPING),
            _ => None,
        };
        match &self.shape {
            Shape::OneOf(choices) => choices.iter().filter_map(|choice| own(choice)).collect(),
            _ => own(self).into_iter().collect(),
        }
    }
}

impl Mapping {
    /// The rule for a known key.
    pub fn property(&self, name: &str) -> Option<&'static Property> {
        self.properties.iter().find(|property| property.name == name)
    }
}

const fn key(name: &'static str, definition: &'static Definition) -> Property {
    Property { name, definition, required: false }
}

const fn required(name: &'static str, definition: &'static Definition) -> Property {
    Property { name, definition, required: true }
}

/// Nothing.
static NULL: Definition = Definition::new("null", Shape::Null);
/// `true` or `false`.
static BOOLEAN: Definition = Definition::new("boolean", Shape::Boolean);
/// A number.
static NUMBER: Definition = Definition::new("number", Shape::Number);
/// Any text.
static STRING: Definition = Definition::new("string", Shape::String);
/// Text that is not empty.
static NON_EMPTY: Definition = Definition::new("non-empty-string", Shape::NonEmptyString);
/// Anything; also what stands in places that are not checked.
pub static ANY: Definition = Definition::new("any", Shape::Any);
static ANY_MAPPING: Mapping = Mapping { properties: &[], loose: Some((&STRING, &ANY)) };
static STRINGS: Definition = Definition::sequence("sequence-of-string", &STRING);
static NON_EMPTY_STRINGS: Definition = Definition::sequence("sequence-of-non-empty-string", &NON_EMPTY);
/// One text or several.
static TEXTS: Definition = Definition::one_of("texts", &[&NON_EMPTY, &NON_EMPTY_STRINGS]);
/// A default value.
static SCALAR: Definition = Definition::one_of("scalar", &[&STRING, &BOOLEAN, &NUMBER]);
