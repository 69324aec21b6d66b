//! Fetching one version of a repository over http or https.
//!
//! Exactly one commit is fetched, without history (git documentation: "git-fetch", `--depth`), into an empty bare
//! repository. The only credential ever sent is one that the URL itself
//! holds, and no helper program is asked for one. A proxy
//! is taken from the usual environment variables; certificates are checked against Mozilla's list, or a file's.

use std::error::Error as StdError;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use gix::remote::Direction;
use gix::remote::fetch::{Shallow, Tags};
use gix_transport::Protocol;
use gix_transport::client::blocking_io::http::connect_http;
use thiserror::Error;
use ureq::tls::TlsConfig;

use crate::git_tree::GitTree;
use crate::http::Client;
use crate::repository::{Cause, CommitId, GitError, Repository};
use crate::trust::{TrustError, tls};

/// Why a fetch failed.
#[derive(Debug, Error)]
pub enum FetchError {
    /// The URL is of a kind that is not fetched.
    #[error(
        "cannot fetch `{url}`: only http and https are spoken; clone it and name the directory in a mirror rule"
    )]
    Scheme {
        /// The URL.
        url: String,
    },
    /// The server could not be reached, refused, or answered nonsense.
    #[error("failed to fetch `{version}` from `{url}`")]
    Transfer {
        /// The URL.
        url: String,
        /// The version.
        version: String,
        /// The cause.
        #[source]
        source: Cause,
    },
    /// The server has no such version.
    #[error("`{url}` has no branch, tag or commit `{version}`; check the spelling")]
    NoVersion {
        /// The URL.
        url: String,
        /// The version.
        version: String,
    },
    /// The certificates that servers are believed by cannot be read.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// What was fetched cannot be read back.
    #[error(transparent)]
    Git(#[from] GitError),
}

/// Fetches `version` from `url` into the existing, empty `directory`, and returns its commit.
pub(crate) fn fetch(
    url: &str,
    version: &str,
    directory: &Path,
    certificates: Option<&Path>,
) -> Result<CommitId, FetchError> {
    let parsed =
        gix::url::parse(url).ok().filter(|_| url.starts_with("http://") || url.starts_with("https://"));
    let parsed = parsed.ok_or_else(|| FetchError::Scheme { url: without_password(url) })?;
    let url = &without_password(url);
    let tls = tls(certificates)?;
    let failed =
        |source: Cause| FetchError::Transfer { url: url.to_owned(), version: version.to_owned(), source };
    let unknown = || FetchError::NoVersion { url: url.to_owned(), version: version.to_owned() };
    let is_there = transfer(parsed, version, directory, tls).map_err(|error| failed(reason(&error)))?;
    if !is_there {
        return Err(unknown());
    }
    let repository = Repository::at(directory)?.ok_or_else(unknown)?;
    Ok(GitTree::of(repository, version)?.ok_or_else(unknown)?.commit().clone())
}

/// The messages of an error and its causes, each once; the library repeats the innermost.
fn reason(error: &dyn StdError) -> Cause {
    let mut messages = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if messages.last() != Some(&message) {
            messages.push(message);
        }
        cause = error.source();
    }
    messages.join(": ").into()
}

/// A URL as it may be shown.
pub(crate) fn without_password(url: &str) -> String {
    match gix::url::parse(url) {
        Ok(mut parsed) => {
            parsed.set_password(None);
            parsed.to_bstring().to_string()
        }
        Err(_) => "the configured URL".to_owned(),
    }
}

/// Fetches a version; whether there is one.
fn transfer(url: gix::Url, version: &str, directory: &Path, tls: TlsConfig) -> gix::Result<bool> {
    let options = gix::create::Options::default();
    let isolated = gix::open::Options::isolated();
    let git = gix::ThreadSafeRepository::init_opts(directory, gix::create::Kind::Bare, options, isolated)?;
    let git = git.to_thread_local();
    let specs = specs(version);
    let specs = specs.iter().map(String::as_str);
    let remote =
        git.remote_at(url.clone())?.with_fetch_tags(Tags::None).with_refspecs(specs, Direction::Fetch)?;
    let client = Client::new(url.scheme == gix::url::Scheme::Https, tls);
    let transport = connect_http(client, url, Protocol::V2, false);
    let one = Shallow::DepthAtRemote(NonZeroU32::MIN);
    let connection = remote.to_connection_with_transport(transport).with_credentials(|_| Ok(None));
    let prepared =
        connection.prepare_fetch(gix::progress::Discard, gix::remote::ref_map::Options::default())?;
    if prepared.ref_map().mappings.is_empty() {
        return Ok(false);
    }
    prepared.with_shallow(one).receive(gix::progress::Discard, &AtomicBool::new(false))?;
    Ok(true)
}

/// What to ask for: the commit itself, the named reference, or a tag and a branch of the name.
fn specs(version: &str) -> Vec<String> {
    if CommitId::parse(version).is_some() {
        vec![format!("+{version}:refs/heads/fetched")]
    } else if version == "HEAD" {
        vec!["+HEAD:refs/remotes/origin/HEAD".to_owned()]
    } else if version.starts_with("refs/") {
        vec![format!("+{version}:{version}")]
    } else {
        ["refs/tags", "refs/heads"].map(|kind| format!("+{kind}/{version}:{kind}/{version}")).to_vec()
    }
}
