//! Layers of images: tar archives unpacked into and packed from directories.
//!
//! [`apply`] unpacks one layer into a directory that becomes a lower directory of overlayfs, [`adopt_directories`] gives
//! directories that the layer only implies the attributes of those below, and [`decompress`] reads any layer's content.
//! [`archive`] reads and writes tar archives of any kind, as `image load` and `save` need it.

#![forbid(unsafe_code)]

mod adopt;
mod apply;
pub mod archive;
mod compress;
pub mod compression;
mod decompress;
mod pack;
mod xattr;

pub use adopt::{AdoptError, adopt_directories};
pub use apply::{Applied, ApplyError, ApplyOptions, Devices, Fault, Limits, Ownership, Whiteouts, apply};
pub use compress::{Compressor, compress};
pub use decompress::{DecompressError, Decompressor, decompress};
pub use longshore_oci::Compression;
pub use pack::{PackError, PackOptions, Packed, TreeForm, pack};
