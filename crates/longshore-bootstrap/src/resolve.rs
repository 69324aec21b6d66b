//! Which packages make an image: those that a variant begins with, those asked for, and what they depend on.
//!
//! As `debootstrap` does, nothing is installed because it is merely recommended. Other than there, versions of
//! dependencies, provided names and conflicts are looked at, so that a set that cannot be configured is refused here.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::str::FromStr;

use longshore_syntax::suggest::nearest;
use thiserror::Error;

use crate::index::{Index, Package, Priority, is_package_name};
use crate::relation::{Relation, groups};

/// Which packages an image begins with; the names are those of `debootstrap`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Variant {
    /// What every system must have, and `apt`.
    #[default]
    Minbase,
    /// `minbase` and `build-essential`.
    Buildd,
    /// What `debootstrap` installs when it is not asked for a variant: also what is important on a machine of its own.
    Standard,
}

/// A text names no variant.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no variant; there are `minbase`, `buildd` and `-`")]
pub struct VariantError(String);

impl FromStr for Variant {
    type Err = VariantError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "minbase" => Ok(Self::Minbase),
            "buildd" => Ok(Self::Buildd),
            "-" => Ok(Self::Standard),
            _ => Err(VariantError(text.to_owned())),
        }
    }
}

/// No set of packages fulfils a wish.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ResolveError {
    /// A package that was asked for does not exist.
    #[error("there is no package `{name}`{}", did_you_mean(suggestion.as_deref()))]
    Unknown {
        /// The name as given.
        name: String,
        /// A name like it.
        suggestion: Option<String>,
    },
    /// A name that was asked for is provided by several packages.
    #[error("`{name}` is provided by several packages; include one of: {providers}")]
    Virtual {
        /// The name as given.
        name: String,
        /// Who provides it.
        providers: String,
    },
    /// A dependency cannot be fulfilled.
    #[error("`{package}` depends on `{dependency}`, which no package of the suite fulfils")]
    Unmet {
        /// Who depends.
        package: String,
        /// On what.
        dependency: String,
    },
    /// Two packages exclude each other.
    #[error("`{package}` cannot be installed together with `{other}` ({reason})")]
    Conflict {
        /// Who excludes.
        package: String,
        /// Whom.
        other: String,
        /// The relation that says so.
        reason: String,
    },
    /// The archive has no package that every system must have.
    #[error("the suite has no packages of the priority `required`, so it is not a whole distribution")]
    NotWhole,
}

fn did_you_mean(suggestion: Option<&str>) -> String {
    suggestion.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

/// The package that marks a root whose `/bin` and the like lead into `/usr`.
const MERGED: &str = "usr-is-merged";

/// Chooses packages. They come ordered by name.
pub(crate) fn resolve<'i, 'a>(
    index: &'i Index<'a>,
    variant: Variant,
    include: &[String],
) -> Result<Vec<&'i Package<'a>>, ResolveError> {
    let mut resolution = Resolution { index, selected: BTreeMap::new(), queue: VecDeque::new() };
    let priority = if variant == Variant::Standard { Priority::Important } else { Priority::Required };
    let mut seeds: Vec<_> =
        index.packages().filter(|package| package.essential || package.priority <= priority).collect();
    if seeds.is_empty() {
        return Err(ResolveError::NotWhole);
    }
    let named = match variant {
        Variant::Minbase | Variant::Standard => &["apt"][..],
        Variant::Buildd => &["apt", "build-essential"],
    };
    for name in named.iter().copied().chain(include.iter().map(String::as_str)) {
        seeds.push(wanted(index, name)?);
    }
    seeds.sort_unstable_by_key(|package| package.name);
    seeds.into_iter().for_each(|package| resolution.select(package));
    while let Some(package) = resolution.queue.pop_front() {
        for field in [package.pre_depends, package.depends] {
            for group in groups(field) {
                resolution.fulfil(package, group)?;
            }
        }
    }
    resolution.check_conflicts()?;
    Ok(resolution.selected.into_values().collect())
}

/// The package of a name that was asked for, or the only one that provides it.
fn wanted<'i, 'a>(index: &'i Index<'a>, name: &str) -> Result<&'i Package<'a>, ResolveError> {
    if let Some(package) = index.package(name) {
        return Ok(package);
    }
    let providers: Vec<_> = index.providers(name).map(|(package, _)| package).collect();
    match providers[..] {
        [only] => Ok(only),
        [] => {
            let names = index.packages().map(|package| package.name);
            let suggestion = nearest(name, names).filter(|_| is_package_name(name)).map(ToOwned::to_owned);
            Err(ResolveError::Unknown { name: name.to_owned(), suggestion })
        }
        _ => {
            let names: BTreeSet<_> = providers.iter().map(|package| package.name).take(20).collect();
            let providers = names.into_iter().collect::<Vec<_>>().join(", ");
            Err(ResolveError::Virtual { name: name.to_owned(), providers })
        }
    }
}

struct Resolution<'i, 'a> {
    index: &'i Index<'a>,
    selected: BTreeMap<&'a str, &'i Package<'a>>,
    /// Packages whose dependencies were not looked at.
    queue: VecDeque<&'i Package<'a>>,
}

impl<'i, 'a> Resolution<'i, 'a> {
    fn select(&mut self, package: &'i Package<'a>) {
        if self.selected.insert(package.name, package).is_none() {
            self.queue.push_back(package);
        }
    }

    /// Sees to it that one of some alternatives is selected: one that is already, else the first that exists.
    fn fulfil(
        &mut self,
        package: &Package<'_>,
        group: Result<Vec<Relation<'a>>, &str>,
    ) -> Result<(), ResolveError> {
        let unmet = |dependency: String| ResolveError::Unmet { package: package.name.to_owned(), dependency };
        let group = group.map_err(|text| unmet(text.to_owned()))?;
        let is_selected = |candidate: &Package<'_>| self.selected.contains_key(candidate.name);
        if group.iter().any(|relation| self.fulfilling(relation).any(is_selected)) {
            return Ok(());
        }
        // The root is made with merged directories, so the package that says so stands for the one that would merge them.
        let merged = group.iter().find(|relation| relation.name == MERGED);
        let found = merged.into_iter().chain(&group).find_map(|relation| {
            let real = self.fulfilling(relation).find(|candidate| candidate.name == relation.name);
            real.or_else(|| {
                self.fulfilling(relation).min_by_key(|candidate| (candidate.priority, candidate.name))
            })
        });
        let shown = || group.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | ");
        self.select(found.ok_or_else(|| unmet(shown()))?);
        Ok(())
    }

    /// The packages that fulfil a relation by their name, or by providing it.
    fn fulfilling(&self, relation: &Relation<'a>) -> impl Iterator<Item = &'i Package<'a>> + use<'i, 'a> {
        let relation = *relation;
        let index = self.index;
        let real = index.package(relation.name).filter(move |package| relation.admits(package.version));
        let provided = index.providers(relation.name).filter(move |(_, version)| match version {
            Some(version) => relation.admits(version),
            None => relation.versions.is_none(),
        });
        real.into_iter().chain(provided.map(|(package, _)| package))
    }

    fn check_conflicts(&self) -> Result<(), ResolveError> {
        for package in self.selected.values() {
            for (field, kind) in [(package.conflicts, "Conflicts"), (package.breaks, "Breaks")] {
                for relation in groups(field).flatten().flatten() {
                    let other = self
                        .fulfilling(&relation)
                        .find(|other| other.name != package.name && self.selected.contains_key(other.name));
                    if let Some(other) = other {
                        return Err(ResolveError::Conflict {
                            package: package.name.to_owned(),
                            other: other.name.to_owned(),
                            reason: format!("{kind}: {relation}"),
                        });
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
