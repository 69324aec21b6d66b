//! Making sandboxes and containers.

use longshore_engine::{
    Bind, ContainerId, ContainerSpec, ContainerState, EngineError, Fault, HealthStatus, ImageId, ImageSource,
    Mount, MountKind, SandboxId, SandboxNetwork, SandboxSpec, Tmpfs,
};

use super::container::Container;
use super::files::{Files, Mounted, Place, parts};
use super::image::{FakeImage, full_name, merged};
use super::log::Log;
use super::network;
use super::signal;
use super::tree::{Attributes, Node, SharedTree, Tree};
use super::world::{Sandbox, World};

fn invalid(message: String) -> EngineError {
    EngineError::new(Fault::Invalid, message)
}

/// Makes a sandbox and its network.
pub(super) fn sandbox(world: &mut World, spec: &SandboxSpec) -> Result<SandboxId, EngineError> {
    check_name(&spec.name)?;
    if world.sandboxes.values().any(|sandbox| sandbox.spec.name == spec.name) {
        return Err(EngineError::new(Fault::Conflict, format!("there is a sandbox `{}` already", spec.name)));
    }
    match &spec.network {
        SandboxNetwork::Existing(name) if !world.networks.contains_key(name) => {
            return Err(network::no_network(name));
        }
        SandboxNetwork::Own | SandboxNetwork::Internal => network::make(world, &spec.name),
        _ => {}
    }
    let id = SandboxId::of(world.random());
    world.sandboxes.insert(id.clone(), Sandbox { spec: spec.clone(), removing: false });
    Ok(id)
}

/// Makes a container.
pub(super) fn container(
    world: &mut World,
    sandbox: &SandboxId,
    spec: &ContainerSpec,
) -> Result<ContainerId, EngineError> {
    if world.sandboxes.get(sandbox).is_none_or(|sandbox| sandbox.removing) {
        return Err(EngineError::new(Fault::NotFound, format!("there is no sandbox `{sandbox}`")));
    }
    let name = name(world, spec)?;
    let (image, source) = image(world, &spec.image)?;
    let spec = merged(&image.spec, spec);
    if !spec.hold && spec.entrypoint.iter().flatten().chain(&spec.command).next().is_none() {
        return Err(invalid("neither the container nor its image has a command".to_owned()));
    }
    spec.stop_signal.as_deref().map(signal::parse).transpose()?;
    network::check(world, &spec)?;
    let files = files(world, &image, &spec, source)?;
    let id = ContainerId::of(world.random());
    let health = spec.health.as_ref().and_then(|health| health.command(&[])).map(|_| HealthStatus::default());
    let container = Container {
        id: id.clone(),
        name,
        sandbox: sandbox.clone(),
        image: image.id(),
        spec,
        state: ContainerState::Created,
        process: None,
        exit: None,
        error: None,
        created: world.tick(),
        started: None,
        finished: None,
        restarts: 0,
        health,
        log: Log::default(),
        files,
        networks: std::collections::BTreeMap::default(),
        ports: Vec::new(),
        starting: false,
        stopping: false,
        runs: 0,
        ends: 0,
        timer: None,
    };
    world.containers.insert(id.clone(), container);
    Ok(id)
}

fn check_name(name: &str) -> Result<(), EngineError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    let first = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if first && name.len() > 1 && name.bytes().all(allowed) {
        Ok(())
    } else {
        Err(invalid(format!(
            "`{name}` is not a name: letters, digits, `_`, `.` and `-`, the first one a letter or digit"
        )))
    }
}

fn name(world: &mut World, spec: &ContainerSpec) -> Result<String, EngineError> {
    let Some(name) = &spec.name else { return Ok(format!("unnamed-{}", world.number())) };
    check_name(name)?;
    match world.containers.values().find(|container| container.name == *name) {
        Some(other) => {
            let message = format!("the name `{name}` is that of the container {}", other.id.short());
            Err(EngineError::new(Fault::Conflict, message))
        }
        None => Ok(name.clone()),
    }
}

/// The image of a container, and where its files are.
fn image(world: &World, source: &ImageSource) -> Result<(FakeImage, Place), EngineError> {
    let in_memory = |image: &FakeImage| Place::Tree(SharedTree::new(image.tree.clone()), Vec::new());
    match source {
        ImageSource::Image(text) => {
            let image = find_image(world, text)
                .ok_or_else(|| EngineError::new(Fault::NotFound, format!("there is no image `{text}`")))?;
            Ok((image.clone(), in_memory(image)))
        }
        ImageSource::Host => {
            let image = FakeImage::new(ImageSource::HOST);
            let place = in_memory(&image);
            Ok((image, place))
        }
        ImageSource::Directory(path) if path.is_dir() => {
            Ok((FakeImage::new("directory"), Place::Machine(path.clone())))
        }
        ImageSource::Directory(path) => {
            Err(EngineError::new(Fault::NotFound, format!("there is no directory `{}`", path.display())))
        }
    }
}

/// An image by its name or id.
pub(super) fn find_image<'world>(world: &'world World, text: &str) -> Option<&'world FakeImage> {
    let by_id = || world.images.values().find(|image| image.id() == ImageId(text.to_owned()));
    world.images.get(&full_name(text)).or_else(by_id)
}

/// The files of a container: its root, the volumes of its image and of other containers, and its own mounts.
fn files(
    world: &mut World,
    image: &FakeImage,
    spec: &ContainerSpec,
    root: Place,
) -> Result<Files, EngineError> {
    let mut mounts = vec![Mounted { target: Vec::new(), place: root, read_only: false }];
    let below = Files::new(mounts.clone());
    for path in &image.volumes {
        if !spec.mounts.iter().any(|mount| parts(&mount.target) == parts(path)) {
            let kind = MountKind::Volume { name: None, no_copy: false, subpath: None };
            let mount = Mount { kind, target: path.clone(), read_only: false };
            mounts.push(mounted(world, image, &below, &mount)?);
        }
    }
    for other in &spec.volumes_from {
        let other = world.find(other)?;
        mounts.extend(world.container(&other)?.files.mounted().cloned());
    }
    for mount in &spec.mounts {
        mounts.push(mounted(world, image, &below, mount)?);
    }
    if let Some(root) = mounts.first_mut() {
        root.read_only = spec.security.read_only;
    }
    Ok(Files::new(mounts))
}

/// One mount, with a place for it in the root.
fn mounted(
    world: &mut World,
    image: &FakeImage,
    root: &Files,
    mount: &Mount,
) -> Result<Mounted, EngineError> {
    let target = parts(&mount.target);
    if !mount.target.starts_with('/') || target.is_empty() || target.iter().any(|part| part == "..") {
        return Err(invalid(format!("`{}` is no place for a mount", mount.target)));
    }
    let place = match &mount.kind {
        MountKind::Bind(bind) => bound(bind)?,
        MountKind::Tmpfs(tmpfs) => Place::Tree(SharedTree::new(memory(tmpfs)), Vec::new()),
        MountKind::Volume { name, no_copy, subpath } => {
            let known = name.as_ref().and_then(|name| world.volumes.get(name)).cloned();
            let tree = known.unwrap_or_else(|| {
                SharedTree::new(if *no_copy { Tree::new() } else { image.tree.below(&target) })
            });
            if let Some(name) = name {
                check_name(name)?;
                world.volumes.insert(name.clone(), tree.clone());
            }
            let below = parts(subpath.as_deref().unwrap_or_default());
            if tree.lock().at(&below).is_none() {
                let message = format!("there is no `{}` in the volume", below.join("/"));
                return Err(EngineError::new(Fault::NotFound, message));
            }
            Place::Tree(tree, below)
        }
    };
    if !root.exists(&mount.target) {
        match &place {
            Place::Machine(path) if path.is_file() => root.write(&mount.target, b"", false)?,
            _ => root.make_directories(&mount.target)?,
        }
    }
    Ok(Mounted { target, place, read_only: mount.read_only })
}

fn bound(bind: &Bind) -> Result<Place, EngineError> {
    let path = &bind.source;
    if !path.is_absolute() {
        return Err(invalid(format!("`{}` is not an absolute path", path.display())));
    }
    if !path.exists() {
        if !bind.create {
            return Err(invalid(format!("there is no `{}` to mount on this machine", path.display())));
        }
        std::fs::create_dir_all(path).map_err(|source| {
            EngineError::new(Fault::Environment, format!("failed to make `{}`", path.display()))
                .because(source)
        })?;
    }
    Ok(Place::Machine(path.clone()))
}

fn memory(tmpfs: &Tmpfs) -> Tree {
    let mut tree = Tree::new();
    tree.put(&[], Node::directory(Attributes::of(tmpfs.mode.unwrap_or(0o1777))));
    tree
}
