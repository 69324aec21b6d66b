//! A command that is to be run, as those see it who answer for it.

use std::collections::BTreeMap;

use longshore_engine::ContainerId;

use super::files::Files;

/// Why a command is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// It is the container's own process.
    Start,
    /// It is a further process.
    Exec,
    /// It finds out whether the container is well.
    Probe,
}

/// A command that is to be run, with everything that it could see.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The container it runs in.
    pub container: ContainerId,
    /// The container's name.
    pub name: String,
    /// Why it is run.
    pub occasion: Occasion,
    /// The program and its arguments; a container's entrypoint comes first.
    pub command: Vec<String>,
    /// All variables: the image's, the container's, and its own.
    pub env: BTreeMap<String, String>,
    /// The working directory.
    pub working_directory: String,
    /// Whom it runs as, as it was asked for; root, if absent.
    pub user: Option<String>,
    /// Whether it has a terminal.
    pub tty: bool,
    /// Whether it may do everything.
    pub privileged: bool,
    pub(super) files: Files,
}

impl Invocation {
    /// The name of the program, without directories.
    pub fn program(&self) -> &str {
        let program = self.command.first().map(String::as_str).unwrap_or_default();
        program.rsplit('/').next().unwrap_or_default()
    }

    /// All words of the command with blanks between them.
    pub fn line(&self) -> String {
        self.command.join(" ")
    }

    /// The content of a file of the container, if there is one. A relative path begins at the working directory.
    pub fn read(&self, path: &str) -> Option<Vec<u8>> {
        self.files.read(&self.absolute(path)).ok()
    }

    /// The same as text.
    pub fn read_text(&self, path: &str) -> Option<String> {
        self.read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Whether there is a file or directory.
    pub fn exists(&self, path: &str) -> bool {
        self.files.exists(&self.absolute(path))
    }

    pub(super) fn absolute(&self, path: &str) -> String {
        absolute(&self.working_directory, path)
    }
}

/// A path that begins at the root.
pub(super) fn absolute(directory: &str, path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { format!("{directory}/{path}") }
}
