//! Bytes that are being uploaded, in one stream or in blocks, until they become an artifact or a cache entry.

use std::fs::File;
use std::io::{self, Write};

use rustix::fs::{AtFlags, Mode, OFlags};

use crate::StorageError;
use crate::copy::{Allowance, pump};
use crate::depot::Draft;
use crate::digest::{Hashing, sha256};
use crate::error::Attempt as _;

const CONTENT: &str = "upload";
const BLOCK: &str = "block-";

/// Content that grows. It is gone if it is dropped before it is finished.
#[derive(Debug)]
pub struct ContentDraft {
    draft: Draft,
    content: Hashing<File>,
    left: Allowance,
    limit: u64,
}

/// What is known of complete content.
pub(crate) struct Sealed {
    pub(crate) size: u64,
    pub(crate) digest: String,
}

impl ContentDraft {
    pub(crate) fn new(draft: Draft, limit: u64) -> Result<Self, StorageError> {
        let content = Hashing::new(draft.create(CONTENT)?);
        Ok(Self { draft, content, left: Allowance::new(limit, "bytes"), limit })
    }

    /// How much there may be.
    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }

    /// How much there is.
    pub fn length(&self) -> u64 {
        self.content.length()
    }

    /// Begins again with nothing.
    pub(crate) fn restart(&mut self) -> Result<(), StorageError> {
        let file = self.draft.create(CONTENT)?;
        self.content = Hashing::new(file);
        self.left = Allowance::new(self.limit, "bytes");
        Ok(())
    }

    /// A new file beside the content for a block, which is no part of it yet.
    pub(crate) fn stage(&self, number: u64) -> Result<File, StorageError> {
        self.draft.create(&format!("{BLOCK}{number}"))
    }

    /// Appends a staged block.
    pub(crate) fn append(&mut self, number: u64) -> Result<(), StorageError> {
        let path = self.draft.path().join(CONTENT);
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let block =
            rustix::fs::openat(self.draft.directory(), format!("{BLOCK}{number}"), flags, Mode::empty());
        let block = File::from(block.attempt("open", &path)?);
        let copied = pump(&mut { &block }, &mut self.content, self.left.left()).attempt("write", &path)?;
        self.left.spend(copied.ok_or_else(|| self.left.exhausted())?)
    }

    /// Removes a staged block.
    pub(crate) fn unstage(&self, number: u64) {
        // What cannot be removed goes with the draft, or stays beside the content where nobody looks.
        let name = format!("{BLOCK}{number}");
        let _ = rustix::fs::unlinkat(self.draft.directory(), name, AtFlags::empty());
    }

    /// Completes the content under a name.
    pub(crate) fn seal(self, name: &str) -> Result<(Draft, Sealed), StorageError> {
        let Self { draft, content, .. } = self;
        let directory = draft.directory();
        let entries = rustix::fs::Dir::read_from(directory).attempt("read", draft.path())?;
        for entry in entries {
            let entry = entry.attempt("read", draft.path())?;
            // Blocks that nobody listed, or that still come.
            if entry.file_name().to_bytes().starts_with(BLOCK.as_bytes()) {
                rustix::fs::unlinkat(directory, entry.file_name(), AtFlags::empty())
                    .attempt("remove", draft.path())?;
            }
        }
        rustix::fs::renameat(directory, CONTENT, directory, name)
            .attempt("rename", draft.path().join(CONTENT))?;
        let size = content.length();
        let digest = format!("sha256:{}", content.finish().1);
        Ok((draft, Sealed { size, digest }))
    }
}

impl Write for ContentDraft {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.left.spend(buffer.len() as u64).map_err(io::Error::other)?;
        self.content.write_all(buffer)?;
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.content.flush()
    }
}

/// The part of a path that stands for a text of any kind.
pub(crate) fn slot(text: &str) -> String {
    sha256(text.as_bytes()).get(..40).unwrap_or_default().to_owned()
}
