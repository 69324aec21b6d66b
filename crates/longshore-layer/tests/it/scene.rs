//! A directory to unpack into, with a canary beside it, and short ways to make archives.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use longshore_layer::archive::{Builder, Entry, EntryKind};
use longshore_layer::{Applied, ApplyError, ApplyOptions, Devices, Ownership, Whiteouts, apply};

/// An entry and its content.
pub(crate) type Part = (Entry, &'static [u8]);

/// A place to unpack into. What stands beside the target must never change.
pub(crate) struct Scene {
    directory: tempfile::TempDir,
    pub(crate) options: ApplyOptions,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("target")).unwrap();
        fs::create_dir(directory.path().join("outside")).unwrap();
        fs::write(directory.path().join("outside/canary"), "alive").unwrap();
        let mut options = ApplyOptions { threads: 2, ..ApplyOptions::default() };
        if !is_root() {
            options.whiteouts = Whiteouts::OverlayUser;
            options.ownership = Ownership::Ignore;
            options.devices = Devices::Refuse;
        }
        Self { directory, options }
    }

    pub(crate) fn target(&self) -> PathBuf {
        self.directory.path().join("target")
    }

    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.target().join(path)
    }

    pub(crate) fn apply(&self, archive: &[u8]) -> Result<Applied, ApplyError> {
        let result = apply(archive, &self.target(), &self.options);
        self.check_canary();
        result
    }

    /// Unpacks entries, where files have the content that is given with them.
    pub(crate) fn entries(&self, entries: &[Part]) -> Result<Applied, ApplyError> {
        self.apply(&tar(entries))
    }

    pub(crate) fn check_canary(&self) {
        let outside = self.directory.path().join("outside");
        assert_eq!(fs::read(outside.join("canary")).unwrap(), b"alive");
        assert_eq!(fs::metadata(outside.join("canary")).unwrap().nlink(), 1);
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
        assert_eq!(fs::read_dir(self.directory.path()).unwrap().count(), 2);
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.at(path)).unwrap()
    }

    pub(crate) fn stat(&self, path: &str) -> fs::Metadata {
        fs::symlink_metadata(self.at(path)).unwrap()
    }

    pub(crate) fn exists(&self, path: &str) -> bool {
        fs::symlink_metadata(self.at(path)).is_ok()
    }
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

pub(crate) fn tar(entries: &[Part]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (entry, content) in entries {
        let mut entry = entry.clone();
        entry.size = content.len() as u64;
        builder.append(&entry, *content).unwrap();
    }
    builder.finish().unwrap()
}

pub(crate) fn file(path: &str, content: &'static str) -> Part {
    (Entry::new(path, EntryKind::File), content.as_bytes())
}

pub(crate) fn directory(path: &str) -> Part {
    (Entry::new(path, EntryKind::Directory), b"")
}

pub(crate) fn symlink(path: &str, text: &str) -> Part {
    (Entry::new(path, EntryKind::Symlink(text.into())), b"")
}

pub(crate) fn hard_link(path: &str, target: &str) -> Part {
    (Entry::new(path, EntryKind::HardLink(target.into())), b"")
}
