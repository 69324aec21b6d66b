//! Chain ids: names of stacks of layers, as the image specification computes them.
//!
//! The chain id of one layer is its diff id; that of a stack is the digest of the chain id of the layers below, a blank
//! and the diff id of the top layer. Snapshots are stored under it, because unlike a diff id it tells what is below.

use std::fmt;

use crate::Digest;

/// The name of a stack of layers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChainId(Digest);

impl ChainId {
    /// The chain id of a lowest layer.
    pub fn base(diff_id: &Digest) -> Self {
        Self(diff_id.clone())
    }

    /// The chain id of this stack with one more layer on top.
    pub fn with_layer(&self, diff_id: &Digest) -> Self {
        Self(Digest::of(format!("{} {diff_id}", self.0).as_bytes()))
    }

    /// The chain id of a whole stack, lowest layer first; nothing for no layers.
    pub fn of(diff_ids: &[Digest]) -> Option<Self> {
        let (base, above) = diff_ids.split_first()?;
        Some(above.iter().fold(Self::base(base), |below, diff_id| below.with_layer(diff_id)))
    }

    /// It as a digest.
    pub fn digest(&self) -> &Digest {
        &self.0
    }
}

impl fmt::Display for ChainId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The chain ids of the stacks that end with each layer, lowest first.
pub fn chain_ids(diff_ids: &[Digest]) -> Vec<ChainId> {
    let mut chain: Vec<ChainId> = Vec::with_capacity(diff_ids.len());
    for diff_id in diff_ids {
        let next = chain.last().map_or_else(|| ChainId::base(diff_id), |below| below.with_layer(diff_id));
        chain.push(next);
    }
    chain
}
