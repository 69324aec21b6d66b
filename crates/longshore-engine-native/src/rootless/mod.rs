//! Starting containers as an ordinary user.
//!
//! The monitor puts itself into a user namespace in which the user is root, and works from there as it does for root.
//! With subordinate ids (`/etc/subuid`, `newuidmap`), containers have as many users as there are ids; without, only the
//! one who starts them exists inside, as root. Files of subordinate ids can be made and removed in such a namespace only,
//! which is what [`worker`] is for. See `docs/design/rootless.md`.
//!
//! Source: `user_namespaces(7)`.

mod mapper;
mod refusal;
mod subordinate;
mod worker;

use std::fs;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};

use longshore_engine::{EngineError, Fault, NamespaceMode, NetworkMode};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use self::mapper::Mapper;
use self::refusal::refused;
use self::subordinate::SubordinateIds;
pub(crate) use self::worker::{REMOVE, UNPACK, Worker, remove_main, unpack_main};
use crate::home::{Home, io_error};
use crate::launch::Privilege;
use crate::record::RecordDto;

/// The ids of the whole machine, as the first line of `/proc/self/uid_map` has them.
const ALL: u64 = u32::MAX as u64;

/// Where this process stands among user namespaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// Root of the machine.
    Root,
    /// Root of a user namespace that others made, with so many ids.
    Inside(u64),
    /// An ordinary user.
    User,
}

impl Standing {
    fn now() -> Self {
        if !rustix::process::geteuid().is_root() {
            return Self::User;
        }
        match ids(&fs::read_to_string("/proc/self/uid_map").unwrap_or_default()) {
            // What cannot be read is no reason to take root for somebody else.
            0 | ALL => Self::Root,
            count => Self::Inside(count),
        }
    }
}

/// How many ids a map has, see `user_namespaces(7)`.
fn ids(map: &str) -> u64 {
    map.lines().filter_map(|line| line.split_whitespace().nth(2)?.parse::<u64>().ok()).sum()
}

fn of_count(count: u64) -> Privilege {
    if count > 1 { Privilege::Subordinate } else { Privilege::SingleUser }
}

/// Who this process starts containers as.
pub(crate) fn privilege() -> Privilege {
    match Standing::now() {
        Standing::Root => Privilege::Root,
        Standing::Inside(count) => of_count(count),
        Standing::User if SubordinateIds::of_this_user().is_ok() => Privilege::Subordinate,
        Standing::User => Privilege::SingleUser,
    }
}

/// Which users containers have that this process starts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContainerUsers {
    /// All: this is root.
    All,
    /// So many, by subordinate ids.
    Some(u64),
    /// Root alone, and why.
    Root(String),
}

/// Which users containers have that this process starts.
pub fn container_users() -> ContainerUsers {
    match (Standing::now(), SubordinateIds::of_this_user()) {
        (Standing::Root, _) => ContainerUsers::All,
        (Standing::Inside(1), _) => {
            ContainerUsers::Root("the user namespace that this process is in has one id".to_owned())
        }
        (Standing::Inside(count), _) => ContainerUsers::Some(count),
        (Standing::User, Ok(ids)) => ContainerUsers::Some(ids.count()),
        (Standing::User, Err(absence)) => ContainerUsers::Root(absence.to_string()),
    }
}

/// The name of the user that this process has.
pub fn user_name() -> Option<String> {
    let passwd = fs::read_to_string("/etc/passwd").ok()?;
    subordinate::user_name(&passwd, rustix::process::geteuid().as_raw())
}

/// Whether files of other ids can be made and removed by another process only, in a namespace where they are mapped.
fn needs_worker() -> bool {
    Standing::now() == Standing::User && privilege() == Privilege::Subordinate
}

/// Makes this process, which must have one thread, root of a user namespace if it is not root of the machine, so that the
/// files of its subordinate ids are its own. It is for programs that unpack and remove images. Nothing changes where there
/// are no subordinate ids: the user's own files are all there are.
///
/// # Errors
///
/// If the kernel does not allow it.
pub fn enter_user_namespace() -> Result<(), EngineError> {
    if needs_worker() { enter().map(|_| ()) } else { Ok(()) }
}

/// Makes the monitor of a container root of a user namespace if it is not root of the machine.
pub(crate) fn enter_for(home: &Home, record: &RecordDto) -> Result<Privilege, EngineError> {
    let others = others(record);
    if others.is_empty() || privilege() == Privilege::Root {
        return enter();
    }
    join(home, &others)
}

/// Makes the process root of a user namespace if it is not root of the machine.
pub(crate) fn enter() -> Result<Privilege, EngineError> {
    match Standing::now() {
        Standing::Root => return Ok(Privilege::Root),
        Standing::Inside(count) => {
            longshore_sys::unshare_mounts().map_err(|errno| refused("make a mount namespace", errno))?;
            return Ok(of_count(count));
        }
        Standing::User => {}
    }
    // Whoever maps the ids has to be there before: afterwards, this process is nobody out there.
    let mapper = SubordinateIds::of_this_user().ok().map(|ids| Mapper::start(&ids)).transpose()?;
    let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    longshore_sys::unshare_user_and_mounts().map_err(|errno| refused("make a user namespace", errno))?;
    if let Some(mapper) = mapper {
        mapper.finish()?;
        return Ok(Privilege::Subordinate);
    }
    for (file, text) in [
        ("setgroups", "deny".to_owned()),
        ("uid_map", format!("0 {uid} 1")),
        ("gid_map", format!("0 {gid} 1")),
    ] {
        fs::write(format!("/proc/self/{file}"), text)
            .map_err(|error| refused(&format!("write /proc/self/{file} of a user namespace"), error))?;
    }
    Ok(Privilege::SingleUser)
}

/// The containers whose namespaces a container shares.
fn others(record: &RecordDto) -> Vec<String> {
    let security = &record.spec.security;
    let network = match &record.spec.network {
        NetworkMode::Container(other) => Some(other.clone()),
        _ => None,
    };
    let modes = [&security.pid, &security.ipc, &security.uts, &security.cgroup];
    let named = modes.into_iter().filter_map(|mode| match mode {
        NamespaceMode::Container(other) => Some(other.clone()),
        NamespaceMode::Private | NamespaceMode::Host => None,
    });
    network.into_iter().chain(named).collect()
}

/// Joins the user namespace of containers: only there may their other namespaces be joined.
fn join(home: &Home, others: &[String]) -> Result<Privilege, EngineError> {
    // Once one is joined, nobody else can be looked at.
    let mut found: Option<(PathBuf, fs::File)> = None;
    for other in others {
        let pid = crate::directory::process_of(home, other)?;
        let path = format!("/proc/{pid}/ns/user");
        let failed = |error| io_error("look at the namespace", Path::new(&path), error);
        let identity = fs::read_link(&path).map_err(failed)?;
        if found.as_ref().is_some_and(|(before, _)| *before != identity) {
            let message = "an ordinary user's container cannot share namespaces of several containers";
            return Err(EngineError::new(Fault::Unsupported, message)
                .help("let the others share the namespaces of one as well, or run as root"));
        }
        found = Some((identity, fs::File::open(&path).map_err(failed)?));
    }
    if let Some((_, namespace)) = found {
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::User))
            .map_err(|errno| refused("enter the user namespace of another container", errno))?;
    }
    longshore_sys::unshare_mounts().map_err(|errno| refused("make a mount namespace", errno))?;
    Ok(of_count(ids(&fs::read_to_string("/proc/self/uid_map").unwrap_or_default())))
}

#[cfg(test)]
mod tests {
    use super::ids;

    #[test]
    fn ids_are_counted() {
        for (map, count) in [
            ("         0          0 4294967295\n", super::ALL),
            ("0 1000 1\n", 1),
            ("0 1000 1\n1 100000 65536\n", 65537),
            ("", 0),
            ("what is this\n", 0),
        ] {
            assert_eq!(ids(map), count, "{map:?}");
        }
    }
}
