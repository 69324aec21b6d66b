//! Whole runs of the binary, as a person waits for them.
//!
//! Targets: `check` on this repository less than 15 ms, `plan` of 200 workflows with 10,000 commits less than 60 ms. Each is
//! measured from spawn to exit with the output thrown away; the floor is `--version`, which does nothing. `actionlint` and
//! `act` are measured beside it where they are on the PATH.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::{env, fs, io};

use divan::Bencher;

fn main() {
    divan::main();
}

fn longshore(directory: &Path, arguments: &[&str]) {
    let status = Command::new(env!("CARGO_BIN_EXE_longshore"))
        .args(arguments)
        .current_dir(directory)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert!(status.is_ok_and(|status| status.code().is_some_and(|code| code < 2)), "{arguments:?}");
}

/// This repository.
fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A repository with 200 workflows and 10,000 commits, one of them not pushed.
static LARGE: LazyLock<PathBuf> = LazyLock::new(|| {
    let directory = env::temp_dir().join(format!("longshore-bench-{}", std::process::id()));
    make(&directory).expect("a repository is made with git");
    directory
});

fn git(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command
        .current_dir(directory)
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .stdout(Stdio::null());
    command
}

fn make(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    git(directory, &["init", "--quiet", "--initial-branch=main"]).status()?;
    let mut stream = String::new();
    for commit in 1..=10_000 {
        let time = 1_700_000_000 + commit;
        stream.push_str(&format!(
            "commit refs/heads/main\ncommitter T <t@example.com> {time} +0000\ndata 6\ncommit\n"
        ));
        if commit == 1 {
            for index in 0..200 {
                let text = format!(
                    "name: w{index}\non:\n  push:\n    branches: [main]\n    paths: ['services/s{index}/**']\njobs:\n  \
                     build:\n    runs-on: ubuntu-latest\n    strategy:\n      matrix:\n        n: [1, 2, 3]\n    steps:\n      \
                     - uses: actions/checkout@v4\n      - run: make -C services/s{index}\n  test:\n    needs: build\n    \
                     runs-on: ubuntu-latest\n    steps:\n      - run: echo ${{{{ github.sha }}}}\n"
                );
                stream.push_str(&format!(
                    "M 644 inline .github/workflows/w{index:03}.yml\ndata {}\n{text}\n",
                    text.len()
                ));
            }
        }
        let service = commit % 200;
        let text = format!("{commit}\n");
        stream.push_str(&format!("M 644 inline services/s{service}/file\ndata {}\n{text}\n", text.len()));
    }
    fs::write(directory.join(".stream"), &stream)?;
    let stream = fs::File::open(directory.join(".stream"))?;
    git(directory, &["fast-import", "--quiet"]).stdin(stream).status()?;
    fs::remove_file(directory.join(".stream"))?;
    git(directory, &["reset", "--hard", "--quiet"]).status()?;
    git(directory, &["update-ref", "refs/remotes/origin/main", "HEAD~1"]).status()?;
    git(directory, &["config", "remote.origin.url", "https://github.com/example/large"]).status()?;
    git(directory, &["config", "branch.main.remote", "origin"]).status()?;
    git(directory, &["config", "branch.main.merge", "refs/heads/main"]).status()?;
    git(directory, &["config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"]).status()?;
    Ok(())
}

#[divan::bench]
fn floor_version(bencher: Bencher<'_, '_>) {
    bencher.bench(|| longshore(&here(), &["--version"]));
}

#[divan::bench]
fn check_this_repository(bencher: Bencher<'_, '_>) {
    bencher.bench(|| longshore(&here(), &["check"]));
}

#[divan::bench]
fn check_200_workflows(bencher: Bencher<'_, '_>) {
    bencher.bench(|| longshore(&LARGE, &["check"]));
}

#[divan::bench]
fn plan_this_repository(bencher: Bencher<'_, '_>) {
    bencher.bench(|| longshore(&here(), &["plan"]));
}

#[divan::bench]
fn plan_200_workflows_10000_commits(bencher: Bencher<'_, '_>) {
    bencher.bench(|| longshore(&LARGE, &["plan"]));
}

/// Runs a program that others have written.
fn peer(directory: &Path, program: &str, arguments: &[&str]) {
    let status = Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert!(status.is_ok(), "{program} {arguments:?}");
}

fn is_absent(program: &str) -> bool {
    !env::split_paths(&env::var_os("PATH").unwrap_or_default()).any(|path| path.join(program).is_file())
}

#[divan::bench(ignore = is_absent("actionlint"))]
fn peer_actionlint_200_workflows(bencher: Bencher<'_, '_>) {
    bencher.bench(|| peer(&LARGE, "actionlint", &["-shellcheck=", "-pyflakes="]));
}

#[divan::bench(ignore = is_absent("act"))]
fn peer_act_list_200_workflows(bencher: Bencher<'_, '_>) {
    bencher.bench(|| peer(&LARGE, "act", &["push", "--list", "-P", "ubuntu-latest=node:16"]));
}

#[divan::bench]
fn peer_git_status_200_workflows(bencher: Bencher<'_, '_>) {
    bencher.bench(|| peer(&LARGE, "git", &["status", "--porcelain"]));
}
