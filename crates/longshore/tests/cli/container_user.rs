//! Containers of an ordinary user, whom these tests become where root runs them.

use crate::containers::{Containers, run_of};

#[test]
fn an_ordinary_user_runs_enters_and_removes_containers() {
    let Some(it) = Containers::of_an_ordinary_user() else { return };
    let ended = it.run(&run_of(&["host", "sh", "-c", "id -u; echo err >&2; exit 7"]));
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (7, "0\n", "err\n"));
    assert_eq!(it.run(&run_of(&["host", "not-there"])).code, 127);
    let shell = "echo one; echo two >&2; exec sleep 1000";
    it.done(&["run", "-d", "--network", "none", "--name", "job", "host", "sh", "-c", shell]);
    assert_eq!(it.done(&["exec", "-e", "A=b", "job", "sh", "-c", "echo $A > /made; cat /made"]), "b\n");
    assert_eq!(it.run(&["exec", "job", "sh", "-c", "exit 9"]).code, 9);
    assert!(it.done(&["top", "job", "-o", "args"]).contains("sleep 1000"));
    assert_eq!(it.run(&["rm", "job"]).code, 1, "it runs");
    it.done(&["stop", "-t", "0", "job"]);
    let logs = it.run(&["logs", "job"]);
    assert_eq!((logs.stdout.as_str(), logs.stderr.as_str()), ("one\n", "two\n"));
    assert_eq!(it.inspected("job", "{{.State.Status}} {{.State.ExitCode}}"), "exited 137");
    it.done(&["start", "job"]);
    assert_eq!(it.done(&["exec", "job", "cat", "/made"]), "b\n", "what it changed stays");
    it.done(&["rm", "-f", "job"]);
    assert_eq!(it.done(&["ps", "-aq"]), "");
    let left = std::fs::read_dir(it.home().join("engine/containers")).unwrap().count();
    assert_eq!(left, 0, "no files are left");
}

#[test]
fn an_ordinary_user_copies_files_and_shares_directories() {
    let Some(it) = Containers::of_an_ordinary_user() else { return };
    it.context.write("tree/a/file", "text");
    it.detached("job", &["-v", "./tree:/shared:ro"]);
    assert_eq!(it.done(&["exec", "job", "cat", "/shared/a/file"]), "text");
    it.done(&["cp", "tree", "job:/opt/copy"]);
    assert_eq!(it.done(&["exec", "job", "cat", "/opt/copy/a/file"]), "text");
    it.done(&["exec", "job", "sh", "-c", "echo changed > /opt/copy/a/file"]);
    it.done(&["stop", "-t", "0", "job"]);
    for run in ["out", "again"] {
        it.done(&["cp", "job:/opt/copy/a/file", run]);
        assert_eq!(it.context.read(run), "changed\n");
        it.done(&["start", "job"]);
    }
}

#[test]
fn an_ordinary_user_has_networks() {
    let Some(it) = Containers::of_an_ordinary_user() else { return };
    let tried = it.run(&["run", "--rm", "host", "true"]);
    if tried.code != 0 {
        eprintln!("skipped: no networks of ordinary users here: {}", tried.stderr);
        return;
    }
    for name in ["one", "two"] {
        it.other_done(&["network", "create", name]);
    }
    for (name, network) in [("web", "one"), ("peer", "two")] {
        it.done(&["run", "-d", "--network", network, "--name", name, "host", "sleep", "1000"]);
    }
    it.other_done(&["network", "connect", "two", "web"]);
    it.done(&["exec", "peer", "getent", "hosts", "web"]);
    it.other_done(&["network", "disconnect", "one", "web"]);
    let routes = it.done(&["exec", "web", "cat", "/proc/net/route"]);
    assert!(routes.contains("eth1\t00000000"), "the way out moves on: {routes}");
    it.other_done(&["network", "connect", "one", "web"]);
    it.done(&["restart", "-t", "0", "web"]);
    let networks = "{{range $name, $it := .NetworkSettings.Networks}}{{$name}} {{end}}";
    assert_eq!(it.inspected("web", networks), "one two");
}
