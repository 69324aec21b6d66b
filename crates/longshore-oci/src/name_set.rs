//! Sets of names that a document writes as an object: `{"80/tcp": {}}`.

use std::collections::BTreeSet;

use serde::de::{Deserialize, Deserializer};
use serde::ser::Serializer;
use serde_json::{Map, Value};

/// Reads the keys of an object; null is no keys.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<String>, D::Error> {
    let object = Option::<Map<String, Value>>::deserialize(deserializer)?;
    Ok(object.into_iter().flatten().map(|(name, _)| name).collect())
}

/// Writes an object with an empty object for each name, in the order of the names.
pub(crate) fn serialize<S: Serializer>(set: &BTreeSet<String>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(set.iter().map(|name| (name, Value::Object(Map::new()))))
}
