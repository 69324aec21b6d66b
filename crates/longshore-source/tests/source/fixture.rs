//! Directories and repositories to test on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A temporary directory with a git repository in `work`, and room for others beside it.
pub(crate) struct Fixture {
    directory: TempDir,
    tick: std::cell::Cell<u32>,
}

impl Fixture {
    /// An empty directory.
    pub(crate) fn empty() -> Self {
        let directory = tempfile::Builder::new().prefix("longshore-source-").tempdir().unwrap();
        fs::create_dir(directory.path().join("work")).unwrap();
        Self { directory, tick: std::cell::Cell::new(0) }
    }

    /// A repository on branch `main` without commits.
    pub(crate) fn repository() -> Self {
        let fixture = Self::empty();
        fixture.git("init -q -b main .");
        fixture
    }

    /// A path beside the repository.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The repository's directory.
    pub(crate) fn root(&self) -> PathBuf {
        self.beside("work")
    }

    /// Runs git in the repository; arguments are split at spaces.
    pub(crate) fn git(&self, arguments: &str) -> String {
        self.git_in(&self.root(), arguments)
    }

    /// Runs git in `directory`.
    pub(crate) fn git_in(&self, directory: &Path, arguments: &str) -> String {
        self.tick.set(self.tick.get() + 1);
        let date = format!("{} +0000", 1_700_000_000 + 60 * self.tick.get());
        let output = Command::new("git")
            .args(arguments.split(' '))
            .current_dir(directory)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.directory.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "Ada")
            .env("GIT_AUTHOR_EMAIL", "ada@example.org")
            .env("GIT_COMMITTER_NAME", "Bo")
            .env("GIT_COMMITTER_EMAIL", "bo@example.org")
            .env("GIT_AUTHOR_DATE", &date)
            .env("GIT_COMMITTER_DATE", &date)
            .env("GIT_ALLOW_PROTOCOL", "file")
            .output()
            .unwrap();
        let talk = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments}: {talk}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Feeds a stream to `git fast-import`.
    pub(crate) fn fast_import(&self, stream: &str) {
        std::fs::write(self.beside("stream"), stream).unwrap();
        let input = fs::File::open(self.beside("stream")).unwrap();
        let import = ["fast-import", "--quiet", "--force"];
        let status = Command::new("git").args(import).current_dir(self.root()).stdin(input).status().unwrap();
        assert!(status.success());
    }

    /// Writes a file below the repository's root, with its directories.
    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let place = self.root().join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, text).unwrap();
    }

    /// Removes a file.
    pub(crate) fn remove(&self, path: &str) {
        fs::remove_file(self.root().join(path)).unwrap();
    }

    /// Writes files (each holding its name and the message), commits everything, and returns the commit's id.
    pub(crate) fn commit(&self, message: &str, paths: &[&str]) -> String {
        for path in paths {
            self.write(path, format!("{path} {message}\n"));
        }
        self.git("add -A");
        self.git(&format!("commit -q --allow-empty -m {message}"));
        self.git("rev-parse HEAD")
    }

    /// Makes a bare `origin` beside the repository and pushes `main` to it.
    pub(crate) fn push_to_origin(&self) {
        let origin = self.beside("origin.git");
        self.git_in(&self.beside(""), "init -q --bare -b main origin.git");
        self.git(&format!("remote add origin {}", origin.display()));
        self.git("push -q -u origin main");
        self.git("remote set-head origin main");
    }
}
