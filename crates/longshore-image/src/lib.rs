//! What can be done with images: pull, push, load, save, import, inspect, prune.

#![forbid(unsafe_code)]

mod document;
mod image;
mod images;
mod import;
mod load;
mod name;
mod naming;
mod resolve;
mod unpack;

pub use document::ReadError;
pub use image::{Image, short_id};
pub use images::{Images, host_platform};
pub use import::{ChangeError, ImportError, ImportOptions};
pub use load::{LoadError, LoadOptions, Loaded};
pub use name::{ImageName, NONE, RESERVED};
pub use naming::NameError;
pub use resolve::ResolveError;
pub use unpack::{UnpackError, UnpackOptions};
