//! What a ref says.

use std::collections::BTreeMap;
use std::time::SystemTime;

use jiff::Timestamp;
use longshore_oci::Descriptor;
use serde::{Deserialize, Serialize};

/// The version of the file format.
const VERSION: u32 = 1;

/// What a ref says. It is stored as JSON, with the time to the nanosecond.
#[derive(Debug, Clone, PartialEq)]
pub struct RefRecord {
    /// The content. Its media type says what else is kept: all of an index or a manifest.
    pub target: Descriptor,
    /// When it was made.
    pub created: SystemTime,
    /// Free-form notes.
    pub labels: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
struct RefRecordDto {
    version: u32,
    target: Descriptor,
    created: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

impl RefRecord {
    /// A record without labels.
    pub fn new(target: Descriptor, created: SystemTime) -> Self {
        Self { target, created, labels: BTreeMap::new() }
    }

    /// The same with one more label.
    pub fn with_label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(key.into(), value.into());
        self
    }

    /// The content of its file; or what cannot be written.
    pub(super) fn write(&self) -> Result<Vec<u8>, String> {
        let created = Timestamp::try_from(self.created).map_err(|error| error.to_string())?;
        let record = RefRecordDto {
            version: VERSION,
            target: self.target.clone(),
            created: created.to_string(),
            labels: self.labels.clone(),
        };
        let mut text = serde_json::to_vec_pretty(&record).map_err(|error| error.to_string())?;
        text.push(b'\n');
        Ok(text)
    }

    /// Reads the content of a file; or says what is wrong.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let record: RefRecordDto = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if record.version != VERSION {
            return Err(format!("it has version {}, and this program knows {VERSION}", record.version));
        }
        let created: Timestamp = record.created.parse().map_err(|error: jiff::Error| error.to_string())?;
        Ok(Self { target: record.target, created: created.into(), labels: record.labels })
    }

    /// Whether a power failure left this of a record that was not synced: nothing, or zeros.
    pub(super) fn is_torn(bytes: &[u8]) -> bool {
        bytes.iter().all(|byte| *byte == 0)
    }
}
