//! Containers of this home: what killed processes left of them, and which there are. And whether there is a Docker.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use longshore_engine_native::{NativeEngine, NativeOptions, Reaped};
use longshore_report::count;

use super::check::{CheckDto, OutcomeDto};

const LEFTOVERS: &str = "engine.leftovers";
const CONTAINERS: &str = "engine.containers";
/// Where Docker Engine listens unless told otherwise.
const SOCKETS: [&str; 2] = ["/var/run/docker.sock", "/run/docker.sock"];
/// How long a daemon may take to answer.
const PATIENCE: Duration = Duration::from_secs(1);

pub(super) fn examine(home: &Path, reap: bool) -> OutcomeDto {
    let directory = home.join("engine");
    if !directory.join("version").exists() {
        return vec![CheckDto::ok(CONTAINERS, "there are none: nothing was run yet")].into();
    }
    let program = std::env::current_exe().unwrap_or_default();
    let engine = match NativeEngine::open_as_left(&NativeOptions { home: directory, program, brief: false }) {
        Ok(engine) => engine,
        Err(error) => {
            let mut check = CheckDto::problem(CONTAINERS, "the engine cannot be opened").because(&error);
            check.help.clone_from(&error.help);
            return vec![check].into();
        }
    };
    let mut outcome = OutcomeDto::default();
    if reap {
        match engine.reap() {
            Ok(reaped) => {
                outcome.cleaned = cleaned(&reaped);
                outcome.checks.push(leftovers(&reaped));
            }
            Err(error) => outcome.checks.push(
                CheckDto::warning(LEFTOVERS, "what killed processes left could not be removed")
                    .because(&error),
            ),
        }
    }
    outcome.checks.push(containers(&engine));
    outcome
}

fn cleaned(reaped: &Reaped) -> BTreeMap<String, u64> {
    [
        ("containers", reaped.containers.len()),
        ("unfinished", reaped.unfinished),
        ("control_groups", reaped.cgroups),
        ("names", reaped.names),
        ("trash", reaped.trash),
        ("network", reaped.network.len()),
    ]
    .map(|(kind, count)| (kind.to_owned(), count as u64))
    .into()
}

fn leftovers(reaped: &Reaped) -> CheckDto {
    if reaped.is_empty() {
        return CheckDto::ok(LEFTOVERS, "killed processes left nothing");
    }
    let parts = [
        (
            reaped.containers.len(),
            "container whose monitor was killed",
            "containers whose monitors were killed",
        ),
        (reaped.unfinished, "unfinished container", "unfinished containers"),
        (reaped.cgroups, "control group", "control groups"),
        (reaped.names, "name without a container", "names without a container"),
        (reaped.trash, "thing that was being deleted", "things that were being deleted"),
        (reaped.network.len(), "leftover of a network", "leftovers of networks"),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, many)| format!("{count} {}", if *count == 1 { one } else { many }))
        .collect();
    let short = |id: &String| id.get(..12).unwrap_or(id).to_owned();
    CheckDto::note(LEFTOVERS, format!("cleaned up {}", parts.join(", ")))
        .detail(reaped.containers.iter().map(|id| format!("container {} has ended with 137", short(id))))
        .detail(reaped.network.iter().cloned())
}

fn containers(engine: &NativeEngine) -> CheckDto {
    match engine.containers() {
        Ok(all) => {
            let running = all.iter().filter(|container| container.state.is_alive()).count();
            CheckDto::ok(CONTAINERS, format!("{}, {running} of them running", count(all.len(), "container")))
        }
        Err(error) => CheckDto::warning(CONTAINERS, "they cannot be listed").because(&error),
    }
}

/// Looks for a Docker daemon, which is an engine that may be used in place of the native one.
pub(super) fn docker() -> CheckDto {
    const ID: &str = "engine.docker";
    let Some(socket) = SOCKETS.iter().map(Path::new).find(|path| path.exists()) else {
        return CheckDto::ok(ID, "no daemon; none is needed");
    };
    match ask_version(socket) {
        Ok(version) => CheckDto::ok(ID, format!("a daemon answers at `{}`: {version}", socket.display())),
        Err(error) => {
            CheckDto::ok(ID, format!("a daemon does not answer at `{}`; none is needed", socket.display()))
                .because(&error)
        }
    }
}

/// The version that a daemon says it has.
fn ask_version(socket: &Path) -> io::Result<String> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET /version HTTP/1.0\r\nHost: docker\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(64 * 1024).read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let version = answer.split_once("\r\n\r\n").and_then(|(_, body)| {
        let body: serde_json::Value = serde_json::from_str(body.trim()).ok()?;
        Some(format!("version {}", body.get("Version")?.as_str()?))
    });
    version.ok_or_else(|| io::Error::other("its answer is not that of a Docker daemon"))
}
