//! Why a tool cannot be set up.

use std::path::PathBuf;

use longshore_engine::EngineError;
use thiserror::Error;

use super::super::cache::CacheError;
use super::super::files::FilesError;
use super::super::inputs::InputError;
use crate::handler::HandlerEnd;
use crate::job::chain;
use crate::step::StepCall;

/// A tool cannot be set up.
#[derive(Debug, Error)]
pub(super) enum SetupError {
    #[error(transparent)]
    Input(#[from] InputError),
    #[error("failed to look for {tool} in the job's container")]
    Look { tool: &'static str, source: EngineError },
    #[error("`{wanted}` is no version of {tool} that is understood here: {help}")]
    Version { tool: &'static str, wanted: String, help: &'static str },
    #[error("The specified {tool} version file at: {} doesn't exist", path.display())]
    NoFile { tool: &'static str, path: PathBuf },
    #[error("`{}` names no version of {tool}", path.display())]
    NoVersion { tool: &'static str, path: PathBuf },
    #[error("{tool} {wanted} is not in the image `{image}`: {here}; {help}")]
    Missing { tool: &'static str, wanted: String, image: String, here: String, help: String },
    #[error("failed to set up {tool}: {said}")]
    Failed { tool: &'static str, said: String },
    #[error(transparent)]
    Files(#[from] FilesError),
    #[error("{0}")]
    NoLock(String),
    #[error("failed to compute the key of the cache")]
    Hash(#[source] longshore_source::HashFilesError),
    #[error(transparent)]
    Cache(#[from] CacheError),
    #[error("Caching for '{0}' is not supported")]
    Manager(String),
}

/// How a step has ended.
pub(super) fn end(call: &StepCall<'_>, result: Result<(), SetupError>) -> HandlerEnd {
    match result {
        Ok(()) => HandlerEnd::success(),
        Err(error) => HandlerEnd::failed(call, chain(&error)),
    }
}
