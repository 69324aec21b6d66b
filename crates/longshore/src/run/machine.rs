//! What jobs of the image `host` see of this machine: its programs, and the tools in home directories.
//!
//! The image hides home directories. Tools that people install there (rustup, pyenv, nvm and so on) and that are found by
//! `PATH` are seen all the same, read-only, and nothing else of the directory is.

use std::path::{Path, PathBuf};

use longshore_runner::Machine;

use crate::settings::Environment;

/// Directories that the image replaces.
const HIDDEN: [&str; 4] = ["/root", "/home", "/mnt", "/media"];

/// Directories below a home directory that hold tools and no secrets, with the variable that names each inside.
const TOOLS: [(&str, Option<&str>); 14] = [
    (".cargo/bin", None),
    (".rustup", Some("RUSTUP_HOME")),
    (".pyenv", Some("PYENV_ROOT")),
    (".nvm", Some("NVM_DIR")),
    (".volta", Some("VOLTA_HOME")),
    (".rbenv", Some("RBENV_ROOT")),
    (".nodenv", Some("NODENV_ROOT")),
    (".goenv", Some("GOENV_ROOT")),
    (".sdkman", Some("SDKMAN_DIR")),
    (".asdf", Some("ASDF_DATA_DIR")),
    (".local/share/uv", None),
    (".local/bin", None),
    (".deno/bin", None),
    (".bun/bin", None),
];

/// Where programs are on every machine.
const SYSTEM: [&str; 6] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// This machine.
pub(crate) fn machine(environment: &Environment) -> Machine {
    let home = environment.var("HOME").map(PathBuf::from);
    let certificates = environment.certificates().and_then(|file| file.canonicalize().ok());
    let certificates = certificates.filter(|file| file.is_file());
    let mut machine = Machine { name: name(), certificates, ..Machine::default() };
    if let Some(home) = &home {
        for (tool, variable) in TOOLS {
            let path = home.join(tool);
            if path.is_dir() && is_wanted(&path, environment) {
                if let Some(variable) = variable {
                    machine.env.push((variable.to_owned(), path.display().to_string()));
                }
                machine.tools.push(path);
            }
        }
    }
    let own = environment.var("PATH").unwrap_or_default();
    let own = own.split(':').filter(|entry| entry.starts_with('/') && Path::new(entry).is_dir());
    let seen = |entry: &&str| {
        !is_hidden(entry) || machine.tools.iter().any(|tool| Path::new(entry).starts_with(tool))
    };
    let mut path: Vec<String> = own.filter(seen).map(str::to_owned).collect();
    path.extend(SYSTEM.iter().map(ToString::to_string));
    let mut known = std::collections::HashSet::new();
    path.retain(|entry| known.insert(entry.clone()));
    machine.path = path;
    machine
}

/// Whether a directory of tools is used: something of it is in `PATH`, or it is what another one needs.
fn is_wanted(path: &Path, environment: &Environment) -> bool {
    let own = environment.var("PATH").unwrap_or_default();
    let below = |tool: &Path| own.split(':').any(|entry| Path::new(entry).starts_with(tool));
    let needed = match path.file_name().and_then(|name| name.to_str()) {
        Some(".rustup") => path.parent().is_some_and(|home| below(&home.join(".cargo/bin"))),
        Some("uv") => path.ancestors().nth(3).is_some_and(|home| below(&home.join(".local/bin"))),
        _ => false,
    };
    below(path) || needed
}

fn is_hidden(entry: &str) -> bool {
    HIDDEN.iter().any(|hidden| Path::new(entry).starts_with(hidden))
}

fn name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
