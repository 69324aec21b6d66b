//! Containers that mean harm: what they try, and what stops them.
//!
//! The image is `host`, so nothing has to be fetched; each attack is a line for its shell. An attack counts as stopped if
//! the machine is as before, not only if a command failed.

use std::io::Read as _;
use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::context::TestContext;

/// A test's own engine.
struct Engine {
    context: TestContext,
    home: tempfile::TempDir,
}

impl Engine {
    /// `None` where containers cannot run; the reason is printed.
    fn new() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            eprintln!("skipped: attacks on the isolation of root's containers need root");
            return None;
        }
        Some(Self { context: TestContext::new(), home: tempfile::tempdir().unwrap() })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.context.command(arguments);
        command.env("LONGSHORE_HOME", self.home.path());
        command
    }

    /// Runs a line in a container, and gives exit code and output.
    fn run(&self, flags: &[&str], line: &str) -> (i32, String) {
        let mut arguments = vec!["container", "run", "--rm"];
        arguments.extend(flags);
        arguments.extend(["host", "bash", "-c", line]);
        let output = self.command(&arguments).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&text).into_owned())
    }
}

#[test]
fn what_is_not_the_containers_cannot_be_touched() {
    let Some(engine) = Engine::new() else { return };
    // Each line must fail, or say what it could not do.
    for line in [
        "echo 1 > /proc/sys/vm/overcommit_memory",
        "echo owned > /proc/sys/kernel/core_pattern",
        "echo b > /proc/sysrq-trigger",
        "mount -t tmpfs none /mnt",
        "mount --bind /etc /mnt",
        "umount /proc",
        "umount -l /",
        "mount -o remount,rw /sys",
        "head -c 1 /dev/mem",
        "head -c 1 /dev/kmsg",
        "head -c 1 /proc/kcore | grep -q .",
        "test -e /dev/vda || test -e /dev/sda || ls /dev/disk/by-id",
        "mknod /srv/disk b 254 0 && head -c 1 /srv/disk",
        "mkdir /tmp/cg && mount -t cgroup -o memory none /tmp/cg",
        "echo 0 > /sys/fs/cgroup/memory/cgroup.procs",
        "echo /evil > /sys/fs/cgroup/memory/release_agent",
        "mkdir /sys/fs/cgroup/memory/escape",
        "unshare --mount true",
        "unshare --user --map-root-user true",
        "nsenter --target 1 --mount --net true && ls /proc/1/root/proc/1/root/var/lib/longshore",
        "chroot / hostname evil",
        "hostname evil",
        "ip link set lo down",
        "ip link add evil type dummy",
        "iptables -L",
        "swapoff -a && swapon /dev/zero",
        "date -s 2001-01-01",
        "dmesg | grep -q .",
        "kill -9 -1; cat /proc/2/status | grep -q kthreadd",
        "cat /proc/1/environ | tr '\\0' '\\n' | grep -q LONGSHORE",
        "ls /proc/self/fd | grep -qE '^([5-9]|[1-9][0-9])$'",
        "grep -q . /proc/keys /proc/timer_list /proc/sched_debug",
        "test -w /proc/self/oom_score_adj && echo -1000 > /proc/self/oom_score_adj",
        "ulimit -n unlimited && ulimit -l unlimited",
        "nice -n -20 true 2>&1 | grep -qv denied",
        "setpriv --inh-caps +sys_admin true",
        "capsh --has-p=cap_sys_admin",
    ] {
        let (code, said) = engine.run(&["--network", "none"], line);
        assert_ne!(code, 0, "`{line}` was not stopped: {said}");
    }
}

#[test]
fn the_machine_is_not_seen() {
    let Some(engine) = Engine::new() else { return };
    std::fs::write(engine.home.path().join("canary"), "treasure").unwrap();
    let home = engine.home.path().display();
    for line in [
        "ls /proc | grep -cE '^[0-9]+$'".to_owned(),
        format!("cat {home}/canary; ls {home}; ls -A /root /home /tmp /run | grep -v :"),
        "ps -e --no-headers | wc -l".to_owned(),
    ] {
        let (_, said) = engine.run(&["--network", "none"], &line);
        assert!(!said.contains("treasure"), "{said}");
        if let Ok(count) = said.trim().parse::<u32>() {
            assert!(count < 8, "`{line}` sees {count} processes");
        }
    }
    // What is written is written to the container.
    let marker = format!("/etc/longshore-marker-{}", std::process::id());
    let (code, _) = engine.run(&[], &format!("echo x > {marker} && cat {marker}"));
    assert_eq!(code, 0);
    assert!(!std::path::Path::new(&marker).exists());
}

#[test]
fn root_inside_is_nobody_outside() {
    let Some(engine) = Engine::new() else { return };
    let (code, map) = engine.run(&["--network", "none"], "cat /proc/self/uid_map");
    assert_eq!(code, 0, "{map}");
    let first: u64 = map.split_ascii_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(first > 100_000, "root is {first} on the machine: {map}");
}

#[test]
fn dangerous_system_calls_are_filtered() {
    let Some(engine) = Engine::new() else { return };
    let python = Command::new("python3").arg("-V").output();
    if !python.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: there is no python3 to make raw system calls with");
        return;
    }
    // keyctl, add_key, bpf, perf_event_open, userfaultfd, io_uring_setup, kexec_load, init_module, open_by_handle_at,
    // ptrace of the first process is another matter. Numbers are those of x86-64.
    let script = "import ctypes, sys\n\
        libc = ctypes.CDLL(None, use_errno=True)\n\
        for number in (250, 248, 321, 298, 323, 425, 246, 175, 304, 169, 155, 165, 308):\n\
        \x20   answer = libc.syscall(number, 0, 0, 0, 0, 0)\n\
        \x20   if answer != -1 or ctypes.get_errno() not in (1, 38): print('let through:', number, answer, ctypes.get_errno())\n";
    if cfg!(target_arch = "x86_64") {
        let path = std::process::Command::new("python3")
            .args(["-c", "import sys; print(sys.executable)"])
            .output()
            .unwrap();
        let python = String::from_utf8(path.stdout).unwrap();
        let visible = !python.starts_with("/root") && !python.starts_with("/home");
        let python = if visible { python.trim().to_owned() } else { "/usr/bin/python3".to_owned() };
        let line = format!("test -x {python} || exit 0; {python} - <<'END'\n{script}END\n");
        let (_, said) = engine.run(&["--network", "none"], &line);
        assert!(!said.contains("let through"), "{said}");
    }
}

#[test]
fn passwords_of_the_machine_are_not_seen() {
    let Some(engine) = Engine::new() else { return };
    let line = "cut -d: -f1 /etc/shadow | tr '\\n' ' '; echo; cut -d: -f2 /etc/shadow | grep -c ...";
    let (_, text) = engine.run(&["--network", "none"], line);
    let accounts = std::fs::read_to_string("/etc/shadow").unwrap();
    let names: Vec<&str> = accounts.lines().filter_map(|line| line.split(':').next()).collect();
    assert_eq!(text, format!("{} \n0\n", names.join(" ")));
    // An account that the container makes can have one.
    let line = "echo 'ada:x:7000:7000::/:/bin/sh' >> /etc/passwd && echo 'ada:secret' | chpasswd && grep -c '^ada:x:' \
                /etc/passwd";
    assert_eq!(engine.run(&["--network", "none"], line).0, 0);
}

#[test]
fn a_fork_bomb_ends_with_its_container() {
    let Some(engine) = Engine::new() else { return };
    let begun = Instant::now();
    // Its own name, since all processes of the machine are looked at.
    let bomb = format!("bomb_{}", std::process::id());
    let (code, _) = engine.run(
        &["--network", "none", "--pids-limit", "64"],
        &format!(
            "{bomb}() {{ {bomb} | {bomb} & }}; {bomb} 2>/dev/null; for i in 1 2 3 4 5 6 7 8 9; do true & done \
             2>/dev/null; exit 7"
        ),
    );
    assert!(code == 7 || code == 254 || code == 1, "{code}");
    assert!(begun.elapsed() < Duration::from_mins(1));
    let left = Command::new("pgrep").args(["-f", &format!("{bomb}\\(\\)")]).output().unwrap();
    assert!(left.stdout.is_empty(), "{}", String::from_utf8_lossy(&left.stdout));
}

#[test]
fn memory_is_limited_and_its_end_is_told() {
    let Some(engine) = Engine::new() else { return };
    let output = engine
        .command(&[
            "container",
            "run",
            "--name",
            "glutton",
            "--network",
            "none",
            "--memory",
            "32m",
            "host",
            "bash",
            "-c",
            "x=$(head -c 200000000 /dev/zero | tr '\\0' x); echo ${#x}",
        ])
        .output()
        .unwrap();
    let code = output.status.code().unwrap();
    let inspected = engine
        .command(&["container", "inspect", "--format", "{{.State.OOMKilled}}", "glutton"])
        .output()
        .unwrap();
    let removed = engine.command(&["container", "rm", "-f", "glutton"]).output().unwrap();
    assert_ne!(code, 0, "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(String::from_utf8_lossy(&inspected.stdout).trim(), "true");
    assert!(removed.status.success());
}

#[test]
fn the_loopback_of_the_machine_is_out_of_reach() {
    let Some(engine) = Engine::new() else { return };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let line = format!(
        "gateway=$(ip route | sed -n 's/^default via \\([0-9.]*\\).*/\\1/p'); \
         for address in 127.0.0.1 $gateway 0.0.0.0 127.1.2.3; do \
         timeout 2 bash -c \"echo stolen > /dev/tcp/$address/{port}\" && echo reached $address; done; \
         ip route add 127.0.0.0/8 via $gateway 2>/dev/null && timeout 2 bash -c 'echo x > /dev/tcp/127.9.9.9/{port}'; true"
    );
    let (_, said) = engine.run(&[], &line);
    assert!(!said.contains("reached"), "{said}");
    if let Ok((mut stream, _)) = listener.accept() {
        let mut text = String::new();
        let _ = stream.read_to_string(&mut text);
        panic!("the container reached the machine's loopback and said {text:?}");
    }
}

#[test]
fn links_of_a_container_do_not_lead_copies_astray() {
    let Some(engine) = Engine::new() else { return };
    let outside = engine.home.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    let line = format!("ln -s {} /srv/trap; ln -s / /srv/root; sleep 1000", outside.display());
    let started = engine
        .command(&[
            "container",
            "run",
            "-d",
            "--name",
            "liar",
            "--network",
            "none",
            "host",
            "bash",
            "-c",
            &line,
        ])
        .output()
        .unwrap();
    assert!(started.status.success(), "{}", String::from_utf8_lossy(&started.stderr));
    let until = Instant::now() + Duration::from_secs(20);
    while !engine
        .command(&["container", "exec", "liar", "test", "-L", "/srv/root"])
        .output()
        .unwrap()
        .status
        .success()
    {
        assert!(Instant::now() < until, "the container makes no links");
    }
    let file = engine.home.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let _ = engine.command(&["container", "cp", &file.display().to_string(), "liar:/srv/trap/file"]).output();
    let _ = engine
        .command(&["container", "cp", &file.display().to_string(), "liar:/srv/root/etc/marker"])
        .output();
    let marker = std::path::Path::new("/etc/marker").exists();
    let removed = engine.command(&["container", "rm", "-f", "liar"]).output().unwrap();
    assert!(removed.status.success());
    assert!(!marker, "a copy followed a link to the machine's root");
    assert_eq!(
        std::fs::read_dir(&outside).unwrap().count(),
        0,
        "a copy followed a link out of the container"
    );
}
