//! What the kernel is and lets this user do.

use std::fs;
use std::path::Path;

use longshore_sys::{FilterInstruction, Namespaces, Op, Program, StartError, spawn};
use rustix::io::Errno;

use super::check::CheckDto;
use super::is_root;

/// The first version that has every system call that containers are started with; `mount_setattr(2)` came last.
const NEEDED: (u32, u32) = (5, 12);
/// The first version that ends a whole control group at once.
const KILLS_GROUPS: (u32, u32) = (5, 14);

/// The kinds of namespaces that every container has, by the names of their limits.
const KINDS: [(&str, Namespaces, &str); 6] = [
    ("mount", Namespaces::MOUNT, "mnt"),
    ("pid", Namespaces::PID, "pid"),
    ("network", Namespaces::NETWORK, "net"),
    ("ipc", Namespaces::IPC, "ipc"),
    ("uts", Namespaces::UTS, "uts"),
    ("cgroup", Namespaces::CGROUP, "cgroup"),
];

/// With fewer namespaces of a kind there can be only a few containers.
const FEW: u64 = 64;

/// What is read and not tried.
pub(super) fn checks() -> Vec<CheckDto> {
    vec![version(), namespace_limits(), security_modules()]
}

fn version() -> CheckDto {
    const ID: &str = "kernel.version";
    let name = rustix::system::uname();
    let release = name.release().to_string_lossy();
    let finding = format!("Linux {release}, {}", name.machine().to_string_lossy());
    let distribution = fs::read_to_string("/etc/os-release").ok().and_then(|text| {
        let name = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
        Some(name.trim_matches('"').to_owned())
    });
    let mut numbers =
        release.split(|letter: char| !letter.is_ascii_digit()).map(|number| number.parse().unwrap_or(0));
    let version: (u32, u32) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let check = if version < NEEDED {
        CheckDto::problem(ID, format!("{finding} is too old for containers"))
            .help(format!("use Linux {}.{} or newer", NEEDED.0, NEEDED.1))
    } else if version < KILLS_GROUPS {
        CheckDto::note(ID, format!("{finding} cannot end a control group at once; stopping takes longer"))
    } else {
        CheckDto::ok(ID, finding)
    };
    check.detail(distribution)
}

fn namespace_limits() -> CheckDto {
    const ID: &str = "kernel.namespace-limits";
    let mut limits: Vec<(String, u64)> = KINDS
        .iter()
        .map(|(_, _, limit)| *limit)
        .chain(["user"])
        .filter_map(|kind| {
            let name = format!("max_{kind}_namespaces");
            let limit = fs::read_to_string(Path::new("/proc/sys/user").join(&name)).ok()?;
            Some((name, limit.trim().parse().ok()?))
        })
        .collect();
    limits.sort_by_key(|(_, limit)| *limit);
    let detail: Vec<String> = limits.iter().map(|(name, limit)| format!("user.{name} = {limit}")).collect();
    let check = match limits.first() {
        Some((name, limit)) if *limit < FEW => {
            CheckDto::warning(ID, format!("`user.{name}` allows {limit} namespaces, and so few containers"))
                .help(format!("raise it: `sysctl -w user.{name}=10000`"))
        }
        Some((_, limit)) => CheckDto::ok(ID, format!("{limit} of each kind and more")),
        None => CheckDto::ok(ID, "not limited"),
    };
    check.detail(detail)
}

fn security_modules() -> CheckDto {
    const ID: &str = "kernel.security-modules";
    let read = |path: &str| fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
    let mut modules: Vec<String> = read("/sys/kernel/security/lsm")
        .map(|text| text.split(',').map(str::to_owned).collect())
        .unwrap_or_default();
    if modules.is_empty() && read("/sys/module/apparmor/parameters/enabled").as_deref() == Some("Y") {
        modules.push("apparmor".to_owned());
    }
    let enforcing = read("/sys/fs/selinux/enforce");
    if enforcing.is_some() && !modules.iter().any(|module| module == "selinux") {
        modules.push("selinux".to_owned());
    }
    let restricted =
        read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").as_deref() == Some("1") && !is_root();
    let shown = if modules.is_empty() { "none is to be seen".to_owned() } else { modules.join(", ") };
    if restricted {
        return CheckDto::note(ID, format!("{shown}; AppArmor restricts user namespaces of ordinary users"))
            .help("allow them for this program with an AppArmor profile (`userns,`), or run as root");
    }
    if enforcing.as_deref() == Some("1") {
        return CheckDto::note(ID, format!("{shown}; SELinux enforces its rules")).detail([
            "containers run in the domain of who starts them; files are not relabelled".to_owned(),
        ]);
    }
    CheckDto::ok(ID, shown)
}

/// Makes a namespace of every kind, and installs a filter of system calls.
pub(super) fn try_namespaces() -> Vec<CheckDto> {
    vec![namespaces(), user_namespaces(), system_call_filters()]
}

fn namespaces() -> CheckDto {
    const ID: &str = "kernel.namespaces";
    // Without root, all others belong to a user namespace that is made with them.
    let with = if is_root() { Namespaces::NONE } else { Namespaces::USER };
    let refused: Vec<String> = KINDS
        .iter()
        .filter_map(|(name, kind, _)| {
            let errno = attempt(Vec::new(), kind.and(with)).err()?;
            Some(format!("{name}: {}", std::io::Error::from(errno)))
        })
        .collect();
    if refused.is_empty() {
        let names: Vec<&str> = KINDS.iter().map(|(name, ..)| *name).collect();
        return CheckDto::ok(ID, format!("{} can be made", names.join(", ")));
    }
    let help = if is_root() {
        "this root may not make namespaces, as in a container that is not privileged; run it on the machine itself, \
         or give the container `CAP_SYS_ADMIN`"
    } else {
        USER_NAMESPACES_HELP
    };
    CheckDto::problem(ID, format!("{} of {} kinds cannot be made", refused.len(), KINDS.len()))
        .detail(refused)
        .help(help)
}

const USER_NAMESPACES_HELP: &str = "let ordinary users make user namespaces: look at `kernel.unprivileged_userns_clone`, \
    `user.max_user_namespaces` and AppArmor's restriction; or run as root";

fn user_namespaces() -> CheckDto {
    const ID: &str = "kernel.user-namespaces";
    // Changing how mounts spread needs the rights that the maker of a user namespace should have in it.
    match (attempt(vec![Op::IsolateMounts], Namespaces::USER.and(Namespaces::MOUNT)), is_root()) {
        (Ok(()), true) => CheckDto::ok(ID, "can be made: root in a container is nobody on the machine"),
        (Ok(()), false) => CheckDto::ok(ID, "can be made by ordinary users"),
        (Err(errno), true) => CheckDto::warning(
            ID,
            "cannot be made: root in a container is root on the machine, with less rights",
        )
        .because(&std::io::Error::from(errno))
        .help("look at `user.max_user_namespaces`"),
        (Err(errno), false) => CheckDto::problem(ID, "cannot be made by ordinary users")
            .because(&std::io::Error::from(errno))
            .help(USER_NAMESPACES_HELP),
    }
}

fn system_call_filters() -> CheckDto {
    const ID: &str = "kernel.seccomp";
    // `return SECCOMP_RET_ALLOW`, see seccomp(2).
    let allow = FilterInstruction { code: 0x06, jump_true: 0, jump_false: 0, operand: 0x7fff_0000 };
    match attempt(vec![Op::NoNewPrivileges, Op::Filter(vec![allow])], Namespaces::NONE) {
        Ok(()) => CheckDto::ok(ID, "filters of system calls can be installed"),
        Err(errno) => CheckDto::problem(ID, "filters of system calls cannot be installed")
            .because(&std::io::Error::from(errno))
            .help(
                "use a kernel with `CONFIG_SECCOMP_FILTER`; until then, `--security-opt seccomp=unconfined` does \
                 without, and with less isolation",
            ),
    }
}

/// Does something in a process in new namespaces.
fn attempt(operations: Vec<Op>, new: Namespaces) -> Result<(), Errno> {
    let mut program = Program::new();
    operations.into_iter().for_each(|operation| program.push(operation));
    let mut child = spawn(&program, new, None)?;
    match child.started() {
        Ok(()) => child.wait().map(|_| ()),
        Err(StartError::Operation { errno, .. } | StartError::Deaf(errno)) => Err(errno),
        Err(StartError::Vanished) => Err(Errno::INTR),
    }
}
