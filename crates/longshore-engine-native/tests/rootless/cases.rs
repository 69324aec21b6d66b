//! The cases.

use std::fs;
use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use longshore_engine::{
    ContainerSpec, ContainerState, Device, EngineError, ExecSpec, Fault, ImageSource, Input, Mount,
    MountKind, NamespaceMode, NetworkMode, Output, PortBinding, ProcessIo, Protocol, Resources, Security,
};
use longshore_store::Store;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

use super::Case;
use super::place::{Outcome, Place, host, outcome, program, root_is_alone, script, until};
use super::who::{SUBORDINATE, Who};

pub(crate) const CASES: [(&str, Case); 12] = [
    ("the_machine_is_seen_and_not_changed", the_machine),
    ("processes_enter_a_container", entering),
    ("users_are_those_that_there_are", users),
    ("images_keep_owners_as_far_as_there_are_any", images),
    ("everything_can_be_removed", removal),
    ("terminals_are_given", terminals),
    ("options_work_or_say_why_not", options),
    ("volumes_keep_what_is_in_them", volumes),
    ("networks_reach_who_they_should", networks),
    ("namespaces_are_shared", sharing),
    ("what_cannot_be_kept_is_told", limits),
    ("a_killed_monitor_leaves_nothing", killing),
];

/// The case of a home where no overlay can be.
pub(crate) const COPYING: [(&str, Case); 1] = [("the_image_is_copied", copying)];

/// A machine that does not allow it at all; everything else is a failure.
fn allowed<T>(result: Result<T, EngineError>) -> Result<T, String> {
    match result {
        Err(error)
            if error.fault == Fault::Unsupported && error.message.contains("make a user namespace") =>
        {
            Err(error.message)
        }
        result => Ok(result.unwrap_or_else(|error| panic!("{error}: {:?}", error.source))),
    }
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

fn the_machine(place: &Place) -> Result<(), String> {
    let text = "id -u; echo mine > /etc/longshore-test && cat /etc/longshore-test; ls -A /home /root; \
                test -r /etc/passwd && test -d /proc/self && test -d /sys/class && echo seen";
    let outcome = allowed(place.run(&script(text)))?;
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert!(outcome.text.starts_with("0\nmine\n") && outcome.text.ends_with("seen\n"), "{outcome:?}");
    assert!(!Path::new("/etc/longshore-test").exists());
    // A container that is started again finds what it left.
    let kept = ContainerSpec { auto_remove: false, ..script("cat /kept; touch /kept") };
    let id = allowed(place.engine.create(&kept, None))?;
    for (first, code) in [(true, 0), (false, 0)] {
        let (attached, _) = allowed(place.start(&id))?;
        let found = outcome_of(attached);
        assert_eq!(found.code, code, "{found:?}");
        assert_eq!(found.text.contains("cat:"), first, "{found:?}");
    }
    place.engine.remove(&id, false).unwrap();
    assert_eq!(place.left(), [] as [&Path; 0]);
    Ok(())
}

fn outcome_of(attached: longshore_engine_native::Attached) -> Outcome {
    outcome(attached).expect("a monitor that answers")
}

fn entering(place: &Place) -> Result<(), String> {
    let spec = ContainerSpec { auto_remove: false, ..script("echo > /here; echo up; exec sleep 1000") };
    let id = allowed(place.engine.create(&spec, None))?;
    let (mut attached, _) = allowed(place.start(&id))?;
    until(&mut attached, "up");
    let command = ["/bin/sh", "-c", "ls /here; id -u; cat /proc/1/comm; echo $A; exit 3"];
    let exec = ExecSpec {
        command: command.map(str::to_owned).to_vec(),
        env: vec!["A=b".into()],
        ..ExecSpec::default()
    };
    let expected = Outcome { code: 3, text: "/here\n0\nsleep\nb\n".to_owned() };
    assert_eq!(place.exec(&id, &exec).unwrap(), expected);
    let missing = ExecSpec { command: vec!["/no/such".to_owned()], ..ExecSpec::default() };
    assert_eq!(place.exec(&id, &missing).unwrap_err().fault, Fault::CommandNotFound);
    place.engine.stop_container(&id, None, Some(std::time::Duration::ZERO)).unwrap();
    assert_eq!(place.engine.wait_container(&id).unwrap().code, 137);
    place.engine.remove(&id, false).unwrap();
    assert_eq!(place.left(), [] as [&Path; 0]);
    Ok(())
}

fn users(place: &Place) -> Result<(), String> {
    let spec = ContainerSpec { user: Some("33:33".to_owned()), ..script("id -u; id -g; id -G") };
    let grouped = ContainerSpec {
        security: Security { groups: vec!["44".to_owned()], ..Security::default() },
        ..script("id -G")
    };
    if root_is_alone() {
        allowed(place.run(&script("true")))?;
        for spec in [spec, grouped] {
            let error = place.run(&spec).unwrap_err();
            assert_eq!(error.fault, Fault::Unsupported, "{error:?}");
            assert!(error.help.is_some_and(|help| help.contains("/etc/subuid")));
        }
        return Ok(());
    }
    assert_eq!(lines(&allowed(place.run(&spec))?.text), ["33", "33", "33"]);
    assert_eq!(allowed(place.run(&grouped))?.text, "0 44\n");
    // Further than the ids go.
    let far = ContainerSpec { user: Some("2000000000".to_owned()), ..script("true") };
    let error = place.run(&far).unwrap_err();
    assert_eq!(error.fault, Fault::Unsupported, "{error:?}");
    Ok(())
}

fn image(place: &Place, text: &str) -> ContainerSpec {
    place.import("local/test:1", &[("owned", 33, 0o640), ("data/", 33, 0o750), ("proc/", 0, 0o755)]);
    ContainerSpec {
        image: ImageSource::Image("local/test:1".to_owned()),
        mounts: Place::programs(),
        ..script(text)
    }
}

fn images(place: &Place) -> Result<(), String> {
    let text = "stat -c '%n %u %g %a' /owned /data; rm /owned && echo > /data/new && ls /data";
    let outcome = allowed(place.run(&image(place, text)))?;
    let owner = if root_is_alone() { "0 0" } else { "33 33" };
    let expected = format!("/owned {owner} 640\n/data {owner} 750\nnew\n");
    assert_eq!(outcome, Outcome { code: 0, text: expected });
    // The second time finds the image as it was.
    assert!(place.run(&image(place, text)).unwrap().text.starts_with("/owned"));
    if place.who == Who::Subordinate {
        let found = fs::read_dir(place.store().join("snapshots")).unwrap().flatten();
        let mut roots = found.flat_map(|entry| walk(&entry.path()));
        let file = roots.find(|path| path.ends_with("owned")).expect("the file on the disk");
        assert_eq!(fs::symlink_metadata(file).unwrap().uid(), SUBORDINATE + 32);
    }
    // Removing images is done within the namespace that their files' owners exist in.
    longshore_engine_native::enter_user_namespace().unwrap();
    let images = longshore_image::Images::open(Store::open(place.store()).unwrap());
    images.remove("local/test:1", true).unwrap();
    images.prune(true, |_| true).unwrap();
    assert!(!walk(&place.store()).iter().any(|path| path.ends_with("owned")));
    Ok(())
}

/// All paths below a directory, as far as they can be read.
fn walk(path: &Path) -> Vec<std::path::PathBuf> {
    let mut found = vec![path.to_owned()];
    if path.is_dir() && !path.is_symlink() {
        found
            .extend(fs::read_dir(path).into_iter().flatten().flatten().flat_map(|entry| walk(&entry.path())));
    }
    found
}

fn copying(place: &Place) -> Result<(), String> {
    let text = "stat -c '%n %u %g %a' /owned /data; cat /kept; touch /kept";
    let id = allowed(place.engine.create(&ContainerSpec { auto_remove: false, ..image(place, text) }, None))?;
    for first in [true, false] {
        let (attached, warnings) = allowed(place.start(&id))?;
        assert_eq!(warnings.iter().any(|warning| warning.contains("copied")), first, "{warnings:?}");
        let text = outcome_of(attached).text;
        assert!(text.contains("/owned 0 0 640\n/data 0 0 750\n"), "{text}");
        assert_eq!(text.contains("cat:"), first, "{text}");
    }
    place.engine.remove(&id, false).unwrap();
    assert_eq!(place.left(), [] as [&Path; 0]);
    // The machine as a whole is not copied.
    let error = place.run(&script("true")).unwrap_err();
    assert_eq!(error.fault, Fault::Unsupported, "{error:?}");
    assert!(error.help.is_some_and(|help| help.contains("LONGSHORE_HOME")));
    Ok(())
}

fn removal(place: &Place) -> Result<(), String> {
    let owner = if root_is_alone() { "" } else { "chown -R 33:33 /deep; " };
    let text = format!("mkdir -p /deep/er/est && touch /deep/er/est/file; {owner}chmod -R 0 /deep");
    for auto_remove in [true, false] {
        let spec = ContainerSpec { auto_remove, ..script(&text) };
        let id = allowed(place.engine.create(&spec, None))?;
        let (attached, _) = allowed(place.start(&id))?;
        assert_eq!(outcome_of(attached).code, 0);
        if auto_remove {
            // The monitor deletes after it has told; whoever waits for it waits for the deletion.
            while place.home.join("engine/live").join(id.as_str()).exists() {
                std::thread::yield_now();
            }
            place.engine.reap().unwrap();
        } else {
            place.engine.remove(&id, false).unwrap();
        }
        assert_eq!(place.left(), [] as [&Path; 0]);
    }
    Ok(())
}

fn terminals(place: &Place) -> Result<(), String> {
    let spec = ContainerSpec { tty: true, ..script("test -t 0 && tty && ls /dev/console") };
    let outcome = allowed(place.run(&spec))?;
    assert_eq!(lines(&outcome.text), ["/dev/pts/0", "/dev/console"]);
    Ok(())
}

fn options(place: &Place) -> Result<(), String> {
    allowed(place.run(&script("true")))?;
    let security = |change: fn(&mut Security)| {
        let mut security = Security::default();
        change(&mut security);
        security
    };
    let specs: [(&str, ContainerSpec); 9] = [
        (
            "read-only",
            ContainerSpec {
                security: security(|security| security.read_only = true),
                ..script("! touch /x 2>/dev/null && touch /dev/shm/x")
            },
        ),
        (
            "privileged",
            ContainerSpec {
                security: security(|security| security.privileged = true),
                ..script("mount -t tmpfs none /mnt && touch /mnt/x")
            },
        ),
        (
            "host pid",
            ContainerSpec {
                security: security(|security| security.pid = NamespaceMode::Host),
                ..script("test $$ -gt 1 && test -d /proc/1")
            },
        ),
        (
            "host ipc",
            ContainerSpec {
                security: security(|security| security.ipc = NamespaceMode::Host),
                ..script("test -d /dev/shm")
            },
        ),
        (
            "host uts",
            ContainerSpec {
                security: security(|security| security.uts = NamespaceMode::Host),
                ..script("true")
            },
        ),
        (
            "sysctl",
            ContainerSpec {
                security: security(|security| {
                    security.sysctls = vec![("net.ipv4.ip_default_ttl".to_owned(), "77".to_owned())];
                }),
                ..script("test $(cat /proc/sys/net/ipv4/ip_default_ttl) = 77")
            },
        ),
        (
            "device",
            ContainerSpec {
                resources: Resources {
                    devices: vec![Device {
                        source: "/dev/zero".into(),
                        target: "/dev/nothing".to_owned(),
                        permissions: "rwm".to_owned(),
                    }],
                    ..Resources::default()
                },
                ..script("test -c /dev/nothing && head -c 1 /dev/nothing > /dev/null")
            },
        ),
        ("init", ContainerSpec { init: true, ..script("test $$ -gt 1") }),
        ("host name", ContainerSpec { hostname: Some("ada".to_owned()), ..script("test $(uname -n) = ada") }),
    ];
    for (name, spec) in specs {
        let outcome = place.run(&spec).unwrap_or_else(|error| panic!("{name}: {error}: {:?}", error.source));
        assert_eq!(outcome.code, 0, "{name}: {outcome:?}");
    }
    // What the kernel keeps for root of the machine.
    let spec = ContainerSpec {
        security: security(|security| security.sysctls = vec![("kernel.sysrq".to_owned(), "0".to_owned())]),
        ..script("true")
    };
    let error = place.run(&spec).unwrap_err();
    assert!(error.message.contains("`kernel.sysrq` is not allowed"), "{error:?}");
    Ok(())
}

fn volumes(place: &Place) -> Result<(), String> {
    let kind = MountKind::Volume { name: Some("kept".to_owned()), no_copy: false, subpath: None };
    let mut spec = image(place, "stat -c '%u %a' /data; cat /data/new; echo was here > /data/new");
    spec.mounts.push(Mount { kind, target: "/data".to_owned(), read_only: false });
    for first in [true, false] {
        let text = allowed(place.run(&spec))?.text;
        let owner = if root_is_alone() { 0 } else { 33 };
        assert!(text.starts_with(&format!("{owner} 750\n")), "{text}");
        assert_eq!(text.contains("was here"), !first, "{text}");
    }
    Ok(())
}

fn networks(place: &Place) -> Result<(), String> {
    let binding = PortBinding {
        host_ip: Some([127, 0, 0, 1].into()),
        host_port: None,
        host_port_last: None,
        container_port: 80,
        protocol: Protocol::Tcp,
    };
    let server = ContainerSpec {
        name: Some("server".to_owned()),
        network: NetworkMode::Default,
        publish: vec![binding],
        ..program(&["serve", "0.0.0.0:80"])
    };
    let id = allowed(place.engine.create(&server, None))?;
    let (mut attached, _) = allowed(place.start(&id))?;
    until(&mut attached, "listening");
    let status = place.engine.status(&id).unwrap();
    let port = status.ports[0].host_port.unwrap();
    let mut said = String::new();
    TcpStream::connect(("127.0.0.1", port)).unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(said, "hello");
    let ask = |address: &str, network| {
        place.run(&ContainerSpec { network, ..program(&["dial", address]) }).unwrap().text
    };
    assert_eq!(ask("server:80", NetworkMode::Default), "reached hello\n");
    assert_eq!(ask("nobody.invalid:80", NetworkMode::Default), "unknown\n");
    let address = status.networks["bridge"].ip.unwrap();
    assert_eq!(ask(&format!("{address}:80"), NetworkMode::Default), "reached hello\n");
    // What listens on the loopback of the machine is reached by nobody but who shares the machine's network.
    let own = TcpListener::bind("127.0.0.1:0").unwrap();
    let own_port = own.local_addr().unwrap().port();
    let gateway = status.networks["bridge"].gateway.unwrap();
    for address in [format!("127.0.0.1:{own_port}"), format!("{gateway}:{own_port}")] {
        assert_eq!(ask(&address, NetworkMode::Default), "refused\n", "{address}");
        assert_eq!(ask(&address, NetworkMode::None), "refused\n", "{address}");
    }
    assert!(place.run(&script("cat /sys/class/net/lo/operstate; ls /proc/net/dev")).unwrap().code == 0);
    assert_eq!(ask(&format!("127.0.0.1:{port}"), NetworkMode::Host), "reached hello\n");
    place.engine.remove(&id, true).unwrap();
    Ok(())
}

fn sharing(place: &Place) -> Result<(), String> {
    let id = allowed(place.engine.create(&program(&["serve", "127.0.0.1:80"]), None))?;
    let (mut attached, _) = allowed(place.start(&id))?;
    until(&mut attached, "listening");
    let network = NetworkMode::Container(id.as_str().to_owned());
    let asked =
        place.run(&ContainerSpec { network: network.clone(), ..program(&["dial", "127.0.0.1:80"]) }).unwrap();
    assert_eq!(asked.text, "reached hello\n");
    // Two containers of two user namespaces cannot be joined at once.
    let other = place.engine.create(&host(&["sleep", "1000"]), None).unwrap();
    place.start(&other).unwrap();
    let security =
        Security { ipc: NamespaceMode::Container(other.as_str().to_owned()), ..Security::default() };
    let error = place.run(&ContainerSpec { network, security, ..script("true") }).unwrap_err();
    assert_eq!(error.fault, Fault::Unsupported, "{error:?}");
    for id in [id, other] {
        place.engine.remove(&id, true).unwrap();
    }
    Ok(())
}

fn limits(place: &Place) -> Result<(), String> {
    let (_, warnings) = allowed(place.run_warned(&script("true")))?;
    assert_eq!(warnings, [] as [String; 0], "nothing was asked for");
    let resources = Resources { memory: Some(64 << 20), ..Resources::default() };
    let spec = ContainerSpec { resources, ..script("cat /proc/self/cgroup") };
    let (outcome, warnings) = place.run_warned(&spec).unwrap();
    // Kept or told: which of them depends on what is delegated to the user.
    let kept = outcome.text.contains("longshore");
    assert!(kept || warnings.iter().any(|warning| warning.contains("memory")), "{warnings:?}");
    Ok(())
}

fn killing(place: &Place) -> Result<(), String> {
    let spec = ContainerSpec { auto_remove: false, ..script("echo up; exec sleep 1000") };
    let id = allowed(place.engine.create(&spec, None))?;
    let (mut attached, _) = allowed(place.start(&id))?;
    until(&mut attached, "up");
    let status = place.engine.status(&id).unwrap();
    let process = Pid::from_raw(status.pid.unwrap()).unwrap();
    let process = pidfd_open(process, PidfdFlags::empty()).unwrap();
    let state = fs::read(place.home.join("engine/containers").join(id.as_str()).join("state.json")).unwrap();
    let state: serde_json::Value = serde_json::from_slice(&state).unwrap();
    let monitor = i32::try_from(state["monitor"]["pid"].as_i64().unwrap()).unwrap();
    kill_process(Pid::from_raw(monitor).unwrap(), Signal::KILL).unwrap();
    // The kernel ends the container with it.
    while poll(&mut [PollFd::new(&process, PollFlags::IN)], None).is_err() {}
    let next = place.again();
    while next.engine.status(&id).unwrap().state != ContainerState::Exited {
        next.engine.reap().unwrap();
    }
    assert_eq!(next.engine.status(&id).unwrap().exit.unwrap().code, 137);
    let io = ProcessIo { input: Input::Null, output: Output::Discard };
    let exec = ExecSpec { command: vec!["true".to_owned()], ..ExecSpec::default() };
    assert_eq!(next.engine.run_process(&id, &exec, io).unwrap_err().fault, Fault::Conflict);
    next.engine.remove(&id, false).unwrap();
    assert_eq!(next.left(), [] as [&Path; 0]);
    Ok(())
}
