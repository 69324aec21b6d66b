//! Refs: names for content, which keep it and all that it refers to.

mod change;
mod listing;
mod name;
mod path;
mod record;

pub use change::Swap;
pub use listing::NamedRef;
pub use name::{Namespace, RefName, RefNameError};
pub use record::RefRecord;
