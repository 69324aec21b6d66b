//! The document of `inspect`: everything that is known of a container.

use std::path::PathBuf;

use longshore_engine::{ContainerState, ContainerStatus, HealthStatus};
use longshore_engine_native::{Size, Volumes};
use serde_json::{Value, json};

use super::{config, host, mounts, network};
use crate::cli::container::moment::{rfc3339, rfc3339_or_never};

/// What a document is about.
pub(in crate::cli::container) struct Subject {
    pub(in crate::cli::container) status: ContainerStatus,
    /// Ports that the image or the user named.
    pub(in crate::cli::container) exposed: Vec<String>,
    /// Where the engine keeps the container.
    pub(in crate::cli::container) directory: PathBuf,
    /// How much it takes, if that was asked for.
    pub(in crate::cli::container) size: Option<Size>,
}

/// The document.
pub(in crate::cli::container) fn document(subject: &Subject, volumes: &Volumes) -> Value {
    let status = &subject.status;
    let words: Vec<&String> = status.spec.entrypoint.iter().flatten().chain(&status.spec.command).collect();
    let file = |name: &str| subject.directory.join(name);
    let mut document = json!({
        "Id": status.id.as_str(),
        "Created": rfc3339(status.created),
        "Path": words.first().map(|word| word.as_str()).unwrap_or_default(),
        "Args": words.get(1..).unwrap_or_default(),
        "State": state(status),
        "Image": status.image.to_string(),
        "ResolvConfPath": file("resolv.conf"),
        "HostnamePath": file("hostname"),
        "HostsPath": file("hosts"),
        "LogPath": if status.spec.log.none { PathBuf::new() } else { file("log") },
        "Name": format!("/{}", status.name),
        "RestartCount": status.restarts,
        "Driver": "overlay2",
        "Platform": "linux",
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": "",
        "ExecIDs": Value::Null,
        "HostConfig": host::host_config(subject),
        "GraphDriver": {
            "Data": {"UpperDir": file("upper"), "WorkDir": file("work")},
            "Name": "overlay2",
        },
    });
    if let Some(members) = document.as_object_mut() {
        if let Some(size) = subject.size {
            members.insert("SizeRw".to_owned(), size.changed.into());
            members.insert("SizeRootFs".to_owned(), size.whole.into());
        }
        members.insert("Mounts".to_owned(), mounts::mounts(&status.spec.mounts, volumes).into());
        members.insert("Config".to_owned(), config::config(subject));
        members.insert("NetworkSettings".to_owned(), network::settings(subject));
    }
    document
}

fn state(status: &ContainerStatus) -> Value {
    // Docker calls what could not be started created, with the code of why.
    let name = match status.state {
        ContainerState::Exited if status.started.is_none() => ContainerState::Created.name(),
        state => state.name(),
    };
    let alive =
        matches!(status.state, ContainerState::Running | ContainerState::Paused | ContainerState::Restarting);
    let mut state = json!({
        "Status": name,
        "Running": alive,
        "Paused": status.state == ContainerState::Paused,
        "Restarting": status.state == ContainerState::Restarting,
        "OOMKilled": status.exit.is_some_and(|exit| exit.out_of_memory),
        "Dead": status.state == ContainerState::Dead,
        "Pid": status.pid.unwrap_or(0),
        "ExitCode": status.exit.map_or(0, |exit| exit.code),
        "Error": status.error.clone().unwrap_or_default(),
        "StartedAt": rfc3339_or_never(status.started),
        "FinishedAt": rfc3339_or_never(status.finished),
    });
    if let (Some(health), Some(members)) = (&status.health, state.as_object_mut()) {
        members.insert("Health".to_owned(), health_document(health));
    }
    state
}

fn health_document(health: &HealthStatus) -> Value {
    let log: Vec<Value> = health
        .log
        .iter()
        .map(|probe| {
            json!({
                "Start": rfc3339(probe.start),
                "End": rfc3339(probe.end),
                "ExitCode": probe.exit_code,
                "Output": probe.output,
            })
        })
        .collect();
    json!({"Status": health.state.name(), "FailingStreak": health.failing_streak, "Log": log})
}
