//! Where actions come from: what planning found them by, and Node from the npm registry.

use std::path::PathBuf;

use longshore_runner::{ActionSource, FetchError, FetchedAction};
use longshore_syntax::SourceRef;

/// Actions by the settings.
#[derive(Debug)]
pub(crate) struct Actions;

impl ActionSource for Actions {
    fn fetch(&self, reference: &SourceRef) -> Result<FetchedAction, FetchError> {
        Err(FetchError { message: format!("the action `{reference}` cannot be had"), help: None })
    }

    fn node(&self, major: u32, _musl: bool) -> Result<PathBuf, FetchError> {
        Err(FetchError { message: format!("there is no Node {major}"), help: None })
    }
}
