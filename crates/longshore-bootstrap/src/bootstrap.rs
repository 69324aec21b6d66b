//! The whole way from a suite's name to a root: fetch, check, choose, unpack, configure, clean.

use std::error::Error;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use jiff::Timestamp;
use longshore_event::{EventSink, ImageEvent};
use longshore_oci::Platform;
use thiserror::Error;

use crate::archive::{self, Archive, ArchiveError, Terms};
use crate::cache::Cache;
use crate::clean::clean;
use crate::configure::{Configurator, steps};
use crate::distribution::Suite;
use crate::dpkg::{DatabaseError, write_database};
use crate::fetch::{FetchError, Fetcher, Wanted};
use crate::image::{Bootstrapped, InstalledPackage, architecture};
use crate::index::{Index, IndexError, Package};
use crate::keys::keyring;
use crate::layout::{self, LayoutError};
use crate::mirror::{Source, sources};
use crate::openpgp::{Keyring, KeyringError};
use crate::resolve::{ResolveError, Variant, resolve};
use crate::rootfs::Root;
use crate::unpack::{Subject, UnpackError, Unpacked, unpack};

/// How many packages are fetched at the same time. Mirrors tolerate a few connections each.
const TRANSFERS: usize = 6;

/// What is to be made, and with what.
#[derive(Debug, Clone)]
pub struct Options {
    /// The suite.
    pub suite: Suite,
    /// What it is to run on.
    pub platform: Platform,
    /// Which packages it begins with.
    pub variant: Variant,
    /// Further packages.
    pub include: Vec<String>,
    /// The components of the archive to take packages from. `main` if empty.
    pub components: Vec<String>,
    /// A mirror to use and to write into the image; then only the suite itself is used, without its updates and
    /// security suites. It may be a local directory (`file://…`).
    pub mirror: Option<String>,
    /// A mirror to use that is not written into the image; see [`crate::mirror_of_host`].
    pub near_mirror: Option<String>,
    /// A keyring that replaces the distribution's.
    pub keyring: Option<Vec<u8>>,
    /// The directory of fetched files.
    pub cache: PathBuf,
    /// Whether only the cache may be used.
    pub offline: bool,
    /// Whether to accept a release that was good when it was signed and is over now, as old snapshots are.
    pub accept_expired: bool,
    /// What time it is.
    pub now: Timestamp,
}

/// A root cannot be made.
#[derive(Debug, Error)]
pub enum BootstrapError {
    /// No distribution has the platform.
    #[error("the distributions have no packages for the platform `{0}`")]
    Platform(String),
    /// The cache cannot be used.
    #[error("failed to open the cache `{}`", path.display())]
    Cache {
        /// The cache.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The keyring cannot be used.
    #[error("failed to read the keyring")]
    Keyring(#[source] KeyringError),
    /// An archive cannot be used.
    #[error("failed to open the archive of `{suite}`")]
    Archive {
        /// Which suite.
        suite: String,
        /// Why.
        source: ArchiveError,
    },
    /// An index cannot be used.
    #[error("failed to read the index of packages")]
    Index(#[source] IndexError),
    /// No set of packages fulfils the wish.
    #[error("failed to choose packages of `{suite}`")]
    Resolve {
        /// Which suite.
        suite: String,
        /// Why.
        source: ResolveError,
    },
    /// A package cannot be had.
    #[error("failed to fetch the package `{package}`")]
    Fetch {
        /// Which package.
        package: String,
        /// Why.
        source: FetchError,
    },
    /// A package cannot be unpacked.
    #[error("failed to unpack the package `{package}`")]
    Unpack {
        /// Which package.
        package: String,
        /// Why.
        source: UnpackError,
    },
    /// The root is not fit to be used.
    #[error("failed to prepare the root `{}`", path.display())]
    Root {
        /// The root.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The root is not empty.
    #[error("the root `{}` is not an empty directory", path.display())]
    NotEmpty {
        /// The root.
        path: PathBuf,
    },
    /// Files that every system has cannot be written.
    #[error("failed to lay out the root")]
    Layout(#[source] LayoutError),
    /// The database of packages cannot be written.
    #[error("failed to write the database of packages")]
    Database(#[source] DatabaseError),
    /// A command failed in the new root.
    #[error("failed at {step}")]
    Configure {
        /// What it was for.
        step: String,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The root cannot be cleaned.
    #[error("failed to clean the root `{}`", path.display())]
    Clean {
        /// The root.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Makes a root in an empty directory.
///
/// Without a `configurator` the packages stay unpacked; then `dpkg --configure -a` is left to who runs the image.
/// Nothing of the directory can be relied on after an error; the caller removes it.
pub fn bootstrap(
    options: &Options,
    path: &Path,
    configurator: Option<&Configurator<'_>>,
    events: &dyn EventSink,
) -> Result<Bootstrapped, BootstrapError> {
    let plan = Plan::new(options)?;
    let mut root = empty_root(path)?;
    let cache = Cache::open(&options.cache)
        .map_err(|source| BootstrapError::Cache { path: options.cache.clone(), source })?;
    let fetcher = Fetcher::new(&cache, options.offline, events);
    let archives = plan.open(options, &fetcher, &cache, events)?;
    let texts: Vec<_> = archives
        .iter()
        .enumerate()
        .flat_map(|(at, archive)| archive.indexes.iter().map(move |text| (at, text.as_str())))
        .collect();
    let index = Index::read(&texts, plan.architecture).map_err(BootstrapError::Index)?;
    let chosen = resolve(&index, options.variant, &options.include)
        .map_err(|source| BootstrapError::Resolve { suite: options.suite.to_string(), source })?;
    let packages: Vec<_> = chosen.iter().map(|package| plan.package(package)).collect();
    fetch_all(&packages, &cache, &fetcher, events)?;

    // The clock of a file system may lag behind a little.
    let started = options.now.as_second() - 2;
    let created = archives.iter().map(|archive| archive.release.date).max().unwrap_or(options.now);
    let aliases = layout::aliases(plan.architecture);
    layout::merge(&mut root, aliases).map_err(BootstrapError::Layout)?;
    let unpacked = unpack_all(&mut root, &packages, aliases, &fetcher, events)?;
    layout::prepare(&mut root, &plan.sources, &plan.components).map_err(BootstrapError::Layout)?;
    write_database(&mut root, &unpacked).map_err(BootstrapError::Database)?;
    if let Some(configurator) = configurator {
        configure(&unpacked, created, configurator, events)?;
    }
    layout::finish(&mut root, &unpacked, aliases).map_err(BootstrapError::Layout)?;
    events.image(ImageEvent::Stage { name: "cleaning".to_owned() });
    clean(path, created.as_second(), started)
        .map_err(|source| BootstrapError::Clean { path: path.to_owned(), source })?;
    Ok(Bootstrapped {
        name: name_of(&options.suite, &archives),
        version: archives.first().and_then(|archive| archive.release.version.clone()),
        platform: options.platform.normalised(),
        created,
        packages: chosen.iter().map(|package| installed(package)).collect(),
        ownership: root.ownership(),
        configured: configurator.is_some(),
    })
}

/// What follows from the options alone.
struct Plan {
    architecture: &'static str,
    components: Vec<String>,
    sources: Vec<Source>,
}

/// A package and where it is.
struct Located<'a> {
    package: &'a Package<'a>,
    url: String,
}

impl Located<'_> {
    fn wanted(&self) -> Wanted<'_> {
        let Package { name, sha256, size, .. } = self.package;
        Wanted { name, url: &self.url, sha256, size: *size }
    }
}

impl Plan {
    fn new(options: &Options) -> Result<Self, BootstrapError> {
        let architecture = architecture(&options.platform)
            .ok_or_else(|| BootstrapError::Platform(options.platform.to_string()))?;
        let mut components = options.components.clone();
        if components.is_empty() {
            components.push("main".to_owned());
        }
        let (named, near) = (options.mirror.as_deref(), options.near_mirror.as_deref());
        let sources = sources(&options.suite, architecture, named, near);
        Ok(Self { architecture, components, sources })
    }

    fn open(
        &self,
        options: &Options,
        fetcher: &Fetcher<'_>,
        cache: &Cache,
        events: &dyn EventSink,
    ) -> Result<Vec<Archive>, BootstrapError> {
        let distribution = options.suite.distribution();
        let keyring = match &options.keyring {
            Some(bytes) => Keyring::read(bytes),
            None => keyring(distribution),
        };
        let keyring = keyring.map_err(BootstrapError::Keyring)?;
        let terms = Terms {
            distribution,
            architecture: self.architecture,
            components: &self.components,
            keyring: &keyring,
            now: (!options.accept_expired).then_some(options.now),
        };
        archive::open(&self.sources, terms, fetcher, cache, events)
            .map_err(|source| BootstrapError::Archive { suite: options.suite.to_string(), source })
    }

    fn package<'a>(&self, package: &'a Package<'a>) -> Located<'a> {
        let mirror = self.sources.get(package.origin).map_or("", |source| source.url.as_str());
        Located { package, url: format!("{mirror}/{}", package.filename) }
    }
}

/// The suite by its code name, so that an image of `stable` says which release it is.
fn name_of(suite: &Suite, archives: &[Archive]) -> String {
    let own = archives.first().map(|archive| archive.release.codename.as_str());
    let name = own.filter(|name| !name.is_empty()).unwrap_or(suite.name());
    format!("{}:{name}", suite.distribution().id())
}

fn installed(package: &Package<'_>) -> InstalledPackage {
    InstalledPackage {
        name: package.name.to_owned(),
        version: package.version.to_owned(),
        architecture: package.architecture.to_owned(),
    }
}

fn empty_root(path: &Path) -> Result<Root, BootstrapError> {
    let failed = |source| BootstrapError::Root { path: path.to_owned(), source };
    std::fs::create_dir_all(path).map_err(failed)?;
    if std::fs::read_dir(path).map_err(failed)?.next().is_some() {
        return Err(BootstrapError::NotEmpty { path: path.to_owned() });
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).map_err(failed)?;
    Root::open(path).map_err(failed)
}

/// Brings all packages that are not there into the cache.
fn fetch_all(
    packages: &[Located<'_>],
    cache: &Cache,
    fetcher: &Fetcher<'_>,
    events: &dyn EventSink,
) -> Result<(), BootstrapError> {
    let absent: Vec<_> = packages
        .iter()
        .filter(|located| !cache.holds(located.package.sha256, located.package.size))
        .collect();
    if absent.is_empty() {
        return Ok(());
    }
    events.image(ImageEvent::Stage { name: format!("fetching {} packages", absent.len()) });
    let next = AtomicUsize::new(0);
    let failure = Mutex::new(None);
    thread::scope(|scope| {
        for _ in 0..TRANSFERS.min(absent.len()) {
            scope.spawn(|| {
                while let Some(located) = absent.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(source) = fetcher.content(located.wanted()) {
                        next.store(absent.len(), Ordering::Relaxed);
                        let package = located.package.name.to_owned();
                        let mut failure = failure.lock().unwrap_or_else(PoisonError::into_inner);
                        failure.get_or_insert(BootstrapError::Fetch { package, source });
                    }
                }
            });
        }
    });
    failure.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
}

fn unpack_all(
    root: &mut Root,
    packages: &[Located<'_>],
    aliases: &[&str],
    fetcher: &Fetcher<'_>,
    events: &dyn EventSink,
) -> Result<Vec<Unpacked>, BootstrapError> {
    events.image(ImageEvent::Stage { name: format!("unpacking {} packages", packages.len()) });
    let subjects: Vec<_> = packages
        .iter()
        .map(|located| Subject { name: located.package.name, version: located.package.version })
        .collect();
    let content = |at: usize| {
        let located = packages.get(at).ok_or_else(|| FetchError::Offline { url: String::new() })?;
        fetcher.stored(located.wanted())
    };
    let done = |name: &str| events.image(ImageEvent::Unpacked { item: name.to_owned() });
    unpack(root, &subjects, aliases, &content, &done)
        .map_err(|(package, source)| BootstrapError::Unpack { package, source })
}

fn configure(
    unpacked: &[Unpacked],
    created: Timestamp,
    configurator: &Configurator<'_>,
    events: &dyn EventSink,
) -> Result<(), BootstrapError> {
    for step in steps(unpacked, created.as_second()) {
        events.image(ImageEvent::Stage { name: step.name.clone() });
        configurator(&step).map_err(|source| BootstrapError::Configure { step: step.name, source })?;
    }
    Ok(())
}
