//! `longshore container`, `volume` and `network`, with real containers of the image `host`.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use crate::containers::{Containers, at_terminal, run_of};

#[test]
fn exit_codes_are_the_programs_or_tell_why_there_is_none() {
    let Some(it) = Containers::new() else { return };
    let ended = it.run(&run_of(&["host", "sh", "-c", "echo out; echo err >&2; exit 7"]));
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (7, "out\n", "err\n"));
    for (arguments, code) in [
        // The first process of a container is not killed by its own signals.
        (&["host", "sh", "-c", "sh -c 'kill -9 $$'; exit $?"][..], 137),
        (&["host", "/etc/passwd"], 126),
        (&["host", "not-there"], 127),
        (&["--volume", "a/b:/x", "host", "true"], 125),
        (&["--no-such-flag", "host", "true"], 125),
        (&["--gpus", "all", "host", "true"], 125),
    ] {
        let ended = it.run(&run_of(arguments));
        assert_eq!(ended.code, code, "{arguments:?}: {}", ended.stderr);
    }
    assert_eq!(it.done(&["ps", "-aq"]), "", "nothing is left");
    assert_eq!(it.run(&["rm", "nobody"]).code, 1);
    assert_eq!(it.run(&["exec", "nobody", "true"]).code, 1);
}

#[test]
fn streams_variables_and_limits_reach_the_program() {
    let Some(it) = Containers::new() else { return };
    let mut child = it
        .command(&run_of(&["-i", "host", "cat"]))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"through").unwrap();
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!((text.as_str(), child.wait().unwrap().code()), ("through", Some(0)));
    it.context.write("vars", "# comment\nFROM_FILE=1 2\n");
    let shell = "echo \"$FROM_FILE|$GIVEN|$PWD\"";
    let options = ["--env-file", "vars", "-e", "GIVEN=x=y", "-w", "/usr", "host", "sh", "-c", shell];
    assert_eq!(it.done(&run_of(&options)), "1 2|x=y|/usr\n");
    let ended = it.run(&run_of(&["--read-only", "host", "sh", "-c", "touch /etc/x"]));
    assert_ne!(ended.code, 0, "{}", ended.stderr);
    let caps = it.done(&run_of(&["--cap-drop", "ALL", "host", "grep", "CapEff", "/proc/self/status"]));
    assert!(caps.trim_end().ends_with("0000000000000000"), "{caps}");
    assert_eq!(it.done(&run_of(&["--ulimit", "nofile=64", "host", "sh", "-c", "ulimit -n"])), "64\n");
}

#[test]
fn signals_are_handed_on() {
    let Some(it) = Containers::new() else { return };
    let shell = "trap 'echo got; exit 5' TERM; echo ready; while :; do sleep 0.01; done";
    let mut child = it.command(&run_of(&["host", "sh", "-c", shell])).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    let mut ready = [0; 6];
    out.read_exact(&mut ready).unwrap();
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!((rest.as_str(), child.wait().unwrap().code()), ("got\n", Some(5)));
}

#[test]
fn containers_are_named_listed_inspected_and_removed() {
    let Some(it) = Containers::new() else { return };
    it.detached("one", &["--label", "team=web"]);
    it.done(&["create", "--network", "none", "--name", "two", "host", "true"]);
    assert_eq!(it.run(&["create", "--name", "one", "host", "true"]).code, 125, "the name is taken");
    assert_eq!(it.done(&["ps", "--format", "{{.Names}} {{.State}}"]), "one running\n");
    assert_eq!(it.done(&["ps", "-a", "--format", "{{.Names}}"]), "two\none\n");
    assert_eq!(it.done(&["ps", "-a", "--filter", "label=team=web", "--format", "{{.Names}}"]), "one\n");
    assert_eq!(it.done(&["ps", "--filter", "status=created", "--format", "{{.Names}}"]), "two\n");
    let format = "{{.Name}} {{.State.Running}} {{.Config.Image}} {{index .Config.Labels \"team\"}}";
    assert_eq!(it.done(&["inspect", "-f", format, "one"]), "/one true host web\n");
    assert_eq!(it.run(&["inspect", "nobody"]).stdout, "[]\n");
    assert_eq!(it.done(&["exec", "-e", "A=b", "one", "sh", "-c", "echo $A"]), "b\n");
    assert_eq!(it.run(&["exec", "one", "sh", "-c", "exit 9"]).code, 9);
    assert_eq!(it.run(&["exec", "one", "not-there"]).code, 127);
    assert!(it.done(&["top", "one", "-o", "args"]).contains("sleep 1000"));
    it.done(&["rename", "one", "three"]);
    if rustix::process::geteuid().is_root() {
        it.done(&["pause", "three"]);
        assert_eq!(it.done(&["inspect", "-f", "{{.State.Status}}", "three"]), "paused\n");
        it.done(&["unpause", "three"]);
    } else {
        eprintln!("skipped: ordinary users cannot pause without control groups");
    }
    assert_eq!(it.run(&["rm", "three"]).code, 1, "it runs");
    it.done(&["kill", "three"]);
    assert_eq!(it.done(&["wait", "three"]), "137\n");
    let ended = it.run(&["rm", "three", "nobody", "two"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (1, "three\ntwo\n"));
    assert!(ended.stderr.contains("no such container: nobody"), "{}", ended.stderr);
}

#[test]
fn logs_are_kept_and_cut() {
    let Some(it) = Containers::new() else { return };
    let shell = "echo one; echo two >&2; echo three";
    it.done(&["run", "-d", "--network", "none", "--name", "talker", "host", "sh", "-c", shell]);
    it.done(&["wait", "talker"]);
    let ended = it.run(&["logs", "talker"]);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("one\nthree\n", "two\n"));
    // Between streams there is no order, so one of them must do for what is about order.
    let shell = "echo one; echo two; echo three";
    it.done(&["run", "-d", "--network", "none", "--name", "teller", "host", "sh", "-c", shell]);
    assert_eq!(it.done(&["logs", "-f", "teller"]), "one\ntwo\nthree\n");
    assert_eq!(it.done(&["logs", "--tail", "1", "teller"]), "three\n");
    assert_eq!(it.done(&["logs", "--until", "2001-01-01", "teller"]), "");
    let stamped = it.done(&["logs", "-t", "--tail", "1", "teller"]);
    assert_eq!(stamped.find(' '), Some("2026-01-01T00:00:00.000000000Z".len()), "{stamped}");
}

#[test]
fn files_go_in_and_out() {
    let Some(it) = Containers::new() else { return };
    it.detached("box", &[]);
    it.done(&["create", "--network", "none", "--name", "still", "host", "true"]);
    it.context.write("tree/a", "A").write("tree/sub/b", "B");
    for name in ["box", "still"] {
        let at = |path: &str| format!("{name}:{path}");
        it.done(&["cp", "tree", &at("/var/new")]);
        it.done(&["cp", "tree/.", &at("/var/new")]);
        it.done(&["cp", "tree", &at("/var/new")]);
        it.done(&["cp", &at("/var/new/tree/sub/b"), &format!("{name}-b")]);
        assert_eq!(it.context.read(&format!("{name}-b")), "B");
        it.done(&["cp", &at("/var/new"), &format!("{name}-out")]);
        assert_eq!(it.context.read(&format!("{name}-out/a")), "A");
        assert_eq!(it.context.read(&format!("{name}-out/tree/a")), "A");
        assert_eq!(it.run(&["cp", "tree/a", &at("/not/there/")]).code, 1);
    }
    it.done(&["exec", "box", "ln", "-s", "/../../../../../../etc", "/var/out"]);
    it.context.write("canary", "no");
    it.done(&["cp", "canary", "box:/var/out/longshore-canary"]);
    assert!(!std::path::Path::new("/etc/longshore-canary").exists(), "a link led out of the container");
}

#[test]
fn copied_names_mean_themselves_and_links_stay() {
    let Some(it) = Containers::new() else { return };
    it.done(&["create", "--network", "none", "--name", "box", "host", "true"]);
    it.context.write("new", "new").write("tree/.wh.kept", "a file").write("old", "old");
    it.context.write("setup/kept", "kept").write("setup/target", "old");
    std::os::unix::fs::symlink("target", it.context.project().join("setup/link")).unwrap();
    std::os::unix::fs::symlink("/opt/setup", it.context.project().join("setup/directory")).unwrap();
    it.done(&["cp", "setup", "box:/opt/setup"]);
    it.done(&["cp", "tree/.", "box:/opt/setup"]);
    it.done(&["cp", "new", "box:/opt/setup/link"]);
    it.done(&["cp", "old", "box:/opt/setup/directory"]);
    it.done(&["cp", "box:/opt/setup", "out"]);
    for (path, text) in
        [("kept", "kept"), (".wh.kept", "a file"), ("target", "new"), ("link", "new"), ("old", "old")]
    {
        assert_eq!(it.context.read(&format!("out/{path}")), text, "{path}");
    }
    assert!(it.context.project().join("out/link").is_symlink());
    std::os::unix::fs::symlink("old", it.context.project().join("here")).unwrap();
    it.done(&["cp", "box:/opt/setup/kept", "here"]);
    assert!(it.context.project().join("here").is_symlink());
    assert_eq!(it.context.read("old"), "kept");
    assert_eq!(it.run(&["cp", "new", "box:/opt/setup/kept/x"]).code, 1, "it is below a file");
}

#[test]
fn terminals_are_handed_on_and_left() {
    let Some(it) = Containers::new() else { return };
    let line = "run --rm -it --network none host sh -c 'tty; echo ready; read x; echo $x; exit 4'";
    let Some((code, text)) = at_terminal(&it, line, b"typed\r") else {
        eprintln!("skipped: there is no `script` that gives a terminal");
        return;
    };
    assert!(code == Some(4) && text.contains("/dev/") && text.contains("typed"), "{code:?} {text}");
    let line = "run -it --name left --network none host sh -c 'echo ready; sleep 1000'";
    let (code, text) = at_terminal(&it, line, b"\x10\x11").unwrap();
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(it.done(&["ps", "--format", "{{.Names}}"]), "left\n");
}

#[test]
fn what_is_too_much_is_killed_and_what_fails_is_started_again() {
    let Some(it) = Containers::new() else { return };
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: ordinary users cannot limit memory");
        return;
    }
    let hog = "x=a; while :; do x=$x$x; done";
    let ended =
        it.run(&["run", "--network", "none", "--name", "hog", "--memory", "16m", "host", "sh", "-c", hog]);
    if ended.stderr.contains("warning") {
        eprintln!("skipped: memory cannot be limited here: {}", ended.stderr);
    } else {
        assert_eq!(ended.code, 137, "{}", ended.stderr);
        assert_eq!(it.done(&["inspect", "-f", "{{.State.OOMKilled}}", "hog"]), "true\n");
    }
    let policy = ["--restart", "on-failure:2", "host", "sh", "-c", "exit 3"];
    let mut arguments = vec!["run", "-d", "--network", "none", "--name", "again"];
    arguments.extend(policy);
    it.done(&arguments);
    assert_eq!(it.done(&["wait", "again"]), "3\n");
    assert_eq!(it.done(&["inspect", "-f", "{{.RestartCount}}", "again"]), "2\n");
}

#[test]
fn volumes_outlive_containers() {
    let Some(it) = Containers::new() else { return };
    assert_eq!(it.other(&["volume", "create", "--label", "a=b", "data"]).stdout, "data\n");
    it.done(&run_of(&["-v", "data:/data", "host", "sh", "-c", "echo kept > /data/file"]));
    assert_eq!(it.done(&run_of(&["-v", "data:/data:ro", "host", "cat", "/data/file"])), "kept\n");
    assert_ne!(it.run(&run_of(&["-v", "data:/data:ro", "host", "touch", "/data/x"])).code, 0);
    let format = "{{.Name}} {{.Label \"a\"}}";
    assert_eq!(it.other(&["volume", "ls", "--format", format]).stdout, "data b\n");
    it.done(&["create", "--name", "user", "-v", "data:/data", "host", "true"]);
    assert_eq!(it.other(&["volume", "rm", "data"]).code, 1, "it is in use");
    it.done(&["rm", "user"]);
    assert_eq!(it.other(&["volume", "rm", "data"]).stdout, "data\n");
    it.context.write("here/file", "mine");
    let device = format!("device={}", it.context.project().join("here").display());
    it.other_done(&["volume", "create", "-o", "type=none", "-o", "o=bind", "-o", &device, "bound"]);
    assert_eq!(it.done(&run_of(&["-v", "bound:/data", "host", "cat", "/data/file"])), "mine");
    it.other_done(&["volume", "rm", "bound"]);
    assert_eq!(it.context.read("here/file"), "mine");
    for option in ["type=nfs", "size=1m", "device=/x"] {
        assert_eq!(it.other(&["volume", "create", "-o", option, "other"]).code, 1, "{option}");
    }
}

#[test]
fn volumes_of_a_container_that_never_ran_can_be_filled_and_read() {
    let Some(it) = Containers::new() else { return };
    it.context.write("one", "1").write("two", "2").write("here/three", "3");
    let options = ["-v", "named:/named", "-v", "/without-name", "-v", "./here:/bound", "-v", "./one:/file"];
    it.done(&[&["create", "--network", "none", "--name", "box"], &options[..], &["host", "true"]].concat());
    assert_eq!(it.other_done(&["volume", "inspect", "-f", "{{.Name}}", "named"]), "named\n");
    assert_eq!(it.inspected("box", "{{json .Config.Volumes}}"), "{\"/without-name\":{}}");
    for place in ["/named", "/without-name"] {
        it.done(&["cp", "one", &format!("box:{place}")]);
        it.done(&["cp", "two", &format!("box:{place}/other")]);
        it.done(&["cp", &format!("box:{place}"), "."]);
        assert_eq!(it.context.read(&format!("{}/other", &place[1..])), "2");
    }
    it.done(&["cp", "box:/bound", "."]);
    it.done(&["cp", "box:/file", "."]);
    assert_eq!((it.context.read("bound/three"), it.context.read("file")), ("3".to_owned(), "1".to_owned()));
    let shell = "cat /named/* /without-name/*";
    assert_eq!(it.done(&run_of(&["--volumes-from", "box", "host", "sh", "-c", shell])), "1212");
    assert!(it.run(&["cp", "box:/named/none", "."]).stderr.contains("find the file /named/none"));
    // The content of a directory has no name before it, the directory its own.
    for (path, first) in [("/named/.", "./"), ("/named/", "named/"), ("/named", "named/")] {
        let archive = it.done(&["cp", &format!("box:{path}"), "-"]);
        assert!(archive.starts_with(&format!("{first}\0")), "{path}");
    }
}

#[test]
fn an_empty_volume_gets_what_the_image_has_there() {
    let Some(it) = Containers::new() else { return };
    it.context.write("rootfs/content/file", "of the image");
    it.other_done(&["image", "import", "rootfs", "some"]);
    let made = |name, volume: &str| {
        it.done(&["create", "--network", "none", "--name", name, "-v", volume, "some", "none"]);
    };
    // It was used before, but is empty still.
    made("one", "named:/elsewhere");
    it.done(&["cp", "one:/elsewhere", "."]);
    made("two", "named:/content");
    it.done(&["cp", "two:/content/file", "first"]);
    it.done(&["cp", "one:/elsewhere/file", "second"]);
    assert_eq!(
        (it.context.read("first"), it.context.read("second")),
        ("of the image".into(), "of the image".into())
    );
}

#[test]
fn who_was_never_started_is_not_waited_for() {
    let Some(it) = Containers::new() else { return };
    it.done(&["create", "--network", "none", "--name", "box", "host", "sh", "-c", "exit 3"]);
    assert_eq!(it.done(&["wait", "box"]), "0\n");
    assert_eq!(it.done(&["logs", "-f", "box"]), "");
    let format = ["ps", "-a", "--no-trunc", "--format", "{{.Command}}"];
    assert_eq!(it.done(&format), "\"sh -c 'exit 3'\"\n");
}

#[test]
fn settings_of_the_machine_are_not_a_containers() {
    let Some(it) = Containers::new() else { return };
    for options in [
        &["--network", "none", "--sysctl", "vm.swappiness=1"][..],
        &["--network", "host", "--sysctl", "net.x=1"],
    ] {
        let ended = it.run(&[&["run", "--rm"], options, &["host", "true"]].concat());
        assert_eq!((ended.code, ended.stderr.contains("is not allowed")), (125, true), "{}", ended.stderr);
    }
    it.done(&["create", "--network", "none", "--name", "box", "--cap-add", "net_admin", "host", "true"]);
    assert_eq!(it.inspected("box", "{{.HostConfig.CapAdd}}"), "[CAP_NET_ADMIN]");
    let score = ["--oom-score-adj", "500", "host", "cat", "/proc/self/oom_score_adj"];
    assert_eq!(it.done(&run_of(&score)), "500\n");
}
