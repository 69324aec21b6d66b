//! Files of an archive, over HTTP, from a local directory (`file://…`), or from what was fetched before.

use std::fs::File;
use std::io::{self, Read};
use std::time::Duration;

use longshore_event::{EventSink, ImageEvent};
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use ureq::Agent;

use crate::cache::{Cache, hexadecimal};
use crate::decompress::read_bounded;

/// How often a transfer that broke off is tried.
const ATTEMPTS: u32 = 3;

/// How many bytes come between two reports of progress.
const REPORT_EVERY: u64 = 256 << 10;

/// A file cannot be had.
#[derive(Debug, Error)]
pub enum FetchError {
    /// The network is not to be used, and the file is not in the cache.
    #[error("`{url}` is not in the cache, and the network is not to be used")]
    Offline {
        /// The file.
        url: String,
    },
    /// The server does not have it.
    #[error("`{url}` does not exist (HTTP status {status})")]
    Missing {
        /// The file.
        url: String,
        /// What the server said.
        status: u16,
    },
    /// The server refuses or is broken.
    #[error("`{url}` was answered with the HTTP status {status}")]
    Status {
        /// The file.
        url: String,
        /// What the server said.
        status: u16,
    },
    /// The server cannot be reached, or broke off.
    #[error("failed to fetch `{url}`")]
    Transfer {
        /// The file.
        url: String,
        /// Why.
        source: Box<ureq::Error>,
    },
    /// The answer cannot be read.
    #[error("failed to read `{url}`")]
    Read {
        /// The file.
        url: String,
        /// Why.
        source: io::Error,
    },
    /// It is not what the release vouches for.
    #[error("`{url}` is not what the archive's index lists: its SHA-256 should be {expected} and is {found}")]
    Digest {
        /// The file.
        url: String,
        /// What the index says.
        expected: String,
        /// What came.
        found: String,
    },
    /// It cannot be kept.
    #[error("failed to keep `{url}` in the cache")]
    Keep {
        /// The file.
        url: String,
        /// Why.
        source: io::Error,
    },
}

/// Fetches files, keeps them, and tells what it does.
pub(crate) struct Fetcher<'a> {
    agent: Agent,
    cache: &'a Cache,
    offline: bool,
    events: &'a dyn EventSink,
}

/// A file with a known digest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// What it is called in reports.
    pub(crate) name: &'a str,
    pub(crate) url: &'a str,
    pub(crate) sha256: &'a str,
    pub(crate) size: u64,
}

impl<'a> Fetcher<'a> {
    pub(crate) fn new(cache: &'a Cache, offline: bool, events: &'a dyn EventSink) -> Self {
        let agent = Agent::config_builder()
            .timeout_connect(Some(Duration::from_secs(20)))
            .timeout_recv_response(Some(Duration::from_mins(1)))
            .timeout_recv_body(Some(Duration::from_mins(30)))
            .http_status_as_error(false)
            .user_agent("longshore")
            .build()
            .new_agent();
        Self { agent, cache, offline, events }
    }

    /// The newest release at an address: from the network, or from the cache if the network is not to be used. It is
    /// not kept, because it was not checked yet.
    pub(crate) fn release(&self, url: &str, limit: u64) -> Result<Vec<u8>, FetchError> {
        if self.offline && !url.starts_with("file://") {
            let kept = self.cache.release(url, limit);
            return kept.ok_or_else(|| FetchError::Offline { url: url.to_owned() });
        }
        self.transfer(url, url, limit, None)
    }

    /// A file that was just fetched, without a word if it is in the cache.
    pub(crate) fn stored(&self, wanted: Wanted<'_>) -> Result<Vec<u8>, FetchError> {
        self.cache.content(wanted.sha256, wanted.size).map_or_else(|| self.content(wanted), Ok)
    }

    /// A file with a known digest, from the cache or the network; it is kept.
    pub(crate) fn content(&self, wanted: Wanted<'_>) -> Result<Vec<u8>, FetchError> {
        let item = || wanted.name.to_owned();
        if let Some(bytes) = self.cache.content(wanted.sha256, wanted.size) {
            self.events.image(ImageEvent::Present { item: item() });
            return Ok(bytes);
        }
        if self.offline && !wanted.url.starts_with("file://") {
            return Err(FetchError::Offline { url: wanted.url.to_owned() });
        }
        self.events.image(ImageEvent::Queued { item: item(), total: Some(wanted.size) });
        let bytes = self.transfer(wanted.url, wanted.name, wanted.size, Some(wanted.size))?;
        let found = hexadecimal(&Sha256::digest(&bytes));
        if found != wanted.sha256 {
            let (url, expected) = (wanted.url.to_owned(), wanted.sha256.to_owned());
            return Err(FetchError::Digest { url, expected, found });
        }
        let keep = self.cache.keep_content(wanted.sha256, &bytes);
        keep.map_err(|source| FetchError::Keep { url: wanted.url.to_owned(), source })?;
        self.events.image(ImageEvent::Completed { item: item() });
        Ok(bytes)
    }

    fn transfer(&self, url: &str, name: &str, limit: u64, total: Option<u64>) -> Result<Vec<u8>, FetchError> {
        if let Some(path) = url.strip_prefix("file://") {
            let read = File::open(path).and_then(|file| read_bounded(file, limit));
            return read.map_err(|source| match source.kind() {
                io::ErrorKind::NotFound => FetchError::Missing { url: url.to_owned(), status: 404 },
                _ => FetchError::Read { url: url.to_owned(), source },
            });
        }
        let mut attempt = 1;
        loop {
            let failure = match self.transfer_once(url, name, limit, total) {
                Err(failure) if attempt < ATTEMPTS && is_worth_another(&failure) => failure,
                result => return result,
            };
            let cause = std::error::Error::source(&failure).map_or(failure.to_string(), ToString::to_string);
            self.events.image(ImageEvent::Retried { attempt: format!("fetch {url}"), cause });
            std::thread::sleep(Duration::from_millis(200 << attempt));
            attempt += 1;
        }
    }

    fn transfer_once(
        &self,
        url: &str,
        name: &str,
        limit: u64,
        total: Option<u64>,
    ) -> Result<Vec<u8>, FetchError> {
        let answer = self.agent.get(url).call();
        let mut answer = answer
            .map_err(|source| FetchError::Transfer { url: url.to_owned(), source: Box::new(source) })?;
        let status = answer.status().as_u16();
        match status {
            200 => {}
            404 | 410 => return Err(FetchError::Missing { url: url.to_owned(), status }),
            _ => return Err(FetchError::Status { url: url.to_owned(), status }),
        }
        let reader = Reported {
            reader: answer.body_mut().as_reader(),
            name,
            total,
            done: 0,
            told: 0,
            to: self.events,
        };
        read_bounded(reader, limit).map_err(|source| FetchError::Read { url: url.to_owned(), source })
    }
}

fn is_worth_another(failure: &FetchError) -> bool {
    match failure {
        FetchError::Status { status, .. } => matches!(status, 408 | 429 | 500..=599),
        FetchError::Transfer { source, .. } => !matches!(
            **source,
            ureq::Error::BadUri(_) | ureq::Error::HostNotFound | ureq::Error::InvalidProxyUrl
        ),
        FetchError::Read { source, .. } => source.kind() != io::ErrorKind::InvalidData,
        _ => false,
    }
}

/// A body whose progress is told.
struct Reported<'a, R> {
    reader: R,
    name: &'a str,
    total: Option<u64>,
    done: u64,
    told: u64,
    to: &'a dyn EventSink,
}

impl<R: Read> Read for Reported<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.done += count as u64;
        if self.done - self.told >= REPORT_EVERY || (count == 0 && self.done > self.told) {
            self.told = self.done;
            let (item, done, total) = (self.name.to_owned(), self.done, self.total);
            self.to.image(ImageEvent::Transferred { item, done, total });
        }
        Ok(count)
    }
}
