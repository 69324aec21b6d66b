//! Making containers.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use longshore_engine::{
    ContainerId, ContainerSpec, EngineError, Fault, HealthSpec, ImageId, ImageSource, Mount, MountKind,
    NamespaceMode, NetworkMode, SandboxId,
};
use longshore_oci::{ExecutionConfig, HealthTest, Healthcheck};

use crate::directory;
use crate::home::{Home, io_error};
use crate::images::{Found, Images};
use crate::launch::Privilege;
use crate::process::ProcessDto;
use crate::record::{ContainerDirectory, RecordDto};
use crate::rootfs::copy::Keeping;
use crate::rootfs::lower_directories;
use crate::volume::{VolumeDto, Volumes};

/// Makes a container out of what the user asks for and what its image says.
pub(crate) fn create(
    home: &Home,
    images: &Images,
    sandbox: Option<&SandboxId>,
    spec: &ContainerSpec,
) -> Result<ContainerId, EngineError> {
    let id = new_id()?;
    let found = images.find(spec)?;
    let mut spec = merged(spec, &found.config);
    check(&spec)?;
    sweep(home);
    let making = home.containers().join(making_name(&id));
    fs::create_dir(&making).map_err(|error| io_error("make", &making, error))?;
    let made = fill(home, (&making, images), (&id, sandbox), &mut spec, found);
    if made.is_err() {
        let _ = fs::remove_dir_all(&making);
        crate::images::forget(home, &id);
    }
    made.map(|()| id)
}

fn fill(
    home: &Home,
    (making, images): (&Path, &Images),
    (id, sandbox): (&ContainerId, Option<&SandboxId>),
    spec: &mut ContainerSpec,
    found: Found,
) -> Result<(), EngineError> {
    take_over_volumes(home, spec)?;
    let anonymous_volumes = place_volumes(home, spec, &found.config)?;
    fill_volumes(home, spec, &found.layers)?;
    found.keep(images, id)?;
    let name = match spec.name.clone() {
        Some(name) => {
            directory::claim(home, &name, id)?;
            name
        }
        None => claim_any(home, id)?,
    };
    spec.name = Some(name.clone());
    let record = RecordDto {
        version: 1,
        id: id.clone(),
        created: i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX),
        sandbox: sandbox.cloned(),
        spec: spec.clone(),
        image: ImageId(found.id),
        manifest: found.manifest,
        layers: found.layers,
        exposed: exposed(spec, &found.config),
        shell: found.config.shell,
        anonymous_volumes,
    };
    let directory = ContainerDirectory::at(making.to_owned());
    let written = directory.write_record(&record).and_then(|()| directory.write_name(&name)).and_then(|()| {
        let path = home.container(id);
        fs::rename(making, &path).map_err(|error| io_error("make", &path, error))
    });
    if written.is_err() {
        directory::release(home, &name, id);
    }
    written
}

/// Copies what the image has into empty volumes. Only in a user namespace could an ordinary user do so, where the container
/// is started.
fn fill_volumes(home: &Home, spec: &ContainerSpec, layers: &[PathBuf]) -> Result<(), EngineError> {
    if crate::rootless::privilege() != Privilege::Root {
        return Ok(());
    }
    let lower = || lower_directories(&spec.image, layers, home);
    let keeping = Keeping::of(Privilege::Root, spec.image == ImageSource::Host);
    Volumes::open(home).fill(&spec.mounts, &lower, (Privilege::Root, keeping))
}

/// The ports that the image and the user name; one that is published is named.
fn exposed(spec: &ContainerSpec, image: &ExecutionConfig) -> Vec<String> {
    let published = spec.publish.iter().map(|it| format!("{}/{}", it.container_port, it.protocol.name()));
    let named = image.exposed_ports.iter().chain(&spec.expose).cloned();
    named.chain(published).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Throws away what others were making when they were killed.
pub(crate) fn sweep(home: &Home) -> usize {
    unfinished(home)
        .filter(|(_, maker)| !maker.is_some_and(ProcessDto::is_alive))
        .filter(|(path, _)| directory::throw_away(home, path).is_ok())
        .count()
}

/// A name that tells who makes the container, so that what a killed process leaves is known as such.
fn making_name(id: &ContainerId) -> String {
    let own = ProcessDto::own().unwrap_or(ProcessDto { pid: 0, started: 0 });
    format!(".{}.{}.{}", id.as_str(), own.pid, own.started)
}

/// Whether a container is being made by a process that lives.
pub(crate) fn is_being_made(home: &Home, id: &ContainerId) -> bool {
    unfinished(home).any(|(path, maker)| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name[1..].starts_with(id.as_str()) && maker.is_some_and(ProcessDto::is_alive)
    })
}

/// What is being made, or was when its maker was killed.
pub(crate) fn unfinished(home: &Home) -> impl Iterator<Item = (PathBuf, Option<ProcessDto>)> {
    fs::read_dir(home.containers()).into_iter().flatten().flatten().filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let mut parts = name.strip_prefix('.')?.split('.').skip(1);
        let maker =
            (|| Some(ProcessDto { pid: parts.next()?.parse().ok()?, started: parts.next()?.parse().ok()? }))(
            );
        Some((entry.path(), maker))
    })
}

fn new_id() -> Result<ContainerId, EngineError> {
    random().map(ContainerId::of)
}

/// Random bytes of the kernel.
pub(crate) fn random() -> Result<[u8; 32], EngineError> {
    let mut bytes = [0; 32];
    let filled = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty());
    match filled {
        Ok(32) => Ok(bytes),
        _ => Err(EngineError::new(Fault::Environment, "the kernel gives no random numbers")),
    }
}

fn claim_any(home: &Home, id: &ContainerId) -> Result<String, EngineError> {
    for attempt in 0..50 {
        let name = crate::names::made_up(&random()?, attempt);
        match directory::claim(home, &name, id) {
            Err(error) if error.fault == Fault::Conflict => {}
            result => return result.map(|()| name),
        }
    }
    Err(EngineError::new(Fault::Conflict, "found no free name").help("give one with `--name`"))
}

/// What the image says, filled in where the user says nothing.
fn merged(spec: &ContainerSpec, image: &ExecutionConfig) -> ContainerSpec {
    let mut merged = spec.clone();
    // A new entrypoint makes the image's arguments meaningless.
    if merged.entrypoint.is_none() {
        merged.entrypoint.clone_from(&image.entrypoint);
        if merged.command.is_empty() {
            merged.command = image.cmd.clone().unwrap_or_default();
        }
    }
    merged.env = image.env.iter().chain(&spec.env).cloned().collect();
    if merged.user.is_none() && !image.user.is_empty() {
        merged.user = Some(image.user.clone());
    }
    if merged.working_directory.is_none() && !image.working_dir.is_empty() {
        merged.working_directory = Some(image.working_dir.clone());
    }
    merged.stop_signal = merged.stop_signal.or_else(|| image.stop_signal.clone());
    merged.stop_timeout = merged.stop_timeout.or_else(|| {
        image.stop_timeout.and_then(|seconds| u64::try_from(seconds).ok()).map(std::time::Duration::from_secs)
    });
    for (name, value) in &image.labels {
        merged.labels.entry(name.clone()).or_insert_with(|| value.clone());
    }
    merged.health = merged_health(merged.health, image.healthcheck.as_ref());
    merged
}

/// The user's health check over the image's, field by field.
fn merged_health(user: Option<HealthSpec>, image: Option<&Healthcheck>) -> Option<HealthSpec> {
    let nanoseconds = |number: i64| {
        u64::try_from(number).ok().filter(|number| *number > 0).map(std::time::Duration::from_nanos)
    };
    let image = image.filter(|check| !matches!(check.test(), HealthTest::Disabled)).map(|check| HealthSpec {
        test: check.words.clone(),
        interval: nanoseconds(check.interval),
        timeout: nanoseconds(check.timeout),
        start_period: nanoseconds(check.start_period),
        start_interval: nanoseconds(check.start_interval),
        retries: u32::try_from(check.retries).ok().filter(|retries| *retries > 0),
    });
    let merged = match (user, image) {
        (Some(user), Some(image)) => HealthSpec {
            test: if user.test.is_empty() { image.test } else { user.test },
            interval: user.interval.or(image.interval),
            timeout: user.timeout.or(image.timeout),
            start_period: user.start_period.or(image.start_period),
            start_interval: user.start_interval.or(image.start_interval),
            retries: user.retries.or(image.retries),
        },
        (user, image) => user.or(image)?,
    };
    let off = merged.test.first().is_none_or(|kind| kind == "NONE");
    (!off).then_some(merged)
}

/// What can be known to be wrong before anything is made.
fn check(spec: &ContainerSpec) -> Result<(), EngineError> {
    let invalid = |message: String| Err(EngineError::new(Fault::Invalid, message));
    if !spec.hold && spec.entrypoint.iter().flatten().chain(&spec.command).next().is_none() {
        return Err(EngineError::new(Fault::Invalid, "no command specified")
            .help("give a command after the image: the image names none"));
    }
    for mount in &spec.mounts {
        if !mount.target.starts_with('/') {
            return invalid(format!("invalid mount config: mount path must be absolute: `{}`", mount.target));
        }
        if crate::launch::path::clean(&mount.target) == "/" {
            return invalid("invalid mount config: the destination cannot be `/`".to_owned());
        }
    }
    if let Some(directory) = spec.working_directory.as_deref().filter(|path| !path.starts_with('/')) {
        return invalid(format!(
            "the working directory `{directory}` is invalid, it needs to be an absolute path"
        ));
    }
    if let Some(signal) = &spec.stop_signal {
        crate::signal::parse_signal(signal)?;
    }
    check_sysctls(spec)?;
    if spec.auto_remove && spec.restart != longshore_engine::RestartPolicy::No {
        return invalid("can't set `restart` and removal at the end (`--rm`) together".to_owned());
    }
    if spec.resources.memory.is_some_and(|bytes| bytes < 6 * 1024 * 1024) {
        return invalid("minimum memory limit allowed is 6MB".to_owned());
    }
    Ok(())
}

/// Settings of the kernel that are not the container's own are the machine's, and not a container's to change.
fn check_sysctls(spec: &ContainerSpec) -> Result<(), EngineError> {
    const OF_IPC: [&str; 8] =
        ["msgmax", "msgmnb", "msgmni", "sem", "shmall", "shmmax", "shmmni", "shm_rmid_forced"];
    for (name, _) in &spec.security.sysctls {
        let dotted = name.replace('/', ".");
        let of_ipc = dotted.starts_with("fs.mqueue.")
            || dotted.strip_prefix("kernel.").is_some_and(|name| OF_IPC.contains(&name));
        let whose = if dotted.starts_with("net.") && spec.network == NetworkMode::Host {
            "in the machine's network namespace"
        } else if of_ipc && spec.security.ipc == NamespaceMode::Host {
            "in the machine's IPC namespace"
        } else if of_ipc || dotted.starts_with("net.") {
            continue;
        } else {
            "since it is not a container's own"
        };
        return Err(EngineError::new(Fault::Invalid, format!("sysctl `{name}` is not allowed {whose}"))
            .help("containers have `net.*`, `fs.mqueue.*` and those of `kernel.*` for messages and shared memory"));
    }
    Ok(())
}

/// Adds the mounts of other containers, which `NAME`, `NAME:ro` and `NAME:rw` name. What the user mounts himself wins.
fn take_over_volumes(home: &Home, spec: &mut ContainerSpec) -> Result<(), EngineError> {
    use crate::launch::path::clean;
    for text in spec.volumes_from.clone() {
        let (name, read_only) = match text.rsplit_once(':') {
            Some((name, "ro")) => (name, true),
            Some((name, "rw" | "z" | "Z")) => (name, false),
            Some((_, mode)) => {
                let message = format!("invalid mode for volumes-from: {mode}");
                return Err(
                    EngineError::new(Fault::Invalid, message).help("write `NAME`, `NAME:ro` or `NAME:rw`")
                );
            }
            None => (text.as_str(), false),
        };
        let other = ContainerDirectory::new(home, &directory::find(home, name)?).record()?;
        for mount in other.spec.mounts {
            let covered = spec.mounts.iter().any(|own| clean(&own.target) == clean(&mount.target));
            if !covered && !matches!(mount.kind, MountKind::Tmpfs(_)) {
                spec.mounts.push(Mount { read_only: mount.read_only || read_only, ..mount });
            }
        }
    }
    Ok(())
}

/// Gives volumes without a name one, and adds those that the image asks for.
fn place_volumes(
    home: &Home,
    spec: &mut ContainerSpec,
    image: &ExecutionConfig,
) -> Result<Vec<String>, EngineError> {
    use crate::launch::path::clean;
    let covered = |spec: &ContainerSpec, target: &str| {
        spec.mounts.iter().any(|mount| clean(&mount.target) == clean(target))
    };
    for target in &image.volumes {
        if !covered(spec, target) && spec.image != ImageSource::Host {
            let kind = MountKind::Volume { name: None, no_copy: false, subpath: None };
            spec.mounts.push(Mount { kind, target: target.clone(), read_only: false });
        }
    }
    let volumes = Volumes::open(home);
    let mut anonymous = Vec::new();
    for mount in &mut spec.mounts {
        let MountKind::Volume { name, .. } = &mut mount.kind else { continue };
        if let Some(name) = name {
            volumes.create(&VolumeDto::named(name))?;
        } else {
            let made_up = ContainerId::of(random()?).as_str().to_owned();
            volumes.create(&VolumeDto { anonymous: true, ..VolumeDto::named(&made_up) })?;
            anonymous.push(made_up.clone());
            *name = Some(made_up);
        }
    }
    Ok(anonymous)
}
