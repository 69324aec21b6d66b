//! Settings from one place, and all of them put together.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use longshore_core::ByteSize;
use longshore_registry::RegistryRule;

use super::{ColorChoice, OutputFormat, RuleLevel, Threshold};

/// Where a value was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nowhere.
    Default,
    /// In the user's file.
    User(PathBuf),
    /// In the project's file, or in the one that `--config` names.
    Project(PathBuf),
    /// In an environment variable.
    Variable(&'static str),
    /// With a flag.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::User(path) | Self::Project(path) => write!(f, "{}", path.display()),
            Self::Variable(name) => write!(f, "${name}"),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}

/// A value with the place it was set in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sourced<T> {
    /// The value.
    pub(crate) value: T,
    /// Where it was set.
    pub(crate) origin: Origin,
}

impl<T> Sourced<T> {
    /// A value that was set in `origin`.
    pub(crate) fn new(value: T, origin: Origin) -> Self {
        Self { value, origin }
    }
}

/// Names with what is set for each.
pub(crate) type Table<T> = BTreeMap<String, Sourced<T>>;

/// What one place sets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Layer {
    pub(crate) format: Option<Sourced<OutputFormat>>,
    pub(crate) color: Option<Sourced<ColorChoice>>,
    pub(crate) network: Option<Sourced<bool>>,
    pub(crate) home: Option<Sourced<PathBuf>>,
    pub(crate) fail_on: Option<Sourced<Threshold>>,
    pub(crate) rules: Table<RuleLevel>,
    pub(crate) mirrors: Table<String>,
    pub(crate) overrides: Table<String>,
    pub(crate) labels: Vec<Sourced<String>>,
    pub(crate) images: Table<String>,
    pub(crate) vars: Table<String>,
    pub(crate) registries: Table<RegistryRule>,
    pub(crate) budget: Option<Sourced<ByteSize>>,
    pub(crate) keep_days: Option<Sourced<u32>>,
    pub(crate) keep_runs: Option<Sourced<u32>>,
}

impl Layer {
    /// Takes from `lower` what this layer does not set.
    pub(super) fn over(mut self, lower: Self) -> Self {
        self.format = self.format.or(lower.format);
        self.color = self.color.or(lower.color);
        self.network = self.network.or(lower.network);
        self.home = self.home.or(lower.home);
        self.fail_on = self.fail_on.or(lower.fail_on);
        join(&mut self.rules, lower.rules);
        join(&mut self.mirrors, lower.mirrors);
        join(&mut self.overrides, lower.overrides);
        join(&mut self.images, lower.images);
        join(&mut self.vars, lower.vars);
        join(&mut self.registries, lower.registries);
        self.budget = self.budget.or(lower.budget);
        self.keep_days = self.keep_days.or(lower.keep_days);
        self.keep_runs = self.keep_runs.or(lower.keep_runs);
        for label in lower.labels {
            if !self.labels.iter().any(|known| known.value == label.value) {
                self.labels.push(label);
            }
        }
        self
    }
}

fn join<T>(upper: &mut Table<T>, lower: Table<T>) {
    for (key, value) in lower {
        upper.entry(key).or_insert(value);
    }
}

/// What is set, everything considered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Format of results, where the verb's own `--format` is not given.
    pub(crate) format: Sourced<OutputFormat>,
    /// When to use colour.
    pub(crate) color: Sourced<ColorChoice>,
    /// Whether other machines may be asked for anything.
    pub(crate) network: Sourced<bool>,
    /// The directory that holds Longshore's own state.
    pub(crate) home: Sourced<PathBuf>,
    /// Least severity that makes `check` fail.
    pub(crate) fail_on: Sourced<Threshold>,
    /// Levels of rules, by code.
    pub(crate) rules: Table<RuleLevel>,
    /// Directories or URLs that stand for the repositories that begin with a prefix, such as `actions/`.
    pub(crate) mirrors: Table<String>,
    /// Directories that stand for one action, such as `actions/checkout@v4`.
    pub(crate) overrides: Table<String>,
    /// Labels of runners that exist besides GitHub's.
    pub(crate) labels: Vec<Sourced<String>>,
    /// Images that jobs run in, by label.
    pub(crate) images: Table<String>,
    /// Configuration variables, the `vars` context.
    pub(crate) vars: Table<String>,
    /// Where images come from and how registries are reached, by the beginning of names.
    pub(crate) registries: Table<RegistryRule>,
    /// How much the store should have at most.
    pub(crate) budget: Option<Sourced<ByteSize>>,
    /// How many days a run is kept after its end.
    pub(crate) keep_days: Sourced<u32>,
    /// How many of the newest runs of each workflow are kept whatever their age.
    pub(crate) keep_runs: Sourced<u32>,
}

impl Settings {
    /// Fills in the defaults. `home` is the default of the state directory.
    pub(super) fn complete(layer: Layer, home: PathBuf) -> Self {
        Self {
            format: or_default(layer.format, OutputFormat::Text),
            color: or_default(layer.color, ColorChoice::Auto),
            network: or_default(layer.network, true),
            home: or_default(layer.home, home),
            fail_on: or_default(layer.fail_on, Threshold::Error),
            rules: layer.rules,
            mirrors: layer.mirrors,
            overrides: layer.overrides,
            labels: layer.labels,
            images: layer.images,
            vars: layer.vars,
            registries: layer.registries,
            budget: layer.budget,
            keep_days: or_default(layer.keep_days, 30),
            keep_runs: or_default(layer.keep_runs, 10),
        }
    }
}

fn or_default<T>(set: Option<Sourced<T>>, default: T) -> Sourced<T> {
    set.unwrap_or_else(|| Sourced::new(default, Origin::Default))
}
