//! Runs as people and machines follow them.
//!
//! - [`Plain`] writes a line for each fact, for logs and pipes.
//! - [`Live`] draws a tree in place on a terminal.
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
mod excerpt;
mod group;
mod json;
mod line;
mod live;
mod node;
mod plain;
mod row;
mod sheet;
mod tracked;
mod tree;
mod words;

#[cfg(test)]
mod script;
#[cfg(test)]
mod tests;

pub use duration::duration;
pub use json::Json;
pub use live::{Live, Size, Window};
pub use plain::{Plain, Verbosity};
