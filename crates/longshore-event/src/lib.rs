//! The language in which work is reported.
//!
//! Whoever does long work tells what happened in past-tense facts that own their data; whoever shows or records it
//! listens. Nothing else is used to speak about work: no prints, no log lines.
//!
//! - [`Event`] is one fact of one run, stamped and numbered by the one who dispatches the run. [`EventKind`] has a family
//!   for each kind of work. Events are what `--format json` prints and what the history keeps; `docs/events.md` is their
//!   documentation, and [`SCHEMA`] their version.
//! - [`RunState`] is what events add up to: the one fold behind the terminal, the history and every report, so that what
//!   is replayed is what was seen live.
//! - [`Masker`] takes secrets out of text before it becomes an event.
//! - [`RunSink`] takes the events of runs, [`EventSink`] what happens to images.
//!
//! **Invariant:** an event, once written, can be read by every later version with the same major number. No event holds a
//! secret.

#![forbid(unsafe_code)]

mod annotation;
mod event;
mod image;
mod job;
mod mask;
mod run;
mod sink;
mod state;
mod step;

pub use annotation::{Annotation, AnnotationLevel};
pub use event::{Event, EventKind, JobKey, LogChunk, RunId, SCHEMA, StepNumber, Timestamp};
pub use image::ImageEvent;
pub use job::{JobEvent, ServiceState, StepOutline};
pub use mask::Masker;
pub use run::{JobOutline, RunEvent, RunOutline};
pub use sink::{EventSink, RunSink, Silent};
pub use state::{JobState, JobStatus, RunState, StepState, StepStatus};
pub use step::{Conclusion, StepEvent, StepStage};
