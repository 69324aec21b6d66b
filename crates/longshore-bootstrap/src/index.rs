//! The packages that archives offer, read from their `Packages` files.

use std::collections::HashMap;

use thiserror::Error;

use crate::control::paragraphs;
use crate::relation::{Comparison, groups};
use crate::release::is_sha256;
use crate::version::Version;

/// An index cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IndexError {
    /// A package has no usable value of a field that it must have.
    #[error("the index gives no usable `{field}` for the package `{package}`")]
    Field {
        /// The package.
        package: String,
        /// The field.
        field: &'static str,
    },
}

/// A package that an archive offers, borrowed from its index.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Package<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
    pub(crate) architecture: &'a str,
    pub(crate) priority: Priority,
    pub(crate) essential: bool,
    pub(crate) depends: &'a str,
    pub(crate) pre_depends: &'a str,
    pub(crate) provides: &'a str,
    pub(crate) conflicts: &'a str,
    pub(crate) breaks: &'a str,
    pub(crate) filename: &'a str,
    pub(crate) size: u64,
    pub(crate) sha256: &'a str,
    /// Which of the archives offers it.
    pub(crate) origin: usize,
}

/// How much a package belongs to every system, the most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Priority {
    Required,
    Important,
    Standard,
    Optional,
}

/// All packages of some archives that fit one architecture, the newest version of each.
#[derive(Debug, Default)]
pub(crate) struct Index<'a> {
    packages: HashMap<&'a str, Package<'a>>,
    /// Who provides a name: the package, and the version of the name that it provides.
    providers: HashMap<&'a str, Vec<(&'a str, Option<&'a str>)>>,
}

impl<'a> Index<'a> {
    /// Reads the texts of indexes, each with the number of its archive.
    pub(crate) fn read(texts: &[(usize, &'a str)], architecture: &str) -> Result<Self, IndexError> {
        let mut index = Self::default();
        for (origin, text) in texts {
            for paragraph in paragraphs(text) {
                let package = package(paragraph.fields(), *origin)?;
                if package.architecture != architecture && package.architecture != "all" {
                    continue;
                }
                let known = index.packages.entry(package.name).or_insert(package);
                if Version::new(known.version) < Version::new(package.version) {
                    *known = package;
                }
            }
        }
        for package in index.packages.values().filter(|package| !package.provides.is_empty()) {
            for provided in groups(package.provides).flatten().flatten() {
                let version = provided.versions.filter(|(sign, _)| *sign == Comparison::Equal);
                let version = version.map(|(_, version)| version);
                index.providers.entry(provided.name).or_default().push((package.name, version));
            }
        }
        for providers in index.providers.values_mut() {
            providers.sort_unstable();
        }
        Ok(index)
    }

    /// The package of a name.
    pub(crate) fn package(&self, name: &str) -> Option<&Package<'a>> {
        self.packages.get(name)
    }

    /// All packages, in no order.
    pub(crate) fn packages(&self) -> impl Iterator<Item = &Package<'a>> {
        self.packages.values()
    }

    /// The packages that provide a name, and the version that they provide of it.
    pub(crate) fn providers(&self, name: &str) -> impl Iterator<Item = (&Package<'a>, Option<&'a str>)> {
        let providers = self.providers.get(name).map_or(&[][..], Vec::as_slice);
        providers.iter().filter_map(|(name, version)| Some((self.packages.get(name)?, *version)))
    }
}

fn package<'a>(
    fields: impl Iterator<Item = (&'a str, &'a str)>,
    origin: usize,
) -> Result<Package<'a>, IndexError> {
    let mut package = Package {
        name: "",
        version: "",
        architecture: "",
        priority: Priority::Optional,
        essential: false,
        depends: "",
        pre_depends: "",
        provides: "",
        conflicts: "",
        breaks: "",
        filename: "",
        size: 0,
        sha256: "",
        origin,
    };
    for (name, value) in fields {
        match name {
            "Package" => package.name = value,
            "Version" => package.version = value,
            "Architecture" => package.architecture = value,
            "Essential" => package.essential = value == "yes",
            "Depends" => package.depends = value,
            "Pre-Depends" => package.pre_depends = value,
            "Provides" => package.provides = value,
            "Conflicts" => package.conflicts = value,
            "Breaks" => package.breaks = value,
            "Filename" => package.filename = value,
            "Size" => package.size = value.parse().unwrap_or(0),
            "SHA256" => package.sha256 = value,
            "Priority" => {
                package.priority = match value {
                    "required" => Priority::Required,
                    "important" => Priority::Important,
                    "standard" => Priority::Standard,
                    _ => Priority::Optional,
                }
            }
            _ => {}
        }
    }
    check(&package).map_err(|field| IndexError::Field { package: package.name.to_owned(), field })?;
    Ok(package)
}

/// What will be part of paths must be fit for it.
fn check(package: &Package<'_>) -> Result<(), &'static str> {
    if !is_package_name(package.name) {
        return Err("Package");
    }
    if package.version.is_empty()
        || !package.version.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/')
    {
        return Err("Version");
    }
    let is_inside = |path: &str| path.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if !is_inside(package.filename) || package.filename.bytes().any(|byte| !byte.is_ascii_graphic()) {
        return Err("Filename");
    }
    if package.size == 0 {
        return Err("Size");
    }
    if is_sha256(package.sha256) { Ok(()) } else { Err("SHA256") }
}

/// Whether a text can be the name of a package (Debian Policy 5.6.1).
pub(crate) fn is_package_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte);
    let starts_well = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    text.len() <= 128 && starts_well && text.bytes().all(is_plain)
}
