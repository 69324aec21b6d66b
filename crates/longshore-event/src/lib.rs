//! The language in which work is reported.
//!
//! Whoever does long work takes an [`EventSink`] and tells it what happened, in past-tense facts that own their data;
//! whoever shows or records it implements one. Nothing else is used to speak about work: no prints, no log lines.

#![forbid(unsafe_code)]

mod image;
mod sink;

pub use image::ImageEvent;
pub use sink::{EventSink, Silent};
