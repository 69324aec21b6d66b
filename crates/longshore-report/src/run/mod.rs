//! Runs as people and machines follow them.
//!
//! - [`Plain`] writes a line for each fact, for logs and pipes.
//! - [`Json`] writes the events themselves, a line each.
//!
//! A display takes the events of one or several runs ([`RunSink`](longshore_event::RunSink)) and writes to the stream that
//! it is given. It knows no terminal and no clock: the size of the window, colour and the time come from its maker, so the
//! same events give the same text. A stream that fails is written to no more, and its failure is told when the display is
//! finished.
//!
//! **Invariant:** what is kept of a run is bounded, however much it prints, and nothing that a step prints can do more to
//! the reader than say something.

mod ansi;
mod duration;
pub mod end;
#[allow(dead_code, reason = "the live display will use the rest")]
mod excerpt;
#[allow(dead_code, reason = "the live display will use the rest")]
mod group;
mod json;
mod line;
mod plain;
#[allow(dead_code, reason = "the live display will use the rest")]
mod row;
mod sheet;
#[allow(dead_code, reason = "the live display will use the rest")]
mod tracked;
#[allow(dead_code, reason = "the live display will use the rest")]
mod tree;
mod words;

#[cfg(test)]
mod script;
#[cfg(test)]
mod tests;

pub use duration::duration;
pub use json::Json;
pub use plain::{Plain, Verbosity};
