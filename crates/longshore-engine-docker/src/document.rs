//! What Docker answers, as far as it is read; the names are Docker's. See `GET /containers/{id}/json`.

use std::collections::BTreeMap;

use serde::Deserialize;

macro_rules! documents {
    ($($(#[$about:meta])* $name:ident { $($(#[$attribute:meta])* $field:ident: $kind:ty),* $(,)? })*) => {
        $(
            $(#[$about])*
            #[derive(Debug, Clone, Default, Deserialize)]
            #[serde(default, rename_all = "PascalCase")]
            pub(crate) struct $name { $($(#[$attribute])* pub(crate) $field: $kind),* }
        )*
    };
}

documents! {
    /// A container.
    ContainerDto {
        id: String, created: String, name: String, image: String, restart_count: u32, state: StateDto,
        config: ConfigDto, host_config: HostConfigDto, network_settings: NetworkSettingsDto,
        mounts: Option<Vec<MountPointDto>>,
    }
    /// What it is doing.
    StateDto {
        status: String, pid: i32, exit_code: i32, error: String, started_at: String, finished_at: String,
        health: Option<HealthDto>, #[serde(rename = "OOMKilled")] out_of_memory: bool,
    }
    /// Its health.
    HealthDto { status: String, failing_streak: u32, log: Option<Vec<ProbeDto>> }
    /// A probe.
    ProbeDto { start: String, end: String, exit_code: i32, output: String }
    /// What it is.
    ConfigDto {
        hostname: String, domainname: String, user: String, tty: bool, open_stdin: bool,
        env: Option<Vec<String>>, cmd: Option<Vec<String>>, image: String, working_dir: String,
        entrypoint: Option<Vec<String>>, labels: Option<BTreeMap<String, String>>, stop_signal: Option<String>,
        stop_timeout: Option<u64>, healthcheck: Option<HealthcheckDto>,
        exposed_ports: Option<BTreeMap<String, serde_json::Value>>,
    }
    /// How to find out whether it is well; nanoseconds.
    HealthcheckDto {
        test: Option<Vec<String>>, interval: u64, timeout: u64, start_period: u64, start_interval: u64, retries: u32,
    }
    /// What the machine gives it.
    HostConfigDto {
        network_mode: String, port_bindings: Option<BTreeMap<String, Option<Vec<PlaceDto>>>>,
        restart_policy: RestartDto, auto_remove: bool, publish_all_ports: bool, log_config: LogDto,
        volumes_from: Option<Vec<String>>, cap_add: Option<Vec<String>>, cap_drop: Option<Vec<String>>,
        dns: Option<Vec<String>>, dns_search: Option<Vec<String>>, dns_options: Option<Vec<String>>,
        extra_hosts: Option<Vec<String>>, group_add: Option<Vec<String>>, ipc_mode: String, pid_mode: String,
        userns_mode: String, #[serde(rename = "UTSMode")] uts_mode: String, cgroupns_mode: String, oom_score_adj: i32, privileged: bool, readonly_rootfs: bool,
        security_opt: Option<Vec<String>>, sysctls: Option<BTreeMap<String, String>>, shm_size: u64,
        tmpfs: Option<BTreeMap<String, String>>, memory: u64, memory_swap: i64, memory_reservation: u64,
        nano_cpus: u64, cpu_quota: i64, cpu_period: u64, cpu_shares: u64, cpuset_cpus: String, cpuset_mems: String,
        pids_limit: Option<i64>, blkio_weight: u16, oom_kill_disable: Option<bool>, init: Option<bool>,
        ulimits: Option<Vec<UlimitDto>>, devices: Option<Vec<DeviceDto>>,
        device_cgroup_rules: Option<Vec<String>>, masked_paths: Option<Vec<String>>,
    }
    /// A limit of single processes.
    UlimitDto { name: String, soft: i64, hard: i64 }
    /// A device.
    DeviceDto { path_on_host: String, path_in_container: String, cgroup_permissions: String }
    /// When it is started again.
    RestartDto { name: String, maximum_retry_count: u32 }
    /// How its output is kept.
    LogDto { r#type: String, config: Option<BTreeMap<String, String>> }
    /// A mount.
    MountPointDto { r#type: String, name: Option<String>, source: String, destination: String, mode: String, propagation: String }
    /// An answer to a wait.
    WaitDto { status_code: i32 }
    /// An id.
    IdDto { id: String }
    /// An exec.
    ExecDto { running: bool, exit_code: Option<i32>, pid: i32 }
    /// The daemon.
    VersionDto { api_version: String, version: String }
    /// A network.
    NetworkDto { name: String, id: String, labels: Option<BTreeMap<String, String>> }
    /// A volume.
    VolumeDto { name: String, labels: Option<BTreeMap<String, String>> }
    /// All volumes.
    VolumesDto { volumes: Option<Vec<VolumeDto>> }
    /// Networks and ports.
    NetworkSettingsDto {
        ports: Option<BTreeMap<String, Option<Vec<PlaceDto>>>>, networks: Option<BTreeMap<String, EndpointDto>>,
    }
    /// A port of the machine.
    PlaceDto { host_ip: String, host_port: String }
    /// A place in a network.
    EndpointDto {
        #[serde(rename = "NetworkID")] network_id: String,
        #[serde(rename = "EndpointID")] endpoint_id: String,
        #[serde(rename = "IPAddress")] ip_address: String,
        #[serde(rename = "IPPrefixLen")] ip_prefix_len: u8,
        gateway: String, mac_address: String, aliases: Option<Vec<String>>,
    }
}
