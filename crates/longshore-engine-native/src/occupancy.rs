//! What a container names and how much room it takes.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use longshore_engine::{ContainerId, EngineError, ImageSource};

use crate::engine::NativeEngine;
use crate::record::ContainerDirectory;

/// How many bytes a container takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Size {
    /// What it changed in its root file system.
    pub changed: u64,
    /// That and its image; 0 where nobody can say, as of a view of this machine.
    pub whole: u64,
}

impl NativeEngine {
    /// The ports that a container's image or its user named, such as `80/tcp`.
    ///
    /// # Errors
    ///
    /// If there is none of that id.
    pub fn exposed(&self, id: &ContainerId) -> Result<Vec<String>, EngineError> {
        let mut exposed = ContainerDirectory::new(self.engine_home(), id).record()?.exposed;
        exposed.sort();
        exposed.dedup();
        Ok(exposed)
    }

    /// How much room a container takes. Files are counted while they may change.
    ///
    /// # Errors
    ///
    /// If there is none of that id.
    pub fn size(&self, id: &ContainerId) -> Result<Size, EngineError> {
        let directory = ContainerDirectory::new(self.engine_home(), id);
        let record = directory.record()?;
        let changed = bytes_in(&directory.file("upper"), 0);
        let image: u64 = match record.spec.image {
            ImageSource::Image(_) => record.layers.iter().map(|layer| bytes_in(layer, 0)).sum(),
            ImageSource::Host | ImageSource::Directory(_) => return Ok(Size { changed, whole: 0 }),
        };
        Ok(Size { changed, whole: changed + image })
    }

    /// How many bytes are in a volume.
    pub fn size_of_volume(&self, name: &str) -> u64 {
        bytes_in(&self.volumes().data(name), 0)
    }
}

/// The bytes of the files in a directory, as far as they can be seen.
fn bytes_in(path: &Path, depth: usize) -> u64 {
    // Paths are not longer than the kernel allows, whose components are one byte at least.
    if depth > 2048 {
        return 0;
    }
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => bytes_in(&entry.path(), depth + 1),
            Ok(metadata) if metadata.is_file() => metadata.size(),
            _ => 0,
        })
        .sum()
}
