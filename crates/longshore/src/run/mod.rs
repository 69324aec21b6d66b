//! What `longshore run` is put together from: this machine as jobs see it, where actions come from, who is told, signals.

mod actions;
mod display;
pub(crate) mod documents;
pub(crate) mod kept;
mod machine;
pub(crate) mod recorded;
pub(crate) mod secrets;
mod signals;
pub(crate) mod tidy;
pub(crate) mod vault;

pub(crate) use actions::Actions;
pub(crate) use display::{Shared, SharedDisplay, window};
pub(crate) use machine::machine;
pub(crate) use signals::{Parting, listen};

use std::time::{SystemTime, UNIX_EPOCH};

use longshore_event::Timestamp;

/// The time, for what is recorded.
#[expect(clippy::disallowed_methods, reason = "the composition root is where the time comes from")]
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Timestamp(since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX)))
}
