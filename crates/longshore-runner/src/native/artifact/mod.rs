//! `actions/upload-artifact`, its `merge`, and `actions/download-artifact`.
//!
//! Artifacts are handed to the next job as files, with their rights, and never packed; an archive is made when somebody
//! asks for one. The rules are those of version 4 and later; steps that ask for version 1 to 3 may add to an artifact that
//! is there, as those could.

mod download;
mod merge;
mod name_pattern;
mod run;
mod upload;

pub(super) use download::main as download;
pub(super) use merge::main as merge;
pub(super) use upload::main as upload;
