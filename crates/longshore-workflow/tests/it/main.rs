//! What a user sees of reading, and of planning, workflow and action files.
//!
//! Texts are files in `fixtures/`, each beside a snapshot of everything refused about it; valid ones also show the
//! model. Plans are of whole repositories. `INSTA_UPDATE=always cargo test -p longshore-workflow` writes the snapshots;
//! read them before committing.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod action;
mod dump;
mod hostile;
mod parse;
mod plan;
mod refusal;
mod render;
