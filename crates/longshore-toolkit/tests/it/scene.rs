//! Stores and a job's files in a directory of their own.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use longshore_toolkit::artifact::{NewArtifact, SourceFile};
use longshore_toolkit::cache::{CacheBounds, NewCache};
use longshore_toolkit::{ArtifactStore, BackendId, CacheStore, Limits, Root};
use tempfile::TempDir;

/// A directory with stores and a job.
pub(crate) struct Scene {
    directory: TempDir,
    pub(crate) now: Timestamp,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("job")).unwrap();
        Self { directory, now: "2026-03-01T12:00:00Z".parse().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn artifacts(&self) -> ArtifactStore {
        ArtifactStore::open(&self.path("artifacts"), Limits::default()).unwrap()
    }

    pub(crate) fn caches(&self, bounds: CacheBounds) -> CacheStore {
        CacheStore::open(&self.path("caches"), bounds).unwrap()
    }

    /// The job's root.
    pub(crate) fn root(&self) -> Root {
        Root::open(&self.path("job")).unwrap()
    }

    pub(crate) fn job(&self, name: &str) -> PathBuf {
        self.path("job").join(name)
    }

    /// Writes a file of the job.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>, mode: u32) {
        let path = self.job(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    pub(crate) fn later(&self, days: i64) -> Timestamp {
        self.now.checked_add(SignedDuration::from_hours(days * 24)).unwrap()
    }
}

pub(crate) fn id(text: &str) -> BackendId {
    text.parse().unwrap()
}

pub(crate) fn artifact(scene: &Scene, name: &str) -> NewArtifact {
    NewArtifact {
        run: id("run-1"),
        job: id("job-1"),
        name: name.parse().unwrap(),
        created: scene.now,
        retention_days: 7,
        compression: 6,
        overwrite: false,
    }
}

pub(crate) fn source(path: &str, name: &str) -> SourceFile {
    SourceFile { source: path.into(), name: name.to_owned() }
}

pub(crate) fn cache(scene: &Scene, key: &str, scope: &str) -> NewCache {
    NewCache {
        key: key.parse().unwrap(),
        version: "v".to_owned(),
        scope: scope.to_owned(),
        created: scene.now,
    }
}

pub(crate) fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}
