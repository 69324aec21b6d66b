//! Publishing unpacked layers in their order.
//!
//! A layer may imply directories without saying what they look like; they take that over from the layers below, so these
//! must be there first. Layers are delivered in any order and published from the lowest up, by whoever delivers the one
//! that was waited for.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use longshore_layer::{Applied, adopt_directories};
use longshore_oci::ChainId;
use longshore_store::{SnapshotIngest, Store};

use super::UnpackError;

/// A layer that is ready to be published, or was published before.
pub(crate) enum Prepared {
    Present(PathBuf),
    Made(Box<(SnapshotIngest, Applied)>),
}

/// The layers of one image on their way.
pub(crate) struct Stack<'a> {
    store: &'a Store,
    chain: &'a [ChainId],
    progress: Mutex<Progress>,
}

struct Progress {
    delivered: Vec<Option<Prepared>>,
    /// The published layers, lowest first.
    published: Vec<PathBuf>,
}

impl<'a> Stack<'a> {
    /// A stack of which nothing is here.
    pub(crate) fn new(store: &'a Store, chain: &'a [ChainId]) -> Self {
        let delivered = std::iter::repeat_with(|| None).take(chain.len()).collect();
        Self { store, chain, progress: Mutex::new(Progress { delivered, published: Vec::new() }) }
    }

    pub(crate) fn store(&self) -> &'a Store {
        self.store
    }

    pub(crate) fn chain(&self) -> &'a [ChainId] {
        self.chain
    }

    /// The layers that were not delivered, lowest first.
    pub(crate) fn missing(&self) -> Vec<usize> {
        let progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        (progress.published.len()..self.chain.len())
            .filter(|at| progress.delivered.get(*at).is_none_or(Option::is_none))
            .collect()
    }

    /// Takes a layer, and publishes it and those that waited for it, if it is their turn.
    pub(crate) fn deliver(&self, at: usize, prepared: Prepared) -> Result<(), UnpackError> {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = progress.delivered.get_mut(at) {
            *slot = Some(prepared);
        }
        loop {
            let next = progress.published.len();
            let Some(prepared) = progress.delivered.get_mut(next).and_then(Option::take) else {
                return Ok(());
            };
            let path = match prepared {
                Prepared::Present(path) => path,
                Prepared::Made(made) => publish(*made, &progress.published)?,
            };
            progress.published.push(path);
        }
    }

    /// The directories of all layers, lowest first. All must have been delivered.
    pub(crate) fn finish(self) -> Vec<PathBuf> {
        self.progress.into_inner().unwrap_or_else(PoisonError::into_inner).published
    }
}

fn publish(
    (mut ingest, applied): (SnapshotIngest, Applied),
    below: &[PathBuf],
) -> Result<PathBuf, UnpackError> {
    let lowers: Vec<PathBuf> = below.iter().rev().cloned().collect();
    adopt_directories(&ingest.path(), &applied.implied_directories, &lowers)
        .map_err(|source| UnpackError::Adopt { layer: ingest.chain().clone(), source })?;
    ingest.set_size(applied.file_bytes);
    Ok(ingest.commit()?.path().to_owned())
}
