//! Finding what is needed, by reading the documents themselves.
//!
//! An index needs its manifests, a manifest its configuration and layers, a configuration the snapshots of its layers'
//! chain ids. There is no table of edges that could disagree with the content. A document that is absent or damaged
//! keeps nothing, because nobody can use what it would have named; one that cannot be *read* stops the collector,
//! because then nothing is known.

use std::collections::{HashMap, HashSet};

use longshore_oci::{
    Descriptor, Digest, ImageConfig, Index, MAX_DOCUMENT_BYTES, Manifest, MediaKind, MediaType, chain_ids,
};

use crate::lease::Hold;
use crate::{Store, StoreError};

/// How content is read, which its descriptor decides: the same bytes may be a layer here and a manifest there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Role {
    Index,
    Manifest,
    Config,
    Leaf,
}

/// Content in a role.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Node {
    pub(super) digest: Digest,
    pub(super) role: Role,
}

/// What is needed.
#[derive(Debug, Default)]
pub(super) struct Marked {
    pub(super) blobs: HashSet<Digest>,
    pub(super) snapshots: HashSet<Digest>,
}

/// The documents that were read so far, each once.
#[derive(Debug)]
pub(super) struct Documents<'s> {
    store: &'s Store,
    read: HashMap<Node, Needs>,
    pub(super) unreadable: Vec<Digest>,
}

#[derive(Debug, Clone, Default)]
struct Needs {
    nodes: Vec<Node>,
    snapshots: Vec<Digest>,
}

impl Node {
    pub(super) fn of(descriptor: &Descriptor) -> Self {
        Self { digest: descriptor.digest.clone(), role: role(&descriptor.media_type) }
    }
}

impl<'s> Documents<'s> {
    pub(super) fn new(store: &'s Store) -> Self {
        Self { store, read: HashMap::new(), unreadable: Vec::new() }
    }

    /// Everything that leases hold and that the targets need.
    pub(super) fn mark<'n>(
        &mut self,
        holds: &[Hold],
        targets: impl IntoIterator<Item = &'n Node>,
    ) -> Result<Marked, StoreError> {
        let mut marked = Marked::default();
        let mut pending: Vec<Node> = targets.into_iter().cloned().collect();
        for hold in holds {
            match hold {
                Hold::Blob(digest) => drop(marked.blobs.insert(digest.clone())),
                Hold::Snapshot(digest) => drop(marked.snapshots.insert(digest.clone())),
                Hold::Tree { media_type, digest } => {
                    let role =
                        MediaType::parse(media_type).map_or(Role::Leaf, |media_type| role(&media_type));
                    pending.push(Node { digest: digest.clone(), role });
                }
            }
        }
        let mut seen: HashSet<Node> = HashSet::new();
        while let Some(node) = pending.pop() {
            if !seen.insert(node.clone()) {
                continue;
            }
            marked.blobs.insert(node.digest.clone());
            let needs = self.needs(&node)?;
            marked.snapshots.extend(needs.snapshots.iter().cloned());
            pending.extend(needs.nodes.iter().cloned());
        }
        Ok(marked)
    }

    fn needs(&mut self, node: &Node) -> Result<&Needs, StoreError> {
        if !self.read.contains_key(node) {
            let needs = self.read_needs(node)?;
            self.read.insert(node.clone(), needs);
        }
        Ok(self.read.entry(node.clone()).or_default())
    }

    fn read_needs(&mut self, node: &Node) -> Result<Needs, StoreError> {
        if node.role == Role::Leaf {
            return Ok(Needs::default());
        }
        let bytes = match self.store.read_blob_in_place(&node.digest, MAX_DOCUMENT_BYTES as u64) {
            Err(StoreError::MissingBlob(_) | StoreError::UnsupportedDigest(_)) => return Ok(Needs::default()),
            Err(StoreError::CorruptBlob { .. } | StoreError::BlobTooLarge { .. }) => None,
            other => Some(other?),
        };
        let needs = bytes.and_then(|bytes| needs_of(node.role, &bytes));
        if needs.is_none() {
            self.unreadable.push(node.digest.clone());
        }
        Ok(needs.unwrap_or_default())
    }
}

fn role(media_type: &MediaType) -> Role {
    match media_type.kind() {
        MediaKind::Index => Role::Index,
        MediaKind::Manifest => Role::Manifest,
        MediaKind::Config => Role::Config,
        _ => Role::Leaf,
    }
}

fn needs_of(role: Role, bytes: &[u8]) -> Option<Needs> {
    match role {
        Role::Index => {
            let index = Index::read(None, bytes).ok()?;
            let nodes = index.manifests.iter().chain(&index.subject).map(Node::of).collect();
            Some(Needs { nodes, snapshots: Vec::new() })
        }
        Role::Manifest => Manifest::read(None, bytes).ok().map(|manifest| needs_of_manifest(&manifest)),
        Role::Config => {
            let config = ImageConfig::read(bytes).ok()?;
            let chain = chain_ids(&config.rootfs.diff_ids);
            let snapshots = chain.iter().map(|id| id.digest().clone()).collect();
            Some(Needs { nodes: Vec::new(), snapshots })
        }
        Role::Leaf => Some(Needs::default()),
    }
}

fn needs_of_manifest(manifest: &Manifest) -> Needs {
    let mut config = Node::of(&manifest.config);
    // Images come with configurations under any media type. One with layers is read as what it would be run as.
    let is_image = manifest.layers.iter().any(|layer| matches!(layer.media_type.kind(), MediaKind::Layer(_)));
    if is_image && config.role == Role::Leaf && manifest.config.media_type.kind() != MediaKind::Empty {
        config.role = Role::Config;
    }
    let nodes = manifest.layers.iter().chain(&manifest.subject).map(Node::of).chain([config]).collect();
    Needs { nodes, snapshots: Vec::new() }
}
