//! How long after being ready a container is known to be healthy, with the long interval that people write.

use std::cell::RefCell;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::Bench;
use crate::engine::{Engine, await_until, output};
use crate::rotation::{Contender, rotate};

/// The container is ready some time after its start, and says so in a directory of the machine.
const SCRIPT: &str = "sleep 0.73; touch /shared/ready; sleep 1000";

pub(crate) fn measure(bench: &Bench) {
    let shared = bench.directory.path().join("shared");
    fs::create_dir(&shared).expect("a directory");
    let started: RefCell<Vec<String>> = RefCell::default();
    let (shared, started) = (&shared, &started);
    // Podman leaves probing to systemd.
    let engines = bench.engines.iter().filter(|engine| engine.name != "podman");
    let contenders = engines.map(|engine| {
        let work = || until_healthy(engine, shared, started);
        Contender::timed(engine.name, work).after(|| engine.remove(&started.take()))
    });
    rotate("from ready to known as healthy, --health-interval 10s", 0, 5, contenders.collect());
}

/// How long after being ready the container is told to be healthy.
#[expect(clippy::disallowed_methods, reason = "it is compared with the time of a file")]
fn until_healthy(engine: &Engine, shared: &Path, started: &RefCell<Vec<String>>) -> Duration {
    let ready = shared.join("ready");
    let _ = fs::remove_file(&ready);
    let volume = format!("{}:/shared", shared.display());
    let flags = ["--network", "none", "--health-cmd", "test -e /shared/ready", "--health-interval", "10s"];
    let id = engine.start(&[&["--volume", &volume], flags.as_slice()].concat(), &["/bin/sh", "-c", SCRIPT]);
    started.borrow_mut().push(id.clone());
    await_until("the container gets healthy", || {
        let inspected = output(&mut engine.container(&["inspect", &id])).stdout;
        let inspected: Value = serde_json::from_slice(&inspected).unwrap_or_default();
        inspected.pointer("/0/State/Health/Status").is_some_and(|status| status == "healthy")
    });
    let since =
        fs::metadata(&ready).and_then(|metadata| metadata.modified()).expect("the container is ready");
    SystemTime::now().duration_since(since).unwrap_or_default()
}
