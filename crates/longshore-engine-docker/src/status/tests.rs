//! What Docker's documents mean.

use longshore_engine::{
    ContainerState, ExitStatus, HealthState, MountKind, NetworkMode, PortBinding, Protocol, RestartPolicy,
};
use serde_json::{Value, json};

use super::status;

fn document() -> Value {
    json!({
        "Id": "a".repeat(64),
        "Created": "2026-11-21T13:05:26.000000001Z",
        "Name": "/web",
        "Image": "sha256:0123",
        "RestartCount": 2,
        "State": {
            "Status": "exited", "Pid": 0, "ExitCode": 137, "OOMKilled": true, "Error": "",
            "StartedAt": "2026-11-21T13:05:27Z", "FinishedAt": "2026-11-21T13:05:28Z",
            "Health": { "Status": "unhealthy", "FailingStreak": 3, "Log": [
                { "Start": "2026-11-21T13:05:27Z", "End": "2026-11-21T13:05:28Z", "ExitCode": 1, "Output": "no\n" },
            ] },
        },
        "Config": {
            "Hostname": "h", "Tty": false, "Env": ["A=1"], "Cmd": ["x"], "Image": "busybox", "Entrypoint": null,
            "Labels": { "longshore.sandbox": "b".repeat(64), "mine": "1" }, "StopTimeout": 3,
        },
        "HostConfig": {
            "NetworkMode": "net", "RestartPolicy": { "Name": "on-failure", "MaximumRetryCount": 4 },
            "Memory": 67_108_864, "PidsLimit": null, "SecurityOpt": ["no-new-privileges"], "Tmpfs": { "/t": "size=1" },
        },
        "NetworkSettings": {
            "Ports": { "80/tcp": [{ "HostIp": "0.0.0.0", "HostPort": "8080" }, { "HostIp": "::", "HostPort": "8080" }], "81/tcp": null },
            "Networks": { "net": { "NetworkID": "n", "IPAddress": "172.18.0.2", "IPPrefixLen": 16, "Gateway": "172.18.0.1", "Aliases": null } },
        },
        "Mounts": [{ "Type": "volume", "Name": "v", "Source": "/var/x", "Destination": "/v", "Mode": "ro" }],
    })
}

#[test]
fn a_container_is_read() {
    let status = status(&serde_json::from_value(document()).unwrap()).unwrap();
    assert_eq!(status.name, "web");
    assert_eq!(status.sandbox.map(|id| id.as_str().to_owned()), Some("b".repeat(64)));
    assert_eq!(status.state, ContainerState::Exited);
    assert_eq!(status.exit, Some(ExitStatus { code: 137, out_of_memory: true }));
    assert_eq!((status.pid, status.restarts), (None, 2));
    assert_eq!(status.created, 1_795_266_326_000_000_001);
    assert_eq!(
        status.health.map(|health| (health.state, health.log.len())),
        Some((HealthState::Unhealthy, 1))
    );
    let port = PortBinding {
        host_ip: None,
        host_port: Some(8080),
        host_port_last: None,
        container_port: 80,
        protocol: Protocol::Tcp,
    };
    assert_eq!(status.ports, [port]);
    assert_eq!(status.networks["net"].prefix, 16);
    let spec = status.spec;
    assert_eq!(spec.labels.into_iter().collect::<Vec<_>>(), [("mine".to_owned(), "1".to_owned())]);
    assert_eq!(spec.restart, RestartPolicy::OnFailure { retries: 4 });
    assert_eq!(spec.resources.memory, Some(1 << 26));
    assert!(spec.security.no_new_privileges);
    assert!(matches!(&spec.network, NetworkMode::Networks(list) if list[0].network == "net"));
    assert!(matches!(&spec.mounts[0].kind, MountKind::Volume { name: Some(name), .. } if name == "v"));
    assert!(spec.mounts[0].read_only && spec.mounts.len() == 2);
}

#[test]
fn states_are_told_apart() {
    for (word, code, state, ended) in [
        ("created", 0, ContainerState::Created, false),
        ("created", 127, ContainerState::Exited, true),
        ("running", 0, ContainerState::Running, false),
        ("restarting", 1, ContainerState::Restarting, true),
        ("dead", 0, ContainerState::Dead, true),
    ] {
        let mut document = document();
        document["State"]["Status"] = json!(word);
        document["State"]["ExitCode"] = json!(code);
        let status = status(&serde_json::from_value(document).unwrap()).unwrap();
        assert_eq!((status.state, status.exit.is_some()), (state, ended), "{word}");
    }
    let mut other = document();
    other["State"]["Status"] = json!("flying");
    assert!(status(&serde_json::from_value(other).unwrap()).is_err());
    let mut other = document();
    other["Id"] = json!("short");
    assert!(status(&serde_json::from_value(other).unwrap()).is_err());
}
