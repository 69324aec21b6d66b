//! What an archive or directory holds: a few documents in memory, everything else as content of the store.

use std::collections::HashMap;
use std::io::{self, Read};

use longshore_event::{EventSink, ImageEvent};
use longshore_layer::archive::shown;
use longshore_oci::{Digest, Hasher, Layout, MAX_DOCUMENT_BYTES};
use longshore_store::{Blob, Ingest, Lease, Store, StoreError};

use super::docker;
use super::error::LoadError;

/// More files than this no archive of images has.
const MOST_FILES: usize = 100_000;
/// How many links may lead to each other.
const MOST_LINKS: usize = 16;
/// What is longer is no configuration.
const LARGE: u64 = 64 << 10;
/// How much is read at once.
const CHUNK: usize = 256 << 10;

/// What was found, by name. Names have no `.`, no `..` and no `/` at the beginning.
pub(super) struct Contents<'a> {
    store: &'a Store,
    lease: &'a Lease,
    sink: &'a dyn EventSink,
    documents: HashMap<String, Vec<u8>>,
    blobs: HashMap<String, Blob>,
    links: HashMap<String, String>,
    buffer: Vec<u8>,
}

impl<'a> Contents<'a> {
    pub(super) fn new(store: &'a Store, lease: &'a Lease, sink: &'a dyn EventSink) -> Self {
        Self {
            store,
            lease,
            sink,
            documents: HashMap::new(),
            blobs: HashMap::new(),
            links: HashMap::new(),
            buffer: vec![0; CHUNK],
        }
    }

    pub(super) fn store(&self) -> &'a Store {
        self.store
    }

    pub(super) fn lease(&self) -> &'a Lease {
        self.lease
    }

    /// Takes a file in.
    pub(super) fn file(&mut self, path: &[u8], size: u64, content: &mut dyn Read) -> Result<(), LoadError> {
        let name = name(path)?;
        if is_superfluous(&name) {
            return Ok(());
        }
        self.count(&name)?;
        if is_document(&name) {
            let bytes = whole(&name, size, content)?;
            self.documents.insert(name, bytes);
            return Ok(());
        }
        let blob = match digest_of(&name) {
            Some(digest) => self.known(&name, &digest, size, content)?,
            None => self.unknown(&name, size, content)?,
        };
        self.blobs.insert(name, blob);
        Ok(())
    }

    /// Takes a link in: a symbolic one leads on from where it stands, a hard one from the top.
    pub(super) fn link(&mut self, path: &[u8], target: &[u8], hard: bool) -> Result<(), LoadError> {
        let from = name(path)?;
        if is_superfluous(&from) {
            return Ok(());
        }
        self.count(&from)?;
        let mut whole = Vec::new();
        if !hard && let Some((directory, _)) = from.rsplit_once('/') {
            whole.extend_from_slice(directory.as_bytes());
            whole.push(b'/');
        }
        whole.extend_from_slice(target);
        let to = resolved(&whole)
            .filter(|_| hard || !target.starts_with(b"/"))
            .ok_or_else(|| LoadError::Entry { entry: shown(path), problem: "it links out of the archive" })?;
        self.links.insert(from, to);
        Ok(())
    }

    /// A document at the top.
    pub(super) fn document(&self, name: &str) -> Option<&[u8]> {
        self.documents.get(name).map(Vec::as_slice)
    }

    /// The content under a name, links followed.
    pub(super) fn blob(&self, path: &str) -> Option<&Blob> {
        let mut name = name(path.as_bytes()).ok()?;
        for _ in 0..MOST_LINKS {
            match self.links.get(&name) {
                Some(target) => name.clone_from(target),
                None => return self.blobs.get(&name),
            }
        }
        None
    }

    fn count(&self, name: &str) -> Result<(), LoadError> {
        // The last of two files with one name would win in every other reader; here both are seen.
        if self.blobs.contains_key(name) || self.documents.contains_key(name) || self.links.contains_key(name)
        {
            let (entry, problem) = (shown(name.as_bytes()), "it stands twice in the archive");
            return Err(LoadError::Entry { entry, problem });
        }
        if self.blobs.len() + self.links.len() < MOST_FILES {
            return Ok(());
        }
        Err(LoadError::TooManyFiles { limit: MOST_FILES })
    }

    /// Content that is named by its digest. What the store has is not written again, but held against its name all the
    /// same.
    fn known(
        &mut self,
        name: &str,
        digest: &Digest,
        size: u64,
        content: &mut dyn Read,
    ) -> Result<Blob, LoadError> {
        let item = digest.to_string();
        self.lease.hold(digest)?;
        if self.store.contains(digest)? == Some(size) {
            let algorithm =
                digest.algorithm().ok_or_else(|| StoreError::UnsupportedDigest(digest.clone()))?;
            let mut hasher = Hasher::new(algorithm);
            self.copy(name, content, |bytes| {
                hasher.update(bytes);
                Ok(())
            })?;
            if hasher.finish() != *digest {
                return Err(LoadError::Digest { entry: shown(name.as_bytes()) });
            }
            self.sink.image(ImageEvent::Present { item });
            return Ok(Blob { digest: digest.clone(), size });
        }
        self.sink.image(ImageEvent::Queued { item: item.clone(), total: Some(size) });
        let mut ingest = self.begin(Some(digest), size)?;
        self.copy(name, content, |bytes| Ok(ingest.put(bytes)?))?;
        let blob = ingest.commit().map_err(|error| match error {
            StoreError::IngestDigest { .. } => LoadError::Digest { entry: shown(name.as_bytes()) },
            other => other.into(),
        })?;
        self.sink.image(ImageEvent::Completed { item });
        Ok(blob)
    }

    /// Content whose digest is seen only at its end.
    fn unknown(&mut self, name: &str, size: u64, content: &mut dyn Read) -> Result<Blob, LoadError> {
        let mut ingest = self.begin(None, size)?;
        self.copy(name, content, |bytes| Ok(ingest.put(bytes)?))?;
        let blob = ingest.commit_held(self.lease)?;
        self.sink.image(ImageEvent::Completed { item: blob.digest.to_string() });
        Ok(blob)
    }

    /// What is large is a layer; the archive has it still, should the power fail.
    fn begin(&self, digest: Option<&Digest>, size: u64) -> Result<Ingest, LoadError> {
        let ingest = self.store.ingest(digest, Some(size))?;
        Ok(if size > LARGE { ingest.unsynced() } else { ingest })
    }

    fn copy(
        &mut self,
        name: &str,
        content: &mut dyn Read,
        mut take: impl FnMut(&[u8]) -> Result<(), LoadError>,
    ) -> Result<(), LoadError> {
        loop {
            match content.read(&mut self.buffer) {
                Ok(0) => return Ok(()),
                Ok(length) => take(self.buffer.get(..length).unwrap_or_default())?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => {
                    return Err(LoadError::Read { entry: shown(name.as_bytes()), source });
                }
            }
        }
    }
}

/// What is read into memory.
fn is_document(name: &str) -> bool {
    matches!(name, Layout::FILE | Layout::INDEX_FILE | docker::MANIFEST_FILE | docker::REPOSITORIES_FILE)
}

/// What archives have for versions of Docker before 1.10.
fn is_superfluous(name: &str) -> bool {
    match name.rsplit_once('/') {
        Some((directory, last)) => !directory.contains('/') && matches!(last, "VERSION" | "json"),
        None => false,
    }
}

/// The digest that a file of a layout is named by.
fn digest_of(name: &str) -> Option<Digest> {
    let (algorithm, encoded) = name.strip_prefix("blobs/")?.split_once('/')?;
    Digest::parse(&format!("{algorithm}:{encoded}")).ok().filter(|digest| digest.algorithm().is_some())
}

fn whole(name: &str, size: u64, content: &mut dyn Read) -> Result<Vec<u8>, LoadError> {
    let limit = MAX_DOCUMENT_BYTES as u64;
    let entry = || shown(name.as_bytes());
    if size > limit {
        return Err(LoadError::Entry { entry: entry(), problem: "it is too large for a document" });
    }
    let mut bytes = Vec::new();
    let read = content.take(limit).read_to_end(&mut bytes);
    read.map_err(|source| LoadError::Read { entry: entry(), source })?;
    Ok(bytes)
}

/// A name of an archive in its only form.
fn name(path: &[u8]) -> Result<String, LoadError> {
    let climbs = path.split(|byte| *byte == b'/').any(|part| part == b"..");
    resolved(path)
        .filter(|name| !climbs && !name.is_empty() && !path.starts_with(b"/"))
        .ok_or_else(|| LoadError::Entry { entry: shown(path), problem: "its name leads out of the archive" })
}

/// A path without `.` and `..`; nothing if it climbs out, or is no text.
fn resolved(path: &[u8]) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in std::str::from_utf8(path).ok()?.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_lead_out() {
        for (path, is) in [
            ("./manifest.json", Some("manifest.json")),
            ("a//b/./c", Some("a/b/c")),
            ("../a", None),
            ("a/../b", None),
            ("/etc/passwd", None),
            ("..", None),
            ("./", None),
        ] {
            assert_eq!(name(path.as_bytes()).ok().as_deref(), is, "for {path}");
        }
    }

    #[test]
    fn digests_are_told_by_names() {
        let hex = "a".repeat(64);
        assert!(digest_of(&format!("blobs/sha256/{hex}")).is_some());
        for other in [format!("blobs/sha256/{hex}b"), format!("x/sha256/{hex}"), format!("blobs/md5/{hex}")] {
            assert!(digest_of(&other).is_none(), "for {other}");
        }
    }
}
