//! Selections from small indexes.

use super::{ResolveError, Variant, resolve};
use crate::index::Index;

/// An index of packages, each given by its fields without those that do not matter here.
fn index_of(packages: &[&str]) -> String {
    let hash = "0".repeat(64);
    let whole = |fields: &&str| {
        format!("Package: {fields}\nArchitecture: amd64\nFilename: pool/x.deb\nSize: 1\nSHA256: {hash}\n\n")
    };
    let base = ["base\nVersion: 1\nEssential: yes\nPriority: required", "apt\nVersion: 2.6\nDepends: libapt"];
    base.iter().chain(&["libapt\nVersion: 2.6"]).chain(packages).map(whole).collect()
}

fn selection(packages: &[&str], include: &[&str]) -> Result<String, ResolveError> {
    let text = index_of(packages);
    let index = Index::read(&[(0, &text)], "amd64").unwrap();
    let include: Vec<_> = include.iter().map(|name| (*name).to_owned()).collect();
    let selected = resolve(&index, Variant::Minbase, &include)?;
    Ok(selected
        .iter()
        .map(|package| format!("{}={}", package.name, package.version))
        .collect::<Vec<_>>()
        .join(" "))
}

const BASE: &str = "apt=2.6 base=1 libapt=2.6";

fn with(base: &str, more: &str) -> String {
    let mut all: Vec<_> = base.split(' ').chain(more.split(' ')).filter(|word| !word.is_empty()).collect();
    all.sort_unstable();
    all.join(" ")
}

#[test]
fn dependencies_are_followed() {
    for (packages, include, more) in [
        (&[][..], &[][..], ""),
        (
            &[
                "a\nVersion: 1\nDepends: b\nRecommends: r",
                "b\nVersion: 2\nPre-Depends: c",
                "c\nVersion: 3",
                "r\nVersion: 1",
            ],
            &["a"],
            "a=1 b=2 c=3",
        ),
        // Circles are allowed.
        (&["a\nVersion: 1\nDepends: b", "b\nVersion: 2\nDepends: a"], &["a"], "a=1 b=2"),
        // The first alternative that exists and fits.
        (
            &[
                "a\nVersion: 1\nDepends: x | b (>= 9) | c | d",
                "b\nVersion: 2",
                "c\nVersion: 3",
                "d\nVersion: 4",
            ],
            &["a"],
            "a=1 c=3",
        ),
        // What is selected anyway is preferred.
        (&["a\nVersion: 1\nDepends: c | d", "c\nVersion: 3", "d\nVersion: 4"], &["a", "d"], "a=1 d=4"),
        // Provided names, with and without versions.
        (
            &[
                "a\nVersion: 1\nDepends: mta",
                "m2\nVersion: 1\nProvides: mta",
                "m1\nVersion: 1\nProvides: mta",
            ],
            &["a"],
            "a=1 m1=1",
        ),
        (
            &[
                "a\nVersion: 1\nDepends: v (>= 2)",
                "p1\nVersion: 9\nProvides: v",
                "p2\nVersion: 1\nProvides: v (= 2)",
            ],
            &["a"],
            "a=1 p2=1",
        ),
        // The newest version counts.
        (&["a\nVersion: 1.9", "a\nVersion: 1.10"], &["a"], "a=1.10"),
        // A name with one provider stands for it.
        (&["a\nVersion: 1\nProvides: virtual"], &["virtual"], "a=1"),
        // A package may conflict with the name that it provides.
        (&["a\nVersion: 1\nProvides: mta\nConflicts: mta"], &["a"], "a=1"),
    ] {
        assert_eq!(selection(packages, include), Ok(with(BASE, more)), "{packages:?}");
    }
}

#[test]
fn what_cannot_be_installed_is_explained() {
    let shown = |packages: &[&str], include: &[&str]| selection(packages, include).unwrap_err().to_string();
    assert_shown(&shown(&["git\nVersion: 1"], &["gti"]), "there is no package `gti`; did you mean `git`?");
    assert_shown(&shown(&[], &["Qx!"]), "there is no package `Qx!`");
    assert_shown(
        &shown(&["a\nVersion: 1\nDepends: b (>= 2) | c", "b\nVersion: 1"], &["a"]),
        "`a` depends on `b (>= 2) | c`, which no package of the suite fulfils",
    );
    assert_shown(
        &shown(&["a\nVersion: 1\nBreaks: b (<< 2)", "b\nVersion: 1"], &["a", "b"]),
        "`a` cannot be installed together with `b` (Breaks: b (<< 2))",
    );
    assert_shown(
        &shown(&["m1\nVersion: 1\nProvides: mta", "m2\nVersion: 1\nProvides: mta"], &["mta"]),
        "`mta` is provided by several packages; include one of: m1, m2",
    );
}

fn assert_shown(shown: &str, expected: &str) {
    assert_eq!(shown, expected);
}

#[test]
fn an_index_without_required_packages_is_not_whole() {
    let index = Index::read(&[], "amd64").unwrap();
    assert_eq!(resolve(&index, Variant::Minbase, &[]).unwrap_err(), ResolveError::NotWhole);
}
