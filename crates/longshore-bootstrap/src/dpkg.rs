//! `dpkg`'s database in the new root, as if the image's own `dpkg` had unpacked the packages.
//!
//! Each package gets `/var/lib/dpkg/info/NAME.*` (with the architecture in the name where several architectures may be
//! installed side by side, as database format 1 has it) and a paragraph in `status` that says `install ok unpacked`.
//! Configuration files are in their final place, and `status` has their MD5 sums, by which `dpkg` later knows whether an
//! administrator changed them. Interests in triggers are registered as `dpkg --unpack` registers them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;

use md5::{Digest as _, Md5};
use thiserror::Error;

use crate::cache::hexadecimal;
use crate::rootfs::{Attributes, Root};
use crate::unpack::{Unpacked, shown};

/// The largest configuration file.
const MAX_CONFFILE: u64 = 256 << 20;

/// The database cannot be written.
#[derive(Debug, Error)]
pub enum DatabaseError {
    /// A package's description of itself cannot be used.
    #[error("the control file of `{0}` cannot be used")]
    Control(String),
    /// A file cannot be written or read.
    #[error("failed to write `{path}`")]
    Write {
        /// Which file.
        path: String,
        /// Why.
        source: io::Error,
    },
}

/// Writes the database for all unpacked packages.
pub(crate) fn write_database(root: &mut Root, packages: &[Unpacked]) -> Result<(), DatabaseError> {
    let mut status = String::new();
    let mut triggers: BTreeMap<String, String> = BTreeMap::new();
    for package in packages {
        let stem = stem(package).ok_or_else(|| DatabaseError::Control(name(package).to_owned()))?;
        for (file, content) in package.control.iter().filter(|(file, _)| *file != "control") {
            let mode = if content.executable { 0o755 } else { 0o644 };
            write(root, &format!("var/lib/dpkg/info/{stem}.{file}"), &content.bytes, mode)?;
        }
        write(root, &format!("var/lib/dpkg/info/{stem}.list"), &list(package), 0o644)?;
        write_status(root, package, &mut status)?;
        register_triggers(package, &stem, &mut triggers);
    }
    for (file, interests) in &triggers {
        write(root, &format!("var/lib/dpkg/triggers/{file}"), interests.as_bytes(), 0o644)?;
    }
    write(root, "var/lib/dpkg/triggers/Unincorp", b"", 0o644)?;
    write(root, "var/lib/dpkg/info/format", b"1\n", 0o644)?;
    for empty in ["available", "diversions", "statoverride", "lock", "lock-frontend"] {
        let mode = if empty.starts_with("lock") { 0o640 } else { 0o644 };
        write(root, &format!("var/lib/dpkg/{empty}"), b"", mode)?;
    }
    for directory in ["alternatives", "parts", "updates"] {
        let path = format!("var/lib/dpkg/{directory}");
        let made = root.directory(path.as_bytes(), Attributes::of_root(0o755));
        made.map_err(|source| DatabaseError::Write { path, source })?;
    }
    write(root, "var/lib/dpkg/cmethopt", b"apt apt\n", 0o644)?;
    write(root, "var/lib/dpkg/status", status.as_bytes(), 0o644)
}

fn name(package: &Unpacked) -> &str {
    package.paragraph().and_then(|own| own.field("Package")).unwrap_or_default()
}

/// What the names of a package's files begin with.
fn stem(package: &Unpacked) -> Option<String> {
    let own = package.paragraph()?;
    let name = own.field("Package")?;
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let architecture = own.field("Architecture").filter(|architecture| is_plain(architecture))?;
    let side_by_side = own.field("Multi-Arch") == Some("same");
    Some(if side_by_side { format!("{name}:{architecture}") } else { name.to_owned() })
}

/// The package's paths, each with a slash in front; the root is `/.`.
fn list(package: &Unpacked) -> Vec<u8> {
    let mut list = Vec::new();
    for path in &package.paths {
        list.push(b'/');
        list.extend_from_slice(if path.is_empty() { b"." } else { path });
        list.push(b'\n');
    }
    list
}

fn write_status(root: &mut Root, package: &Unpacked, status: &mut String) -> Result<(), DatabaseError> {
    let unusable = || DatabaseError::Control(name(package).to_owned());
    let own = package.paragraph().ok_or_else(unusable)?;
    for (field, value) in own.fields().filter(|(field, _)| *field != "Status" && *field != "Conffiles") {
        let _ = writeln!(status, "{field}: {value}");
        if field.eq_ignore_ascii_case("Package") {
            status.push_str("Status: install ok unpacked\n");
        }
    }
    let conffiles = package.control_text("conffiles").unwrap_or_default();
    // Lines that begin with a word name files that are to be removed, which a new root does not have.
    let paths: Vec<_> =
        conffiles.lines().map(str::trim_end).filter_map(|line| line.strip_prefix('/')).collect();
    if !paths.is_empty() {
        status.push_str("Conffiles:\n");
    }
    for path in paths {
        let read = root.read(path.as_bytes(), MAX_CONFFILE);
        let content = read.map_err(|source| DatabaseError::Write { path: shown(path.as_bytes()), source })?;
        let _ = writeln!(status, " /{path} {}", hexadecimal(&Md5::digest(&content)));
    }
    status.push('\n');
    Ok(())
}

/// Notes who wants to know of what (`deb-triggers(5)`): of paths in one file, of names in a file each.
fn register_triggers(package: &Unpacked, stem: &str, triggers: &mut BTreeMap<String, String>) {
    for line in package.control_text("triggers").unwrap_or_default().lines() {
        let mut words = line.split_whitespace();
        let (Some(directive), Some(trigger)) = (words.next(), words.next()) else { continue };
        let options = match directive {
            "interest" | "interest-await" => "",
            "interest-noawait" => "/noawait",
            _ => continue,
        };
        if trigger.starts_with('/') {
            let _ = writeln!(triggers.entry("File".to_owned()).or_default(), "{trigger} {stem}{options}");
        } else if trigger.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_+.".contains(&byte))
            && !trigger.starts_with('.')
        {
            let _ = writeln!(triggers.entry(trigger.to_owned()).or_default(), "{stem}{options}");
        }
    }
}

fn write(root: &mut Root, path: &str, content: &[u8], mode: u32) -> Result<(), DatabaseError> {
    let written = root.file(path.as_bytes(), &mut &content[..], Attributes::of_root(mode));
    written.map_err(|source| DatabaseError::Write { path: format!("/{path}"), source })
}
