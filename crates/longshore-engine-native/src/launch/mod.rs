//! Starting the process of a container.
//!
//! Everything is prepared first: mounts that are attached nowhere, texts, filters, in a [`Program`] that the new process
//! carries out. While it mounts its file systems, its network is made from outside; they meet before the program of the
//! user begins. So the work is done on two processors where there are two, and nothing is made on the machine that
//! outlives the process.

pub(crate) mod device;
pub(crate) mod environment;
pub(crate) mod failure;
pub(crate) mod filesystem;
pub(crate) mod identity;
mod launched;
pub(crate) mod mounts;
pub(crate) mod path;
pub(crate) mod streams;
pub(crate) mod users;

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use longshore_cgroup::{Cgroup, Entry};
use longshore_engine::{
    ContainerSpec, EngineError, Fault, ImageSource, Mount, NamespaceMode, NetworkMode, UserNamespaceMode,
};
use longshore_sys::{Links, Namespaces, Op, Program, spawn};

pub(crate) use self::failure::Failure;
use self::filesystem::Surroundings;
use self::identity::{Command, Identity};
pub(crate) use self::launched::{Launched, Running};
use self::path::c_path;
use self::streams::push_streams;
pub(crate) use self::streams::{Streams, make_streams, receive_terminal};
use self::users::UserMap;
use crate::home::Home;
use crate::record::{ContainerDirectory, RecordDto};
use crate::rootfs::copy::Keeping;
use crate::rootfs::{Root, RootSource};
use crate::volume::Volumes;

/// Where programs are searched for if nothing else is said.
pub(crate) const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Who starts containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Privilege {
    /// Root of the machine.
    Root,
    /// An ordinary user, who is the only one inside.
    SingleUser,
    /// An ordinary user with subordinate ids.
    Subordinate,
}

/// What a process is started with.
pub(crate) struct Launch<'a> {
    pub(crate) home: &'a Home,
    pub(crate) directory: &'a ContainerDirectory,
    pub(crate) record: &'a RecordDto,
    pub(crate) privilege: Privilege,
    pub(crate) cgroup: Option<&'a Cgroup>,
    /// The container never ran. An ordinary user's volumes are filled now, in the user namespace; root's were before.
    pub(crate) first: bool,
    /// Finds or makes the directory of a volume.
    pub(crate) volume: &'a dyn Fn(&Mount) -> Result<PathBuf, EngineError>,
    /// Finds the process of another container.
    pub(crate) find: &'a dyn Fn(&str) -> Result<i32, EngineError>,
}

/// Everything that a new process needs, before it exists.
struct Prepared {
    mapping: Option<users::Mapping>,
    program: Program,
    namespaces: Namespaces,
    users: Option<UserMap>,
    own_network: bool,
    streams: Streams,
    terminal: Option<OwnedFd>,
    first_word: String,
    working_directory: String,
    warnings: Vec<String>,
    spent: Vec<OwnedFd>,
}

impl Launch<'_> {
    /// Starts the process. It waits until [`Launched::finish`].
    pub(crate) fn start(&self) -> Result<Launched, EngineError> {
        let prepared = self.prepare()?;
        let group = self
            .cgroup
            .map(Cgroup::directory)
            .transpose()
            .map_err(|error| cgroup_error("open", error))?
            .flatten();
        let group = group.as_ref().map(AsFd::as_fd);
        let child = spawn(&prepared.program, prepared.namespaces, group).map_err(|errno| {
            EngineError::new(Fault::Environment, "failed to start a process in new namespaces")
                .because(errno)
                .help("`longshore doctor` tells what this machine allows")
        })?;
        if let Some(users) = prepared.users {
            users.apply(&child)?;
            // If it has ended, what it reports tells more.
            let _ = child.go();
        }
        let launched = Launched {
            mapping: prepared.mapping,
            child,
            streams: prepared.streams,
            own_users: prepared.users.is_some(),
            own_network: prepared.own_network,
            warnings: prepared.warnings,
            terminal: prepared.terminal,
            spent: prepared.spent,
            program: prepared.program,
            first_word: prepared.first_word,
            working_directory: prepared.working_directory,
        };
        match self.spec().security.pid {
            NamespaceMode::Container(_) => launched.become_second_half(),
            _ => Ok(launched),
        }
    }

    fn spec(&self) -> &ContainerSpec {
        &self.record.spec
    }

    /// Prepares with user ids of the container's own if that is wanted and possible, else with the machine's.
    fn prepare(&self) -> Result<Prepared, EngineError> {
        if !wants_own_users(self.spec(), self.privilege) {
            return self.prepare_with(None);
        }
        match self.prepare_with(Some(UserMap::of(&self.record.id))) {
            Err(error)
                if error.fault == Fault::Unsupported
                    && self.spec().security.user_namespace == UserNamespaceMode::Default =>
            {
                self.prepare_with(None)
            }
            result => result,
        }
    }

    fn prepare_with(&self, users: Option<UserMap>) -> Result<Prepared, EngineError> {
        let spec = self.spec();
        let user_namespace = users.map(UserMap::namespace).transpose()?;
        let mapping = user_namespace.as_ref().map(users::Mapping::namespace);
        let source = self.root_source(users, mapping);
        let mut root = source.mount()?;
        let accounts = root.accounts();
        let user = accounts.find(spec.user.as_deref().unwrap_or_default(), &spec.security.groups)?;
        let environment = environment::of_container(self.record, &user);

        let mut program = Program::new();
        program.push(Op::DieWithParent(libc_sigkill()));
        if users.is_some() {
            program.push(Op::Await);
            program.push(Op::BecomeRoot);
            program.push(Op::DieWithParent(libc_sigkill()));
        }
        let shared = self.push_namespaces(&mut program)?;
        let (warnings, spent) = (std::mem::take(&mut root.warnings), std::mem::take(&mut root.spent));
        self.push_files(&mut program, root, (users, mapping))?;
        if shared.namespaces.contains(Namespaces::UTS) {
            self.push_names(&mut program);
        }
        let (streams, terminal) = push_streams(&mut program, spec)?;
        program.push(Op::Await);
        let working_directory = spec.working_directory.clone().unwrap_or_else(|| "/".to_owned());
        let command = Command {
            words: &words(spec)?,
            environment: &environment,
            working_directory: &working_directory,
        };
        if spec.init || spec.hold {
            program.push(self.visibility());
        }
        if spec.init && !spec.hold {
            program.push(Op::Supervise);
        }
        let identity = Identity {
            security: &spec.security,
            ulimits: &spec.resources.ulimits,
            user: &user,
            single_user: self.privilege == Privilege::SingleUser,
            privileged: spec.security.privileged,
            available: identity::available_capabilities(),
        };
        identity.push(&mut program, &command)?;
        if spec.hold {
            // Taking on the identity has changed it.
            program.push(self.visibility());
            program.push(Op::Hold);
        }
        let own_network = shared.namespaces.contains(Namespaces::NETWORK);
        let own_users = if users.is_some() { Namespaces::USER } else { Namespaces::NONE };
        Ok(Prepared {
            mapping: user_namespace,
            program,
            namespaces: shared.namespaces.and(own_users),
            users,
            own_network,
            streams,
            terminal,
            first_word: command.words.first().cloned().unwrap_or_default(),
            working_directory,
            warnings,
            spent,
        })
    }

    /// Whether processes of the container may look into one that becomes no other program, and so still is this program.
    /// An ordinary user has no other way to enter the container; the file of the program is as safe then as a file of the
    /// user that is being executed.
    fn visibility(&self) -> Op {
        if self.privilege == Privilege::Root { Op::Undumpable } else { Op::Dumpable }
    }

    fn root_source<'a>(&'a self, users: Option<UserMap>, mapping: Option<BorrowedFd<'a>>) -> RootSource<'a> {
        RootSource {
            home: self.home,
            directory: self.directory,
            record: self.record,
            privilege: self.privilege,
            disposable: self.spec().auto_remove || self.spec().disposable,
            users,
            mapping,
        }
    }

    /// Operations that enter the namespaces of others, and the namespaces that are to be new.
    fn push_namespaces(&self, program: &mut Program) -> Result<Shared, EngineError> {
        let spec = self.spec();
        let mut namespaces = Namespaces::MOUNT;
        if let NetworkMode::Container(other) = &spec.network {
            self.push_entry(program, other, ("net", Namespaces::NETWORK))?;
        } else if spec.network != NetworkMode::Host {
            namespaces = namespaces.and(Namespaces::NETWORK);
        }
        let modes = [
            (&spec.security.ipc, "ipc", Namespaces::IPC),
            (&spec.security.uts, "uts", Namespaces::UTS),
            (&spec.security.pid, "pid", Namespaces::PID),
        ];
        for (mode, file, kind) in modes {
            match mode {
                NamespaceMode::Private => {
                    // With the machine's network goes the machine's name, as in Docker.
                    let name_of_machine = kind == Namespaces::UTS
                        && spec.network == NetworkMode::Host
                        && spec.hostname.is_none();
                    if !name_of_machine {
                        namespaces = namespaces.and(kind);
                    }
                }
                NamespaceMode::Host => {}
                NamespaceMode::Container(other) => self.push_entry(program, other, (file, kind))?,
            }
        }
        // A new namespace begins at the group that the process is in, so it joins first.
        push_joins(program, self.cgroup, Entry::Born)?;
        if spec.security.cgroup == NamespaceMode::Private {
            program.push(Op::Unshare(Namespaces::CGROUP));
        }
        if namespaces.contains(Namespaces::NETWORK) && crate::network::is_alone(self.record) {
            program.push(Op::RaiseLoopback);
        }
        if matches!(spec.security.pid, NamespaceMode::Container(_)) {
            program.push(Op::Split);
            program.push(Op::DieWithParent(libc_sigkill()));
        }
        Ok(Shared { namespaces })
    }

    fn push_entry(
        &self,
        program: &mut Program,
        other: &str,
        (file, kind): (&str, Namespaces),
    ) -> Result<(), EngineError> {
        let pid = (self.find)(other)?;
        let path = PathBuf::from(format!("/proc/{pid}/ns/{file}"));
        let namespace =
            File::open(&path).map_err(|error| crate::home::io_error("open the namespace", &path, error))?;
        program.push(Op::Enter(Arc::new(namespace.into()), kind));
        Ok(())
    }

    /// Operations that make the file system.
    fn push_files(
        &self,
        program: &mut Program,
        root: Root,
        (users, mapping): (Option<UserMap>, Option<BorrowedFd<'_>>),
    ) -> Result<(), EngineError> {
        let spec = self.spec();
        let surroundings = Surroundings {
            spec,
            own_network: !matches!(spec.network, NetworkMode::Host | NetworkMode::Container(_)),
            machines_processes: spec.security.pid == NamespaceMode::Host,
            machines_ipc: spec.security.ipc == NamespaceMode::Host,
            rootless: self.privilege != Privilege::Root,
            single_user: self.privilege == Privilege::SingleUser,
        };
        program.push(Op::IsolateMounts);
        program.push(Op::ChangeRoot(root.mount));
        for (mount, place) in root.parts {
            program.push(Op::Attach { mount, target: c_path(&place)?, links: Links::Refuse });
        }
        surroundings.push_system(program)?;
        program.push(Op::DropOldRoot);
        self.push_devices(program, users)?;
        surroundings.push_below_dev(program)?;
        if let Some(group) = self.cgroup {
            let directories = group.view();
            filesystem::push_cgroups(program, &directories, !spec.security.privileged)?;
        }
        if spec.image == ImageSource::Host {
            self.push_host_privacy(program)?;
        }
        let files = self.network_files();
        let files: Vec<(&str, &Path)> =
            files.iter().map(|(target, source)| (*target, source.as_path())).collect();
        surroundings.push_network_files(program, &files, mapping)?;
        if self.first && self.privilege != Privilege::Root {
            let keeping = Keeping::of(self.privilege, spec.image == ImageSource::Host);
            let lower = || self.root_source(users, mapping).lower();
            Volumes::open(self.home).fill(&spec.mounts, &lower, (self.privilege, keeping))?;
        }
        let placed = mounts::place(&spec.mounts, self.volume)?;
        if mounts::push(program, &placed, mapping)?.is_err() {
            return Err(EngineError::new(
                Fault::Unsupported,
                "the file system of a mounted directory cannot show its files with other user ids",
            )
            .help("`--userns host` does without user ids of the container's own"));
        }
        if let Some(directory) = &spec.working_directory {
            program.push(Op::MakeDirectories(path::prefixes(directory)?, 0o755));
        }
        surroundings.push_protection(program)
    }

    fn push_devices(&self, program: &mut Program, users: Option<UserMap>) -> Result<(), EngineError> {
        let spec = self.spec();
        let device::Nodes { nodes, elsewhere } = device::nodes(&spec.resources.devices)?;
        if self.privilege == Privilege::Root {
            let mut made: Vec<device::Node> = nodes.into_iter().map(|(node, _)| node).collect();
            if spec.security.privileged {
                made.extend(device::all());
            }
            let mount = device::made_by_root(users.map_or(0, |users| users.base), spec.tty, &made)?;
            let target = c"/dev".into();
            program.push(Op::Attach { mount, target, links: Links::Refuse });
        } else {
            device::without_root(program, spec.tty)?;
            for wanted in &spec.resources.devices {
                device::attach_node(program, &wanted.source, &wanted.target)?;
            }
        }
        for wanted in elsewhere {
            device::attach_node(program, &wanted.source, &wanted.target)?;
        }
        Ok(())
    }

    /// What of the machine a container of the image `host` does not see: people's homes, temporary files, sockets of
    /// services, and the engine's own state. More is hidden by `rootfs::private`.
    fn push_host_privacy(&self, program: &mut Program) -> Result<(), EngineError> {
        let engine = self.home.root().parent().unwrap_or(self.home.root()).to_string_lossy().into_owned();
        let places = [
            ("/tmp", "1777"),
            ("/var/tmp", "1777"),
            ("/run", "755"),
            ("/root", "700"),
            ("/home", "755"),
            ("/mnt", "755"),
            ("/media", "755"),
            (engine.as_str(), "000"),
        ];
        for (target, mode) in places {
            let is_hidden = places.iter().any(|(other, _)| {
                *other != target && Path::new(target).starts_with(other) && Path::new(other).is_dir()
            });
            if is_hidden || !Path::new(target).is_dir() {
                continue;
            }
            let options = vec![(c"mode".into(), Some(path::c_text(mode)?))];
            program.push(Op::MakeDirectories(path::prefixes(target)?, 0o755));
            program.push(Op::Mount(longshore_sys::NewMount {
                kind: c"tmpfs".into(),
                options,
                attributes: longshore_sys::MountAttributes::NO_SUID,
                target: path::c_text(target)?,
                links: Links::Follow,
                required: true,
            }));
        }
        Ok(())
    }

    /// Files of names and addresses; there are none without a network of one's own or the machine's.
    fn network_files(&self) -> Vec<(&'static str, PathBuf)> {
        let named =
            [("/etc/resolv.conf", "resolv.conf"), ("/etc/hostname", "hostname"), ("/etc/hosts", "hosts")];
        named
            .into_iter()
            .map(|(target, file)| (target, self.directory.file(file)))
            .filter(|(_, path)| path.exists())
            .collect()
    }

    fn push_names(&self, program: &mut Program) {
        let name = self.record.spec.hostname.clone().unwrap_or_else(|| self.record.id.short().to_owned());
        program.push(Op::HostName(name.into_bytes()));
        if let Some(domain) = &self.record.spec.domainname {
            program.push(Op::DomainName(domain.clone().into_bytes()));
        }
    }
}

/// Whether a container is to have user ids of its own, if the kernel can show all of its mounts with them.
pub(crate) fn wants_own_users(spec: &ContainerSpec, privilege: Privilege) -> bool {
    match spec.security.user_namespace {
        UserNamespaceMode::Host => false,
        UserNamespaceMode::Private => privilege == Privilege::Root,
        UserNamespaceMode::Default => privilege == Privilege::Root && !shares_what_users_own(spec),
    }
}

/// Whether a container shares namespaces that belong to other users than its own would be.
fn shares_what_users_own(spec: &ContainerSpec) -> bool {
    let shared = |mode: &NamespaceMode| *mode != NamespaceMode::Private;
    spec.security.privileged
        || matches!(spec.network, NetworkMode::Host | NetworkMode::Container(_))
        || shared(&spec.security.pid)
        || shared(&spec.security.ipc)
        || shared(&spec.security.uts)
        || matches!(spec.image, ImageSource::Directory(_))
}

/// The namespaces that are to be new.
struct Shared {
    namespaces: Namespaces,
}

/// The signal that ends a process whatever it does.
fn libc_sigkill() -> i32 {
    rustix::process::Signal::KILL.as_raw()
}

/// Operations that join a container's groups.
pub(crate) fn push_joins(
    program: &mut Program,
    group: Option<&Cgroup>,
    entry: Entry,
) -> Result<(), EngineError> {
    let Some(group) = group else { return Ok(()) };
    let files = group.join_files(entry).map_err(|error| cgroup_error("join", error))?;
    files.into_iter().for_each(|file| program.push(Op::JoinGroup(file)));
    Ok(())
}

pub(crate) fn cgroup_error(attempt: &str, error: longshore_cgroup::CgroupError) -> EngineError {
    EngineError::new(Fault::Environment, format!("failed to {attempt} the container's control groups"))
        .because(error)
}

/// The program and its arguments; none to hold.
fn words(spec: &ContainerSpec) -> Result<Vec<String>, EngineError> {
    if spec.hold {
        return Ok(Vec::new());
    }
    let words: Vec<String> = spec.entrypoint.iter().flatten().chain(&spec.command).cloned().collect();
    if words.is_empty() {
        return Err(EngineError::new(Fault::Invalid, "no command specified")
            .help("give a command after the image: the image names none"));
    }
    Ok(words)
}
