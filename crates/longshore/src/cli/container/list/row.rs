//! One container as a row of the listing.

use longshore_engine::{ContainerState, ContainerStatus, EngineError, NetworkMode};
use longshore_engine_native::NativeEngine;
use longshore_format::{Value, human};

use crate::cli::container::document::{command, ports, status, target_and_source};
use crate::cli::container::moment;

/// How much of everything is shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Width {
    /// Nothing is shortened.
    pub(super) whole: bool,
    /// Sizes are wanted, which cost a walk through files.
    pub(super) sized: bool,
}

/// The row.
pub(super) fn row(
    engine: &NativeEngine,
    container: &ContainerStatus,
    now: i128,
    width: Width,
) -> Result<Value, EngineError> {
    let id = if width.whole { container.id.as_str() } else { container.id.short() };
    let exposed = if container.state.is_alive() { engine.exposed(&container.id)? } else { Vec::new() };
    let published = if container.state.is_alive() { container.ports.as_slice() } else { &[] };
    let state = match container.state {
        ContainerState::Exited if container.started.is_none() => ContainerState::Created,
        state => state,
    };
    let fields = [
        ("Command", Value::text(human::command(&command(&container.spec), width.whole))),
        ("CreatedAt", Value::text(moment::listed(container.created))),
        ("ID", Value::text(id)),
        ("Image", Value::text(image(container, width.whole))),
        ("Labels", Value::text(labels(container))),
        ("LocalVolumes", Value::text(volumes(container).to_string())),
        ("Mounts", Value::text(mounts(container, width.whole))),
        ("Names", Value::text(container.name.as_str())),
        ("Networks", Value::text(networks(container))),
        ("Platform", Value::text(container.spec.platform.clone().unwrap_or_default())),
        ("Ports", Value::text(ports(published, &exposed))),
        ("RunningFor", Value::text(format!("{} ago", human::ago(moment::since(now, container.created))))),
        ("Size", Value::text(if width.sized { size(engine, container)? } else { "0B".to_owned() })),
        ("State", Value::text(state.name())),
        ("Status", Value::text(status(container, now))),
        ("Label", Value::lookup(container.spec.labels.clone())),
    ];
    Ok(Value::row("*formatter.ContainerContext", fields))
}

fn image(container: &ContainerStatus, whole: bool) -> String {
    let name = container.spec.image.to_string();
    if whole {
        return name;
    }
    // One that was named by its id is shown as other ids are.
    match name.strip_prefix("sha256:") {
        Some(_) => human::short_id(&name).to_owned(),
        None => name,
    }
}

fn labels(container: &ContainerStatus) -> String {
    let pairs = container.spec.labels.iter().map(|(name, value)| format!("{name}={value}"));
    pairs.collect::<Vec<_>>().join(",")
}

fn volumes(container: &ContainerStatus) -> usize {
    let is_volume =
        |mount: &&longshore_engine::Mount| matches!(mount.kind, longshore_engine::MountKind::Volume { .. });
    container.spec.mounts.iter().filter(is_volume).count()
}

fn mounts(container: &ContainerStatus, whole: bool) -> String {
    let sources = container.spec.mounts.iter().map(|mount| target_and_source(mount).1);
    let shown = sources.filter(|source| !source.is_empty());
    let shown = shown.map(|source| if whole { source } else { human::ellipsis(&source, 15) });
    shown.collect::<Vec<_>>().join(",")
}

/// The networks that it is in or, while it does not run, would be in.
pub(super) fn networks(container: &ContainerStatus) -> String {
    if !container.networks.is_empty() {
        return container.networks.keys().cloned().collect::<Vec<_>>().join(",");
    }
    match &container.spec.network {
        NetworkMode::Default => "bridge".to_owned(),
        NetworkMode::None => "none".to_owned(),
        NetworkMode::Host => "host".to_owned(),
        NetworkMode::Container(_) => String::new(),
        NetworkMode::Networks(all) => all.iter().map(|it| it.network.as_str()).collect::<Vec<_>>().join(","),
    }
}

fn size(engine: &NativeEngine, container: &ContainerStatus) -> Result<String, EngineError> {
    let size = engine.size(&container.id)?;
    let changed = human::size(size.changed, 3);
    Ok(if size.whole > 0 { format!("{changed} (virtual {})", human::size(size.whole, 3)) } else { changed })
}
