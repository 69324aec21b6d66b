//! Files of the root that no package brings, before and after packages are unpacked and configured.

use std::io;

use thiserror::Error;

use crate::mirror::{Source, sources_list};
use crate::rootfs::{Attributes, Root, Standing};
use crate::unpack::Unpacked;

/// A file cannot be written.
#[derive(Debug, Error)]
#[error("failed to write `{path}`")]
pub struct LayoutError {
    path: String,
    source: io::Error,
}

/// Directories at the top that lead into `/usr`, on an architecture.
pub(crate) fn aliases(architecture: &str) -> &'static [&'static str] {
    match architecture {
        "amd64" => &["bin", "sbin", "lib", "lib32", "lib64", "libx32"],
        "i386" => &["bin", "sbin", "lib", "lib64", "libx32"],
        "ppc64el" => &["bin", "sbin", "lib", "lib64"],
        "s390x" => &["bin", "sbin", "lib", "lib32"],
        "mips64el" => &["bin", "sbin", "lib", "lib32", "lib64", "libo32"],
        _ => &["bin", "sbin", "lib"],
    }
}

/// Makes the links into `/usr` before anything is unpacked, so that files of all packages land there.
///
/// Since trixie and noble `base-files` brings the links; they are the same, and it does not matter who makes them.
pub(crate) fn merge(root: &mut Root, aliases: &[&str]) -> Result<(), LayoutError> {
    for alias in aliases {
        let target = format!("usr/{alias}");
        let failed = |source| LayoutError { path: format!("/{alias}"), source };
        root.directory(target.as_bytes(), Attributes::of_root(0o755)).map_err(failed)?;
        root.symlink(alias.as_bytes(), target.as_bytes(), Attributes::of_root(0o777)).map_err(failed)?;
    }
    Ok(())
}

/// Writes what scripts of packages need to run, and what tells `apt` where packages are.
pub(crate) fn prepare(root: &mut Root, sources: &[Source], components: &[String]) -> Result<(), LayoutError> {
    write(root, "etc/apt/sources.list", sources_list(sources, components).as_bytes(), 0o644)?;
    if standing(root, "etc/fstab")? == Standing::Nothing {
        write(root, "etc/fstab", b"# There is nothing to mount in a container.\n", 0o644)?;
    }
    // No script may start a service in what is not a running system.
    write(root, POLICY, b"#!/bin/sh\nexit 101\n", 0o755)?;
    // Scripts use `awk` before its alternatives are set up.
    if standing(root, AWK)? == Standing::Nothing && standing(root, "usr/bin/mawk")? != Standing::Nothing {
        symlink(root, AWK, "mawk")?;
    }
    if standing(root, "etc/localtime")? == Standing::Nothing {
        symlink(root, "etc/localtime", "/usr/share/zoneinfo/Etc/UTC")?;
    }
    Ok(())
}

const POLICY: &str = "usr/sbin/policy-rc.d";
const AWK: &str = "usr/bin/awk";

/// Removes what was only there for scripts, and links into directories of `/usr` that no package needs.
pub(crate) fn finish(root: &mut Root, packages: &[Unpacked], aliases: &[&str]) -> Result<(), LayoutError> {
    if !is_brought(packages, POLICY.as_bytes()) {
        remove(root, POLICY)?;
    }
    for alias in aliases {
        let target = format!("usr/{alias}");
        let is_needed = is_brought(packages, alias.as_bytes()) || is_brought(packages, target.as_bytes());
        if !is_needed && standing(root, alias)? == Standing::Other {
            remove(root, alias)?;
            let removed = root.remove_empty(target.as_bytes());
            removed.map_err(|source| LayoutError { path: format!("/{target}"), source })?;
        }
    }
    Ok(())
}

/// Whether a package has a path, or something below it.
fn is_brought(packages: &[Unpacked], path: &[u8]) -> bool {
    let is_at =
        |own: &Vec<u8>| own.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"));
    packages.iter().any(|package| package.paths.iter().any(is_at))
}

fn remove(root: &mut Root, path: &str) -> Result<(), LayoutError> {
    root.remove(path.as_bytes()).map_err(|source| LayoutError { path: format!("/{path}"), source })
}

fn standing(root: &mut Root, path: &str) -> Result<Standing, LayoutError> {
    root.standing(path.as_bytes()).map_err(|source| LayoutError { path: format!("/{path}"), source })
}

fn symlink(root: &mut Root, path: &str, target: &str) -> Result<(), LayoutError> {
    let made = root.symlink(path.as_bytes(), target.as_bytes(), Attributes::of_root(0o777));
    made.map_err(|source| LayoutError { path: format!("/{path}"), source })
}

fn write(root: &mut Root, path: &str, content: &[u8], mode: u32) -> Result<(), LayoutError> {
    let written = root.file(path.as_bytes(), &mut &content[..], Attributes::of_root(mode));
    written.map_err(|source| LayoutError { path: format!("/{path}"), source })
}
