//! What is fixed when the binary is built: which commit it is made from, and the pages that `longshore explain` prints.
//!
//! The commit is read from git's files, so that no git program is needed; its date, which git keeps compressed, is
//! asked of the program where there is one. Without a repository both are left out. The table of pages is made from
//! `docs/codes/`, so that adding a page is adding a file.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    link_in_place();
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../..");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=BUILT_VERSION={}", version(&root));
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("pages.rs"), pages(&root.join("docs/codes"))?)
}

/// `0.1.0 (abc1234 2026-01-31)`, or less where less is known.
fn version(root: &Path) -> String {
    let version = env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let Some(commit) = commit(root) else { return version };
    let date = Command::new("git")
        .arg("-C")
        .arg(root)
        .args(["show", "-s", "--format=%cs", &commit])
        .output()
        .ok()
        .filter(|output| output.status.success())
        .and_then(|output| String::from_utf8(output.stdout).ok());
    let short = commit.get(..9).unwrap_or(&commit);
    match date.as_deref().map(str::trim) {
        Some(date) if !date.is_empty() => format!("{version} ({short} {date})"),
        _ => format!("{version} ({short})"),
    }
}

/// The commit that HEAD stands for, following a linked work tree and packed references.
fn commit(root: &Path) -> Option<String> {
    let dot_git = root.join(".git");
    let directory = match watched(&dot_git) {
        Some(text) => root.join(text.strip_prefix("gitdir:")?.trim()),
        None => dot_git,
    };
    let common = match watched(&directory.join("commondir")) {
        Some(path) => directory.join(path.trim()),
        None => directory.clone(),
    };
    let head = watched(&directory.join("HEAD"))?;
    let Some(reference) = head.trim().strip_prefix("ref:") else { return Some(head.trim().to_owned()) };
    let reference = reference.trim();
    if let Some(commit) = watched(&common.join(reference)) {
        return Some(commit.trim().to_owned());
    }
    let packed = watched(&common.join("packed-refs"))?;
    packed.lines().find_map(|line| line.strip_suffix(reference)?.strip_suffix(' ').map(str::to_owned))
}

/// The text of a file whose change makes the build stale; `None` if it is no file.
fn watched(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    println!("cargo::rerun-if-changed={}", path.display());
    Some(text)
}

/// A Rust expression: a sorted slice of (code, text) for every `AREA/NAME.md`.
fn pages(directory: &Path) -> io::Result<String> {
    println!("cargo::rerun-if-changed={}", directory.display());
    let mut codes: Vec<(String, PathBuf)> = Vec::new();
    for area in fs::read_dir(directory)? {
        let area = area?.path();
        if !area.is_dir() {
            continue;
        }
        println!("cargo::rerun-if-changed={}", area.display());
        for page in fs::read_dir(&area)? {
            let page = page?.path();
            if page.extension().is_some_and(|extension| extension == "md") {
                let name = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                codes.push((format!("{}/{}", name(&area), name(&page)), page.canonicalize()?));
            }
        }
    }
    codes.sort();
    let mut table = String::from("&[\n");
    for (code, page) in codes {
        let _ = writeln!(table, "    ({code:?}, include_str!({:?})),", page.display().to_string());
    }
    table.push_str("]\n");
    Ok(table)
}

/// Links the program to a fixed place, and with its C library inside where that can be had.
///
/// The dynamic loader takes a third of a millisecond of each start to find and bind three libraries, and mends tens of
/// thousands of addresses of a program without a fixed place: together more than a tenth of the time of a short container.
/// Position-independent linking would only move the program's own code and constants about; heap and stack are random all the
/// same. `longshore_sys::resolve_by_files_and_dns` says what a C library inside means for names.
fn link_in_place() {
    println!("cargo::rustc-check-cfg=cfg(own_libc)");
    let target = |name: &str| env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    if target("OS") != "linux" || target("ENV") != "gnu" || target("FEATURE").contains("crt-static") {
        return;
    }
    println!("cargo::rustc-link-arg-bins=-no-pie");
    if env::var("TARGET") == env::var("HOST")
        && let Some(directory) = libraries_inside()
    {
        println!("cargo::rustc-link-arg-bins=-L{}", directory.display());
        println!("cargo::rustc-link-arg-bins=-static");
        println!("cargo::rustc-cfg=own_libc");
    }
}

/// A directory in which the linker finds static libraries under the names that it is given. The compiler, which has a switch
/// for this, applies it to build scripts and macros as well, which then cannot be built; so it goes on naming shared
/// libraries. `None` if the static ones are not installed.
fn libraries_inside() -> Option<PathBuf> {
    let directory = PathBuf::from(env::var_os("OUT_DIR")?).join("inside");
    fs::create_dir_all(&directory).ok()?;
    let [unwind, builtins] = [library("gcc_eh")?, library("gcc")?];
    for name in ["c", "m", "util", "rt", "pthread", "dl"] {
        // The C library unwinds threads that end.
        let script = format!("GROUP({} {unwind} {builtins})\n", library(name)?);
        fs::write(directory.join(format!("lib{name}.a")), script).ok()?;
    }
    fs::write(directory.join("libgcc_s.a"), format!("INPUT({unwind})\n")).ok()?;
    Some(directory)
}

/// Where the linker has a static library.
fn library(name: &str) -> Option<String> {
    let file = format!("lib{name}.a");
    let linker = env::var_os("RUSTC_LINKER").unwrap_or_else(|| "cc".into());
    let output = Command::new(linker).arg(format!("-print-file-name={file}")).output().ok()?;
    let path = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    // What it does not have it gives back as it was asked.
    (path != file && Path::new(&path).is_file()).then_some(path)
}
