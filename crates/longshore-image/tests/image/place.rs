//! A store in a directory of its own, and small archives.

use std::time::{Duration, SystemTime};

use longshore_event::Silent;
use longshore_image::{
    Image, Images, ImportOptions, LoadError, LoadOptions, Loaded, UnpackOptions, host_platform,
};
use longshore_layer::Compression;
use longshore_layer::archive::{Builder, Entry, EntryKind};
use longshore_oci::{Digest, Reference};
use longshore_store::Store;
use serde_json::{Value, json};

pub(crate) const NOW: SystemTime = SystemTime::UNIX_EPOCH;

pub(crate) struct Place {
    pub(crate) images: Images,
    pub(crate) _directory: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path().join("store")).unwrap();
        Self { images: Images::open(store), _directory: directory }
    }

    pub(crate) fn import(&self, name: Option<&str>, files: &[(&str, &str)]) -> Image {
        self.import_archive(name, &tar(files))
    }

    pub(crate) fn import_archive(&self, name: Option<&str>, archive: &[u8]) -> Image {
        let options = ImportOptions {
            name: name.map(|name| Reference::parse(name).unwrap()),
            changes: vec!["CMD [\"/bin/true\"]".to_owned()],
            message: "Imported from -".to_owned(),
            platform: host_platform(),
            created: NOW + Duration::from_secs(1_700_000_000),
            now: NOW,
            compression: Compression::None,
            unpack: Some(UnpackOptions::for_this_process()),
            sink: &Silent,
        };
        self.images.import(archive, &options).unwrap()
    }

    pub(crate) fn load(&self, archive: &[u8]) -> Result<Vec<Loaded>, LoadError> {
        let unpack = Some(UnpackOptions::for_this_process());
        let options = LoadOptions { now: NOW, unpack, platform: None, name: None, sink: &Silent };
        self.images.load(archive, &options)
    }
}

/// An archive of files.
pub(crate) fn tar(files: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (path, content) in files {
        builder.append_bytes(path, content.as_bytes()).unwrap();
    }
    builder.finish().unwrap()
}

/// Something of an archive.
pub(crate) enum Item {
    File(String, Vec<u8>),
    Symlink(String, String),
}

pub(crate) fn file(path: impl Into<String>, content: impl Into<Vec<u8>>) -> Item {
    Item::File(path.into(), content.into())
}

pub(crate) fn archive(items: &[Item]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for item in items {
        match item {
            Item::File(path, content) => {
                let mut entry = Entry::new(path.as_str(), EntryKind::File);
                entry.size = content.len() as u64;
                builder.append(&entry, content.as_slice()).unwrap();
            }
            Item::Symlink(path, target) => {
                let entry = Entry::new(path.as_str(), EntryKind::Symlink(target.clone().into_bytes()));
                builder.append(&entry, std::io::empty()).unwrap();
            }
        }
    }
    builder.finish().unwrap()
}

/// The configuration of an image with these layers.
pub(crate) fn config(layers: &[&[u8]]) -> Value {
    let diff_ids: Vec<String> = layers.iter().map(|layer| Digest::of(layer).to_string()).collect();
    let platform = host_platform();
    json!({
        "architecture": platform.architecture, "os": platform.os, "config": {"Cmd": ["/x"]},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    })
}
