//! Giving names to images, and what becomes of those that lose theirs.

use std::time::SystemTime;

use longshore_oci::{Algorithm, Reference};
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
    /// It would be mistaken for an id.
    #[error("refusing to create an ambiguous tag using digest algorithm as name")]
    Ambiguous,
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
        self.assign(&name, &RefRecord::new(image.root, now))?;
        Ok(name)
    }

    /// Lets a name stand for what a record says, which a lease must hold.
    pub(crate) fn assign(&self, name: &ImageName, record: &RefRecord) -> Result<(), NameError> {
        let ref_name = name.to_ref()?;
        let digest = &record.target.digest;
        let before = self.store.reference(&ref_name)?;
        if let Some(before) = before.as_ref().filter(|before| before.target.digest != *digest) {
            self.leave_dangling(&ref_name, before, record.created)?;
        }
        // What stands for the same is not written again, so that the time of its coming stays.
        if before.is_none_or(|before| before.target.digest != *digest) {
            self.store.put_ref(&ref_name, record)?;
        }
        if name.reference().is_some() {
            self.store.remove_ref(&ImageName::Dangling(digest.clone()).to_ref()?)?;
        }
        Ok(())
    }

    /// Keeps what loses its last name, as images without name. What was pulled is still known by its repository.
    fn leave_dangling(&self, lost: &RefName, before: &RefRecord, now: SystemTime) -> Result<(), NameError> {
        let digest = &before.target.digest;
        let mut others = self.store.refs(Namespace::Image)?.into_iter();
        if others.any(|each| each.name != *lost && each.record.target.digest == *digest) {
            return Ok(());
        }
        let dangling = ImageName::Dangling(digest.clone()).to_ref()?;
        let mut record = RefRecord::new(before.target.clone(), now);
        record.labels.extend(
            before.labels.get_key_value(REPOSITORY_LABEL).map(|(key, value)| (key.clone(), value.clone())),
        );
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
    if Algorithm::from_name(&reference.familiar_name()).is_some() {
        return Err(NameError::Ambiguous);
    }
    Ok(())
}
