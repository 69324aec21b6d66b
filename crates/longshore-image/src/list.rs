//! Which images there are.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::SystemTime;

use longshore_oci::{Digest, Reference};
use longshore_store::{NamedRef, Namespace, StoreError};

use crate::document::all_images;
use crate::name::{REPOSITORY_LABEL, without_tag};
use crate::{Image, ImageName, Images, ResolveError};

/// An image with all its names.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The image.
    pub image: Image,
    /// Its names, sorted. One without name has [`ImageName::Dangling`] only.
    pub names: Vec<ImageName>,
    /// What it can be pulled by: `repository@digest`.
    pub digests: Vec<Reference>,
    /// The repository under which an image without name was known.
    pub repository: Option<String>,
    /// When it came, or got its last name.
    pub added: SystemTime,
    /// The containers that were made of it.
    pub containers: Vec<String>,
    /// How many bytes it has, see [`Images::size`].
    pub size: u64,
}

/// What is in a store.
#[derive(Debug, Default)]
pub struct Listing {
    /// The images, by their ids.
    pub images: Vec<Listed>,
    /// Names that stand for something that cannot be used as an image.
    pub broken: Vec<(ImageName, ResolveError)>,
}

impl Listed {
    /// Its names with tags.
    pub fn tags(&self) -> impl Iterator<Item = &Reference> {
        self.names.iter().filter_map(ImageName::tagged)
    }

    /// Whether an image stands in the same index.
    fn is_of(&self, image: &Image) -> bool {
        let digest = &image.root.digest;
        self.image.root.digest == *digest || self.digests.iter().any(|each| each.digest() == Some(digest))
    }

    /// Whether it has no name at all.
    pub fn is_dangling(&self) -> bool {
        self.names.iter().all(|name| name.reference().is_none())
    }
}

impl Images {
    /// All images, and what each container was made of.
    pub fn list(&self) -> Result<Listing, StoreError> {
        let containers = self.store.refs(Namespace::Container)?;
        let mut listing = Listing::default();
        let mut by_id: BTreeMap<Digest, Listed> = BTreeMap::new();
        for each in self.store.refs(Namespace::Image)? {
            let Some(name) = ImageName::of_ref(&each.name) else { continue };
            match self.image(&name.familiar(), None, &each.record.target, None) {
                Ok(image) => {
                    let listed = match by_id.entry(image.id().clone()) {
                        Entry::Occupied(listed) => listed.into_mut(),
                        Entry::Vacant(place) => {
                            let size = self.size(&image)?;
                            let users = self.users(&image, &containers);
                            place.insert(Listed::new(image, size, users, each.record.created))
                        }
                    };
                    listed.add(name, &each);
                }
                Err(error) => listing.broken.push((name, error)),
            }
        }
        listing.images = by_id.into_values().collect();
        Ok(listing)
    }

    /// The containers that were made of an image, be it for another platform.
    fn users(&self, image: &Image, containers: &[NamedRef]) -> Vec<String> {
        if containers.is_empty() {
            return Vec::new();
        }
        // An index that cannot be read has no other images.
        let others = all_images(&self.store, &image.root).unwrap_or_default();
        let others = others.iter().map(|each| &each.descriptor.digest);
        let own: Vec<&Digest> = [&image.manifest_descriptor.digest, &image.root.digest, image.id()]
            .into_iter()
            .chain(others)
            .collect();
        let made_of_it = containers.iter().filter(|each| own.contains(&&each.record.target.digest));
        made_of_it.map(|each| each.name.name().to_owned()).collect()
    }

    /// One image of the list. One for another platform than the list shows has the names of its index.
    pub fn listed(&self, image: &Image) -> Result<Option<Listed>, StoreError> {
        let mut images = self.list()?.images;
        let same = |listed: &Listed| listed.image.id() == image.id();
        let at =
            images.iter().position(same).or_else(|| images.iter().position(|listed| listed.is_of(image)));
        Ok(at.map(|at| Listed { image: image.clone(), ..images.swap_remove(at) }))
    }
}

impl Listed {
    fn new(image: Image, size: u64, containers: Vec<String>, added: SystemTime) -> Self {
        Self { image, names: Vec::new(), digests: Vec::new(), repository: None, added, containers, size }
    }

    fn add(&mut self, name: ImageName, each: &NamedRef) {
        let digest = &each.record.target.digest;
        let repository = each.record.labels.get(REPOSITORY_LABEL);
        let digested = match name.reference() {
            Some(reference) => without_tag(reference, digest),
            None => repository
                .and_then(|repository| Reference::parse(repository).ok())
                .and_then(|reference| reference.with_digest(digest.clone()).ok()),
        };
        if let Some(digested) = digested.filter(|digested| !self.digests.contains(digested)) {
            self.digests.push(digested);
        }
        if self.repository.is_none() {
            self.repository = repository.cloned();
        }
        self.added = self.added.max(each.record.created);
        self.names.push(name);
    }
}
