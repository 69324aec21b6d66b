//! Engines that understand Docker's verbs: this one, Docker, Podman.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use crate::legacy::Legacy;

/// The image that all engines run.
pub(crate) const IMAGE: &str = "bench:1";

/// An engine, and how it is called here.
pub(crate) struct Engine {
    pub(crate) name: &'static str,
    program: PathBuf,
    /// Flags before the verb.
    globals: Vec<String>,
    environment: Vec<(&'static str, PathBuf)>,
    /// Flags that `run` needs on some machines.
    run_flags: &'static [&'static str],
    /// Flags that `pull` needs for a registry of this machine.
    pull_flags: &'static [&'static str],
    /// Ends with the engine.
    _daemon: Option<Daemon>,
    legacy: Option<Legacy>,
}

struct Daemon(Child);

/// Where a program is.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let beside = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    env::split_paths(&path).chain(beside).map(|directory| directory.join(program)).find(|path| path.is_file())
}

/// Runs a command to its end, and fails with what it said.
pub(crate) fn output(command: &mut Command) -> Output {
    let output = command.stdin(Stdio::null()).output().expect("a program runs");
    assert!(
        output.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// Runs a command to its end without looking at what it says, which is what is measured.
pub(crate) fn complete(command: &mut Command) {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(status.is_ok_and(|status| status.success()), "{command:?}");
}

/// Waits until something is so.
pub(crate) fn await_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_mins(1), "{what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// The engines of this machine, this one first, each with the image.
pub(crate) fn present(directory: &Path, root: &Path) -> Vec<Engine> {
    let archive = directory.join("root.tar");
    output(Command::new("tar").arg("-C").arg(root).arg("-cf").arg(&archive).arg("."));
    let mut engines = vec![Engine::longshore(&directory.join("longshore"))];
    engines.extend(Engine::docker(&directory.join("docker")));
    engines.extend(Engine::podman(&directory.join("podman")));
    for engine in &engines {
        output(engine.image(&["import"]).arg(&archive).arg(IMAGE));
        let version = output(engine.base().arg("--version"));
        println!("{}: {}", engine.name, String::from_utf8_lossy(&version.stdout).trim());
    }
    engines
}

impl Engine {
    /// This engine with a home of its own.
    pub(crate) fn longshore(home: &Path) -> Self {
        Self {
            name: "longshore",
            program: env!("CARGO_BIN_EXE_longshore").into(),
            globals: Vec::new(),
            environment: vec![("LONGSHORE_HOME", home.to_owned())],
            run_flags: &[],
            pull_flags: &[],
            _daemon: None,
            legacy: None,
        }
    }

    fn docker(directory: &Path) -> Option<Self> {
        let (Some(program), Some(daemon)) = (find("docker"), find("dockerd")) else {
            println!("docker: absent");
            return None;
        };
        fs::create_dir(directory).expect("a directory");
        let (socket, log) = (directory.join("socket"), directory.join("log"));
        let log = fs::File::create(log).expect("a file");
        let daemon = Command::new(daemon)
            .arg("--host")
            .arg(format!("unix://{}", socket.display()))
            .arg("--data-root")
            .arg(directory.join("data"))
            .arg("--exec-root")
            .arg(directory.join("run"))
            .arg("--pidfile")
            .arg(directory.join("pid"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a descriptor"))
            .stderr(log)
            .spawn()
            .expect("dockerd runs");
        let host = PathBuf::from(format!("unix://{}", socket.display()));
        let engine = Self {
            name: "docker",
            program,
            globals: Vec::new(),
            environment: vec![("DOCKER_HOST", host)],
            run_flags: &[],
            pull_flags: &[],
            _daemon: Some(Daemon(daemon)),
            legacy: None,
        };
        await_until("Docker's daemon answers", || {
            engine.base().arg("version").output().is_ok_and(|output| output.status.success())
        });
        Some(engine)
    }

    /// Podman, told not to raise limits, which not every root may.
    fn podman(directory: &Path) -> Option<Self> {
        let Some(program) = find("podman") else {
            println!("podman: absent");
            return None;
        };
        let flag = |name: &str, below: &str| [name.to_owned(), directory.join(below).display().to_string()];
        let manager = ["--cgroup-manager", "cgroupfs"].map(str::to_owned);
        let globals = [flag("--root", "data"), flag("--runroot", "run"), flag("--tmpdir", "tmp"), manager];
        Some(Self {
            name: "podman",
            program,
            globals: globals.into_iter().flatten().collect(),
            environment: Vec::new(),
            run_flags: &["--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024"],
            pull_flags: &["--tls-verify=false"],
            _daemon: None,
            legacy: Legacy::new(),
        })
    }

    fn base(&self) -> Command {
        let mut command = Legacy::command(self.legacy.as_ref(), &self.program);
        command.args(&self.globals).envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// A verb about containers.
    pub(crate) fn container(&self, arguments: &[&str]) -> Command {
        let mut command = self.base();
        command.arg("container").args(arguments);
        if arguments.first() == Some(&"run") {
            command.args(self.run_flags);
        }
        command
    }

    /// A verb about images.
    pub(crate) fn image(&self, arguments: &[&str]) -> Command {
        let mut command = self.base();
        command.arg("image").args(arguments);
        if arguments.first() == Some(&"pull") {
            command.args(self.pull_flags);
        }
        command
    }

    /// Starts a container that goes on; its id.
    pub(crate) fn start(&self, flags: &[&str], words: &[&str]) -> String {
        let mut command = self.container(&["run", "--detach"]);
        command.args(flags).arg(IMAGE).args(words);
        String::from_utf8_lossy(&output(&mut command).stdout).trim().to_owned()
    }

    /// Removes containers, whether they run or not.
    pub(crate) fn remove(&self, containers: &[String]) {
        // Some would wait for ten seconds for a program that ignores what it is told.
        let _ = self.container(&["kill"]).args(containers).output();
        output(self.container(&["rm", "--force"]).args(containers));
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Some(pid) = rustix::process::Pid::from_raw(self.0.id().cast_signed()) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ = self.0.wait();
    }
}
