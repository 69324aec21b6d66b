//! A directory of its own and a clean environment for each test.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use assert_cmd::cargo::cargo_bin;

/// Where a test's commands run.
pub(crate) struct TestContext {
    root: tempfile::TempDir,
    /// Whether commands are told where the state directory is; else it is where it would be.
    stateful: bool,
}

/// How a command ended.
pub(crate) struct Ended {
    /// Its exit code.
    pub(crate) code: i32,
    /// What it wrote as data.
    pub(crate) stdout: String,
    /// What it said.
    pub(crate) stderr: String,
}

impl TestContext {
    /// An empty project: a directory that counts as a repository, and an empty home.
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("project/.git")).unwrap();
        std::fs::create_dir_all(root.path().join("home")).unwrap();
        Self { root, stateful: false }
    }

    /// The same with a state directory of its own, which is needed wherever a store is opened.
    pub(crate) fn with_state() -> Self {
        Self { stateful: true, ..Self::new() }
    }

    /// The project's directory.
    pub(crate) fn project(&self) -> PathBuf {
        self.root.path().join("project")
    }

    /// Writes a file of the project.
    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) -> &Self {
        self.write_at(&self.project().join(path), text)
    }

    /// Writes a file of the user's home.
    pub(crate) fn write_home(&self, path: &str, text: &str) -> &Self {
        self.write_at(&self.root.path().join("home").join(path), text)
    }

    fn write_at(&self, path: &Path, text: impl AsRef<[u8]>) -> &Self {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    /// Runs git in the project, with a fixed person and time, and nobody's configuration.
    pub(crate) fn git(&self, arguments: &[&str]) -> &Self {
        // The empty directory that stands for a repository is in the way of a real one.
        let _ = std::fs::remove_dir(self.project().join(".git"));
        let mut command = Command::new("git");
        command.args(arguments).current_dir(self.project());
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        for role in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{role}_NAME"), "Ada")
                .env(format!("GIT_{role}_EMAIL"), "ada@example.org");
            command.env(format!("GIT_{role}_DATE"), "2026-01-02T03:04:05Z");
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        self
    }

    /// A repository with what is in the project as its first commit, which the remote has too.
    pub(crate) fn git_with_remote(&self) -> &Self {
        let remote = self.root.path().join("remote.git").display().to_string();
        self.git(&["init", "--quiet", "--initial-branch", "main"]).commit("first");
        self.git(&["clone", "--quiet", "--bare", ".", &remote]);
        self.git(&["remote", "add", "origin", &remote]).git(&["fetch", "--quiet", "origin"])
    }

    /// Commits everything.
    pub(crate) fn commit(&self, message: &str) -> &Self {
        self.git(&["add", "--all"]).git(&["commit", "--quiet", "--allow-empty", "--message", message])
    }

    /// Copies a directory into the project.
    pub(crate) fn copy(&self, from: &Path) -> &Self {
        copy(from, &self.project());
        self
    }

    /// The text of a file of the project.
    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.project().join(path)).unwrap()
    }

    /// `longshore` in the project, with nothing in its environment but a home.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(cargo_bin!("longshore"));
        command.args(arguments).current_dir(self.project()).env_clear();
        command.env("HOME", self.root.path().join("home")).stdin(Stdio::null());
        if self.stateful {
            command.env("LONGSHORE_HOME", self.root.path().join("state"));
        }
        command
    }

    /// Runs `longshore` with these arguments.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.end(&mut self.command(arguments))
    }

    /// Runs a command to its end.
    pub(crate) fn end(&self, command: &mut Command) -> Ended {
        let output = command.output().unwrap();
        Ended {
            code: output.status.code().unwrap_or(-1),
            stdout: self.placeholders(&output.stdout),
            stderr: self.placeholders(&output.stderr),
        }
    }

    /// Runs a command with a text on its standard input.
    pub(crate) fn feed(&self, arguments: &[&str], input: &[u8]) -> Ended {
        let path = self.root.path().join("input");
        std::fs::write(&path, input).unwrap();
        let mut command = self.command(arguments);
        command.stdin(std::fs::File::open(path).unwrap());
        self.end(&mut command)
    }

    /// What differs from run to run, replaced.
    fn placeholders(&self, bytes: &[u8]) -> String {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let root = self.root.path().canonicalize().unwrap().display().to_string();
        text.replace(&root, "[ROOT]").replace(&self.root.path().display().to_string(), "[ROOT]")
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let place = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &place);
        } else {
            std::fs::copy(entry.path(), place).unwrap();
        }
    }
}

impl Ended {
    /// Code and both streams as one text, for snapshots.
    pub(crate) fn shown(&self) -> String {
        let Self { code, stdout, stderr } = self;
        format!("exit code: {code}\n----- stdout -----\n{stdout}----- stderr -----\n{stderr}")
    }
}
