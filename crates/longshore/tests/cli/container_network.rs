//! Networks that containers come to and leave while they run, and their published ports.

use std::io::Read as _;
use std::net::TcpStream;

use crate::containers::{Containers, eventually};

const NETWORKS: &str =
    "{{range $name, $it := .NetworkSettings.Networks}}{{$name}}:{{len $it.EndpointID}} {{end}}";

/// A container on networks that runs until it is told to end.
fn detached(it: &Containers, name: &str, options: &[&str]) {
    let mut arguments = vec!["run", "-d", "--name", name];
    arguments.extend(options);
    arguments.extend(["host", "sleep", "1000"]);
    it.done(&arguments);
}

/// Whether a name is known in a container.
fn knows(it: &Containers, container: &str, name: &str) -> bool {
    it.run(&["exec", container, "getent", "hosts", name]).code == 0
}

/// The interface of the default route, and nothing if there is none.
fn default_route(it: &Containers, container: &str) -> Option<String> {
    let routes = it.done(&["exec", container, "cat", "/proc/net/route"]);
    let mut lines = routes.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    lines.find(|words| words.get(1) == Some(&"00000000")).map(|words| words[0].to_owned())
}

#[test]
fn a_container_that_runs_comes_to_networks_and_leaves_them() {
    let Some(it) = Containers::with_networks() else { return };
    for name in ["one", "two"] {
        it.other_done(&["network", "create", name]);
    }
    detached(&it, "web", &["--network", "one"]);
    detached(&it, "peer", &["--network", "two"]);
    assert!(!knows(&it, "peer", "web"));
    it.other_done(&["network", "connect", "--alias", "site", "two", "web"]);
    assert_eq!(it.inspected("web", NETWORKS), "one:64 two:64");
    assert!(knows(&it, "peer", "web") && knows(&it, "peer", "site"));
    let again = it.other(&["network", "connect", "two", "web"]);
    assert_eq!((again.code, again.stderr.contains("already")), (1, true), "{}", again.stderr);
    assert_eq!(it.other(&["network", "rm", "two"]).code, 1, "it has containers");

    assert_eq!(default_route(&it, "web").as_deref(), Some("eth0"));
    it.other_done(&["network", "disconnect", "one", "web"]);
    assert_eq!(default_route(&it, "web").as_deref(), Some("eth1"), "the way out moves on");
    it.other_done(&["network", "connect", "one", "web"]);
    assert_eq!(it.done(&["exec", "web", "cat", "/sys/class/net/eth0/operstate"]), "up\n", "the name is free");
    it.other_done(&["network", "disconnect", "one", "web"]);
    assert_eq!(it.other(&["network", "disconnect", "one", "web"]).code, 1);
    assert_eq!(it.other(&["network", "disconnect", "-f", "one", "web"]).code, 0);

    it.done(&["rename", "web", "renamed"]);
    assert!(knows(&it, "peer", "renamed") && knows(&it, "peer", "site") && !knows(&it, "peer", "web"));
    it.done(&["restart", "-t", "0", "renamed"]);
    assert_eq!(it.inspected("renamed", NETWORKS), "two:64", "what was connected stays so");
    assert!(knows(&it, "peer", "renamed") && knows(&it, "peer", "site") && !knows(&it, "peer", "web"));
}

#[test]
fn a_container_that_does_not_run_is_connected_when_it_is_started() {
    let Some(it) = Containers::with_networks() else { return };
    for name in ["one", "two"] {
        it.other_done(&["network", "create", name]);
    }
    it.done(&["create", "--name", "job", "--network", "one", "host", "sleep", "1000"]);
    it.other_done(&["network", "connect", "two", "job"]);
    assert_eq!(it.inspected("job", NETWORKS), "one:0 two:0");
    it.other_done(&["network", "rm", "one"]);
    let started = it.run(&["start", "job"]);
    assert_eq!((started.code, started.stderr.contains("one")), (1, true), "{}", started.stderr);
    assert_eq!(it.other(&["network", "disconnect", "never", "job"]).code, 1);
    it.other_done(&["network", "disconnect", "one", "job"]);
    it.done(&["start", "job"]);
    assert_eq!(it.inspected("job", NETWORKS), "two:64");
    it.done(&["stop", "-t", "0", "job"]);
    assert_eq!(it.inspected("job", NETWORKS), "two:0");
}

#[test]
fn what_starts_again_is_where_it_was() {
    let Some(it) = Containers::with_networks() else { return };
    for name in ["one", "two"] {
        it.other_done(&["network", "create", name]);
    }
    let shell =
        "[ -e /again ] && exec sleep 1000; touch /again; until [ -e /go ]; do sleep 0.01; done; exit 1";
    let options = ["run", "-d", "--name", "job", "--network", "one", "--restart", "on-failure:1"];
    it.done(&[&options[..], &["host", "sh", "-c", shell]].concat());
    it.other_done(&["network", "connect", "two", "job"]);
    it.done(&["exec", "job", "touch", "/go"]);
    eventually("the job is started again", || {
        it.inspected("job", "{{.RestartCount}} {{.State.Status}}") == "1 running"
    });
    assert_eq!(it.inspected("job", NETWORKS), "one:64 two:64");
}

/// What a server on a port of this machine says.
fn said(port: &str) -> String {
    let mut text = String::new();
    if let Ok(mut stream) = TcpStream::connect(port) {
        // One that hangs up in between has said nothing.
        let _ = stream.read_to_string(&mut text);
    }
    text
}

#[test]
fn ports_lead_to_the_container_wherever_it_is() {
    let Some(it) = Containers::with_networks() else { return };
    if it.run(&["run", "--rm", "--network", "none", "host", "busybox", "true"]).code != 0 {
        eprintln!("skipped: there is no busybox to serve something");
        return;
    }
    for name in ["one", "two"] {
        it.other_done(&["network", "create", name]);
    }
    let options = ["run", "-d", "--name", "web", "--network", "one", "-p", "127.0.0.1::80"];
    let server = ["host", "busybox", "nc", "-ll", "-p", "80", "-e", "echo", "here"];
    it.done(&[&options[..], &server].concat());
    let port = it.done(&["port", "web", "80"]).trim_end().to_owned();
    assert!(port.starts_with("127.0.0.1:"), "{port}");
    assert_eq!(it.done(&["port", "web"]), format!("80/tcp -> {port}\n"));
    assert_eq!(it.done(&["ps", "--format", "{{.Ports}}"]), format!("{port}->80/tcp\n"));
    assert_eq!(it.run(&["port", "web", "81"]).code, 1);
    let number = port.rsplit(':').next().unwrap();
    for (filter, met) in [
        (format!("publish={number}"), "web\n"),
        ("publish=80".to_owned(), ""),
        ("expose=80".to_owned(), "web\n"),
    ] {
        assert_eq!(it.done(&["ps", "--filter", &filter, "--format", "{{.Names}}"]), met, "{filter}");
    }
    eventually("the server answers", || said(&port) == "here\n");
    it.other_done(&["network", "connect", "two", "web"]);
    it.other_done(&["network", "disconnect", "one", "web"]);
    eventually("the port leads to the other network", || said(&port) == "here\n");
    it.other_done(&["network", "disconnect", "two", "web"]);
    assert_eq!(it.done(&["port", "web"]), "", "it leads nowhere");
    it.other_done(&["network", "connect", "one", "web"]);
    let port = it.done(&["port", "web", "80/tcp"]).trim_end().to_owned();
    eventually("the port leads to the first network", || said(&port) == "here\n");
    it.done(&["stop", "-t", "0", "web"]);
    assert_eq!(it.done(&["port", "web"]), "");
}

#[test]
fn of_a_range_of_ports_a_free_one_is_taken() {
    let Some(it) = Containers::with_networks() else { return };
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let first = taken.local_addr().unwrap().port();
    let range = format!("127.0.0.1:{first}-{}:80", first.saturating_add(50));
    it.done(&["run", "-d", "--name", "web", "-p", &range, "host", "sleep", "1000"]);
    let port = it.done(&["port", "web", "80"]);
    let port: u16 = port.trim_end().rsplit(':').next().unwrap().parse().unwrap();
    assert!(port > first && port <= first.saturating_add(50), "{port} of {range}");
}
