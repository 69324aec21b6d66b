//! The loop around the planner: plan, fetch what it lacks, plan again.

use std::error::Error;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use longshore_report::plan::MissingSource;
use longshore_source::{
    ActionCache, Mirror, Missing, Override, RepositoryPath, Resolution, Resolver, ResolverSettings, WorkTree,
};
use longshore_syntax::{Progress, SourceFile, SourceRef};
use longshore_workflow::plan::{Plan, PlanInput, Source, SourceSet, plan};

use crate::settings::{Environment, Settings};

/// Where repositories are that neither a directory nor a mirror stands for.
const SERVER: &str = "https://github.com";
/// A branch or tag that was fetched less than a day ago is not asked for again.
const REFRESH_AFTER: u64 = 24 * 60 * 60;

/// The files that make a directory an action.
const MANIFESTS: [&str; 3] = ["action.yml", "action.yaml", "Dockerfile"];

/// A plan, and what could not be had for it.
#[derive(Debug)]
pub(crate) struct Planned {
    /// The plan.
    pub(crate) plan: Plan,
    /// In the order in which it was asked for.
    pub(crate) missing: Vec<MissingSource>,
}

/// Plans; `input.sources` is what is known beforehand.
pub(crate) fn drive(
    input: PlanInput<'_>,
    tree: &WorkTree,
    settings: &Settings,
    environment: &Environment,
) -> Planned {
    let resolver = Resolver::new(resolver_settings(settings, environment));
    let mut sources: SourceSet = input.sources.clone();
    let mut missing = Vec::new();
    loop {
        let progress = plan(&PlanInput { sources: &sources, ..input });
        match progress {
            Progress::Ready(plan) => return Planned { plan, missing },
            // Each round answers everything that was asked for, and how deep references lead is limited: this ends.
            Progress::Needs(references) => {
                for reference in references {
                    let name = shown_name(&reference);
                    let is_known = |missing: &MissingSource| missing.reference == name;
                    let source = match fetch(&reference, tree, &resolver) {
                        Ok(file) => {
                            missing.retain(|missing| !is_known(missing));
                            Source::Found(file)
                        }
                        Err(lack) => {
                            if !missing.iter().any(is_known) {
                                missing.push(MissingSource {
                                    reference: name,
                                    tried: lack.tried,
                                    help: lack.help,
                                });
                            }
                            Source::Missing(lack.why)
                        }
                    };
                    sources.insert(reference, source);
                }
            }
        }
    }
}

/// Why a source is not there.
pub(crate) struct Lack {
    pub(crate) why: String,
    pub(crate) tried: Vec<String>,
    pub(crate) help: String,
}

/// A reference as people know it. A local action is its directory, whichever of its manifests was looked for.
fn shown_name(reference: &SourceRef) -> String {
    let name = reference.to_string();
    match reference {
        SourceRef::Local { .. } => MANIFESTS
            .iter()
            .find_map(|manifest| name.strip_suffix(manifest)?.strip_suffix('/'))
            .map_or(name.clone(), str::to_owned),
        SourceRef::Remote { .. } => name,
    }
}

fn fetch(reference: &SourceRef, tree: &WorkTree, resolver: &Resolver) -> Result<SourceFile, Lack> {
    match reference {
        SourceRef::Local { path } => local(path, tree),
        SourceRef::Remote { .. } => match resolver.resolve(reference) {
            Ok(Resolution::Found(found)) => Ok(found.file),
            Ok(Resolution::Missing(missing)) => Err(absent(reference, &missing)),
            Err(error) => {
                let why = "fetching it failed".to_owned();
                Err(Lack { tried: vec![chain(&error)], why, help: place_help(reference) })
            }
        },
    }
}

fn local(path: &str, tree: &WorkTree) -> Result<SourceFile, Lack> {
    let found = RepositoryPath::parse(path).map_err(Into::into).and_then(|path| tree.read(&path));
    let is_action = MANIFESTS.iter().any(|manifest| path.ends_with(manifest));
    let help = || {
        let unless = if is_action { ", unless an earlier step of the job puts it there" } else { "" };
        format!("check the path, which is counted from the root of the repository{unless}")
    };
    match found {
        Ok(Some(file)) => Ok(file),
        Ok(None) => Err(Lack { why: "not found".to_owned(), tried: Vec::new(), help: help() }),
        Err(error) => {
            let why = chain(&error);
            Err(Lack { tried: vec![why.clone()], why, help: help() })
        }
    }
}

/// What to say of a repository that no place has.
pub(crate) fn absent(reference: &SourceRef, missing: &Missing) -> Lack {
    let tried =
        missing.tried.iter().map(|attempt| format!("{} {}", attempt.location, attempt.reason)).collect();
    let why = if missing.is_offline { "offline, and in no mirror or cache" } else { "not found" };
    let help = place_help(reference);
    let help =
        if missing.is_offline { format!("leave out `--offline` to fetch it, or {help}") } else { help };
    Lack { why: why.to_owned(), tried, help }
}

/// How to make a repository known.
pub(crate) fn place_help(reference: &SourceRef) -> String {
    match reference {
        SourceRef::Remote { owner, repository, .. } => format!(
            "name a clone in `longshore.toml`: `[actions.mirrors]` \"{owner}/{repository}\" = \"../{repository}\""
        ),
        SourceRef::Local { path } => format!("check the path `{path}`"),
    }
}

/// An error with its causes, on one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    for _ in 0..16 {
        let Some(cause) = source else { break };
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}

/// Where to look for other repositories.
pub(crate) fn resolver_settings(settings: &Settings, environment: &Environment) -> ResolverSettings {
    ResolverSettings {
        overrides: settings
            .overrides
            .iter()
            .map(|(name, directory)| Override {
                name: name.clone(),
                directory: PathBuf::from(&directory.value),
            })
            .collect(),
        mirrors: settings
            .mirrors
            .iter()
            .map(|(prefix, target)| Mirror { prefix: prefix.clone(), target: target.value.clone() })
            .collect(),
        cache: Some(ActionCache::in_home(&settings.home.value)),
        network: settings.network.value,
        server: Some(SERVER.to_owned()),
        certificates: environment.believed_certificates(),
        now: now(),
        refresh_after: REFRESH_AFTER,
    }
}

#[expect(clippy::disallowed_methods, reason = "the composition root is where the time comes from")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
