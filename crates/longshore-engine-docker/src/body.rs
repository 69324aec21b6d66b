//! What Docker is asked for when a container is made. Pure.
//!
//! The fields are those of `POST /containers/create` in Docker's API. A specification that an API version cannot carry
//! is refused with the version that could.

use std::time::Duration;

use longshore_engine::{
    Attachment, ContainerSpec, EngineError, Fault, HealthSpec, ImageSource, LogSpec, Mount, MountKind,
    NamespaceMode, NetworkMode, PortBinding, Propagation, Resources, RestartPolicy, SeccompChoice, Security,
    Tmpfs, UserNamespaceMode,
};
use serde_json::{Map, Value, json};

/// What lives without doing anything. Docker has no word for it, so the image has to have `tail`, as on GitHub.
const HOLD: [&str; 3] = ["tail", "-f", "/dev/null"];

/// A version of Docker's API: 1 and this number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(pub(crate) u16);

/// What is to be asked for.
#[derive(Debug, PartialEq)]
pub(crate) struct Creation {
    /// The body of the request.
    pub(crate) body: Value,
    /// Networks to join after it was made: Docker takes one at creation.
    pub(crate) join: Vec<Attachment>,
}

/// The label with the id of a container's sandbox.
pub(crate) const SANDBOX: &str = "longshore.sandbox";

/// The request that makes a container; `network` is what its sandbox has, and `sandbox` its id.
pub(crate) fn creation(
    spec: &ContainerSpec,
    sandbox: (&str, &str),
    version: Version,
) -> Result<Creation, EngineError> {
    let (id, network) = sandbox;
    let ImageSource::Image(image) = &spec.image else {
        let message = format!("Docker has no image `{}`: it runs images of its own store only", spec.image);
        return Err(
            EngineError::new(Fault::Unsupported, message).help("use the native engine for this image")
        );
    };
    let mut labels = spec.labels.clone();
    labels.insert(SANDBOX.to_owned(), id.to_owned());
    let mut body = json!({
        "Image": image,
        "Tty": spec.tty,
        "OpenStdin": spec.stdin,
        "Env": spec.env,
        "Labels": labels,
        "ExposedPorts": exposed(spec),
        "HostConfig": host(spec, version)?,
    });
    let map = object(&mut body);
    // An empty list would leave the image's; one empty word is Docker's way to say that there is none.
    if spec.hold {
        map.insert("Entrypoint".into(), json!(HOLD));
    } else if let Some(words) = &spec.entrypoint {
        map.insert("Entrypoint".into(), if words.is_empty() { json!([""]) } else { json!(words) });
    }
    if !spec.command.is_empty() && !spec.hold {
        map.insert("Cmd".into(), json!(spec.command));
    }
    put(map, "WorkingDir", spec.working_directory.as_ref());
    put(map, "User", spec.user.as_ref());
    put(map, "Hostname", spec.hostname.as_ref());
    put(map, "Domainname", spec.domainname.as_ref());
    put(map, "StopSignal", spec.stop_signal.as_ref());
    put(map, "StopTimeout", spec.stop_timeout.map(seconds));
    if let Some(health) = &spec.health {
        map.insert("Healthcheck".into(), healthcheck(health, version)?);
    }
    let (mode, endpoints, join) = networks(spec, network);
    object(map.entry("HostConfig").or_insert_with(|| json!({}))).insert("NetworkMode".into(), json!(mode));
    if !endpoints.is_empty() {
        map.insert("NetworkingConfig".into(), json!({ "EndpointsConfig": endpoints }));
    }
    Ok(Creation { body, join })
}

fn object(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = json!({});
    }
    match value {
        Value::Object(map) => map,
        // It was made one just now.
        _ => unreachable!("an object"),
    }
}

fn put<T: serde::Serialize>(map: &mut Map<String, Value>, name: &str, value: Option<T>) {
    if let Some(value) = value {
        map.insert(name.to_owned(), json!(value));
    }
}

/// Whole seconds, rounded up: less grace than asked for would be a broken promise.
pub(crate) fn seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

fn unsupported(what: &str) -> EngineError {
    EngineError::new(Fault::Unsupported, format!("Docker cannot give a container {what}"))
}

/// What a newer daemon could do.
fn too_old(what: &str, version: Version, needed: u16) -> EngineError {
    let message = format!("this Docker cannot do {what}: its API has version 1.{}", version.0);
    EngineError::new(Fault::Unsupported, message).help(format!("use a Docker with API version 1.{needed}"))
}

fn exposed(spec: &ContainerSpec) -> Map<String, Value> {
    let published = spec.publish.iter().map(port);
    let further =
        spec.expose.iter().map(|port| if port.contains('/') { port.clone() } else { format!("{port}/tcp") });
    published.chain(further).map(|port| (port, json!({}))).collect()
}

fn port(binding: &PortBinding) -> String {
    format!("{}/{}", binding.container_port, binding.protocol.name())
}

fn healthcheck(health: &HealthSpec, version: Version) -> Result<Value, EngineError> {
    let nanoseconds = |duration: Option<Duration>| duration.map_or(0, |duration| duration.as_nanos());
    let mut value = json!({
        "Test": health.test,
        "Interval": nanoseconds(health.interval) as u64,
        "Timeout": nanoseconds(health.timeout) as u64,
        "StartPeriod": nanoseconds(health.start_period) as u64,
        "Retries": health.retries.unwrap_or(0),
    });
    if let Some(interval) = health.start_interval {
        if version < Version(44) {
            return Err(too_old("start intervals of health checks", version, 44));
        }
        object(&mut value).insert("StartInterval".into(), json!(interval.as_nanos() as u64));
    }
    Ok(value)
}

/// Docker's word for the network, what is joined at creation, and what is joined afterwards.
fn networks(spec: &ContainerSpec, own: &str) -> (String, Map<String, Value>, Vec<Attachment>) {
    let plain = |mode: String| (mode, Map::new(), Vec::new());
    match &spec.network {
        NetworkMode::Default => plain(own.to_owned()),
        NetworkMode::None => plain("none".to_owned()),
        NetworkMode::Host => plain("host".to_owned()),
        NetworkMode::Container(other) => plain(format!("container:{other}")),
        NetworkMode::Networks(list) => match list.split_first() {
            None => plain("none".to_owned()),
            Some((first, rest)) => {
                let endpoints = [(first.network.clone(), endpoint(first))].into_iter().collect();
                (first.network.clone(), endpoints, rest.to_vec())
            }
        },
    }
}

/// A container's place in a network.
pub(crate) fn endpoint(attachment: &Attachment) -> Value {
    let mut value = json!({ "Aliases": attachment.aliases });
    let map = object(&mut value);
    if let Some(ip) = attachment.ip {
        map.insert("IPAMConfig".into(), json!({ "IPv4Address": ip }));
    }
    put(map, "MacAddress", attachment.mac.as_ref());
    value
}

fn host(spec: &ContainerSpec, version: Version) -> Result<Value, EngineError> {
    let mut host = json!({
        "AutoRemove": spec.auto_remove,
        "RestartPolicy": restart(spec.restart),
        "PublishAllPorts": spec.publish_all,
        "PortBindings": bindings(&spec.publish),
        "VolumesFrom": spec.volumes_from,
        "Dns": spec.dns,
        "DnsSearch": spec.dns_search,
        "DnsOptions": spec.dns_options,
        "ExtraHosts": spec.extra_hosts,
        "Init": spec.init || spec.hold,
    });
    let map = object(&mut host);
    put(map, "LogConfig", log(&spec.log));
    mounts(map, &spec.mounts, version)?;
    resources(map, &spec.resources);
    security(map, &spec.security)?;
    Ok(host)
}

fn restart(policy: RestartPolicy) -> Value {
    let retries = if let RestartPolicy::OnFailure { retries } = policy { retries } else { 0 };
    json!({ "Name": policy.name(), "MaximumRetryCount": retries })
}

fn bindings(publish: &[PortBinding]) -> Map<String, Value> {
    let mut bindings: Map<String, Value> = Map::new();
    for binding in publish {
        let place = json!({
            "HostIp": binding.host_ip.map(|ip| ip.to_string()).unwrap_or_default(),
            "HostPort": binding.host_ports(),
        });
        if let Value::Array(places) = bindings.entry(port(binding)).or_insert_with(|| json!([])) {
            places.push(place);
        }
    }
    bindings
}

fn log(spec: &LogSpec) -> Option<Value> {
    if spec.none {
        return Some(json!({ "Type": "none", "Config": {} }));
    }
    let mut config = Map::new();
    put(&mut config, "max-size", spec.max_size.map(|bytes| bytes.to_string()));
    put(&mut config, "max-file", spec.max_files.map(|files| files.to_string()));
    (!config.is_empty()).then(|| json!({ "Type": "json-file", "Config": config }))
}

fn mounts(map: &mut Map<String, Value>, mounts: &[Mount], version: Version) -> Result<(), EngineError> {
    let (mut binds, mut list, mut memory) = (Vec::new(), Vec::new(), Map::new());
    for mount in mounts {
        let (target, read_only) = (&mount.target, mount.read_only);
        match &mount.kind {
            MountKind::Bind(bind) if bind.create => {
                let source = bind.source.display().to_string();
                if bind.non_recursive || source.contains(':') || target.contains(':') {
                    let what =
                        "a bind mount that makes its directory and is not recursive, or has `:` in a path";
                    return Err(unsupported(what));
                }
                let access = if read_only { "ro" } else { "rw" };
                binds.push(format!("{source}:{target}:{access},{}", propagation(bind.propagation)));
            }
            MountKind::Bind(bind) => list.push(json!({
                "Type": "bind", "Source": bind.source.display().to_string(), "Target": target,
                "ReadOnly": read_only,
                "BindOptions": {
                    "Propagation": propagation(bind.propagation), "NonRecursive": bind.non_recursive,
                },
            })),
            MountKind::Volume { name, no_copy, subpath } => {
                let mut options = json!({ "NoCopy": no_copy });
                if subpath.is_some() && version < Version(45) {
                    return Err(too_old("parts of volumes", version, 45));
                }
                put(object(&mut options), "Subpath", subpath.as_ref());
                list.push(json!({
                    "Type": "volume", "Source": name.as_deref().unwrap_or_default(), "Target": target,
                    "ReadOnly": read_only, "VolumeOptions": options,
                }));
            }
            MountKind::Tmpfs(tmpfs) => {
                memory.insert(target.clone(), json!(tmpfs_options(tmpfs, read_only)));
            }
        }
    }
    map.insert("Binds".into(), json!(binds));
    map.insert("Mounts".into(), json!(list));
    map.insert("Tmpfs".into(), Value::Object(memory));
    Ok(())
}

/// The options of a mount of memory, as `mount` takes them.
fn tmpfs_options(tmpfs: &Tmpfs, read_only: bool) -> String {
    let size = tmpfs.size.map(|size| format!("size={size}"));
    let mode = tmpfs.mode.map(|mode| format!("mode={mode:o}"));
    let access = read_only.then(|| "ro".to_owned());
    let parts: Vec<String> =
        size.into_iter().chain(mode).chain(access).chain(tmpfs.options.iter().cloned()).collect();
    parts.join(",")
}

fn propagation(propagation: Propagation) -> &'static str {
    match propagation {
        Propagation::Rprivate => "rprivate",
        Propagation::Private => "private",
        Propagation::Rslave => "rslave",
        Propagation::Slave => "slave",
        Propagation::Rshared => "rshared",
        Propagation::Shared => "shared",
    }
}

fn resources(map: &mut Map<String, Value>, resources: &Resources) {
    put(map, "Memory", resources.memory);
    put(map, "MemorySwap", resources.memory_swap);
    put(map, "MemoryReservation", resources.memory_reservation);
    put(map, "OomKillDisable", resources.oom_kill_disable.then_some(true));
    put(map, "OomScoreAdj", resources.oom_score_adj);
    put(map, "NanoCpus", resources.nano_cpus);
    put(map, "CpuQuota", resources.cpu_quota);
    put(map, "CpuPeriod", resources.cpu_period);
    put(map, "CpuShares", resources.cpu_shares);
    put(map, "CpusetCpus", resources.cpuset_cpus.as_ref());
    put(map, "CpusetMems", resources.cpuset_mems.as_ref());
    put(map, "PidsLimit", resources.pids);
    put(map, "BlkioWeight", resources.blkio_weight);
    put(map, "ShmSize", resources.shm_size);
    let ulimits: Vec<Value> = resources
        .ulimits
        .iter()
        .map(|limit| json!({ "Name": limit.name, "Soft": limit.soft, "Hard": limit.hard }))
        .collect();
    map.insert("Ulimits".into(), json!(ulimits));
    let devices: Vec<Value> = resources
        .devices
        .iter()
        .map(|device| {
            json!({
                "PathOnHost": device.source.display().to_string(),
                "PathInContainer": device.target,
                "CgroupPermissions": device.permissions,
            })
        })
        .collect();
    map.insert("Devices".into(), json!(devices));
    map.insert("DeviceCgroupRules".into(), json!(resources.device_rules));
}

fn security(map: &mut Map<String, Value>, security: &Security) -> Result<(), EngineError> {
    map.insert("Privileged".into(), json!(security.privileged));
    map.insert("CapAdd".into(), json!(security.cap_add));
    map.insert("CapDrop".into(), json!(security.cap_drop));
    map.insert("ReadonlyRootfs".into(), json!(security.read_only));
    map.insert("GroupAdd".into(), json!(security.groups));
    map.insert(
        "Sysctls".into(),
        security.sysctls.iter().map(|(name, value)| (name.clone(), json!(value))).collect(),
    );
    let mut options = Vec::new();
    if security.no_new_privileges {
        options.push("no-new-privileges".to_owned());
    }
    match &security.seccomp {
        SeccompChoice::Default => {}
        SeccompChoice::Unconfined => options.push("seccomp=unconfined".to_owned()),
        SeccompChoice::Profile(text) => options.push(format!("seccomp={text}")),
    }
    map.insert("SecurityOpt".into(), json!(options));
    if security.unmasked {
        map.insert("MaskedPaths".into(), json!([]));
        map.insert("ReadonlyPaths".into(), json!([]));
    }
    match security.user_namespace {
        UserNamespaceMode::Default => {}
        UserNamespaceMode::Host => {
            map.insert("UsernsMode".into(), json!("host"));
        }
        UserNamespaceMode::Private => return Err(unsupported("a user namespace of its own")),
    }
    put(map, "PidMode", shared(&security.pid));
    put(map, "IpcMode", Some(shared(&security.ipc).unwrap_or_else(|| "private".to_owned())));
    for (name, mode, what) in [
        ("UTSMode", &security.uts, "the host name of another container"),
        ("CgroupnsMode", &security.cgroup, "the control groups of another container"),
    ] {
        match mode {
            NamespaceMode::Private if name == "CgroupnsMode" => {
                map.insert(name.to_owned(), json!("private"));
            }
            NamespaceMode::Private => {}
            NamespaceMode::Host => {
                map.insert(name.to_owned(), json!("host"));
            }
            NamespaceMode::Container(_) => return Err(unsupported(what)),
        }
    }
    Ok(())
}

/// Docker's word for whose namespace it is, unless it is its own.
fn shared(mode: &NamespaceMode) -> Option<String> {
    match mode {
        NamespaceMode::Private => None,
        NamespaceMode::Host => Some("host".to_owned()),
        NamespaceMode::Container(other) => Some(format!("container:{other}")),
    }
}

#[cfg(test)]
mod tests;
