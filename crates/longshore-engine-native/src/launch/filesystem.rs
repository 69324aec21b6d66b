//! What a container finds in its file system besides its image: `/proc`, `/sys`, `/dev` and the files of its network.
//!
//! What is mounted, masked and read-only is what Docker mounts, masks and makes read-only.

use std::ffi::CString;
use std::path::Path;

use longshore_engine::{ContainerSpec, EngineError, MASKED_PATHS, READ_ONLY_PATHS};
use longshore_sys::{Links, MountAttributes, NewMount, Op, Program};

use super::path::{c_path, c_text};
use crate::home::io_error;
use crate::rootfs::detached;

/// Kernel settings of a network namespace that let processes without rights do what they may do in containers; the second
/// text is for containers with a single user.
const NETWORK_SETTINGS: [(&str, &str, &str); 2] = [
    ("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0", "0"),
    // Groups that do not exist inside cannot be named.
    ("/proc/sys/net/ipv4/ping_group_range", "0 65535", "0 0"),
];

/// What decides about the file systems.
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each with its own name")]
pub(crate) struct Surroundings<'a> {
    pub(crate) spec: &'a ContainerSpec,
    /// The container has a network namespace that its user namespace owns.
    pub(crate) own_network: bool,
    /// The container has the process ids of the machine, not its own or another container's.
    pub(crate) machines_processes: bool,
    /// The container has the message queues of the machine.
    pub(crate) machines_ipc: bool,
    /// An ordinary user starts it.
    pub(crate) rootless: bool,
    /// Root is the only user inside.
    pub(crate) single_user: bool,
}

const NO_SUID_EXEC: MountAttributes = MountAttributes::NO_SUID.and(MountAttributes::NO_EXECUTE);
const NO_SUID_EXEC_DEVICES: MountAttributes = NO_SUID_EXEC.and(MountAttributes::NO_DEVICES);

fn option(name: &str, value: &str) -> Result<(CString, Option<CString>), EngineError> {
    Ok((c_text(name)?, Some(c_text(value)?)))
}

fn system(kind: &str, target: &str, attributes: MountAttributes) -> Result<NewMount, EngineError> {
    Ok(NewMount {
        kind: c_text(kind)?,
        options: Vec::new(),
        attributes,
        target: c_text(target)?,
        links: Links::Refuse,
        required: true,
    })
}

impl Surroundings<'_> {
    /// Operations that mount `/proc` and `/sys`; the root has just been changed.
    pub(crate) fn push_system(&self, program: &mut Program) -> Result<(), EngineError> {
        program.push(Op::MakeDirectories(
            vec![c"/proc".into(), c"/sys".into(), c"/dev".into(), c"/etc".into()],
            0o755,
        ));
        if self.machines_processes {
            Self::push_machines(program, "/proc", false)?;
        } else {
            program.push(Op::Mount(system("proc", "/proc", NO_SUID_EXEC_DEVICES)?));
        }
        let read_only = !self.spec.security.privileged;
        if self.own_network || !self.rootless {
            let mut attributes = NO_SUID_EXEC_DEVICES;
            if read_only {
                attributes = attributes.and(MountAttributes::READ_ONLY);
            }
            program.push(Op::Mount(system("sysfs", "/sys", attributes)?));
        } else {
            // Only who owns the network may mount its view of devices.
            Self::push_machines(program, "/sys", true)?;
        }
        Ok(())
    }

    /// Shows what the machine has at a place.
    fn push_machines(program: &mut Program, path: &str, read_only: bool) -> Result<(), EngineError> {
        let source = Path::new(path);
        let failed = |errno: rustix::io::Errno| io_error("open", source, errno.into());
        let mount = detached(source, true).map_err(failed)?;
        if read_only {
            let set = MountAttributes::READ_ONLY;
            longshore_sys::set_mount_attributes(std::os::fd::AsFd::as_fd(&mount), c"", set, true)
                .map_err(failed)?;
        }
        program.push(Op::Attach { mount, target: c_text(path)?, links: Links::Refuse });
        Ok(())
    }

    /// Operations that mount what stands below `/dev`; `/dev` is there.
    pub(crate) fn push_below_dev(&self, program: &mut Program) -> Result<(), EngineError> {
        let mut pts = system("devpts", "/dev/pts", NO_SUID_EXEC)?;
        pts.options =
            vec![(c"newinstance".into(), None), option("ptmxmode", "0666")?, option("mode", "0620")?];
        if !self.single_user {
            pts.options.push(option("gid", "5")?);
        }
        program.push(Op::Mount(pts));
        if self.machines_ipc {
            for path in ["/dev/shm", "/dev/mqueue"] {
                if Path::new(path).exists() {
                    Self::push_machines(program, path, false)?;
                }
            }
            return Ok(());
        }
        let mut shm = system("tmpfs", "/dev/shm", NO_SUID_EXEC_DEVICES)?;
        let size = self.spec.resources.shm_size.unwrap_or(64 * 1024 * 1024);
        shm.options = vec![option("mode", "1777")?, option("size", &size.to_string())?];
        program.push(Op::Mount(shm));
        let mut queues = system("mqueue", "/dev/mqueue", NO_SUID_EXEC_DEVICES)?;
        queues.required = false;
        program.push(Op::Mount(queues));
        Ok(())
    }

    /// Operations that mount the files of names and addresses, unless the user mounts something there.
    pub(crate) fn push_network_files(
        &self,
        program: &mut Program,
        files: &[(&str, &Path)],
        users: Option<std::os::fd::BorrowedFd<'_>>,
    ) -> Result<(), EngineError> {
        for (target, source) in files {
            if self.spec.mounts.iter().any(|mount| super::path::clean(&mount.target) == *target) {
                continue;
            }
            let failed = |errno: rustix::io::Errno| io_error("open", source, errno.into());
            let mount = detached(source, false).map_err(failed)?;
            if let Some(users) = users {
                longshore_sys::idmap(std::os::fd::AsFd::as_fd(&mount), users, false).map_err(failed)?;
            }
            let target = c_text(*target)?;
            program.push(Op::MakeFile(target.clone()));
            program.push(Op::Attach { mount, target, links: Links::Follow });
        }
        Ok(())
    }

    /// Operations that set kernel settings, and then hide and protect what is dangerous. Everything is mounted.
    pub(crate) fn push_protection(&self, program: &mut Program) -> Result<(), EngineError> {
        let security = &self.spec.security;
        if self.own_network {
            for (path, text, single) in NETWORK_SETTINGS {
                let text = if self.single_user { single } else { text };
                program.push(Op::Write { path: c_text(path)?, text: text.into(), required: false });
            }
        }
        for (name, value) in &security.sysctls {
            let path = format!("/proc/sys/{}", name.replace('.', "/"));
            program.push(Op::Write { path: c_text(path)?, text: value.clone().into_bytes(), required: true });
        }
        // Root's monitor sets it: a process in a user namespace of its own may not.
        if let Some(score) = self.spec.resources.oom_score_adj.filter(|_| self.rootless) {
            let text = score.to_string().into_bytes();
            program.push(Op::Write { path: c"/proc/self/oom_score_adj".into(), text, required: true });
        }
        if !security.privileged && !security.unmasked {
            for path in MASKED_PATHS {
                program.push(Op::Mask(c_text(path)?));
            }
            for path in READ_ONLY_PATHS {
                program.push(Op::ReadOnlyOver(c_text(path)?));
            }
        }
        if security.read_only {
            let set = MountAttributes::READ_ONLY;
            program.push(Op::Remount { target: c"/".into(), set, recursive: false });
        }
        Ok(())
    }
}

/// The groups of the container, read-only, where programs look for their limits.
pub(crate) fn push_cgroups(
    program: &mut Program,
    directories: &[(String, std::path::PathBuf)],
    read_only: bool,
) -> Result<(), EngineError> {
    let several = directories.iter().any(|(name, _)| !name.is_empty());
    if several {
        let mut place = system("tmpfs", "/sys/fs/cgroup", NO_SUID_EXEC_DEVICES)?;
        place.options = vec![option("mode", "755")?];
        program.push(Op::Mount(place));
    }
    for (name, source) in directories {
        let failed = |errno: rustix::io::Errno| io_error("open", source, errno.into());
        let mount = detached(source, false).map_err(failed)?;
        if read_only {
            let set = MountAttributes::READ_ONLY.and(NO_SUID_EXEC_DEVICES);
            longshore_sys::set_mount_attributes(std::os::fd::AsFd::as_fd(&mount), c"", set, false)
                .map_err(failed)?;
        }
        let target = if several { format!("/sys/fs/cgroup/{name}") } else { "/sys/fs/cgroup".to_owned() };
        let target = c_path(Path::new(&target))?;
        if several {
            program.push(Op::MakeDirectories(vec![target.clone()], 0o755));
        }
        program.push(Op::Attach { mount, target, links: Links::Refuse });
    }
    if several && read_only {
        let set = MountAttributes::READ_ONLY;
        program.push(Op::Remount { target: c"/sys/fs/cgroup".into(), set, recursive: false });
    }
    Ok(())
}
