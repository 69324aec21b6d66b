//! What was fetched before: files by their SHA-256, and the newest release of each suite by its address.
//!
//! The layout is `sha256/HEX` and `release/HEX`, where the latter is the SHA-256 of the address. Files are written beside
//! their place and renamed, so that a reader finds a whole file or none; what an interruption leaves has another name
//! and is overwritten or ignored. Content is checked again whenever it is read, so a damaged cache is fetched anew.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest as _, Sha256};

use crate::decompress::read_bounded;

/// A directory of fetched files. Several processes may use one at the same time.
#[derive(Debug, Clone)]
pub(crate) struct Cache {
    directory: PathBuf,
}

/// Tells temporary files of one process apart.
static SERIAL: AtomicU64 = AtomicU64::new(0);

impl Cache {
    pub(crate) fn open(directory: &Path) -> io::Result<Self> {
        fs::create_dir_all(directory.join("sha256"))?;
        fs::create_dir_all(directory.join("release"))?;
        Ok(Self { directory: directory.to_owned() })
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The file with a digest, if it is here and whole.
    pub(crate) fn content(&self, sha256: &str, size: u64) -> Option<Vec<u8>> {
        let file = File::open(self.content_path(sha256)).ok()?;
        if file.metadata().ok()?.len() != size {
            return None;
        }
        let bytes = read_bounded(file, size).ok()?;
        (hexadecimal(&Sha256::digest(&bytes)) == sha256).then_some(bytes)
    }

    /// Whether a file with a digest is here. It may turn out to be damaged.
    pub(crate) fn holds(&self, sha256: &str, size: u64) -> bool {
        fs::metadata(self.content_path(sha256)).is_ok_and(|metadata| metadata.len() == size)
    }

    /// Keeps a file whose digest was checked.
    pub(crate) fn keep_content(&self, sha256: &str, bytes: &[u8]) -> io::Result<()> {
        self.write(&self.content_path(sha256), bytes)
    }

    /// The newest release that was fetched from an address.
    pub(crate) fn release(&self, url: &str, limit: u64) -> Option<Vec<u8>> {
        read_bounded(File::open(self.release_path(url)).ok()?, limit).ok()
    }

    /// Keeps a release whose signature was checked.
    pub(crate) fn keep_release(&self, url: &str, bytes: &[u8]) -> io::Result<()> {
        self.write(&self.release_path(url), bytes)
    }

    fn content_path(&self, sha256: &str) -> PathBuf {
        self.directory.join("sha256").join(sha256)
    }

    fn release_path(&self, url: &str) -> PathBuf {
        self.directory.join("release").join(hexadecimal(&Sha256::digest(url)))
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let temporary = self.directory.join(format!(".new-{}-{serial}", std::process::id()));
        let written = File::create(&temporary).and_then(|mut file| file.write_all(bytes));
        let kept = written.and_then(|()| fs::rename(&temporary, path));
        if kept.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        kept
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::{Cache, hexadecimal};

    #[test]
    fn content_is_found_again_unless_it_is_damaged() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::open(directory.path()).unwrap();
        let digest = hexadecimal(&Sha256::digest(b"content"));
        assert_eq!(cache.content(&digest, 7), None);
        cache.keep_content(&digest, b"content").unwrap();
        assert_eq!(cache.content(&digest, 7).as_deref(), Some(&b"content"[..]));
        assert_eq!(cache.content(&digest, 8), None);
        std::fs::write(directory.path().join("sha256").join(&digest), b"c0ntent").unwrap();
        assert_eq!(cache.content(&digest, 7), None);
    }
}
