//! The formats of images as users of the crate see them.

mod chain_id;
mod digest;
mod documents;
mod platform;
mod reference;
mod validate;
