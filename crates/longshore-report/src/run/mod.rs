//! Runs as people and machines follow them.
//!
//! - [`Plain`] writes a line for each fact, for logs and pipes.
//! - [`Live`] draws a tree in place on a terminal.
//! - [`Json`] writes the events themselves, a line each.
//! - [`GitHub`] writes commands for a run inside a hosted runner.
//! - [`Display`] is whichever of these was asked for.
//! - [`end`], [`junit`] and [`html`] show a run that has ended.
//!
//! A display takes the events of one or several runs ([`RunSink`](longshore_event::RunSink)) and writes to the stream that
//! it is given. It knows no terminal and no clock: the size of the window, colour and the time come from its maker, so the
//! same events give the same text. A stream that fails is written to no more, and its failure is told when the display is
//! finished.
//!
//! **Invariant:** what is kept of a run is bounded, however much it prints, and nothing that a step prints can do more to
//! the reader than say something.

mod ansi;
mod display;
mod duration;
pub mod end;
mod excerpt;
mod github;
mod group;
pub mod html;
mod json;
pub mod junit;
mod line;
mod live;
mod node;
mod plain;
mod row;
mod sheet;
mod step_logs;
mod tracked;
mod tree;
mod words;

#[cfg(test)]
mod documented;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod script;
#[cfg(test)]
mod tests;

pub use display::{Display, Format, Options};
pub use duration::duration;
pub use github::GitHub;
pub use json::Json;
pub use line::log_line;
pub use live::{Live, Size, Window};
pub use plain::{Plain, Verbosity};
pub use step_logs::StepLogs;
