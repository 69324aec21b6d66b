//! What can be done with images: pull, push, load, save, import, inspect, prune.

#![forbid(unsafe_code)]

mod document;
mod history;
mod image;
mod images;
mod import;
mod inspect;
mod list;
mod load;
mod name;
mod naming;
mod outer;
mod pull;
mod remove;
mod resolve;
mod save;
mod unpack;

pub use document::ReadError;
pub use history::Step;
pub use image::{Image, short_id};
pub use images::{Images, host_platform};
pub use import::{ChangeError, ImportError, ImportOptions};
pub use list::{Listed, Listing};
pub use load::{LoadError, LoadOptions, Loaded};
pub use name::{ImageName, NONE, RESERVED};
pub use naming::NameError;
pub use pull::{PullError, PullOptions, PullPolicy, Pulled, PushError};
pub use remove::{Removal, RemoveError};
pub use resolve::ResolveError;
pub use save::{SaveError, SaveFormat};
pub use unpack::{UnpackError, UnpackOptions, Unpacker};
