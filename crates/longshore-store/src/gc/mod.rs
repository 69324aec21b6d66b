//! The garbage collector: what no ref and no live lease needs is removed, when it is old enough.

mod collect;
mod evict;
mod inventory;
mod mark;
mod policy;
mod report;

pub use collect::GcOptions;
pub(crate) use inventory::{Inventory, Item};
pub use policy::{KeepAll, OldestFirst, RetentionPolicy};
pub use report::{Eviction, GcReport, Removed};
