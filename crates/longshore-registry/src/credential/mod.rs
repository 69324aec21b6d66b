//! Who we are to registries: Docker's `config.json`, the programs that it names, and Longshore's own file of the same
//! form, which counts first.
//!
//! [`config`] holds the file, [`helper`] the programs, [`store`] puts both together.

mod config;
mod helper;
mod store;

pub use store::{CredentialSources, CredentialStore, Keeper};

use std::path::PathBuf;

use longshore_core::Secret;

/// What a registry knows us by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// A name and a password, or a token in the place of one.
    Password {
        /// The name.
        user: String,
        /// The password.
        password: Secret<String>,
    },
    /// A token that the token service gives access tokens for.
    IdentityToken(Secret<String>),
    /// A token that the registry takes as it is.
    RegistryToken(Secret<String>),
}

/// Why credentials cannot be had or kept. No secret shows in it.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// A file cannot be read.
    #[error("failed to read `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file does not hold what it should.
    #[error("`{path}` is not a configuration of Docker: {problem}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A file cannot be written.
    #[error("failed to write `{path}`")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A helper cannot be started.
    #[error("failed to start the credential helper `{program}`")]
    Start {
        /// The program.
        program: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A helper failed.
    #[error("the credential helper `{program} {action}` failed: {problem}")]
    Helper {
        /// The program.
        program: String,
        /// What it was to do.
        action: &'static str,
        /// What it said, or what it did wrong.
        problem: String,
    },
    /// There is no file to keep them in.
    #[error("there is no file in which to keep credentials")]
    NoFile,
}
