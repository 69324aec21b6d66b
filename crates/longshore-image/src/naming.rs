//! Giving names to images, and what becomes of those that lose theirs.

use std::time::SystemTime;

use longshore_oci::{Descriptor, Reference};
use longshore_store::{Namespace, RefName, RefNameError, RefRecord, StoreError};

use crate::name::{REPOSITORY_LABEL, is_reserved};
use crate::{ImageName, Images, RESERVED, ResolveError};

/// Why an image was not given a name.
#[derive(Debug, thiserror::Error)]
pub enum NameError {
    /// The name is the engine's own.
    #[error("the name `{RESERVED}` stands for this machine's own system and cannot be given to an image")]
    Reserved,
    /// A name with a digest says what it must stand for.
    #[error("`{0}` has a digest, so it cannot be given to an image")]
    Digested(Reference),
    /// The name is too long.
    #[error(transparent)]
    Name(#[from] RefNameError),
    /// The image is not there.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Images {
    /// Gives one more name to an image. The image that had it before keeps a ref, as one without name.
    pub fn tag(&self, source: &str, target: &Reference, now: SystemTime) -> Result<ImageName, NameError> {
        check_name(target)?;
        let lease = self.store.lease("tag an image")?;
        let image = self.resolve(source, None)?;
        lease.hold_tree(&image.root)?;
        let name = ImageName::of(target);
        self.assign(&name, &image.root, now)?;
        Ok(name)
    }

    /// Lets a name stand for `root`, which a lease must hold.
    pub(crate) fn assign(
        &self,
        name: &ImageName,
        root: &Descriptor,
        now: SystemTime,
    ) -> Result<(), NameError> {
        let ref_name = name.to_ref()?;
        let before = self.store.reference(&ref_name)?;
        if let Some(before) = before.as_ref().filter(|before| before.target.digest != root.digest) {
            self.leave_dangling(name, &before.target, now)?;
        }
        // What stands for the same is not written again, so that the time of its coming stays.
        if before.is_none_or(|before| before.target.digest != root.digest) {
            self.store.put_ref(&ref_name, &RefRecord::new(root.clone(), now))?;
        }
        if name.reference().is_some() {
            self.store.remove_ref(&ImageName::Dangling(root.digest.clone()).to_ref()?)?;
        }
        Ok(())
    }

    /// Keeps what loses its last name, as images without name.
    pub(crate) fn leave_dangling(
        &self,
        lost: &ImageName,
        root: &Descriptor,
        now: SystemTime,
    ) -> Result<(), NameError> {
        let ref_name = lost.to_ref()?;
        let mut others = self.store.refs(Namespace::Image)?.into_iter();
        if others.any(|each| each.name != ref_name && each.record.target.digest == root.digest) {
            return Ok(());
        }
        let dangling: RefName = ImageName::Dangling(root.digest.clone()).to_ref()?;
        let record = RefRecord::new(root.clone(), now);
        let record = match lost.reference() {
            Some(reference) => record.with_label(REPOSITORY_LABEL, reference.name()),
            None => record,
        };
        Ok(self.store.put_ref(&dangling, &record)?)
    }
}

/// Refuses names that images cannot have.
pub(crate) fn check_name(reference: &Reference) -> Result<(), NameError> {
    if is_reserved(reference) {
        return Err(NameError::Reserved);
    }
    if reference.digest().is_some() {
        return Err(NameError::Digested(reference.clone()));
    }
    Ok(())
}
