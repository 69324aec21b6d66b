//! The images of one store.

use longshore_oci::Platform;
use longshore_store::Store;

/// The images of one store. Clones are the same; threads and processes may work on one store at the same time.
#[derive(Debug, Clone)]
pub struct Images {
    pub(crate) store: Store,
}

impl Images {
    /// Looks at a store as images.
    pub fn open(store: Store) -> Self {
        Self { store }
    }

    /// The store below.
    pub fn store(&self) -> &Store {
        &self.store
    }
}

/// What this machine runs natively.
pub fn host_platform() -> Platform {
    Platform::new("linux", std::env::consts::ARCH).normalised()
}
