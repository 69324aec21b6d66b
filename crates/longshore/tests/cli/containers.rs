//! A place for containers of this machine's own files (the image `host`), for the tests of their verbs.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::context::{Ended, TestContext};

/// The ids of a user who does not exist on the machine.
const STRANGER: u32 = 65_533;

/// A place for containers, all of which are gone at its end.
pub(crate) struct Containers {
    pub(crate) context: TestContext,
    /// The program for a stranger, who cannot reach the one that was built.
    stranger: Option<PathBuf>,
}

impl Containers {
    /// Nothing, with a note, where this machine does not let containers be run.
    pub(crate) fn new() -> Option<Self> {
        Self { context: TestContext::new(), stranger: None }.opened().tried("none")
    }

    /// The same, with networks of their own.
    pub(crate) fn with_networks() -> Option<Self> {
        Self::new()?.tried("bridge")
    }

    /// The same as an ordinary user, whom these tests become if root runs them.
    pub(crate) fn of_an_ordinary_user() -> Option<Self> {
        let mut containers = Self { context: TestContext::new(), stranger: None }.opened();
        if rustix::process::geteuid().is_root() {
            let project = containers.context.project();
            let top = project.join("..").canonicalize().unwrap();
            for place in [top.clone(), project, top.join("home")] {
                chown(place, Some(STRANGER), Some(STRANGER)).unwrap();
            }
            let (built, program) = (assert_cmd::cargo::cargo_bin!("longshore"), top.join("longshore"));
            if std::fs::hard_link(built, &program).is_err() {
                std::fs::copy(built, &program).unwrap();
            }
            containers.stranger = Some(program);
        }
        containers.tried("none")
    }

    /// The same, if networks work, too.
    pub(crate) fn networked(self) -> Option<Self> {
        self.tried("bridge")
    }

    /// Containers' users must be able to walk to what is theirs.
    fn opened(self) -> Self {
        for place in [self.context.project().join(".."), self.context.project()] {
            std::fs::set_permissions(place, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        self
    }

    fn tried(self, network: &str) -> Option<Self> {
        let tried = self.run(&["run", "--rm", "--network", network, "host", "true"]);
        if tried.code != 0 {
            eprintln!("skipped: no containers with the network `{network}` here: {}", tried.stderr);
            return None;
        }
        Some(self)
    }

    /// A verb of containers.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.any(&["container"]);
        command.args(arguments);
        command
    }

    /// Any verb.
    pub(crate) fn any(&self, arguments: &[&str]) -> Command {
        let own = self.context.command(arguments);
        let mut command = match &self.stranger {
            None => own,
            Some(program) => {
                let mut command = Command::new(program);
                command.args(arguments).current_dir(self.context.project()).env_clear().stdin(Stdio::null());
                command.envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
                command.uid(STRANGER).gid(STRANGER);
                command
            }
        };
        command.env("LONGSHORE_HOME", self.home()).env("PATH", "/usr/local/bin:/usr/bin:/bin");
        command
    }

    /// The state directory.
    pub(crate) fn home(&self) -> PathBuf {
        self.context.project().join("../state")
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.context.end(&mut self.command(arguments))
    }

    /// Standard output of what must succeed.
    pub(crate) fn done(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert_eq!(ended.code, 0, "{arguments:?}: {}{}", ended.stdout, ended.stderr);
        ended.stdout
    }

    /// Another verb than those of containers.
    pub(crate) fn other(&self, arguments: &[&str]) -> Ended {
        self.context.end(&mut self.any(arguments))
    }

    /// Another verb, with a variable set.
    pub(crate) fn other_with(&self, name: &str, value: &str, arguments: &[&str]) -> Ended {
        self.context.end(self.any(arguments).env(name, value))
    }

    /// Standard output of another verb, which must succeed.
    pub(crate) fn other_done(&self, arguments: &[&str]) -> String {
        let ended = self.other(arguments);
        assert_eq!(ended.code, 0, "{arguments:?}: {}{}", ended.stdout, ended.stderr);
        ended.stdout
    }

    /// A container without network that runs until it is told to end.
    pub(crate) fn detached(&self, name: &str, options: &[&str]) {
        let mut arguments = vec!["run", "-d", "--network", "none", "--name", name];
        arguments.extend(options);
        arguments.extend(["host", "sleep", "1000"]);
        self.done(&arguments);
    }

    /// What a template makes of a container.
    pub(crate) fn inspected(&self, name: &str, format: &str) -> String {
        self.done(&["inspect", "-f", format, name]).trim_end().to_owned()
    }
}

impl Drop for Containers {
    fn drop(&mut self) {
        let all = self.run(&["ps", "-aq"]).stdout;
        let ids: Vec<&str> = all.lines().collect();
        if !ids.is_empty() {
            let mut arguments = vec!["rm", "-fv"];
            arguments.extend(ids);
            self.run(&arguments);
        }
        self.other(&["network", "prune", "-f"]);
    }
}

/// A run without network, which is what most tests need.
const RUN: [&str; 4] = ["run", "--rm", "--network", "none"];

pub(crate) fn run_of<'a>(rest: &[&'a str]) -> Vec<&'a str> {
    RUN.iter().copied().chain(rest.iter().copied()).collect()
}

/// Looks until something is so.
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_mins(1);
    while !is_so() {
        assert!(Instant::now() < until, "never: {what}");
        std::thread::yield_now();
    }
}

/// Runs a line with a terminal, types some keys once it is ready, and gives its exit code and what was shown.
pub(crate) fn at_terminal(it: &Containers, line: &str, keys: &[u8]) -> Option<(Option<i32>, String)> {
    script_at_terminal(it, &format!("$LONGSHORE container {line}"), "ready", keys)
}

/// Runs a script of `sh`, in which `$LONGSHORE` is the command, with a terminal, and types some keys once this text is shown.
pub(crate) fn script_at_terminal(
    it: &Containers,
    text: &str,
    ready: &str,
    keys: &[u8],
) -> Option<(Option<i32>, String)> {
    let command = it.command(&[]);
    let variables = command.get_envs().filter_map(|(name, value)| Some((name, value?)));
    let variables = variables.chain([("LONGSHORE".as_ref(), command.get_program())]);
    let mut script = Command::new("script");
    script.args(["-qec", text, "/dev/null"]);
    script.env_clear().envs(variables).current_dir(it.context.project());
    let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
    let (mut input, mut output) = (child.stdin.take()?, child.stdout.take()?);
    let mut shown = Vec::new();
    let mut byte = [0];
    // Before it is raw, the terminal would take keys for its own.
    while !shown.ends_with(ready.as_bytes()) && output.read(&mut byte).unwrap() == 1 {
        shown.push(byte[0]);
    }
    input.write_all(keys).unwrap();
    output.read_to_end(&mut shown).unwrap();
    Some((child.wait().unwrap().code(), String::from_utf8_lossy(&shown).into_owned()))
}
