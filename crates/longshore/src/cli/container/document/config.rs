//! `Config` of the document: what runs.

use std::collections::BTreeMap;

use longshore_engine::{ContainerSpec, HealthSpec, MountKind};
use serde_json::{Value, json};

use super::inspection::Subject;

/// What runs.
pub(super) fn config(subject: &Subject) -> Value {
    let spec = &subject.status.spec;
    let mut config = json!({
        "Hostname": hostname(subject),
        "Domainname": spec.domainname.clone().unwrap_or_default(),
        "User": spec.user.clone().unwrap_or_default(),
        "AttachStdin": false,
        "AttachStdout": true,
        "AttachStderr": true,
        "Tty": spec.tty,
        "OpenStdin": spec.stdin,
        "StdinOnce": spec.stdin,
        "Env": spec.env,
        "Cmd": none_if_empty(&spec.command),
        "Image": spec.image.to_string(),
        "Volumes": volumes(spec),
        "WorkingDir": spec.working_directory.clone().unwrap_or_default(),
        "Entrypoint": spec.entrypoint,
        "OnBuild": Value::Null,
        "Labels": spec.labels,
    });
    let Some(members) = config.as_object_mut() else { return config };
    let mut add = |name: &str, value: Option<Value>| {
        members.extend(value.map(|value| (name.to_owned(), value)));
    };
    let exposed: BTreeMap<&String, Value> = subject.exposed.iter().map(|port| (port, json!({}))).collect();
    add("ExposedPorts", (!exposed.is_empty()).then(|| json!(exposed)));
    add("Healthcheck", spec.health.as_ref().map(health));
    add("StopSignal", spec.stop_signal.clone().map(Value::from));
    add("StopTimeout", spec.stop_timeout.map(|timeout| timeout.as_secs().into()));
    config
}

fn hostname(subject: &Subject) -> String {
    let spec: &ContainerSpec = &subject.status.spec;
    spec.hostname.clone().unwrap_or_else(|| subject.status.id.short().to_owned())
}

/// Where volumes without a name are mounted, which are those that the image asks for and those of `-v /PATH`.
fn volumes(spec: &ContainerSpec) -> Value {
    let made_up = |name: &str| name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mounts = spec.mounts.iter().filter(|mount| match &mount.kind {
        MountKind::Volume { name, .. } => name.as_deref().is_none_or(made_up),
        _ => false,
    });
    let targets: BTreeMap<&str, Value> = mounts.map(|mount| (mount.target.as_str(), json!({}))).collect();
    if targets.is_empty() { Value::Null } else { json!(targets) }
}

/// Go's nil slice, where nothing was said.
pub(super) fn none_if_empty<T: serde::Serialize>(items: &[T]) -> Value {
    if items.is_empty() { Value::Null } else { json!(items) }
}

fn health(spec: &HealthSpec) -> Value {
    let mut shown = serde_json::Map::new();
    shown.insert("Test".to_owned(), json!(spec.test));
    let durations = [
        ("Interval", spec.interval),
        ("Timeout", spec.timeout),
        ("StartPeriod", spec.start_period),
        ("StartInterval", spec.start_interval),
    ];
    for (name, duration) in durations {
        let nanoseconds = duration.and_then(|it| u64::try_from(it.as_nanos()).ok()).filter(|it| *it > 0);
        shown.extend(nanoseconds.map(|it| (name.to_owned(), it.into())));
    }
    shown.extend(spec.retries.filter(|it| *it > 0).map(|it| ("Retries".to_owned(), it.into())));
    shown.into()
}
