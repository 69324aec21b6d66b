//! What specifications become.

use std::path::PathBuf;
use std::time::Duration;

use longshore_engine::{
    Attachment, Bind, ContainerSpec, Device, Fault, HealthSpec, ImageSource, LogSpec, Mount, MountKind,
    NamespaceMode, NetworkMode, PortBinding, Propagation, Protocol, Resources, RestartPolicy, SeccompChoice,
    Security, Tmpfs, Ulimit, UserNamespaceMode,
};
use serde_json::{Value, json};

use super::{Creation, Version, creation};

fn plain() -> ContainerSpec {
    ContainerSpec { image: ImageSource::Image("busybox".to_owned()), ..ContainerSpec::default() }
}

fn asked(spec: &ContainerSpec) -> Creation {
    creation(spec, ("abc", "net"), Version(41)).unwrap()
}

/// One value of the body, by its path.
fn at(spec: &ContainerSpec, pointer: &str) -> Value {
    asked(spec).body.pointer(pointer).cloned().unwrap_or(Value::Null)
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn the_image_keeps_what_is_not_said() {
    let body = asked(&plain()).body;
    for absent in
        ["Cmd", "Entrypoint", "WorkingDir", "User", "Hostname", "StopSignal", "StopTimeout", "Healthcheck"]
    {
        assert_eq!(body.get(absent), None, "{absent}");
    }
    assert_eq!(body["Labels"], json!({ "longshore.sandbox": "abc" }));
    assert_eq!(body["HostConfig"]["NetworkMode"], "net");
    assert_eq!(body["HostConfig"]["SecurityOpt"], json!(["no-new-privileges"]));
}

#[test]
fn processes_are_as_specified() {
    let spec = ContainerSpec {
        entrypoint: Some(Vec::new()),
        command: words(&["a", "b"]),
        env: words(&["A=1"]),
        working_directory: Some("/w".into()),
        user: Some("1:2".into()),
        hostname: Some("h".into()),
        domainname: Some("d".into()),
        tty: true,
        stdin: true,
        init: true,
        stop_signal: Some("SIGINT".into()),
        stop_timeout: Some(Duration::from_millis(1_500)),
        auto_remove: true,
        restart: RestartPolicy::OnFailure { retries: 3 },
        ..plain()
    };
    for (pointer, wanted) in [
        ("/Entrypoint", json!([""])),
        ("/Cmd", json!(["a", "b"])),
        ("/Env", json!(["A=1"])),
        ("/WorkingDir", json!("/w")),
        ("/User", json!("1:2")),
        ("/Hostname", json!("h")),
        ("/Domainname", json!("d")),
        ("/Tty", json!(true)),
        ("/OpenStdin", json!(true)),
        ("/HostConfig/Init", json!(true)),
        ("/StopSignal", json!("SIGINT")),
        ("/StopTimeout", json!(2)),
        ("/HostConfig/AutoRemove", json!(true)),
        ("/HostConfig/RestartPolicy", json!({ "Name": "on-failure", "MaximumRetryCount": 3 })),
    ] {
        assert_eq!(at(&spec, pointer), wanted, "{pointer}");
    }
}

#[test]
fn mounts_keep_their_options() {
    let bind = |create| {
        MountKind::Bind(Bind {
            source: PathBuf::from("/src"),
            create,
            propagation: Propagation::Rslave,
            non_recursive: false,
        })
    };
    let mount = |kind, target: &str, read_only| Mount { kind, target: target.to_owned(), read_only };
    let spec = ContainerSpec {
        mounts: vec![
            mount(bind(true), "/a", true),
            mount(bind(false), "/b", false),
            mount(MountKind::Volume { name: Some("v".into()), no_copy: true, subpath: None }, "/c", false),
            mount(MountKind::Volume { name: None, no_copy: false, subpath: None }, "/d", true),
            mount(
                MountKind::Tmpfs(Tmpfs { size: Some(9), mode: Some(0o700), options: words(&["exec"]) }),
                "/e",
                true,
            ),
        ],
        ..plain()
    };
    assert_eq!(at(&spec, "/HostConfig/Binds"), json!(["/src:/a:ro,rslave"]));
    assert_eq!(at(&spec, "/HostConfig/Tmpfs"), json!({ "/e": "size=9,mode=700,ro,exec" }));
    assert_eq!(
        at(&spec, "/HostConfig/Mounts"),
        json!([
            { "Type": "bind", "Source": "/src", "Target": "/b", "ReadOnly": false,
              "BindOptions": { "Propagation": "rslave", "NonRecursive": false } },
            { "Type": "volume", "Source": "v", "Target": "/c", "ReadOnly": false, "VolumeOptions": { "NoCopy": true } },
            { "Type": "volume", "Source": "", "Target": "/d", "ReadOnly": true, "VolumeOptions": { "NoCopy": false } },
        ])
    );
}

#[test]
fn networks_beyond_the_first_are_joined_afterwards() {
    let attachment = |name: &str, aliases: &[&str]| Attachment {
        network: name.to_owned(),
        aliases: words(aliases),
        ip: Some([10, 0, 0, 9].into()),
        mac: None,
    };
    let list = vec![attachment("one", &["x"]), attachment("two", &[])];
    let spec = ContainerSpec { network: NetworkMode::Networks(list.clone()), ..plain() };
    assert_eq!(at(&spec, "/HostConfig/NetworkMode"), "one");
    let endpoint = json!({ "one": { "Aliases": ["x"], "IPAMConfig": { "IPv4Address": "10.0.0.9" } } });
    assert_eq!(at(&spec, "/NetworkingConfig/EndpointsConfig"), endpoint);
    assert_eq!(asked(&spec).join, list[1..]);
    for (network, mode) in [
        (NetworkMode::None, "none"),
        (NetworkMode::Host, "host"),
        (NetworkMode::Container("c".into()), "container:c"),
        (NetworkMode::Networks(Vec::new()), "none"),
    ] {
        assert_eq!(at(&ContainerSpec { network, ..plain() }, "/HostConfig/NetworkMode"), mode);
    }
}

#[test]
fn ports_are_exposed_and_bound() {
    let port = |host_port, container_port, protocol| PortBinding {
        host_ip: None,
        host_port,
        host_port_last: None,
        container_port,
        protocol,
    };
    let spec = ContainerSpec {
        publish: vec![
            port(Some(8080), 80, Protocol::Tcp),
            port(None, 80, Protocol::Tcp),
            PortBinding { host_ip: Some([127, 0, 0, 1].into()), ..port(None, 53, Protocol::Udp) },
            PortBinding { host_port_last: Some(8010), ..port(Some(8000), 54, Protocol::Tcp) },
        ],
        expose: words(&["90", "91/udp"]),
        ..plain()
    };
    assert_eq!(
        at(&spec, "/ExposedPorts"),
        json!({ "80/tcp": {}, "53/udp": {}, "54/tcp": {}, "90/tcp": {}, "91/udp": {} })
    );
    assert_eq!(
        at(&spec, "/HostConfig/PortBindings"),
        json!({
            "80/tcp": [{ "HostIp": "", "HostPort": "8080" }, { "HostIp": "", "HostPort": "" }],
            "53/udp": [{ "HostIp": "127.0.0.1", "HostPort": "" }],
            "54/tcp": [{ "HostIp": "", "HostPort": "8000-8010" }],
        })
    );
}

#[test]
fn limits_and_rights_are_carried() {
    let spec = ContainerSpec {
        resources: Resources {
            memory: Some(1 << 26),
            pids: Some(5),
            nano_cpus: Some(500_000_000),
            ulimits: vec![Ulimit { name: "nofile".into(), soft: 1, hard: 2 }],
            devices: vec![Device {
                source: "/dev/fuse".into(),
                target: "/dev/f".into(),
                permissions: "rw".into(),
            }],
            ..Resources::default()
        },
        security: Security {
            cap_drop: words(&["ALL"]),
            read_only: true,
            seccomp: SeccompChoice::Unconfined,
            unmasked: true,
            pid: NamespaceMode::Host,
            uts: NamespaceMode::Host,
            sysctls: vec![("net.core.somaxconn".into(), "9".into())],
            ..Security::default()
        },
        log: LogSpec { none: false, max_size: Some(10), max_files: None },
        ..plain()
    };
    for (name, wanted) in [
        ("Memory", json!(1 << 26)),
        ("PidsLimit", json!(5)),
        ("NanoCpus", json!(500_000_000)),
        ("Ulimits", json!([{ "Name": "nofile", "Soft": 1, "Hard": 2 }])),
        (
            "Devices",
            json!([{ "PathOnHost": "/dev/fuse", "PathInContainer": "/dev/f", "CgroupPermissions": "rw" }]),
        ),
        ("CapDrop", json!(["ALL"])),
        ("ReadonlyRootfs", json!(true)),
        ("SecurityOpt", json!(["no-new-privileges", "seccomp=unconfined"])),
        ("MaskedPaths", json!([])),
        ("PidMode", json!("host")),
        ("UTSMode", json!("host")),
        ("IpcMode", json!("private")),
        ("Sysctls", json!({ "net.core.somaxconn": "9" })),
        ("LogConfig", json!({ "Type": "json-file", "Config": { "max-size": "10" } })),
    ] {
        assert_eq!(at(&spec, &format!("/HostConfig/{name}")), wanted, "{name}");
    }
}

#[test]
fn what_docker_lacks_is_refused() {
    let health = HealthSpec { start_interval: Some(Duration::from_secs(1)), ..HealthSpec::default() };
    let security = |security| ContainerSpec { security, ..plain() };
    let part = MountKind::Volume { name: Some("v".into()), no_copy: false, subpath: Some("p".into()) };
    for spec in [
        ContainerSpec { image: ImageSource::Host, ..plain() },
        ContainerSpec { image: ImageSource::Directory("/x".into()), ..plain() },
        ContainerSpec { health: Some(health.clone()), ..plain() },
        ContainerSpec {
            mounts: vec![Mount { kind: part, target: "/a".into(), read_only: false }],
            ..plain()
        },
        security(Security { user_namespace: UserNamespaceMode::Private, ..Security::default() }),
        security(Security { uts: NamespaceMode::Container("x".into()), ..Security::default() }),
        security(Security { cgroup: NamespaceMode::Container("x".into()), ..Security::default() }),
    ] {
        let error = creation(&spec, ("abc", "net"), Version(41)).unwrap_err();
        assert_eq!(error.fault, Fault::Unsupported, "{error}");
    }
    let newer =
        creation(&ContainerSpec { health: Some(health), ..plain() }, ("abc", "net"), Version(44)).unwrap();
    assert_eq!(newer.body["Healthcheck"]["StartInterval"], 1_000_000_000);
}
