//! Uploads under way: bytes that come in one piece or in blocks, as to a block blob of Azure.
//!
//! Blocks come in any order and at the same time, each to a file of its own; the list at the end says which of them make
//! the content, in which order. A block that comes again replaces the first. What is aborted changes nothing.

use std::collections::HashMap;
use std::io::{self, Read};
use std::sync::Mutex;

use super::state::locked;
use super::twirp::Refusal;
use crate::artifact::ArtifactName;
use crate::cache::CacheKey;
use crate::copy::pump;
use crate::{BackendId, ContentDraft, StorageError};

/// How many blocks a blob may have, as with Azure.
const MOST_BLOCKS: usize = 50_000;

/// What an upload is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    Artifact(ArtifactName),
    Cache { key: CacheKey, version: String, scope: String },
}

/// An upload.
#[derive(Debug)]
pub(super) struct Upload {
    pub(super) job: BackendId,
    pub(super) target: Target,
    pub(super) retention_days: u32,
    pub(super) media_type: Option<String>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Nothing once the upload was completed.
    content: Option<ContentDraft>,
    blocks: HashMap<String, Block>,
    staged: u64,
    next: u64,
    committed: bool,
}

#[derive(Debug, Clone, Copy)]
struct Block {
    number: u64,
    length: u64,
}

/// Why bytes were not taken.
#[derive(Debug)]
pub(super) enum UploadError {
    /// The client ended too early or broke the protocol.
    Aborted,
    /// The list names a block that did not come.
    UnknownBlock,
    /// There are too many blocks.
    TooManyBlocks,
    /// The upload was completed or given up.
    Over,
    /// The store refuses.
    Storage(StorageError),
}

impl From<StorageError> for UploadError {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

impl Upload {
    pub(super) fn new(job: BackendId, target: Target, content: ContentDraft) -> Self {
        let content = Some(content);
        let state = State { content, blocks: HashMap::new(), staged: 0, next: 0, committed: false };
        Self { job, target, retention_days: 0, media_type: None, state: Mutex::new(state) }
    }

    /// Takes all bytes at once.
    pub(super) fn put(&self, body: &mut impl Read) -> Result<(), UploadError> {
        let mut state = locked(&self.state);
        state.committed = false;
        let content = state.content.as_mut().ok_or(UploadError::Over)?;
        content.restart()?;
        let limit = content.limit();
        let copied = pump(&mut Source { inner: body }, content, limit).map_err(sorted)?;
        copied.ok_or(StorageError::Limit { what: "bytes", limit })?;
        state.committed = true;
        state.drop_blocks();
        Ok(())
    }

    /// Takes a block.
    pub(super) fn put_block(&self, id: &str, body: &mut impl Read) -> Result<(), UploadError> {
        let (number, mut file, left, limit) = {
            let mut state = locked(&self.state);
            if state.blocks.len() >= MOST_BLOCKS {
                return Err(UploadError::TooManyBlocks);
            }
            state.next += 1;
            let content = state.content.as_ref().ok_or(UploadError::Over)?;
            let left = content.limit().saturating_sub(state.staged);
            (state.next, content.stage(state.next)?, left, content.limit())
        };
        let copied = pump(&mut Source { inner: body }, &mut file, left).map_err(sorted);
        let mut state = locked(&self.state);
        let length = match copied {
            Ok(Some(length)) if state.staged.saturating_add(length) <= limit => length,
            other => {
                state.unstage(number);
                other?;
                return Err(StorageError::Limit { what: "bytes", limit }.into());
            }
        };
        state.staged += length;
        if let Some(old) = state.blocks.insert(id.to_owned(), Block { number, length }) {
            state.staged -= old.length;
            state.unstage(old.number);
        }
        Ok(())
    }

    /// Takes the bytes that begin at some offset.
    pub(super) fn put_at(&self, offset: u64, body: &mut impl Read) -> Result<(), UploadError> {
        self.put_block(&format!("{offset:020}"), body)
    }

    /// Makes the content of all that came at offsets, if there is no gap.
    pub(super) fn join(&self) -> Result<(), UploadError> {
        let state = locked(&self.state);
        let mut ids: Vec<_> = state.blocks.keys().cloned().collect();
        ids.sort();
        let mut end = 0;
        for id in &ids {
            let block = state.blocks.get(id).filter(|_| *id == format!("{end:020}"));
            end += block.ok_or(UploadError::UnknownBlock)?.length;
        }
        drop(state);
        self.put_list(&ids)
    }

    /// Makes the content of blocks, in this order.
    pub(super) fn put_list(&self, ids: &[String]) -> Result<(), UploadError> {
        let mut state = locked(&self.state);
        let blocks: Option<Vec<_>> = ids.iter().map(|id| state.blocks.get(id).copied()).collect();
        let blocks = blocks.ok_or(UploadError::UnknownBlock)?;
        state.committed = false;
        let content = state.content.as_mut().ok_or(UploadError::Over)?;
        content.restart()?;
        for block in blocks {
            content.append(block.number)?;
        }
        state.committed = true;
        state.drop_blocks();
        Ok(())
    }

    /// The content, once all of it has come.
    pub(super) fn complete(&self, size: Option<u64>) -> Result<ContentDraft, Refusal> {
        let mut state = locked(&self.state);
        let incomplete = || Refusal::new("invalid_argument", "what was announced has not been uploaded");
        if !state.committed {
            return Err(incomplete());
        }
        let content = state.content.take().ok_or_else(incomplete)?;
        if size.is_some_and(|size| size != content.length()) {
            return Err(incomplete());
        }
        Ok(content)
    }
}

impl State {
    fn unstage(&self, number: u64) {
        if let Some(content) = &self.content {
            content.unstage(number);
        }
    }

    fn drop_blocks(&mut self) {
        let blocks = std::mem::take(&mut self.blocks);
        blocks.values().for_each(|block| self.unstage(block.number));
        self.staged = 0;
    }
}

/// Marks errors of the client, which are no errors of the disk.
struct Source<'b, R> {
    inner: &'b mut R,
}

/// An error of the client.
#[derive(Debug, thiserror::Error)]
#[error("the client sent too little")]
struct Client(#[source] io::Error);

impl<R: Read> Read for Source<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => error,
            _ => io::Error::other(Client(error)),
        })
    }
}

/// Whose error it is.
fn sorted(error: io::Error) -> UploadError {
    match error.downcast::<Client>() {
        Ok(Client(_)) => UploadError::Aborted,
        Err(error) => match error.downcast::<StorageError>() {
            Ok(error) => UploadError::Storage(error),
            Err(error) => UploadError::Storage(StorageError::io("write", "an upload", error)),
        },
    }
}
