//! How long after being ready a container is known to be healthy, with the long interval that people write.

use std::time::Duration;

use serde_json::Value;

use crate::Bench;
use crate::engine::{Engine, await_until, output};
use crate::rotation::{Contender, rotate};

/// The container is ready so long after its start.
const READY_AFTER: Duration = Duration::from_millis(500);

pub(crate) fn measure(bench: &Bench) {
    let script = format!("sleep {}; touch /tmp/ready; sleep 1000", READY_AFTER.as_secs_f64());
    let contenders: Vec<Contender<'_>> = bench
        .engines
        .iter()
        // Podman leaves probing to systemd.
        .filter(|engine| engine.name != "podman")
        .map(|engine| {
            let script = script.clone();
            Contender::new(engine.name, move || until_healthy(engine, &script))
        })
        .collect();
    let title = format!("healthy, ready after {READY_AFTER:?}, --health-interval 10s");
    rotate(&title, 0, 3, contenders);
}

fn until_healthy(engine: &Engine, script: &str) {
    let flags = ["--network", "none", "--health-cmd", "test -e /tmp/ready", "--health-interval", "10s"];
    let id = engine.start(&flags, &["/bin/sh", "-c", script]);
    await_until("the container gets healthy", || {
        let inspected = output(&mut engine.container(&["inspect", &id])).stdout;
        let inspected: Value = serde_json::from_slice(&inspected).unwrap_or_default();
        inspected.pointer("/0/State/Health/Status").is_some_and(|status| status == "healthy")
    });
    engine.remove(&[id]);
}
