//! Where the input of a process comes from and where its output goes.

use std::io::Read;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Which of the two outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Standard output; everything, if there is a terminal.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Takes what a process writes, as it comes, in pieces of any size. Blocking here holds up the process.
pub trait OutputSink: Send + Sync {
    /// Takes some bytes.
    fn write(&self, stream: Stream, bytes: &[u8]);
}

impl<F: Fn(Stream, &[u8]) + Send + Sync> OutputSink for F {
    fn write(&self, stream: Stream, bytes: &[u8]) {
        self(stream, bytes);
    }
}

/// Standard input of a process.
#[derive(Default)]
pub enum Input {
    /// At its end from the start.
    #[default]
    Null,
    /// The caller's own.
    Inherit,
    /// Whatever a reader gives, until its end.
    Reader(Box<dyn Read + Send>),
}

/// Standard output and error of a process.
#[derive(Clone, Default)]
pub enum Output {
    /// Dropped.
    #[default]
    Discard,
    /// The caller's own.
    Inherit,
    /// Handed on.
    Sink(Arc<dyn OutputSink>),
}

/// The streams of a process.
#[derive(Default)]
pub struct ProcessIo {
    /// What it reads.
    pub input: Input,
    /// Where it writes to.
    pub output: Output,
}

impl ProcessIo {
    /// No input; output goes to a sink.
    pub fn to(sink: Arc<dyn OutputSink>) -> Self {
        Self { input: Input::Null, output: Output::Sink(sink) }
    }
}
