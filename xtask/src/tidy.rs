//! The checks. Each takes what it examines as text, so that tests can hand it small texts.

mod licence;
mod manifest;
mod page;
mod source;

#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use self::source::Source;
use crate::layers::{LAYERS, TOOLS};

/// What was examined and what was found.
pub(crate) struct Report {
    /// Source files read.
    pub(crate) files: usize,
    /// Pages of codes read.
    pub(crate) pages: usize,
    /// One line for each finding: `file:line: what is wrong`.
    pub(crate) findings: Vec<String>,
}

/// Runs every check on the workspace at `root`.
pub(crate) fn run(root: &Path) -> io::Result<Report> {
    let mut report = Report { files: 0, pages: 0, findings: Vec::new() };
    let mut codes = Vec::new();
    let mut packages = vec![root.join("xtask")];
    packages.extend(directories(&root.join("crates"))?);
    for package in packages {
        let name = package.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(package.join("Cargo.toml"))?;
        report.findings.extend(manifest::check(&name, &text));
        for path in files(&package, "rs")? {
            let shown = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            let text = fs::read_to_string(&path)?;
            let source = Source { package: &name, path: &shown, text: &text };
            report.findings.extend(source.check());
            codes.extend(source.codes());
            report.files += 1;
        }
    }
    let directory = root.join("docs/codes");
    let pages: Vec<String> =
        files(&directory, "md")?.iter().filter_map(|path| code(&directory, path)).collect();
    report.pages = pages.len();
    report.findings.extend(page::check(&codes, &pages));
    for path in files(&root.join("docs"), "md")?.into_iter().chain(files_here(root, "md")?) {
        let shown = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        report.findings.extend(source::trailing_blanks(&shown, &fs::read_to_string(&path)?));
    }
    for missing in LAYERS.iter().filter(|layer| !root.join("crates").join(layer.package).is_dir()) {
        report.findings.push(format!("xtask/src/layers.rs: there is no crate `{}`", missing.package));
    }
    report.findings.extend(licence::check(root)?);
    report.findings.sort();
    Ok(report)
}

/// The code of a page by its place, `AREA/NAME`; `None` for what is no page.
fn code(directory: &Path, path: &Path) -> Option<String> {
    let relative = path.strip_prefix(directory).ok()?.with_extension("");
    let code = relative.to_str()?.to_owned();
    code.contains('/').then_some(code)
}

fn is_known(package: &str) -> bool {
    TOOLS.contains(&package) || LAYERS.iter().any(|layer| layer.package == package)
}

fn directories(place: &Path) -> io::Result<Vec<PathBuf>> {
    let entries: io::Result<Vec<PathBuf>> = fs::read_dir(place)?.map(|entry| Ok(entry?.path())).collect();
    Ok(entries?.into_iter().filter(|path| path.join("Cargo.toml").is_file()).collect())
}

fn files_here(place: &Path, extension: &str) -> io::Result<Vec<PathBuf>> {
    let entries: io::Result<Vec<PathBuf>> = fs::read_dir(place)?.map(|entry| Ok(entry?.path())).collect();
    Ok(entries?.into_iter().filter(|path| path.extension().is_some_and(|found| found == extension)).collect())
}

/// All files of an extension below a directory; build results and fixtures are none of ours.
fn files(place: &Path, extension: &str) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![place.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && !matches!(name.as_str(), "target" | "fixtures" | "snapshots") {
                open.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
