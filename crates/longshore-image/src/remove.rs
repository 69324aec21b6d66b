//! Taking names away from images, and images away.
//!
//! The rules are Docker's. A name that is not the last is just taken away. With the last one the image goes, unless a
//! container was made of it; `force` takes the names away all the same, and the content stays until the container goes.

use std::time::Duration;

use longshore_core::ByteSize;
use longshore_oci::Digest;
use longshore_store::{GcOptions, GcReport, StoreError};

use crate::{ImageName, Images, Listed, NameError, ResolveError, short_id};

/// Why an image was not removed.
#[derive(Debug, thiserror::Error)]
pub enum RemoveError {
    /// There is no such image.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// It has names in several repositories.
    #[error(
        "conflict: unable to delete {} (must be forced) - image is referenced in multiple repositories",
        short_id(id)
    )]
    ManyNames {
        /// The image.
        id: Digest,
    },
    /// A container was made of it.
    #[error(
        "conflict: unable to remove `{text}` (must force) - container {container} is using its referenced image {}",
        short_id(id)
    )]
    InUse {
        /// What was asked for.
        text: String,
        /// The container.
        container: String,
        /// The image.
        id: Digest,
    },
    /// A name cannot be written.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What was removed.
#[derive(Debug, Default)]
pub struct Removal {
    /// Names that were taken away, as people write them.
    pub untagged: Vec<String>,
    /// Images and layers that are gone.
    pub deleted: Vec<Digest>,
    /// How much space that freed.
    pub freed: ByteSize,
}

impl Images {
    /// Removes a name, or an image with all its names if a text is an id.
    pub fn remove(&self, text: &str, force: bool) -> Result<Removal, RemoveError> {
        let image = self.resolve(text, None)?;
        let gone = || ResolveError::NotFound { text: text.to_owned() };
        let listed = self.listed(&image)?.ok_or_else(gone)?;
        if let Some(name) = &image.name {
            let others = listed.names.iter().any(|other| other != name && other.tagged().is_some());
            if others {
                self.take_name(name)?;
                return Ok(Removal { untagged: vec![name.familiar()], ..Removal::default() });
            }
        } else if !force && !is_single(&listed) {
            return Err(RemoveError::ManyNames { id: image.id().clone() });
        }
        if let (false, Some(container)) = (force, listed.containers.first()) {
            let short = container.get(..12).unwrap_or(container).to_owned();
            let (text, container, id) = (text.to_owned(), short, image.id().clone());
            return Err(RemoveError::InUse { text, container, id });
        }
        let mut removal = self.take_all_names(&listed)?;
        removal.add(&self.collect()?, listed.containers.is_empty().then(|| image.id().clone()));
        Ok(removal)
    }

    /// Removes images that nobody needs: those without name, or with `all` those that no container was made of. `wanted`
    /// says which of them.
    pub fn prune(&self, all: bool, wanted: impl Fn(&Listed) -> bool) -> Result<Removal, RemoveError> {
        let mut removal = Removal::default();
        let mut deleted = Vec::new();
        for listed in self.list()?.images {
            if listed.containers.is_empty() && (all || listed.is_dangling()) && wanted(&listed) {
                removal.untagged.extend(self.take_all_names(&listed)?.untagged);
                deleted.push(listed.image.id().clone());
                continue;
            }
            // The same image may have come with another manifest, which lost its name.
            if !listed.is_dangling() && listed.containers.is_empty() {
                let mut dangling = listed.names.iter().filter(|name| name.reference().is_none());
                dangling.try_for_each(|name| self.take_name(name))?;
            }
        }
        removal.add(&self.collect()?, deleted);
        Ok(removal)
    }

    /// Brings the store within a budget, if there is one, by removing images that no container was made of, the oldest
    /// first.
    pub fn keep_within(&self, budget: ByteSize) -> Result<GcReport, StoreError> {
        let policy = longshore_store::OldestFirst(vec![
            longshore_store::Namespace::Cache,
            longshore_store::Namespace::Build,
            longshore_store::Namespace::Image,
        ]);
        self.store.collect(&GcOptions { budget: Some(budget), policy: &policy, ..GcOptions::default() })
    }

    /// Removes what nobody needs, however young: whoever adds something holds it by a lease.
    fn collect(&self) -> Result<GcReport, StoreError> {
        self.store.collect(&GcOptions { keep_newer: Duration::ZERO, ..GcOptions::default() })
    }

    fn take_all_names(&self, listed: &Listed) -> Result<Removal, RemoveError> {
        let mut removal = Removal::default();
        for name in &listed.names {
            self.take_name(name)?;
            removal.untagged.extend(name.reference().map(|_| name.familiar()));
        }
        Ok(removal)
    }

    fn take_name(&self, name: &ImageName) -> Result<(), RemoveError> {
        let ref_name = name.to_ref().map_err(NameError::from)?;
        self.store.remove_ref(&ref_name)?;
        Ok(())
    }
}

impl Removal {
    fn add(&mut self, report: &GcReport, images: impl IntoIterator<Item = Digest>) {
        self.deleted.extend(images);
        self.deleted.extend(report.snapshots.digests.iter().cloned());
        self.freed = report.freed();
    }
}

/// Whether an image has names of one repository only, and one tag at most.
fn is_single(listed: &Listed) -> bool {
    let mut tags = listed.tags();
    let first = tags.next();
    tags.next().is_none()
        && listed.names.iter().filter_map(ImageName::reference).all(|name| {
            first.is_none_or(|first| (first.domain(), first.path()) == (name.domain(), name.path()))
        })
}
