//! Caches of workflows: what a run restores that an earlier run saved.
//!
//! The rules are those of `actions/cache`. An entry has a key and a version (what is in it, and how it is packed), and
//! stands in the scope of a ref. A run reads the scopes of its own ref, of the branch that a pull request goes to, and of
//! the default branch; it writes that of its own ref only. An entry is never changed. Entries that nobody used for a
//! week go, and so do those used longest ago when there is too much.

mod entry;
mod key;
mod save;
mod scope;
mod store;
mod stored;

pub use entry::{CacheEntry, CacheForm};
pub use key::{CacheKey, CacheKeyError, cache_version};
pub use save::{CachePart, NewCache, Saved};
pub use scope::CacheScopes;
pub use store::{CacheBounds, CacheStore};
pub use stored::StoredCache;
