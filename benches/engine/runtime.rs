//! Programs that start a container from a prepared root directory and do nothing else: crun, runc, and the floor, which is
//! what the kernel takes for it.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use serde_json::{Value, json};

use crate::engine::{complete, find, output};
use crate::floor;
use crate::legacy::Legacy;

/// A program of this kind.
pub(crate) struct Runtime {
    pub(crate) name: &'static str,
    kind: Kind,
    /// How many containers there were, for their names.
    count: Cell<u64>,
    /// Whether the container that goes on was started.
    has_long: Cell<bool>,
}

enum Kind {
    /// This program itself.
    Floor {
        layer: PathBuf,
    },
    Oci(Oci),
}

struct Oci {
    program: PathBuf,
    state: PathBuf,
    /// Bundles of a container that ends at once, and of one that goes on.
    short: PathBuf,
    long: PathBuf,
    legacy: Option<Legacy>,
}

/// The runtimes of this machine.
pub(crate) fn present(directory: &Path, root: &Path) -> Vec<Runtime> {
    let mut runtimes = Vec::new();
    for name in ["crun", "runc"] {
        let Some(program) = find(name) else {
            println!("{name}: absent");
            continue;
        };
        let state = directory.join(name);
        let bundle = |below: &str, words: &[&str]| bundle(&program, &state.join(below), root, words);
        let (short, long) = (bundle("short", &["/bin/true"]), bundle("long", &["/bin/sleep", "1000"]));
        let version = output(Command::new(&program).arg("--version"));
        println!("{}", String::from_utf8_lossy(&version.stdout).lines().next().unwrap_or(name));
        let legacy = if name == "crun" { Legacy::new() } else { None };
        let oci = Oci { program, state: state.join("state"), short, long, legacy };
        runtimes.push(Runtime {
            name,
            kind: Kind::Oci(oci),
            count: Cell::new(0),
            has_long: Cell::new(false),
        });
    }
    runtimes.push(Runtime {
        name: "floor",
        kind: Kind::Floor { layer: root.to_owned() },
        count: Cell::new(0),
        has_long: Cell::new(false),
    });
    runtimes
}

/// A bundle as the runtime itself suggests it.
fn bundle(program: &Path, bundle: &Path, root: &Path, words: &[&str]) -> PathBuf {
    fs::create_dir_all(bundle).expect("a directory");
    complete(Command::new(program).arg("spec").current_dir(bundle));
    let path = bundle.join("config.json");
    let text = fs::read(&path).expect("a specification");
    let mut spec: Value = serde_json::from_slice(&text).expect("a specification");
    for (pointer, value) in
        [("/process/terminal", json!(false)), ("/process/args", json!(words)), ("/root/path", json!(root))]
    {
        *spec.pointer_mut(pointer).expect("a specification") = value;
    }
    fs::write(path, spec.to_string()).expect("a specification");
    bundle.to_owned()
}

impl Runtime {
    /// Runs `/bin/true` without network.
    pub(crate) fn run(&self) -> Command {
        match &self.kind {
            Kind::Floor { layer } => {
                let mut command = Command::new(env::current_exe().expect("the bench finds itself"));
                command.arg(floor::WORD).arg(layer);
                command
            }
            Kind::Oci(oci) => {
                self.count.set(self.count.get() + 1);
                oci.run(&format!("bench{}", self.count.get()))
            }
        }
    }

    /// Runs `/bin/true` in a container that runs; nothing if the runtime has no such thing.
    pub(crate) fn exec(&self) -> Option<Command> {
        let Kind::Oci(oci) = &self.kind else { return None };
        if !self.has_long.replace(true) {
            complete(oci.base().args(["run", "--detach", "--bundle"]).arg(&oci.long).arg("long"));
        }
        let mut command = oci.base();
        command.args(["exec", "long", "/bin/true"]);
        Some(command)
    }
}

impl Oci {
    fn base(&self) -> Command {
        let mut command = Legacy::command(self.legacy.as_ref(), &self.program);
        command.arg("--root").arg(&self.state);
        command
    }

    fn run(&self, name: &str) -> Command {
        let mut command = self.base();
        command.args(["run", "--bundle"]).arg(&self.short).arg(name);
        command
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        if let Kind::Oci(oci) = &self.kind {
            let _ = oci.base().args(["delete", "--force", "long"]).output();
        }
    }
}
