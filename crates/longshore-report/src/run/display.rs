//! The display that was asked for.

use std::io::{self, Write};

use longshore_event::{Event, RunSink};

use super::{GitHub, Json, Live, Plain, Verbosity, Window};
use crate::Style;

/// In which form runs are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// The events, a line each.
    Json,
    /// Commands of a hosted runner.
    GitHub,
}

/// What decides how runs are shown.
#[derive(Debug)]
pub struct Options {
    /// The form.
    pub format: Format,
    /// How much is told in text.
    pub verbosity: Verbosity,
    /// The decoration of lines.
    pub style: Style,
    /// The terminal that may be drawn on, if there is one.
    pub window: Option<Window>,
}

/// One of the displays.
#[derive(Debug)]
pub enum Display<W> {
    /// A tree drawn in place.
    Live(Live<W>),
    /// Lines.
    Plain(Plain<W>),
    /// Events.
    Json(Json<W>),
    /// Commands.
    GitHub(GitHub<W>),
}

impl<W: Write> Display<W> {
    /// The display for these options. A tree leaves no room for the logs of everything, nor for silence: with another
    /// verbosity than the usual one text comes in lines.
    pub fn new(stream: W, options: Options) -> Self {
        match (options.format, options.window) {
            (Format::Json, _) => Self::Json(Json::new(stream)),
            (Format::GitHub, _) => Self::GitHub(GitHub::new(stream)),
            (Format::Text, Some(window)) if options.verbosity == Verbosity::Brief => {
                Self::Live(Live::new(stream, window))
            }
            (Format::Text, _) => Self::Plain(Plain::new(stream, options.verbosity, options.style)),
        }
    }

    /// Writes what is left; the first failure of the stream.
    pub fn finish(&mut self) -> io::Result<()> {
        match self {
            Self::Live(display) => display.finish(),
            Self::Plain(display) => display.finish(),
            Self::Json(display) => display.finish(),
            Self::GitHub(display) => display.finish(),
        }
    }
}

impl<W: Write + Send> Display<W> {
    /// Makes room for somebody else to write: what was held back is written, and a tree goes until the next event.
    pub fn step_aside(&mut self) {
        match self {
            Self::Live(display) => display.step_aside(),
            other => other.idle(),
        }
    }
}

impl<W: Write + Send> RunSink for Display<W> {
    fn take(&mut self, event: &Event) {
        match self {
            Self::Live(display) => display.take(event),
            Self::Plain(display) => display.take(event),
            Self::Json(display) => display.take(event),
            Self::GitHub(display) => display.take(event),
        }
    }

    fn idle(&mut self) {
        match self {
            Self::Live(display) => display.idle(),
            Self::Plain(display) => display.idle(),
            Self::Json(display) => display.idle(),
            Self::GitHub(display) => display.idle(),
        }
    }
}
