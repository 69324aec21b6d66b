//! `HostConfig` of the document: what the user asked of this machine.

use std::collections::BTreeMap;

use longshore_engine::{
    ContainerSpec, LogSpec, MASKED_PATHS, MountKind, NamespaceMode, NetworkMode, PortBinding,
    READ_ONLY_PATHS, RestartPolicy, SeccompChoice, Tmpfs, UserNamespaceMode,
};
use serde_json::{Map, Value, json};

use super::config::none_if_empty;
use super::inspection::Subject;
use super::network::bindings;

/// What was asked of this machine.
pub(super) fn host_config(subject: &Subject) -> Value {
    let spec = &subject.status.spec;
    let mut config = Map::new();
    for part in [storage(subject), networking(spec), lifecycle(spec), security(spec), resources(spec)] {
        if let Value::Object(members) = part {
            config.extend(members);
        }
    }
    config.into()
}

fn storage(subject: &Subject) -> Value {
    let spec = &subject.status.spec;
    let mut binds = Vec::new();
    let mut tmpfs = BTreeMap::new();
    for mount in &spec.mounts {
        let source = match &mount.kind {
            MountKind::Bind(bind) => bind.source.display().to_string(),
            MountKind::Volume { name: Some(name), .. } => name.clone(),
            MountKind::Volume { name: None, .. } => continue,
            MountKind::Tmpfs(options) => {
                tmpfs.insert(mount.target.clone(), tmpfs_options(options, mount.read_only));
                continue;
            }
        };
        binds.push(format!("{source}:{}{}", mount.target, if mount.read_only { ":ro" } else { "" }));
    }
    let mut storage = json!({
        "Binds": none_if_empty(&binds),
        "ContainerIDFile": "",
        "VolumeDriver": "",
        "VolumesFrom": none_if_empty(&spec.volumes_from),
        "ReadonlyRootfs": spec.security.read_only,
        "ShmSize": spec.resources.shm_size.unwrap_or(64 << 20),
    });
    if let (false, Some(members)) = (tmpfs.is_empty(), storage.as_object_mut()) {
        members.insert("Tmpfs".to_owned(), json!(tmpfs));
    }
    storage
}

fn tmpfs_options(tmpfs: &Tmpfs, read_only: bool) -> String {
    let mut options = tmpfs.options.clone();
    options.extend(tmpfs.size.map(|size| format!("size={size}")));
    options.extend(tmpfs.mode.map(|mode| format!("mode={mode:o}")));
    options.extend(read_only.then(|| "ro".to_owned()));
    options.join(",")
}

fn networking(spec: &ContainerSpec) -> Value {
    let mut asked: BTreeMap<String, Vec<&PortBinding>> = BTreeMap::new();
    for binding in &spec.publish {
        asked
            .entry(format!("{}/{}", binding.container_port, binding.protocol.name()))
            .or_default()
            .push(binding);
    }
    let asked: BTreeMap<String, Value> = asked.into_iter().map(|(port, it)| (port, bindings(&it))).collect();
    json!({
        "NetworkMode": network_mode(&spec.network),
        "PortBindings": asked,
        "PublishAllPorts": spec.publish_all,
        "Dns": spec.dns,
        "DnsOptions": spec.dns_options,
        "DnsSearch": spec.dns_search,
        "ExtraHosts": none_if_empty(&spec.extra_hosts),
        "Links": Value::Null,
    })
}

/// The word of `--network`.
pub(super) fn network_mode(mode: &NetworkMode) -> String {
    match mode {
        NetworkMode::Default => "bridge".to_owned(),
        NetworkMode::None => "none".to_owned(),
        NetworkMode::Host => "host".to_owned(),
        NetworkMode::Container(other) => format!("container:{other}"),
        NetworkMode::Networks(networks) => {
            networks.first().map_or_else(|| "bridge".to_owned(), |first| first.network.clone())
        }
    }
}

fn lifecycle(spec: &ContainerSpec) -> Value {
    let retries = match spec.restart {
        RestartPolicy::OnFailure { retries } => retries,
        _ => 0,
    };
    json!({
        "RestartPolicy": {"Name": spec.restart.name(), "MaximumRetryCount": retries},
        "AutoRemove": spec.auto_remove,
        "LogConfig": log(&spec.log),
        "Init": spec.init.then_some(true),
        "Isolation": "",
        "Runtime": "longshore",
        "ConsoleSize": [0, 0],
    })
}

fn log(log: &LogSpec) -> Value {
    let mut options = BTreeMap::new();
    options.extend(log.max_size.map(|size| ("max-size", size.to_string())));
    options.extend(log.max_files.map(|count| ("max-file", count.to_string())));
    json!({"Type": if log.none { "none" } else { "local" }, "Config": options})
}

fn security(spec: &ContainerSpec) -> Value {
    let security = &spec.security;
    let mut options = Vec::new();
    options.push(format!("no-new-privileges={}", security.no_new_privileges));
    match &security.seccomp {
        SeccompChoice::Default => {}
        SeccompChoice::Unconfined => options.push("seccomp=unconfined".to_owned()),
        SeccompChoice::Profile(profile) => options.push(format!("seccomp={profile}")),
    }
    let open = security.unmasked || security.privileged;
    let paths = |paths: &[&str]| if open { Value::Null } else { json!(paths) };
    let sysctls: BTreeMap<&str, &str> =
        security.sysctls.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut shown = json!({
        "Privileged": security.privileged,
        "CapAdd": none_if_empty(&capabilities(&security.cap_add)),
        "CapDrop": none_if_empty(&capabilities(&security.cap_drop)),
        "SecurityOpt": none_if_empty(&options),
        "GroupAdd": none_if_empty(&security.groups),
        "UsernsMode": match security.user_namespace {
            UserNamespaceMode::Default => "",
            UserNamespaceMode::Private => "private",
            UserNamespaceMode::Host => "host",
        },
        "PidMode": namespace(&security.pid, ""),
        "IpcMode": namespace(&security.ipc, "private"),
        "UTSMode": namespace(&security.uts, ""),
        "CgroupnsMode": namespace(&security.cgroup, "private"),
        "Cgroup": "",
        "MaskedPaths": paths(&MASKED_PATHS),
        "ReadonlyPaths": paths(&READ_ONLY_PATHS),
    });
    if let (false, Some(members)) = (sysctls.is_empty(), shown.as_object_mut()) {
        members.insert("Sysctls".to_owned(), json!(sysctls));
    }
    shown
}

/// Capabilities by their whole names, as Docker shows them however they were given.
fn capabilities(names: &[String]) -> Vec<String> {
    let whole = |name: &String| match name.to_ascii_uppercase() {
        name if name == "ALL" || name.starts_with("CAP_") => name,
        name => format!("CAP_{name}"),
    };
    names.iter().map(whole).collect()
}

fn namespace(mode: &NamespaceMode, private: &str) -> String {
    match mode {
        NamespaceMode::Private => private.to_owned(),
        NamespaceMode::Host => "host".to_owned(),
        NamespaceMode::Container(other) => format!("container:{other}"),
    }
}

fn resources(spec: &ContainerSpec) -> Value {
    let resources = &spec.resources;
    let memory = resources.memory.unwrap_or(0);
    let swap = resources.memory_swap.unwrap_or_else(|| i64::try_from(memory.saturating_mul(2)).unwrap_or(-1));
    let devices: Vec<Value> = resources
        .devices
        .iter()
        .map(|it| {
            json!({"PathOnHost": it.source, "PathInContainer": it.target, "CgroupPermissions": it.permissions})
        })
        .collect();
    let ulimits: Vec<Value> = resources
        .ulimits
        .iter()
        .map(|it| json!({"Name": it.name, "Hard": it.hard, "Soft": it.soft}))
        .collect();
    json!({
        "CpuShares": resources.cpu_shares.unwrap_or(0),
        "Memory": memory,
        "NanoCpus": resources.nano_cpus.unwrap_or(0),
        "CgroupParent": "",
        "BlkioWeight": resources.blkio_weight.unwrap_or(0),
        "CpuPeriod": resources.cpu_period.unwrap_or(0),
        "CpuQuota": resources.cpu_quota.unwrap_or(0),
        "CpusetCpus": resources.cpuset_cpus.clone().unwrap_or_default(),
        "CpusetMems": resources.cpuset_mems.clone().unwrap_or_default(),
        "Devices": devices,
        "DeviceCgroupRules": none_if_empty(&resources.device_rules),
        "DeviceRequests": Value::Null,
        "MemoryReservation": resources.memory_reservation.unwrap_or(0),
        "MemorySwap": swap,
        "OomKillDisable": resources.oom_kill_disable,
        "OomScoreAdj": resources.oom_score_adj.unwrap_or(0),
        "PidsLimit": resources.pids,
        "Ulimits": none_if_empty(&ulimits),
    })
}
