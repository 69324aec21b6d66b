//! What containers wrote, on disk: the format of Kubernetes' container logs.
//!
//! A line is `TIME STREAM TAG CONTENT`: the time as RFC 3339 with nanoseconds, `stdout` or `stderr`, `F` for a whole line or
//! `P` for a part whose rest follows, and the bytes as they came. It can be read with `less`, and holds any bytes. A log
//! is rotated by renaming: `log`, `log.1`, `log.2`; the highest is the oldest.

mod reader;
mod writer;

pub(crate) use reader::read;
pub(crate) use writer::LogWriter;
