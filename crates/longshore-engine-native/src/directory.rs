//! Containers as directories: finding, naming, removing.

use std::fs;
use std::io;
use std::path::Path;
use std::str::FromStr as _;

use longshore_engine::{ContainerId, EngineError, Fault};

use crate::home::{Home, io_error};
use crate::record::{ContainerDirectory, RecordDto};
use crate::removal;
use crate::rootless::Worker;
use crate::volume::is_name;

/// The ids of all containers.
pub(crate) fn all(home: &Home) -> Result<Vec<ContainerId>, EngineError> {
    let path = home.containers();
    let entries = fs::read_dir(&path).map_err(|error| io_error("list", &path, error))?;
    // What is being made has a name that is no id.
    Ok(entries
        .flatten()
        .filter_map(|entry| ContainerId::from_str(entry.file_name().to_str()?).ok())
        .collect())
}

/// The container that a text means: a name, an id, or the beginning of one id.
pub(crate) fn find(home: &Home, text: &str) -> Result<ContainerId, EngineError> {
    let text = text.strip_prefix('/').unwrap_or(text);
    if let Some(id) = named(home, text)? {
        return Ok(id);
    }
    let missing = || EngineError::new(Fault::NotFound, format!("no such container: {text}"));
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(missing());
    }
    let mut found = all(home)?.into_iter().filter(|id| id.as_str().starts_with(text));
    match (found.next(), found.next()) {
        (Some(id), None) => Ok(id),
        (Some(_), Some(_)) => {
            let message = format!("multiple containers begin with `{text}`");
            Err(EngineError::new(Fault::Conflict, message).help("give more digits of the id, or a name"))
        }
        (None, _) => Err(missing()),
    }
}

/// The container of a name.
fn named(home: &Home, name: &str) -> Result<Option<ContainerId>, EngineError> {
    if !is_name(name) {
        return Ok(None);
    }
    let path = home.names().join(name);
    match fs::read_to_string(&path) {
        Ok(id) => Ok(ContainerId::from_str(&id).ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_error("read", &path, error)),
    }
}

/// Takes a name for a container. A name whose container never came to be, or is gone, is free.
pub(crate) fn claim(home: &Home, name: &str, id: &ContainerId) -> Result<(), EngineError> {
    if !is_name(name) {
        let message = format!("invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed");
        return Err(EngineError::new(Fault::Invalid, message));
    }
    let path = home.names().join(name);
    let failed = |error| io_error("take the name", &path, error);
    // Two who find the same name abandoned must not both take it.
    let lock = fs::File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(home.names().join(".lock"))
        .map_err(failed)?;
    lock.lock().map_err(failed)?;
    // Written elsewhere and linked, so that a name is never seen without its id.
    let new = home.names().join(format!(".{}", id.as_str()));
    fs::write(&new, id.as_str()).map_err(failed)?;
    let claimed = loop {
        match fs::hard_link(&new, &path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match holder(home, name)? {
                Some(holder) => {
                    let message =
                        format!("the container name \"/{name}\" is already in use by container \"{holder}\"");
                    break Err(EngineError::new(Fault::Conflict, message).help(format!(
                        "remove or rename that container (`longshore container rm {name}`), or choose another name"
                    )));
                }
                None => {
                    let _ = fs::remove_file(&path);
                }
            },
            result => break result.map_err(failed),
        }
    };
    let _ = fs::remove_file(&new);
    claimed
}

/// The container that has a name, if it exists or is being made.
fn holder(home: &Home, name: &str) -> Result<Option<ContainerId>, EngineError> {
    let Some(id) = named(home, name)? else { return Ok(None) };
    // In this order: a container that is completed between the two looks is seen by the second.
    let exists = crate::create::is_being_made(home, &id) || home.container(&id).exists();
    Ok(exists.then_some(id))
}

/// Gives a name back, if it is this container's.
pub(crate) fn release(home: &Home, name: &str, id: &ContainerId) {
    if named(home, name).ok().flatten().as_ref() == Some(id) {
        let _ = fs::remove_file(home.names().join(name));
    }
}

/// Takes a container out of the world: its name is free and it is not found any more. What is left of it lies in the
/// trash.
pub(crate) fn discard(home: &Home, record: &RecordDto) -> Result<(), EngineError> {
    let directory = ContainerDirectory::new(home, &record.id);
    let name = directory.name().ok();
    match throw_away(home, directory.path()) {
        // Somebody else has just removed it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        result => {
            result.map_err(|error| io_error("remove the container", directory.path(), error))?;
        }
    }
    if let Some(name) = name {
        release(home, &name, &record.id);
    }
    for volume in &record.anonymous_volumes {
        let _ = throw_away(home, &home.volumes().join(volume));
    }
    crate::images::forget(home, &record.id);
    Ok(())
}

/// Moves something to the trash.
pub(crate) fn throw_away(home: &Home, path: &Path) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default();
    let mut target = home.trash().join(name);
    let mut number = 0;
    while target.exists() {
        number += 1;
        target = home.trash().join(format!("{}.{number}", name.display()));
    }
    fs::rename(path, target)
}

/// Deletes what is in the trash. What cannot be deleted now is left for the next time.
pub(crate) fn empty_trash(home: &Home, worker: &Worker) {
    for entry in fs::read_dir(home.trash()).into_iter().flatten().flatten() {
        if removal::remove(&entry.path()).is_err() {
            let _ = worker.remove(&entry.path());
        }
    }
}

/// The process of a container that runs.
pub(crate) fn process_of(home: &Home, text: &str) -> Result<i32, EngineError> {
    let id = find(home, text)?;
    let state = ContainerDirectory::new(home, &id).state()?;
    match state.process {
        Some(process) if state.state.is_alive() && process.is_alive() => Ok(process.pid),
        _ => Err(EngineError::new(
            Fault::Conflict,
            format!("cannot join the namespaces of a container that does not run: {text}"),
        )),
    }
}
