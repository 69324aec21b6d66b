//! How soon `services:` are known to be well, beside the start-up of the same servers alone in the same image.
//!
//! The image is taken from the store of the caller and is called [`IMAGE`]; `examples/shop/run` makes it. Whatever else is
//! measured needs no image, so without it this is left out with a note.

use std::process::{Command, Stdio};
use std::time::Duration;

use super::{ROUNDS, job, show, workflow};
use crate::project::{Events, Project};

/// What `examples/shop/run` makes of Debian's packages.
const IMAGE: &str = "shop-services:1";

/// A server, how it is started, and how one sees that it answers.
struct Server {
    name: &'static str,
    command: &'static str,
    probe: &'static str,
}

const SERVERS: [Server; 2] = [
    Server {
        name: "postgres",
        command: "mkdir -m 777 /tmp/pg && su postgres -c \"cd /tmp/pg && \
                  /usr/lib/postgresql/15/bin/initdb -D data -A trust >/dev/null && \
                  exec /usr/lib/postgresql/15/bin/postgres -D data -k /tmp/pg -h 0.0.0.0\"",
        probe: "/usr/lib/postgresql/15/bin/pg_isready -q -h 127.0.0.1 -U postgres",
    },
    Server {
        name: "redis",
        command: "exec redis-server --save \"\" --protected-mode no",
        probe: "redis-cli ping",
    },
];

pub(crate) fn measure(project: &Project) {
    if !has_image(project) {
        println!("services: skipped, the store has no image {IMAGE}; `examples/shop/run` makes it");
        return;
    }
    for server in &SERVERS {
        project.write(&workflow(&format!(
            "{}    services:\n      {}:\n        image: {IMAGE}\n        command: sh -c '{}'\n        options: \
             --health-cmd \"{}\" --health-interval 10s\n",
            job("a", "      - run: ':'\n"),
            server.name,
            server.command,
            server.probe,
        )));
        // In turn, so that both meet the same machine.
        let both = (0..ROUNDS).map(|_| (project.run(), alone(project, server)));
        let (runs, alone): (Vec<Events>, Vec<Duration>) = both.unzip();
        let known: Vec<Duration> = runs.iter().map(|run| run.until_ready(server.name)).collect();
        let above = known.iter().zip(&alone).map(|(known, alone)| known.saturating_sub(*alone)).collect();
        show(&format!("services: {} alone, until it answers", server.name), alone);
        show(&format!("services: {} as a service, until it is known to be well", server.name), known);
        show(&format!("services: {} above its own start-up", server.name), above);
    }
}

/// Takes the image over from the caller's store, if it is there.
fn has_image(project: &Project) -> bool {
    let mut save = Command::new(env!("CARGO_BIN_EXE_longshore"));
    let archive = project.directory().with_file_name("services.tar");
    save.args(["image", "save", "--output"]).arg(&archive).arg(IMAGE).stderr(Stdio::null());
    if !save.status().is_ok_and(|status| status.success()) {
        return false;
    }
    let loaded = project.verb(&["image", "load", "--input"]).arg(&archive).status();
    assert!(loaded.expect("longshore runs").success(), "the image is loaded");
    true
}

/// How long a server takes in a container until it answers, as a probe sees it that does nothing else. The clock starts
/// when the container runs.
fn alone(project: &Project, server: &Server) -> Duration {
    let script = format!(
        "began=$(date +%s%N); sh -c '{}' >/dev/null 2>&1 & until {} >/dev/null 2>&1; do :; done; \
         echo $(($(date +%s%N) - began))",
        server.command, server.probe
    );
    let output = project
        .verb(&["container", "run", "--rm", "--init", IMAGE, "bash", "-c", &script])
        .output()
        .expect("longshore runs");
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Duration::from_nanos(text.parse().expect("the number of nanoseconds"))
}
