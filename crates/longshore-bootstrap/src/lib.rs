//! Base images from the package archive of a distribution, without the distribution's tools.
//!
//! [`bootstrap`] makes a root file system from a [`Suite`] of Debian's or Ubuntu's archive: it checks the signature of
//! the release, the digests of the indexes by the release and those of the packages by the indexes; chooses packages as
//! `debootstrap` does; unpacks them with `dpkg`'s rules; has them configured by commands that a [`Configurator`] runs in
//! the new root; and takes out what would make two runs differ. [`Bootstrapped::image_config`] then describes the image.
//! Nothing of the host's package tools or their state is used.
//!
//! **Invariants:** nothing is unpacked that a key of the keyring does not vouch for. Nothing outside of the root and
//! the cache is written, whatever a package holds. The root is a function of the releases and options: same releases,
//! same files, and none is newer than the newest release. A cache that is damaged or shared does no harm.

#![forbid(unsafe_code)]

mod archive;
mod bootstrap;
mod cache;
mod clean;
mod configure;
mod control;
mod deb;
mod decompress;
mod distribution;
mod dpkg;
mod fetch;
mod image;
mod index;
mod keys;
mod layout;
mod mirror;
mod openpgp;
mod relation;
mod release;
mod resolve;
mod rootfs;
mod unpack;
mod version;

pub use archive::ArchiveError;
pub use bootstrap::{BootstrapError, Options, bootstrap};
pub use configure::{Configurator, ConfigureStep};
pub use deb::DebError;
pub use distribution::{Distribution, Suite, SuiteError};
pub use dpkg::DatabaseError;
pub use fetch::FetchError;
pub use image::{Bootstrapped, InstalledPackage};
pub use index::IndexError;
pub use layout::LayoutError;
pub use mirror::mirror_of_host;
pub use openpgp::{KeyringError, SignatureError};
pub use release::ReleaseError;
pub use resolve::{ResolveError, Variant, VariantError};
pub use unpack::UnpackError;
