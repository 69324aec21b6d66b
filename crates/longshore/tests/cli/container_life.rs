//! Containers that are left, watched, told to end, and cleaned up.

use std::io::Read as _;
use std::process::{Child, Command, Stdio};

use crate::containers::{Containers, at_terminal, eventually, run_of};

fn terminate(child: &Child) {
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
}

#[test]
fn a_command_whose_terminal_is_left_goes_on() {
    let Some(it) = Containers::new() else { return };
    it.detached("web", &[]);
    let line = "exec -it web sh -c 'echo ready; sleep 999; echo not-reached'";
    let Some((code, text)) = at_terminal(&it, line, b"\x10\x11") else {
        eprintln!("skipped: there is no `script` that gives a terminal");
        return;
    };
    assert_eq!(code, Some(0), "{text}");
    let line = "exec -it --detach-keys ctrl-a,x web sh -c 'echo ready; sleep 998'";
    assert_eq!(at_terminal(&it, line, b"\x01x").unwrap().0, Some(0));
    it.done(&["exec", "-dt", "web", "sh", "-c", "tty > /terminal; exec sleep 997"]);
    let top = || it.done(&["top", "web", "-o", "args"]);
    eventually("all three run", || ["999", "998", "997"].iter().all(|time| top().contains(time)));
    let terminal = || it.run(&["exec", "web", "cat", "/terminal"]).stdout;
    eventually("the terminal is told", || terminal().starts_with("/dev/pts/"));
    let (code, _) = at_terminal(&it, "exec -it web sh -c 'echo ready; read x; exit 7'", b"\r").unwrap();
    assert_eq!(code, Some(7));
}

#[test]
fn who_is_attached_hands_signals_on_or_just_leaves() {
    let Some(it) = Containers::new() else { return };
    let shell = "trap 'echo got; exit 5' TERM; while :; do echo tick; sleep 0.01; done";
    it.done(&["run", "-d", "--network", "none", "--name", "clock", "host", "sh", "-c", shell]);
    let attach = |options: &[&str]| {
        let mut command = it.command(&["attach"]);
        let mut child = command.args(options).arg("clock").stdout(Stdio::piped()).spawn().unwrap();
        let mut tick = [0; 5];
        child.stdout.as_mut().unwrap().read_exact(&mut tick).unwrap();
        terminate(&child);
        let output = child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    assert_eq!(attach(&["--sig-proxy=false"]).0, None, "the signal was for the command itself");
    assert_eq!(it.inspected("clock", "{{.State.Status}}"), "running");
    let (code, text) = attach(&[]);
    assert!(code == Some(5) && text.ends_with("got\n"), "{code:?} {text}");
    let refused = it.run(&["attach", "clock"]);
    assert_eq!((refused.code, refused.stderr.contains("stopped")), (1, true), "{}", refused.stderr);
}

#[test]
fn a_container_joins_the_processes_of_another() {
    let Some(it) = Containers::with_networks() else { return };
    it.detached("box", &[]);
    for network in ["none", "bridge", "container:box"] {
        let options = ["run", "--rm", "--pid", "container:box", "--network", network, "host"];
        let shown = it
            .done(&[&options[..], &["sh", "-c", "cat /proc/1/comm; test $$ -gt 1 && echo joined"]].concat());
        assert_eq!(shown, "sleep\njoined\n", "{network}");
        let refused = it.run(&[&options[..], &["/nowhere"]].concat());
        assert_eq!(refused.code, 127, "{}", refused.stderr);
    }
    assert_eq!(it.inspected("box", "{{.State.Status}}"), "running");
}

#[test]
fn health_is_seen_from_outside() {
    let Some(it) = Containers::new() else { return };
    let options = ["--health-cmd", "test -e /ok", "--health-interval", "20ms", "--health-retries", "2"];
    it.detached("web", &[&options[..], &["--health-start-period", "1h"]].concat());
    let status = || it.done(&["ps", "--format", "{{.Status}}"]);
    assert!(status().contains("(health: starting)"), "{}", status());
    it.done(&["exec", "web", "touch", "/ok"]);
    eventually("it is healthy", || status().contains("(healthy)"));
    let seen = it.inspected("web", "{{.State.Health.Status}} {{.State.Health.FailingStreak}}");
    assert_eq!(seen, "healthy 0");
    it.done(&["exec", "web", "rm", "/ok"]);
    eventually("it is unhealthy", || {
        it.done(&["ps", "--filter", "health=unhealthy", "--format", "{{.Names}}"]) == "web\n"
    });
    let last = it.inspected("web", "{{range .State.Health.Log}}{{.ExitCode}},{{end}}");
    assert!(last.ends_with("1,"), "{last}");
}

#[test]
fn a_check_that_hangs_holds_nothing_up() {
    let Some(it) = Containers::new() else { return };
    // What the check started goes on without it, and keeps its streams open.
    let options =
        ["--health-cmd", "sleep 1000; true", "--health-interval", "20ms", "--health-timeout", "20ms"];
    it.detached("web", &options);
    eventually("it is unhealthy", || it.inspected("web", "{{.State.Health.Status}}") == "unhealthy");
    let last = it.inspected("web", "{{(index .State.Health.Log 0).ExitCode}}");
    assert_eq!(last, "-1");
    it.done(&["stop", "-t", "0", "web"]);
}

#[test]
fn what_is_shared_with_a_container_is_not_the_machines() {
    let Some(it) = Containers::new() else { return };
    it.detached("box", &[]);
    let mark = std::path::PathBuf::from(format!("/dev/shm/longshore-{}", std::process::id()));
    std::fs::write(&mark, "").unwrap();
    let seen = it.run(&run_of(&["--ipc", "container:box", "host", "ls", "/dev/shm"]));
    std::fs::remove_file(&mark).unwrap();
    assert_eq!((seen.code, seen.stdout.as_str()), (0, ""), "{}", seen.stderr);
}

#[test]
fn files_of_ids_belong_to_one_container() {
    let Some(it) = Containers::new() else { return };
    it.done(&["create", "--network", "none", "--cidfile", "id", "--name", "job", "host", "true"]);
    assert_eq!(it.context.read("id"), it.inspected("job", "{{.Id}}"));
    let again = it.run(&run_of(&["--cidfile", "id", "host", "true"]));
    assert_eq!(again.code, 125);
    assert!(again.stderr.contains("container ID file found"), "{}", again.stderr);
    let wrong = it.run(&run_of(&["--cidfile", "other", "--workdir", "relative", "host", "true"]));
    assert_eq!(wrong.code, 125, "{}", wrong.stderr);
    assert!(!it.context.project().join("other").exists(), "there is no container that it could name");
}

#[test]
fn what_ended_is_pruned_and_what_runs_is_started_anew() {
    let Some(it) = Containers::new() else { return };
    it.detached("runs", &[]);
    for name in ["ended", "kept"] {
        let label = format!("{name}=yes");
        it.done(&["run", "--network", "none", "--name", name, "--label", &label, "host", "true"]);
    }
    let ended = it.inspected("ended", "{{.Id}}");
    let pruned = it.done(&["prune", "-f", "--filter", "label!=kept"]);
    assert!(
        pruned.starts_with(&format!("Deleted Containers:\n{ended}\n\nTotal reclaimed space: ")),
        "{pruned}"
    );
    assert_eq!(it.done(&["ps", "-a", "--format", "{{.Names}}"]), "kept\nruns\n");
    let began = || it.inspected("runs", "{{.State.StartedAt}} {{.State.Pid}}");
    let before = began();
    assert_eq!(it.done(&["restart", "-t", "0", "runs"]), "runs\n");
    assert_ne!(began(), before);
    assert_eq!(it.inspected("runs", "{{.RestartCount}}"), "0", "nobody's policy did it");
    assert_eq!(it.done(&["restart", "kept"]), "kept\n");
    assert_eq!(it.done(&["wait", "kept"]), "0\n");
    let stats = it.done(&["stats", "--no-stream", "--format", "{{.Name}}"]);
    assert_eq!(stats, "runs\n");
    assert_eq!(it.run(&["stats", "--no-stream", "nobody"]).code, 1);
}
