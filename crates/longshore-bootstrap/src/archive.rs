//! Archives as they are today: each source's release, its signature checked, and its index of packages.

use std::path::PathBuf;
use std::thread;

use jiff::Timestamp;
use longshore_event::{EventSink, ImageEvent};
use thiserror::Error;

use crate::cache::Cache;
use crate::decompress::{Compression, read_bounded};
use crate::distribution::Distribution;
use crate::fetch::{FetchError, Fetcher, Wanted};
use crate::mirror::Source;
use crate::openpgp::{self, Keyring, SignatureError};
use crate::release::{Listed, Release, ReleaseError};

/// The largest release; Debian's are below 1 MiB.
const MAX_RELEASE: u64 = 16 << 20;

/// The largest index, unpacked; Debian's is 50 MB, Ubuntu's `universe` 70 MB.
const MAX_INDEX: u64 = 1 << 30;

/// An archive cannot be used.
#[derive(Debug, Error)]
pub enum ArchiveError {
    /// The release cannot be had.
    #[error("failed to fetch the release")]
    FetchRelease(#[source] FetchError),
    /// The release is no text.
    #[error("`{0}` is no text")]
    Text(String),
    /// The release is not signed by who should sign it.
    #[error("the signature of `{url}` is not accepted")]
    Signature {
        /// The release.
        url: String,
        /// Why.
        source: SignatureError,
    },
    /// The release is not the one that was asked for.
    #[error("`{url}` is not accepted")]
    Release {
        /// The release.
        url: String,
        /// Why.
        source: ReleaseError,
    },
    /// The release lists no index in a form that can be read.
    #[error("`{url}` lists no index of `{component}` for `{architecture}`")]
    NoIndex {
        /// The release.
        url: String,
        /// The component.
        component: String,
        /// The architecture.
        architecture: String,
    },
    /// The index cannot be had.
    #[error("failed to fetch the index of packages")]
    FetchIndex(#[source] FetchError),
    /// The index cannot be unpacked.
    #[error("the index `{url}` cannot be unpacked")]
    Unpack {
        /// The index.
        url: String,
        /// Why.
        source: std::io::Error,
    },
    /// The release cannot be kept.
    #[error("failed to keep `{url}` in the cache `{cache}`")]
    Keep {
        /// The release.
        url: String,
        /// The cache.
        cache: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// What must be so for an archive to be accepted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms<'a> {
    pub(crate) distribution: Distribution,
    pub(crate) architecture: &'a str,
    pub(crate) components: &'a [String],
    pub(crate) keyring: &'a Keyring,
    /// The time by which it must not be over, or `None` if it may be.
    pub(crate) now: Option<Timestamp>,
}

/// A source that was accepted.
#[derive(Debug)]
pub(crate) struct Archive {
    pub(crate) release: Release,
    /// The texts of its indexes.
    pub(crate) indexes: Vec<String>,
}

/// Fetches and checks all sources at the same time. They come in the order of the sources.
pub(crate) fn open(
    sources: &[Source],
    terms: Terms<'_>,
    fetcher: &Fetcher<'_>,
    cache: &Cache,
    events: &dyn EventSink,
) -> Result<Vec<Archive>, ArchiveError> {
    events.image(ImageEvent::Stage { name: "fetching the indexes of the archive".to_owned() });
    thread::scope(|scope| {
        let opening: Vec<_> = sources
            .iter()
            .map(|source| scope.spawn(move || open_one(source, terms, fetcher, cache)))
            .collect();
        let joined = opening.into_iter().map(|thread| match thread.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        joined.collect()
    })
}

fn open_one(
    source: &Source,
    terms: Terms<'_>,
    fetcher: &Fetcher<'_>,
    cache: &Cache,
) -> Result<Archive, ArchiveError> {
    let base = format!("{}/dists/{}", source.url, source.suite);
    let url = format!("{base}/InRelease");
    let bytes = fetcher.release(&url, MAX_RELEASE).map_err(ArchiveError::FetchRelease)?;
    let text = str::from_utf8(&bytes).map_err(|_| ArchiveError::Text(url.clone()))?;
    let signed = openpgp::verify(text, terms.keyring, terms.now.map(Timestamp::as_second))
        .map_err(|source| ArchiveError::Signature { url: url.clone(), source })?;
    let refused = |source| ArchiveError::Release { url: url.clone(), source };
    let release = Release::read(&signed.text).map_err(refused)?;
    release.check(terms.distribution, &source.suite, terms.now).map_err(refused)?;
    release.check_offer(terms.architecture, terms.components).map_err(refused)?;
    let keep = cache.keep_release(&url, &bytes);
    keep.map_err(|source| ArchiveError::Keep {
        url: url.clone(),
        cache: cache.directory().to_owned(),
        source,
    })?;
    let indexes = terms
        .components
        .iter()
        .map(|component| index(&release, &base, component, terms.architecture, fetcher))
        .collect::<Result<_, _>>()?;
    Ok(Archive { release, indexes })
}

/// Fetches the index of one component in the smallest form that the release lists.
fn index(
    release: &Release,
    base: &str,
    component: &str,
    architecture: &str,
    fetcher: &Fetcher<'_>,
) -> Result<String, ArchiveError> {
    let directory = format!("{component}/binary-{architecture}");
    let listed = ["Packages.xz", "Packages.zst", "Packages.gz", "Packages"].iter().find_map(|name| {
        Some((format!("{directory}/{name}"), release.file(&format!("{directory}/{name}"))?))
    });
    let Some((path, listed)) = listed else {
        let (component, architecture) = (component.to_owned(), architecture.to_owned());
        return Err(ArchiveError::NoIndex { url: format!("{base}/InRelease"), component, architecture });
    };
    let name = format!("{}/{path}", release.codename);
    let by_name = format!("{base}/{path}");
    let bytes = fetch(fetcher, release, listed, &name, &by_name, &format!("{base}/{directory}"))
        .map_err(ArchiveError::FetchIndex)?;
    let unpacked = Compression::of(&path).0.reader(&bytes).and_then(|reader| read_bounded(reader, MAX_INDEX));
    let unpacked = unpacked.map_err(|source| ArchiveError::Unpack { url: by_name.clone(), source })?;
    String::from_utf8(unpacked).map_err(|_| ArchiveError::Text(by_name))
}

/// By its digest where the archive offers that, because the file of that name may just be changing.
fn fetch(
    fetcher: &Fetcher<'_>,
    release: &Release,
    listed: &Listed,
    name: &str,
    by_name: &str,
    directory: &str,
) -> Result<Vec<u8>, FetchError> {
    let wanted = Wanted { name, url: by_name, sha256: &listed.sha256, size: listed.size };
    if release.by_hash {
        let url = format!("{directory}/by-hash/SHA256/{}", listed.sha256);
        match fetcher.content(Wanted { url: &url, ..wanted }) {
            Err(FetchError::Missing { .. }) => {}
            result => return result,
        }
    }
    fetcher.content(wanted)
}
