//! What is known of a cache entry, and how it stands on disk.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

const VERSION: u32 = 1;

/// A cache entry as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheEntry {
    /// Its number, which no other entry of the store has.
    pub id: u64,
    /// Its key.
    pub key: String,
    /// What is in it and how it is packed.
    pub version: String,
    /// The ref whose runs may read it.
    pub scope: String,
    /// When it was saved.
    pub created: Timestamp,
    /// When it was restored last, or saved.
    pub used: Timestamp,
    /// Its bytes.
    pub size: u64,
    /// How it is held.
    pub form: CacheForm,
}

/// How a cache entry is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CacheForm {
    /// As files, in parts that have labels.
    Tree(Vec<String>),
    /// As an archive that somebody uploaded, with `sha256:` and its digest.
    Archive(String),
}

#[derive(Serialize, Deserialize)]
struct EntryDto {
    format: u32,
    id: u64,
    key: String,
    version: String,
    scope: String,
    created: String,
    size: u64,
    form: FormDto,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum FormDto {
    Tree(Vec<String>),
    Archive(String),
}

impl CacheEntry {
    /// Reads a record; `None` if it is none that this version knows.
    pub(super) fn read(bytes: &[u8], used: Timestamp) -> Option<Self> {
        let record: EntryDto = serde_json::from_slice(bytes).ok()?;
        (record.format == VERSION).then_some(())?;
        Some(Self {
            id: record.id,
            key: record.key,
            version: record.version,
            scope: record.scope,
            created: record.created.parse().ok()?,
            used,
            size: record.size,
            form: match record.form {
                FormDto::Tree(labels) => CacheForm::Tree(labels),
                FormDto::Archive(digest) => CacheForm::Archive(digest),
            },
        })
    }

    pub(super) fn to_json(&self) -> Vec<u8> {
        let record = EntryDto {
            format: VERSION,
            id: self.id,
            key: self.key.clone(),
            version: self.version.clone(),
            scope: self.scope.clone(),
            created: self.created.to_string(),
            size: self.size,
            form: match &self.form {
                CacheForm::Tree(labels) => FormDto::Tree(labels.clone()),
                CacheForm::Archive(digest) => FormDto::Archive(digest.clone()),
            },
        };
        // Texts and numbers are always JSON.
        serde_json::to_vec(&record).unwrap_or_default()
    }
}
