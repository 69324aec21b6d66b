//! The worker: enters the container's user namespace, and copies.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr as _;
use std::time::{Duration, Instant};

use longshore_engine::{ContainerId, EngineError, Fault, ImageSource, MountKind};
use longshore_layer::{ApplyOptions, Devices, Ownership, Whiteouts, apply};
use rustix::fs::{AtFlags, Mode, OFlags, statat};
use rustix::io::Errno;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::{PathStatusDto, tree};
use crate::control::FailureDto;
use crate::home::{Home, io_error};
use crate::inside::open_inside;
use crate::launch::path::clean;
use crate::launch::users::{Mapping, UserMap};
use crate::launch::{Privilege, wants_own_users};
use crate::process::ProcessDto;
use crate::record::{ContainerDirectory, LiveLock, RecordDto, StateDto};
use crate::rootfs::copy::Keeping;
use crate::rootfs::{RootSource, detached};
use crate::volume::Volumes;

/// The main function of a worker: `__copy HOME ID VERB PATH`. An error is JSON on standard error.
pub(crate) fn main(arguments: &[String]) -> ExitCode {
    let [home, id, verb, path] = arguments else { return ExitCode::FAILURE };
    match work(Path::new(home), id, verb, path) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let bytes = serde_json::to_vec(&FailureDto::from(&error)).unwrap_or_default();
            let _ = io::stderr().write_all(&bytes);
            ExitCode::FAILURE
        }
    }
}

fn work(home: &Path, id: &str, verb: &str, path: &str) -> Result<(), EngineError> {
    let id = ContainerId::from_str(id).map_err(|message| EngineError::new(Fault::Bug, message))?;
    let home = Home::open(home)?;
    let container = Container::open(&home, &id, path)?;
    match verb {
        "in" => put(&container, path),
        "stat" | "stat-follow" => tell(&container, path, verb == "stat-follow"),
        _ => {
            let what = (container.path.as_str(), label(path));
            tree::pack(container.root.as_fd(), what, verb == "out-follow", io::stdout().lock())
                .map_err(|error| explain(path, error))
        }
    }
}

/// What a path is called in an archive: by its last part, unless it is the content of a directory that is meant.
fn label(path: &str) -> &str {
    let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    if matches!(name, "" | "..") { "." } else { name }
}

/// How long a container may take to start or to end before it is told that it does.
const SETTLING: Duration = Duration::from_secs(10);

/// How often it is looked whether it has.
const LOOK: Duration = Duration::from_millis(1);

/// A container's files, reached from within its user namespace.
struct Container {
    root: OwnedFd,
    /// The path below this root: that of a container that does not run may lie in something that is mounted, or be that.
    path: String,
    single_user: bool,
    /// Nobody starts the container while its files are open.
    _lock: Option<LiveLock>,
}

impl Container {
    fn open(home: &Home, id: &ContainerId, path: &str) -> Result<Self, EngineError> {
        let directory = ContainerDirectory::new(home, id);
        let until = Instant::now() + SETTLING;
        loop {
            let state = directory.state()?;
            let alive = |process: &ProcessDto| state.state.is_alive() && process.is_alive();
            if let Some(process) = state.process.filter(alive) {
                return Self::of_process(process.pid, &clean_keeping_slash(path));
            }
            if let Some(lock) = LiveLock::take(home, id)? {
                // What it was may have changed until the lock was had.
                let (record, state) = (directory.record()?, directory.state()?);
                return Self::of_files(home, &directory, (&record, &state), path, lock);
            }
            if Instant::now() >= until {
                let message = "the container is starting or ending, its files cannot be copied now";
                return Err(EngineError::new(Fault::Conflict, message).help("try again"));
            }
            // A monitor that is about to begin or to end says so in files alone.
            std::thread::sleep(LOOK);
        }
    }

    fn of_process(pid: i32, path: &str) -> Result<Self, EngineError> {
        let open = |path: String, flags: OFlags| -> Result<OwnedFd, EngineError> {
            rustix::fs::open(&path, flags | OFlags::CLOEXEC, Mode::empty())
                .map_err(|errno| io_error("open", Path::new(&path), errno.into()))
        };
        let root = open(format!("/proc/{pid}/root"), OFlags::PATH | OFlags::DIRECTORY)?;
        let users = open(format!("/proc/{pid}/ns/user"), OFlags::RDONLY)?;
        enter(users.as_fd())?;
        let single_user = crate::rootless::privilege() == Privilege::SingleUser;
        Ok(Self { root, path: path.to_owned(), single_user, _lock: None })
    }

    fn of_files(
        home: &Home,
        directory: &ContainerDirectory,
        (record, state): (&RecordDto, &StateDto),
        path: &str,
        lock: LiveLock,
    ) -> Result<Self, EngineError> {
        let privilege = crate::rootless::enter()?;
        // One that never ran will have the ids that it is to have.
        let own = match state.started {
            Some(_) => state.own_users && privilege == Privilege::Root,
            None => wants_own_users(&record.spec, privilege),
        };
        let users = own.then(|| UserMap::of(&record.id));
        let mapping = users.map(UserMap::namespace).transpose()?;
        let source = RootSource {
            home,
            directory,
            record,
            privilege,
            disposable: false,
            users,
            mapping: mapping.as_ref().map(Mapping::namespace),
        };
        // An ordinary user's volumes are filled by whoever uses them first.
        if state.started.is_none() && privilege != Privilege::Root {
            let keeping = Keeping::of(privilege, record.spec.image == ImageSource::Host);
            Volumes::open(home).fill(&record.spec.mounts, &|| source.lower(), (privilege, keeping))?;
        }
        let (root, path) = Self::find(&source, path)?;
        if let Some(mapping) = &mapping {
            enter(mapping.namespace())?;
        }
        Ok(Self { root, path, single_user: privilege == Privilege::SingleUser, _lock: Some(lock) })
    }

    /// The file system that a path is in: the container's own, or something that is mounted in it.
    fn find(source: &RootSource<'_>, path: &str) -> Result<(OwnedFd, String), EngineError> {
        let path = clean_keeping_slash(path);
        if let Some((place, rest)) = mounted_at(source, &path)? {
            // In a user namespace, a directory is seen with all that is mounted on it or not at all.
            let mapped = |tree: OwnedFd| -> Result<OwnedFd, Errno> {
                if let Some(mapping) = source.mapping {
                    longshore_sys::idmap(tree.as_fd(), mapping, false)?;
                }
                Ok(tree)
            };
            let tree = detached(&place, source.privilege != Privilege::Root)
                .and_then(mapped)
                .map_err(|errno| io_error("open", &place, errno.into()))?;
            return Ok((tree, rest));
        }
        if let ImageSource::Directory(directory) = &source.record.spec.image {
            let tree =
                detached(directory, true).map_err(|errno| io_error("open", directory, errno.into()))?;
            return Ok((tree, path));
        }
        Ok(source.mount()?.part_of(&path))
    }
}

/// The directory of the machine, and the path below it, that a path of a container means, if something is mounted there.
fn mounted_at(source: &RootSource<'_>, path: &str) -> Result<Option<(PathBuf, String)>, EngineError> {
    let mounts = source.record.spec.mounts.iter().filter_map(|mount| {
        let target = clean(&mount.target);
        let rest = path.strip_prefix(&target)?;
        (rest.is_empty() || rest.starts_with('/')).then(|| (target.len(), mount, rest.to_owned()))
    });
    let Some((_, mount, rest)) = mounts.max_by_key(|(length, ..)| *length) else { return Ok(None) };
    let place = match &mount.kind {
        MountKind::Bind(bind) => bind.source.clone(),
        MountKind::Volume { .. } => Volumes::open(source.home).source(mount)?,
        MountKind::Tmpfs(_) => return Ok(None),
    };
    Ok(match (place.parent(), place.file_name()) {
        _ if place.is_dir() => Some((place, if rest.is_empty() { "/".to_owned() } else { rest })),
        (Some(above), Some(name)) => Some((above.to_owned(), format!("/{}{rest}", name.to_string_lossy()))),
        _ => None,
    })
}

/// A clean path that keeps the `/.` or `/` at its end, which says that the directory itself is meant.
fn clean_keeping_slash(path: &str) -> String {
    let cleaned = clean(path);
    if (path.ends_with('/') || path.ends_with("/.")) && cleaned != "/" {
        format!("{cleaned}/.")
    } else {
        cleaned
    }
}

/// Enters a user namespace and becomes its root; it is no error to be there.
fn enter(users: BorrowedFd<'_>) -> Result<(), EngineError> {
    let failed = |errno: Errno| {
        EngineError::new(Fault::Unsupported, "failed to enter the container's user namespace").because(errno)
    };
    match move_into_link_name_space(users, Some(LinkNameSpaceType::User)) {
        Ok(()) => {}
        // That is what the kernel answers who is there already.
        Err(Errno::INVAL) => return Ok(()),
        Err(errno) => return Err(failed(errno)),
    }
    let root = (rustix::fs::Uid::ROOT, rustix::fs::Gid::ROOT);
    rustix::thread::set_thread_res_gid(root.1, root.1, root.1).map_err(failed)?;
    rustix::thread::set_thread_res_uid(root.0, root.0, root.0).map_err(failed)
}

fn open_directory(container: &Container) -> Result<OwnedFd, Errno> {
    open_inside(&container.root, &container.path, OFlags::RDONLY | OFlags::DIRECTORY)
}

fn put(container: &Container, path: &str) -> Result<(), EngineError> {
    let directory = open_directory(container).map_err(|errno| explain(path, errno.into()))?;
    let target = format!("/proc/self/fd/{}/.", directory.as_raw_fd());
    let (ownership, devices) = if container.single_user {
        (Ownership::Ignore, Devices::Refuse)
    } else {
        (Ownership::Keep, Devices::Create)
    };
    let options =
        ApplyOptions { whiteouts: Whiteouts::Literal, ownership, devices, ..ApplyOptions::default() };
    // Nothing was read yet, so the buffer of the standard stream holds nothing back.
    let archive =
        rustix::io::fcntl_dupfd_cloexec(io::stdin(), 3).map_err(|errno| explain(path, errno.into()))?;
    apply(File::from(archive), Path::new(&target), &options).map(drop).map_err(|error| {
        EngineError::new(Fault::Invalid, format!("failed to unpack the archive into `{path}`")).because(error)
    })
}

fn tell(container: &Container, path: &str, follow: bool) -> Result<(), EngineError> {
    let no_follow = if follow { OFlags::empty() } else { OFlags::NOFOLLOW };
    let place = open_inside(&container.root, &container.path, OFlags::PATH | no_follow)
        .map_err(|errno| explain(path, errno.into()))?;
    let status = statat(&place, "", AtFlags::EMPTY_PATH).map_err(|errno| explain(path, errno.into()))?;
    let link = rustix::fs::readlinkat(&place, "", Vec::new()).ok();
    let told = PathStatusDto {
        name: clean(path).rsplit('/').next().unwrap_or_default().to_owned(),
        size: u64::try_from(status.st_size).unwrap_or_default(),
        mode: status.st_mode,
        modified: status.st_mtime,
        link: link.map(|link| link.to_string_lossy().into_owned()),
    };
    let bytes = serde_json::to_vec(&told).unwrap_or_default();
    io::stdout().write_all(&bytes).map_err(|error| explain(path, error))
}

fn explain(path: &str, error: io::Error) -> EngineError {
    let missing = matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
    let (fault, message) = if missing {
        (Fault::NotFound, format!("could not find the file {path} in the container"))
    } else {
        (Fault::Environment, format!("failed to copy `{path}`"))
    };
    EngineError::new(fault, message).because(error)
}
