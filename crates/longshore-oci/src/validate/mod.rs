//! Holding a document against the specification.
//!
//! [`validate`] knows the rules that the image specification 1.1 states with MUST, for each kind of document, and the
//! types of its published schemas. Where text and schema differ: optional fields of a configuration may be null, as the
//! text says; a manifest needs a layer, as the schema says. Docker's documents are held against the same rules, and
//! the fields that Docker adds to configurations have Docker's types in both.
//!
//! Each kind of document has one file; `place` walks the value and collects what is wrong.

mod config;
mod descriptor;
mod manifest;
mod place;
mod text;

use serde_json::Value;

use crate::{Layout, MediaKind, MediaType, json};

use self::place::{Place, Problems};

/// One breach of the specification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it is, as a JSON pointer (RFC 6901); empty for the document as a whole.
    pub path: String,
    /// What is wrong.
    pub message: String,
}

/// There are no rules for a media type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "there are no rules for `{0}`; manifests, indexes, configurations, descriptors and layouts can be validated"
)]
pub struct Unvalidated(
    /// The media type.
    pub String,
);

/// Lists what is wrong with a document of a media type, in the order of the document's rules and at most 100 entries.
/// An empty list is a valid document.
pub fn validate(media_type: &str, text: &str) -> Result<Vec<Problem>, Unvalidated> {
    let unvalidated = || Unvalidated(media_type.chars().take(200).collect());
    let parsed = MediaType::parse(media_type).map_err(|_| unvalidated())?;
    let rules: fn(&Place<'_>, &MediaType, &mut Problems) = match parsed.kind() {
        MediaKind::Manifest => manifest::manifest,
        MediaKind::Index => manifest::index,
        MediaKind::Config => config::config,
        MediaKind::Descriptor => |place, _, problems| descriptor::descriptor(place, problems),
        MediaKind::Layout => layout,
        MediaKind::Empty => empty,
        _ => return Err(unvalidated()),
    };
    let mut problems = Problems::default();
    match json::read(text.as_bytes()) {
        Ok(value) => rules(&Place::root(&value), &parsed, &mut problems),
        Err(error) => problems.add("", error.to_string()),
    }
    Ok(problems.into_list())
}

fn layout(place: &Place<'_>, _: &MediaType, problems: &mut Problems) {
    if !place.is_object(problems) {
        return;
    }
    let Some(version) = place.required("imageLayoutVersion", problems) else { return };
    if version.string(problems).is_some_and(|text| text != Layout::VERSION) {
        problems.add(version.path(), format!("must be `{}`", Layout::VERSION));
    }
}

fn empty(place: &Place<'_>, _: &MediaType, problems: &mut Problems) {
    if !matches!(place.value(), Value::Object(map) if map.is_empty()) {
        problems.add(place.path(), "must be `{}`");
    }
}
