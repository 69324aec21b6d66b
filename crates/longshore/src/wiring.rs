//! Putting the libraries together: the store, its images, registries, the engine.
//!
//! Libraries read neither settings nor environment; what they must know is handed to them here.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use longshore_core::Secret;
use longshore_engine::EngineError;
use longshore_engine_native::{NativeEngine, NativeOptions, internal_main};
use longshore_event::EventSink;
use longshore_history::{History, Retention};
use longshore_image::Images;
use longshore_registry::{CredentialSources, Proxies, RegistryClient};
use longshore_store::{Store, StoreError};
use longshore_toolkit::{ArtifactStore, Limits, StorageError};

use crate::certificates;
use crate::fetch::{Registries, RegistryFetch};
use crate::settings::{Environment, Settings};

/// What verbs work upon, made when they ask for it.
pub(crate) struct Wiring<'a> {
    settings: &'a Settings,
    environment: &'a Environment,
}

impl<'a> Wiring<'a> {
    pub(crate) fn new(settings: &'a Settings, environment: &'a Environment) -> Self {
        Self { settings, environment }
    }

    /// The store in the state directory.
    pub(crate) fn store(&self) -> Result<Store, StoreError> {
        Store::open(self.settings.home.value.join("store"))
    }

    /// The images in the store.
    pub(crate) fn images(&self) -> Result<Images, StoreError> {
        Ok(Images::open(self.store()?))
    }

    /// The engine that runs containers.
    pub(crate) fn engine(&self) -> Result<NativeEngine, EngineError> {
        self.engine_for(false)
    }

    /// The same for verbs that start a container and end, or end with it.
    pub(crate) fn brief_engine(&self) -> Result<NativeEngine, EngineError> {
        self.engine_for(true)
    }

    fn engine_for(&self, brief: bool) -> Result<NativeEngine, EngineError> {
        let home = self.settings.home.value.join("engine");
        let engine = NativeEngine::open(&NativeOptions { home, program: "/proc/self/exe".into(), brief })?;
        let store = self.settings.home.value.join("store");
        Ok(engine.with_fetch(Arc::new(RegistryFetch { store, registries: self.registries() })))
    }

    /// The runs that were recorded.
    pub(crate) fn history(&self) -> History {
        History::open(self.settings.home.value.join("runs"))
    }

    /// The artifacts of all runs.
    pub(crate) fn artifacts(&self) -> Result<ArtifactStore, StorageError> {
        ArtifactStore::open(&self.artifacts_directory(), Limits::default())
    }

    /// Where artifacts are.
    pub(crate) fn artifacts_directory(&self) -> PathBuf {
        self.settings.home.value.join("artifacts")
    }

    /// Where the caches of all repositories are, each in a directory of its own.
    pub(crate) fn caches_directory(&self) -> PathBuf {
        self.settings.home.value.join("caches")
    }

    /// What the settings say is kept of runs.
    pub(crate) fn retention(&self) -> Retention {
        Retention {
            max_age: Some(Duration::from_hours(24 * u64::from(self.settings.keep_days.value))),
            keep_minimum: self.settings.keep_runs.value as usize,
            max_total_bytes: None,
        }
    }

    /// A client of registries, by the settings.
    pub(crate) fn registry(&self, sink: Arc<dyn EventSink>) -> RegistryClient {
        self.registries().client(sink)
    }

    fn registries(&self) -> Registries {
        let rules = self.settings.registries.values().map(|rule| rule.value.clone()).collect();
        let home = self.environment.var("HOME").map(Path::new);
        Registries {
            credentials: self.credential_sources(),
            rules: certificates::complete(rules, &certificates::directories(home)),
            offline: !self.settings.network.value,
            root_certificates: self.environment.believed_certificates(),
            proxies: self.proxies(),
        }
    }

    /// The files that logins are kept in.
    pub(crate) fn credential_sources(&self) -> CredentialSources {
        let own = self.settings.home.value.join("auth.json");
        CredentialSources { own: Some(own), docker: self.docker_config() }
    }

    /// The time, for what is recorded.
    #[expect(clippy::disallowed_methods, reason = "this is the composition root")]
    pub(crate) fn now() -> SystemTime {
        SystemTime::now()
    }

    /// The same as stores know it.
    pub(crate) fn moment() -> jiff::Timestamp {
        jiff::Timestamp::try_from(Self::now()).unwrap_or(jiff::Timestamp::MAX)
    }

    /// The time that new images say they were made at, if the environment says it.
    pub(crate) fn source_date(&self) -> Option<SystemTime> {
        let seconds: u64 = self.environment.var("SOURCE_DATE_EPOCH")?.trim().parse().ok()?;
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
    }

    /// Where Docker keeps its logins.
    fn docker_config(&self) -> Option<PathBuf> {
        let set = self.environment.var("DOCKER_CONFIG").map(PathBuf::from);
        let usual = || self.environment.var("HOME").map(|home| PathBuf::from(home).join(".docker"));
        set.or_else(usual).map(|directory| directory.join("config.json"))
    }

    fn proxies(&self) -> Proxies {
        let either = |name: &str| {
            self.environment
                .var(name)
                .or_else(|| self.environment.var(&name.to_lowercase()))
                .map(str::to_owned)
        };
        Proxies {
            http: either("HTTP_PROXY").map(Secret::new),
            https: either("HTTPS_PROXY").map(Secret::new),
            except: either("NO_PROXY").unwrap_or_default(),
        }
    }
}

/// What this process ends with if the engine started it, such as the monitor of a container. Asked before anything else,
/// so that these are small.
pub(crate) fn internal() -> Option<ExitCode> {
    let arguments: Option<Vec<String>> =
        std::env::args_os().skip(1).map(|word| word.into_string().ok()).collect();
    let arguments = arguments?;
    if let Some((first, rest)) = arguments.split_first()
        && first == "__forward"
    {
        return Some(longshore_runner::forward_main(rest));
    }
    internal_main(&arguments)
}
