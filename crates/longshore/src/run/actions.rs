//! Where actions come from: what planning found them by, and Node from the npm registry.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use longshore_runner::{ActionSource, FetchError, FetchedAction, FetchedRepository, RepositoryPlace};
use longshore_source::{
    ActionTrees, Located, NodeError, NodeReleases, Origin, OriginKind, Resolver, ResolverSettings,
};
use longshore_syntax::SourceRef;

use crate::plan::drive::{absent, chain, place_help, resolver_settings};
use crate::settings::{Environment, Settings};

/// The registry of who names no other one.
const REGISTRY: &str = "https://registry.npmjs.org";
/// The variables by which npm is told of another one.
const REGISTRY_VARIABLES: [&str; 2] = ["npm_config_registry", "NPM_CONFIG_REGISTRY"];

/// What several threads ask for at the same time is fetched once, and is the same for all jobs of an invocation.
type Memory<K, T> = Mutex<HashMap<K, Arc<OnceLock<Result<T, FetchError>>>>>;

/// Actions by the settings.
#[derive(Debug)]
pub(crate) struct Actions {
    resolver: ResolverSettings,
    trees: ActionTrees,
    nodes: NodeReleases,
    fetched: Memory<(String, String), FetchedAction>,
    found: Memory<u32, PathBuf>,
}

impl Actions {
    pub(crate) fn new(settings: &Settings, environment: &Environment, now: SystemTime) -> Self {
        let home = &settings.home.value;
        let registry = REGISTRY_VARIABLES.iter().find_map(|name| environment.var(name));
        Self {
            resolver: resolver_settings(settings, environment),
            trees: ActionTrees::in_home(home),
            nodes: NodeReleases {
                directory: home.join("node"),
                registry: registry.filter(|url| !url.is_empty()).unwrap_or(REGISTRY).to_owned(),
                network: settings.network.value,
                certificates: environment.believed_certificates(),
                now,
            },
            fetched: Memory::default(),
            found: Memory::default(),
        }
    }

    fn locate(&self, reference: &SourceRef) -> Result<FetchedAction, FetchError> {
        let what = format!("the action `{reference}`");
        let located = Resolver::new(self.resolver.clone()).locate(reference, &self.trees);
        let (directory, origin) = found(located, reference, &what)?;
        Ok(FetchedAction {
            directory,
            commit: origin.commit.as_ref().map(ToString::to_string),
            origin: place_name(&origin),
        })
    }
}

/// What was located, or why not.
fn found<E: std::error::Error + 'static>(
    located: Result<Located, E>,
    reference: &SourceRef,
    what: &str,
) -> Result<(PathBuf, Origin), FetchError> {
    let failed = |why: &str, help: String| FetchError {
        message: format!("failed to fetch {what}: {why}"),
        help: Some(help),
    };
    match located {
        Ok(Located::Found { directory, origin }) => Ok((directory, origin)),
        Ok(Located::Missing(missing)) => {
            let lack = absent(reference, &missing);
            let tried = lack.tried.join("; ");
            Err(failed(
                &if tried.is_empty() { lack.why } else { format!("{} ({tried})", lack.why) },
                lack.help,
            ))
        }
        Err(error) => Err(failed(&chain(&error), place_help(reference))),
    }
}

/// Where something was found, for people.
fn place_name(origin: &Origin) -> String {
    let kind = match origin.kind {
        OriginKind::Override => "the directory",
        OriginKind::Mirror => "the mirror",
        OriginKind::Cache | OriginKind::Network => "",
    };
    format!("{kind} {}", origin.location).trim_start().to_owned()
}

impl ActionSource for Actions {
    fn fetch(&self, reference: &SourceRef) -> Result<FetchedAction, FetchError> {
        let SourceRef::Remote { owner, repository, version, .. } = reference else {
            return self.locate(reference);
        };
        let key = (format!("{owner}/{repository}").to_lowercase(), version.clone());
        once(&self.fetched, key, || self.locate(reference))
    }

    fn repository(&self, reference: &SourceRef) -> Result<FetchedRepository, FetchError> {
        let what = match reference {
            SourceRef::Remote { owner, repository, version, .. } if version == "HEAD" => {
                format!("the repository `{owner}/{repository}`")
            }
            _ => format!("the repository `{reference}`"),
        };
        let located = Resolver::new(self.resolver.clone()).locate_repository(reference);
        let (directory, origin) = found(located, reference, &what)?;
        let name = place_name(&origin);
        let place = match origin.commit {
            Some(commit) => RepositoryPlace::Commit { directory, commit: commit.to_string() },
            None => RepositoryPlace::Files(directory),
        };
        Ok(FetchedRepository { place, origin: name })
    }

    fn nodes(&self) -> &Path {
        &self.nodes.directory
    }

    fn node(&self, major: u32) -> Result<PathBuf, FetchError> {
        once(&self.found, major, || self.nodes.find(major).map_err(|error| explain(&error, major)))
    }
}

fn once<K: std::hash::Hash + Eq, T: Clone>(
    memory: &Memory<K, T>,
    key: K,
    find: impl FnOnce() -> Result<T, FetchError>,
) -> Result<T, FetchError> {
    let cell = Arc::clone(memory.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default());
    cell.get_or_init(find).clone()
}

fn explain(error: &NodeError, major: u32) -> FetchError {
    let use_other = format!("use an image that has Node {major} or newer");
    let help = match error {
        NodeError::Offline { .. } => format!("leave out `--offline` to fetch it, or {use_other}"),
        NodeError::Fetch { .. } => {
            format!("check the network and `npm_config_registry`, or {use_other}")
        }
        _ => use_other,
    };
    FetchError {
        message: format!("there is no Node {major} for the action: {}", chain(error)),
        help: Some(help),
    }
}
