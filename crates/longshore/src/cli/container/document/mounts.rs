//! Mounts, as `inspect` and listings show them.

use longshore_engine::{Mount, MountKind, Propagation};
use longshore_engine_native::Volumes;
use serde_json::{Value, json};

/// The members of `Mounts`.
pub(super) fn mounts(mounts: &[Mount], volumes: &Volumes) -> Vec<Value> {
    mounts.iter().map(|mount| shown(mount, volumes)).collect()
}

fn shown(mount: &Mount, volumes: &Volumes) -> Value {
    let writable = !mount.read_only;
    match &mount.kind {
        MountKind::Bind(bind) => json!({
            "Type": "bind",
            "Source": bind.source,
            "Destination": mount.target,
            "Mode": if writable { "" } else { "ro" },
            "RW": writable,
            "Propagation": propagation(bind.propagation),
        }),
        MountKind::Volume { name, .. } => {
            let name = name.as_deref().unwrap_or_default();
            json!({
                "Type": "volume",
                "Name": name,
                "Source": volumes.data(name),
                "Destination": mount.target,
                "Driver": "local",
                "Mode": if writable { "z" } else { "ro" },
                "RW": writable,
                "Propagation": "",
            })
        }
        MountKind::Tmpfs(_) => json!({
            "Type": "tmpfs",
            "Source": "",
            "Destination": mount.target,
            "Mode": "",
            "RW": writable,
            "Propagation": "",
        }),
    }
}

/// The word for it.
pub(super) fn propagation(propagation: Propagation) -> &'static str {
    match propagation {
        Propagation::Rprivate => "rprivate",
        Propagation::Private => "private",
        Propagation::Rslave => "rslave",
        Propagation::Slave => "slave",
        Propagation::Rshared => "rshared",
        Propagation::Shared => "shared",
    }
}

/// Where something is mounted and what: the name of a volume, or a path.
pub(in crate::cli::container) fn target_and_source(mount: &Mount) -> (&str, String) {
    let source = match &mount.kind {
        MountKind::Bind(bind) => bind.source.display().to_string(),
        MountKind::Volume { name, .. } => name.clone().unwrap_or_default(),
        MountKind::Tmpfs(_) => String::new(),
    };
    (&mount.target, source)
}
