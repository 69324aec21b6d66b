//! Where artifacts and caches are kept.
//!
//! One store of artifacts for all runs, and a store of caches for each repository, so that what one repository saves is
//! neither seen nor evicted by another. They are opened when they are first needed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use longshore_toolkit::cache::CacheBounds;
use longshore_toolkit::{ArtifactStore, CacheStore, Limits, StorageError};

use crate::Project;

/// Where artifacts and caches are kept.
#[derive(Debug)]
pub struct Stores {
    artifacts: PathBuf,
    caches: PathBuf,
    opened: Mutex<Opened>,
}

#[derive(Debug, Default)]
struct Opened {
    artifacts: Option<Arc<ArtifactStore>>,
    caches: HashMap<String, Arc<CacheStore>>,
}

impl Stores {
    /// Stores in these directories, which are made when something is stored.
    pub fn new(artifacts: PathBuf, caches: PathBuf) -> Self {
        Self { artifacts, caches, opened: Mutex::default() }
    }

    /// The artifacts of all runs.
    ///
    /// # Errors
    /// The store cannot be opened.
    pub fn artifacts(&self) -> Result<Arc<ArtifactStore>, StorageError> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = &opened.artifacts {
            return Ok(Arc::clone(store));
        }
        let store = Arc::new(ArtifactStore::open(&self.artifacts, Limits::default())?);
        opened.artifacts = Some(Arc::clone(&store));
        Ok(store)
    }

    /// The caches of a project's repository.
    ///
    /// # Errors
    /// The store cannot be opened.
    pub fn caches(&self, project: &Project) -> Result<Arc<CacheStore>, StorageError> {
        let name = shelf(project);
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = opened.caches.get(&name) {
            return Ok(Arc::clone(store));
        }
        let store = Arc::new(CacheStore::open(&self.caches.join(&name), CacheBounds::default())?);
        opened.caches.insert(name, Arc::clone(&store));
        Ok(store)
    }

    /// Removes from the caches of all repositories what nobody used for too long, and what does not fit. Repositories that
    /// are worked with do that themselves whenever they save; this is for the others.
    ///
    /// # Errors
    /// The store at the path that is given cannot be opened or changed.
    pub fn prune_caches(caches: &Path, now: Timestamp) -> Result<(), (PathBuf, StorageError)> {
        for entry in std::fs::read_dir(caches).into_iter().flatten().flatten() {
            let path = entry.path();
            let pruned = CacheStore::open(&path, CacheBounds::default()).and_then(|store| store.prune(now));
            pruned.map_err(|error| (path, error))?;
        }
        Ok(())
    }
}

/// The directory of a repository's caches. A project that nobody has named is known by its place, because others may have
/// a directory of the same name.
fn shelf(project: &Project) -> String {
    let text = match project.repository.strip_prefix("local/") {
        Some(_) => project.root.display().to_string(),
        None => project.repository.to_lowercase(),
    };
    let hash = longshore_oci::Digest::of(text.as_bytes());
    let hash = hash.encoded().get(..16).unwrap_or_default().to_owned();
    let name =
        Path::new(&text).file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let readable: String = name
        .chars()
        .map(
            |character| {
                if character.is_ascii_alphanumeric() || "-_.".contains(character) { character } else { '_' }
            },
        )
        .take(60)
        .collect();
    format!("{}-{hash}", readable.trim_start_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::shelf;
    use crate::Project;

    fn of(root: &str, repository: &str) -> String {
        shelf(&Project { root: root.into(), repository: repository.to_owned() })
    }

    #[test]
    fn repositories_have_shelves_of_their_own() {
        assert_eq!(of("/a/shop", "acme/shop"), of("/b/shop", "Acme/Shop"), "clones of one repository");
        assert_ne!(of("/a/shop", "local/shop"), of("/b/shop", "local/shop"), "unnamed projects");
        let odd = of("/a/.. /ü/\n", "local/x");
        assert!(
            odd.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/') && !odd.starts_with('.'),
            "{odd}"
        );
    }
}
