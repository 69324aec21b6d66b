//! What is known of an artifact, and how it stands on disk.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The version of the record on disk.
const VERSION: u32 = 1;

/// An artifact as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Artifact {
    /// Its number, which no other artifact of the store has.
    pub id: u64,
    /// The run it belongs to.
    pub run: String,
    /// The job that made it.
    pub job: String,
    /// Its name.
    pub name: String,
    /// How it is held.
    pub form: ArtifactForm,
    /// When it was made.
    pub created: Timestamp,
    /// When it may go.
    pub expires: Timestamp,
    /// Bytes: of the archive or the file, or of all files of a tree together.
    pub size: u64,
    /// `sha256:` and the digest of the archive or file; of a tree, that of its list of files with their digests.
    pub digest: String,
    /// The level at which a tree is compressed if somebody wants an archive of it.
    pub compression: u8,
    /// The media type of a single file.
    pub media_type: Option<String>,
}

/// How an artifact is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArtifactForm {
    /// As files.
    Tree,
    /// As a zip archive.
    Zip,
    /// As one file that has the artifact's name.
    File,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct ArtifactDto {
    version: u32,
    id: u64,
    run: String,
    job: String,
    name: String,
    form: FormDto,
    created: String,
    expires: String,
    size: u64,
    digest: String,
    compression: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    media_type: Option<String>,
}

#[derive(Serialize, Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum FormDto {
    Tree,
    Zip,
    File,
}

/// A line of the list of a tree's files.
#[derive(Serialize, Deserialize)]
pub(crate) struct FileDto {
    pub(crate) name: String,
    pub(crate) mode: u32,
    /// Nothing for a directory, which is listed only if it is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sha256: Option<String>,
    pub(crate) size: u64,
}

impl Artifact {
    /// Reads a record; `None` if it is none that this version knows.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let record: ArtifactDto = serde_json::from_slice(bytes).ok()?;
        (record.version == VERSION).then_some(())?;
        Some(Self {
            id: record.id,
            run: record.run,
            job: record.job,
            name: record.name,
            form: match record.form {
                FormDto::Tree => ArtifactForm::Tree,
                FormDto::Zip => ArtifactForm::Zip,
                FormDto::File => ArtifactForm::File,
            },
            created: record.created.parse().ok()?,
            expires: record.expires.parse().ok()?,
            size: record.size,
            digest: record.digest,
            compression: record.compression,
            media_type: record.media_type,
        })
    }

    pub(crate) fn to_json(&self) -> Vec<u8> {
        let record = ArtifactDto {
            version: VERSION,
            id: self.id,
            run: self.run.clone(),
            job: self.job.clone(),
            name: self.name.clone(),
            form: match self.form {
                ArtifactForm::Tree => FormDto::Tree,
                ArtifactForm::Zip => FormDto::Zip,
                ArtifactForm::File => FormDto::File,
            },
            created: self.created.to_string(),
            expires: self.expires.to_string(),
            size: self.size,
            digest: self.digest.clone(),
            compression: self.compression,
            media_type: self.media_type.clone(),
        };
        // Texts and numbers are always JSON.
        serde_json::to_vec(&record).unwrap_or_default()
    }
}
