//! Being attached to what runs in a container: streams, terminal, signals.

mod attachment;
mod detach;
mod pass;
mod signals;
mod terminal;

pub(super) use attachment::{AttachmentArgs, Ending};
pub(super) use detach::{DetachKeys, DetachReader};
pub(super) use pass::Passage;
pub(super) use signals::{Asked, SignalWatch};
pub(in crate::cli) use terminal::is_terminal;
pub(super) use terminal::{RawTerminal, size};
