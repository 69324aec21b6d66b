//! The texts that a plan needs beside the workflows: called workflows and action manifests.

use std::collections::BTreeMap;

use longshore_syntax::{SourceFile, SourceRef};

/// What is known about one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Its text.
    Found(SourceFile),
    /// It cannot be had. Why, in words such as `not found` or `offline, and not in the cache`.
    Missing(String),
}

/// The sources fetched so far. A driver adds what [`Progress::Needs`](longshore_syntax::Progress::Needs) names.
#[derive(Debug, Clone, Default)]
pub struct SourceSet {
    sources: BTreeMap<SourceRef, Source>,
}

impl SourceSet {
    /// Adds what was learned about a source.
    pub fn insert(&mut self, reference: SourceRef, source: Source) {
        self.sources.insert(reference, source);
    }

    /// What is known about a source; `None` if nobody asked yet.
    pub fn find(&self, reference: &SourceRef) -> Option<&Source> {
        self.sources.get(reference)
    }
}
