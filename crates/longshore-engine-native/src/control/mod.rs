//! How a monitor is spoken to: frames over a local socket.
//!
//! A frame is a kind (one byte), a length (four bytes, little-endian), and so many bytes: JSON, or what flows through the
//! streams. The connection that a monitor is started with and those that come over its socket speak the same. Who may
//! connect is decided by the directory that the socket is in.

mod client;
mod frame;
mod socket;

pub(crate) use client::Client;
pub(crate) use frame::{AnswerDto, FailureDto, Frame, FrameReader, RequestDto};
pub(crate) use socket::{connect, listen};
