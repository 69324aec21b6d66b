//! What is known of a container, from what Docker says of it. Pure.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use longshore_engine::{
    Attachment, Bind, ContainerId, ContainerSpec, ContainerState, ContainerStatus, Device, ExitStatus,
    HealthLog, HealthSpec, HealthState, HealthStatus, ImageId, ImageSource, LogSpec, Mount, MountKind,
    NamespaceMode, NetworkMode, NetworkStatus, PortBinding, Propagation, Protocol, Resources, RestartPolicy,
    SandboxId, SeccompChoice, Security, Tmpfs, Ulimit, UserNamespaceMode,
};

use crate::body::SANDBOX;
use crate::document::{
    ConfigDto, ContainerDto, HealthDto, HealthcheckDto, HostConfigDto, MountPointDto, NetworkSettingsDto,
    PlaceDto,
};

/// The status of a container. The error says what cannot be read.
pub(crate) fn status(container: &ContainerDto) -> Result<ContainerStatus, String> {
    let id: ContainerId = container.id.parse()?;
    let sandbox =
        container.config.labels.as_ref().and_then(|labels| labels.get(SANDBOX)?.parse::<SandboxId>().ok());
    let state = &container.state;
    let started = time(&state.started_at);
    // Docker calls a container `created` that could not be started; it has ended all the same.
    let failed = state.status == "created" && state.exit_code != 0;
    let now = if failed { ContainerState::Exited } else { self::state(&state.status)? };
    let ended = matches!(now, ContainerState::Exited | ContainerState::Dead | ContainerState::Restarting);
    let networks = networks(&container.network_settings);
    Ok(ContainerStatus {
        name: container.name.trim_start_matches('/').to_owned(),
        sandbox,
        image: ImageId(container.image.clone()),
        state: now,
        pid: (state.pid > 0).then_some(state.pid),
        exit: ended.then_some(ExitStatus { code: state.exit_code, out_of_memory: state.out_of_memory }),
        error: (!state.error.is_empty()).then(|| state.error.clone()),
        created: time(&container.created).unwrap_or_default(),
        started,
        finished: time(&state.finished_at),
        restarts: container.restart_count,
        health: state.health.as_ref().and_then(health),
        networks,
        ports: ports(container.network_settings.ports.as_ref()),
        spec: spec(container),
        id,
    })
}

fn state(word: &str) -> Result<ContainerState, String> {
    Ok(match word {
        "created" => ContainerState::Created,
        "running" => ContainerState::Running,
        "paused" => ContainerState::Paused,
        "restarting" => ContainerState::Restarting,
        "removing" => ContainerState::Removing,
        "exited" => ContainerState::Exited,
        "dead" => ContainerState::Dead,
        other => return Err(format!("a container cannot be `{other}`")),
    })
}

/// Nanoseconds since 1970; none for Docker's year 1, which means never.
pub(crate) fn time(text: &str) -> Option<i128> {
    let time: jiff::Timestamp = text.parse().ok()?;
    let nanoseconds = time.as_nanosecond();
    (nanoseconds > 0).then_some(nanoseconds)
}

fn health(health: &HealthDto) -> Option<HealthStatus> {
    let state = match health.status.as_str() {
        "starting" => HealthState::Starting,
        "healthy" => HealthState::Healthy,
        "unhealthy" => HealthState::Unhealthy,
        _ => return None,
    };
    let log = health.log.iter().flatten().map(|probe| HealthLog {
        start: time(&probe.start).unwrap_or_default(),
        end: time(&probe.end).unwrap_or_default(),
        exit_code: probe.exit_code,
        output: probe.output.clone(),
    });
    Some(HealthStatus { state, failing_streak: health.failing_streak, log: log.collect() })
}

fn networks(settings: &NetworkSettingsDto) -> BTreeMap<String, NetworkStatus> {
    let endpoints = settings.networks.iter().flatten();
    endpoints
        .map(|(name, endpoint)| {
            let status = NetworkStatus {
                network_id: endpoint.network_id.clone(),
                endpoint_id: endpoint.endpoint_id.clone(),
                ip: endpoint.ip_address.parse().ok(),
                prefix: endpoint.ip_prefix_len,
                gateway: endpoint.gateway.parse().ok(),
                mac: endpoint.mac_address.clone(),
                aliases: endpoint.aliases.clone().unwrap_or_default(),
            };
            (name.clone(), status)
        })
        .collect()
}

/// Ports of the machine. Docker binds a port without an address once for each family; it is told once.
fn ports(ports: Option<&BTreeMap<String, Option<Vec<PlaceDto>>>>) -> Vec<PortBinding> {
    let mut all = Vec::new();
    for (port, places) in ports.into_iter().flatten() {
        let (number, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
        let Ok(container_port) = number.parse() else { continue };
        let protocol = if protocol == "udp" { Protocol::Udp } else { Protocol::Tcp };
        for place in places.iter().flatten() {
            let host_ip = place.host_ip.parse::<std::net::IpAddr>().ok().filter(|ip| !ip.is_unspecified());
            all.push(PortBinding {
                host_ip,
                host_port: place.host_port.parse().ok(),
                host_port_last: None,
                container_port,
                protocol,
            });
        }
    }
    all.sort();
    all.dedup();
    all
}

/// What a container was meant to be.
fn spec(container: &ContainerDto) -> ContainerSpec {
    let (config, host) = (&container.config, &container.host_config);
    ContainerSpec {
        name: Some(container.name.trim_start_matches('/').to_owned()),
        network: network(container),
        mounts: mounts(container.mounts.as_deref().unwrap_or_default(), host),
        volumes_from: list(host.volumes_from.as_ref()),
        publish: ports(host.port_bindings.as_ref()),
        publish_all: host.publish_all_ports,
        dns: list(host.dns.as_ref()),
        dns_search: list(host.dns_search.as_ref()),
        dns_options: list(host.dns_options.as_ref()),
        extra_hosts: list(host.extra_hosts.as_ref()),
        resources: resources(host),
        security: security(host),
        restart: restart(&host.restart_policy.name, host.restart_policy.maximum_retry_count),
        auto_remove: host.auto_remove,
        init: host.init.unwrap_or(false),
        log: log(host),
        ..from_config(config)
    }
}

fn from_config(config: &ConfigDto) -> ContainerSpec {
    let mut labels = config.labels.clone().unwrap_or_default();
    labels.remove(SANDBOX);
    ContainerSpec {
        image: ImageSource::Image(config.image.clone()),
        entrypoint: config.entrypoint.clone(),
        command: list(config.cmd.as_ref()),
        env: list(config.env.as_ref()),
        working_directory: text(&config.working_dir),
        user: text(&config.user),
        tty: config.tty,
        stdin: config.open_stdin,
        hostname: text(&config.hostname),
        domainname: text(&config.domainname),
        labels,
        expose: config.exposed_ports.iter().flatten().map(|(port, _)| port.clone()).collect(),
        health: config.healthcheck.as_ref().and_then(health_spec),
        stop_signal: config.stop_signal.clone(),
        stop_timeout: config.stop_timeout.map(Duration::from_secs),
        ..ContainerSpec::default()
    }
}

fn list(list: Option<&Vec<String>>) -> Vec<String> {
    list.cloned().unwrap_or_default()
}

fn text(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Docker writes 0 for what was not given.
fn given<T: Default + PartialEq>(value: T) -> Option<T> {
    (value != T::default()).then_some(value)
}

fn health_spec(check: &HealthcheckDto) -> Option<HealthSpec> {
    let duration = |nanoseconds: u64| given(nanoseconds).map(Duration::from_nanos);
    let test = list(check.test.as_ref());
    (test.first().is_some_and(|kind| kind != "NONE")).then(|| HealthSpec {
        test,
        interval: duration(check.interval),
        timeout: duration(check.timeout),
        start_period: duration(check.start_period),
        start_interval: duration(check.start_interval),
        retries: given(check.retries),
    })
}

fn network(container: &ContainerDto) -> NetworkMode {
    let mode = container.host_config.network_mode.as_str();
    match mode {
        "" | "default" | "bridge" => NetworkMode::Default,
        "none" => NetworkMode::None,
        "host" => NetworkMode::Host,
        _ => match mode.strip_prefix("container:") {
            Some(other) => NetworkMode::Container(other.to_owned()),
            None => NetworkMode::Networks(
                container
                    .network_settings
                    .networks
                    .iter()
                    .flatten()
                    .map(|(name, endpoint)| Attachment {
                        network: name.clone(),
                        aliases: endpoint.aliases.clone().unwrap_or_default(),
                        ..Attachment::default()
                    })
                    .collect(),
            ),
        },
    }
}

fn mounts(points: &[MountPointDto], host: &HostConfigDto) -> Vec<Mount> {
    let listed = points.iter().filter_map(|point| {
        let kind = match point.r#type.as_str() {
            "bind" => MountKind::Bind(Bind {
                source: PathBuf::from(&point.source),
                create: false,
                propagation: propagation(&point.propagation),
                non_recursive: false,
            }),
            "volume" => MountKind::Volume { name: point.name.clone(), no_copy: false, subpath: None },
            _ => return None,
        };
        let read_only = point.mode.split(',').any(|word| word == "ro");
        Some(Mount { kind, target: point.destination.clone(), read_only })
    });
    let memory = host.tmpfs.iter().flatten().map(|(target, options)| Mount {
        kind: MountKind::Tmpfs(Tmpfs {
            options: options.split(',').filter(|option| !option.is_empty()).map(str::to_owned).collect(),
            ..Tmpfs::default()
        }),
        target: target.clone(),
        read_only: options.split(',').any(|option| option == "ro"),
    });
    listed.chain(memory).collect()
}

fn propagation(word: &str) -> Propagation {
    match word {
        "private" => Propagation::Private,
        "rslave" => Propagation::Rslave,
        "slave" => Propagation::Slave,
        "rshared" => Propagation::Rshared,
        "shared" => Propagation::Shared,
        _ => Propagation::Rprivate,
    }
}

fn restart(name: &str, retries: u32) -> RestartPolicy {
    match name {
        "on-failure" => RestartPolicy::OnFailure { retries },
        "always" => RestartPolicy::Always,
        "unless-stopped" => RestartPolicy::UnlessStopped,
        _ => RestartPolicy::No,
    }
}

fn log(host: &HostConfigDto) -> LogSpec {
    let option = |name: &str| host.log_config.config.as_ref()?.get(name)?.parse::<u64>().ok();
    LogSpec {
        none: host.log_config.r#type == "none",
        max_size: option("max-size"),
        max_files: option("max-file").and_then(|files| u32::try_from(files).ok()),
    }
}

fn resources(host: &HostConfigDto) -> Resources {
    let limit = |limit: &crate::document::UlimitDto| Ulimit {
        name: limit.name.clone(),
        soft: limit.soft,
        hard: limit.hard,
    };
    let device = |device: &crate::document::DeviceDto| Device {
        source: PathBuf::from(&device.path_on_host),
        target: device.path_in_container.clone(),
        permissions: device.cgroup_permissions.clone(),
    };
    Resources {
        memory: given(host.memory),
        memory_swap: given(host.memory_swap),
        memory_reservation: given(host.memory_reservation),
        oom_kill_disable: host.oom_kill_disable.unwrap_or(false),
        oom_score_adj: given(host.oom_score_adj),
        nano_cpus: given(host.nano_cpus),
        cpu_quota: given(host.cpu_quota),
        cpu_period: given(host.cpu_period),
        cpu_shares: given(host.cpu_shares),
        cpuset_cpus: text(&host.cpuset_cpus),
        cpuset_mems: text(&host.cpuset_mems),
        pids: host.pids_limit.and_then(|pids| u64::try_from(pids).ok()).and_then(given),
        blkio_weight: given(host.blkio_weight),
        shm_size: given(host.shm_size),
        ulimits: host.ulimits.iter().flatten().map(limit).collect(),
        devices: host.devices.iter().flatten().map(device).collect(),
        device_rules: list(host.device_cgroup_rules.as_ref()),
    }
}

fn security(host: &HostConfigDto) -> Security {
    let options = host.security_opt.as_deref().unwrap_or_default();
    let seccomp = options.iter().find_map(|option| option.strip_prefix("seccomp="));
    let shared = |mode: &str| match mode.split_once(':') {
        Some(("container", other)) => NamespaceMode::Container(other.to_owned()),
        _ if mode == "host" => NamespaceMode::Host,
        _ => NamespaceMode::Private,
    };
    Security {
        privileged: host.privileged,
        cap_add: list(host.cap_add.as_ref()),
        cap_drop: list(host.cap_drop.as_ref()),
        seccomp: match seccomp {
            None => SeccompChoice::Default,
            Some("unconfined") => SeccompChoice::Unconfined,
            Some(text) => SeccompChoice::Profile(text.to_owned()),
        },
        no_new_privileges: options
            .iter()
            .any(|option| option.starts_with("no-new-privileges") && !option.ends_with("false")),
        unmasked: host.masked_paths.as_ref().is_some_and(Vec::is_empty),
        read_only: host.readonly_rootfs,
        user_namespace: match host.userns_mode.as_str() {
            "host" => UserNamespaceMode::Host,
            _ => UserNamespaceMode::Default,
        },
        pid: shared(&host.pid_mode),
        ipc: shared(&host.ipc_mode),
        uts: shared(&host.uts_mode),
        cgroup: shared(&host.cgroupns_mode),
        groups: list(host.group_add.as_ref()),
        sysctls: host.sysctls.iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect(),
    }
}

#[cfg(test)]
mod tests;
