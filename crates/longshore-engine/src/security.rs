//! What a container may do.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a container may do. The default is the least that ordinary images need.
#[expect(clippy::struct_excessive_bools, reason = "independent switches, each with its own name")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Security {
    /// Everything: all capabilities and devices, no filters, nothing masked, the machine's user ids.
    pub privileged: bool,
    /// Capabilities added to the default set; `ALL` for all.
    pub cap_add: Vec<String>,
    /// Capabilities taken from the default set; `ALL` for all.
    pub cap_drop: Vec<String>,
    /// Which system calls are let through.
    pub seccomp: SeccompChoice,
    /// Programs gain no rights by being started, such as by a set-user-id bit.
    pub no_new_privileges: bool,
    /// Nothing is masked in `/proc` and `/sys`, and nothing read-only.
    pub unmasked: bool,
    /// The root file system cannot be changed.
    pub read_only: bool,
    /// User ids.
    pub user_namespace: UserNamespaceMode,
    /// Process ids.
    pub pid: NamespaceMode,
    /// System V objects and message queues.
    pub ipc: NamespaceMode,
    /// Host and domain name; `private` or `host`.
    pub uts: NamespaceMode,
    /// Control groups; `private` or `host`.
    pub cgroup: NamespaceMode,
    /// Further groups of the process, by name or number.
    pub groups: Vec<String>,
    /// Kernel settings of the container's own namespaces, as `net.core.somaxconn=1024`.
    pub sysctls: Vec<(String, String)>,
}

impl Default for Security {
    fn default() -> Self {
        Self {
            privileged: false,
            cap_add: Vec::new(),
            cap_drop: Vec::new(),
            seccomp: SeccompChoice::Default,
            no_new_privileges: true,
            unmasked: false,
            read_only: false,
            user_namespace: UserNamespaceMode::Default,
            pid: NamespaceMode::Private,
            ipc: NamespaceMode::Private,
            uts: NamespaceMode::Private,
            cgroup: NamespaceMode::Private,
            groups: Vec::new(),
            sysctls: Vec::new(),
        }
    }
}

/// Which system calls are let through.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum SeccompChoice {
    /// What Docker lets through by default.
    #[default]
    Default,
    /// All.
    Unconfined,
    /// What a profile in Docker's format says; the text of the profile.
    Profile(String),
}

/// Whose user ids a container has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UserNamespaceMode {
    /// Its own, where the kernel can map the ids of all mounts; else the machine's.
    #[default]
    Default,
    /// Its own, or an error.
    Private,
    /// The machine's (for an ordinary user: the one namespace of all of their containers).
    Host,
}

/// Whose namespace of a kind a container has.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum NamespaceMode {
    /// Its own.
    #[default]
    Private,
    /// The machine's.
    Host,
    /// That of another container, by id or name.
    Container(String),
}

/// A capability, see `capabilities(7)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Capability(u8);

/// Names by number, without `CAP_`.
const NAMES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// What containers do not see of `/proc` and `/sys`, unless they are privileged or unmasked: what Docker hides.
pub const MASKED_PATHS: [&str; 12] = [
    "/proc/asound",
    "/proc/acpi",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
    "/sys/devices/virtual/powercap",
];

/// What they see and do not change.
pub const READ_ONLY_PATHS: [&str; 5] =
    ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// What Docker gives by default.
const DEFAULT: [&str; 14] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "FSETID",
    "FOWNER",
    "MKNOD",
    "NET_RAW",
    "SETGID",
    "SETUID",
    "SETFCAP",
    "SETPCAP",
    "NET_BIND_SERVICE",
    "SYS_CHROOT",
    "KILL",
    "AUDIT_WRITE",
];

impl Capability {
    /// All that are known, by number.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..NAMES.len()).map(|number| Self(number as u8))
    }

    /// Its number.
    pub fn number(self) -> u8 {
        self.0
    }

    /// Its name with `CAP_`.
    pub fn name(self) -> String {
        format!("CAP_{}", NAMES[usize::from(self.0)])
    }

    /// The set that results of Docker's default, what is added, and what is dropped. `ALL` is all; as in Docker, what
    /// is named singly beats `ALL` of the other list.
    ///
    /// # Errors
    /// The first name that is not known.
    pub fn set(security: &Security) -> Result<BTreeSet<Self>, String> {
        if security.privileged {
            return Ok(Self::all().collect());
        }
        let (add_all, add) = named(&security.cap_add)?;
        let (drop_all, drop) = named(&security.cap_drop)?;
        let mut set: BTreeSet<Self> = match (add_all, drop_all) {
            (true, _) => Self::all().collect(),
            (false, true) => BTreeSet::new(),
            (false, false) => DEFAULT.iter().filter_map(|name| name.parse().ok()).collect(),
        };
        set.retain(|capability| !drop.contains(capability));
        set.extend(add);
        Ok(set)
    }
}

/// Whether `ALL` is among names, and the rest.
fn named(names: &[String]) -> Result<(bool, BTreeSet<Capability>), String> {
    let all = |name: &&String| name.eq_ignore_ascii_case("all");
    let set = names.iter().filter(|name| !all(name)).map(|name| name.parse()).collect::<Result<_, _>>()?;
    Ok((names.iter().any(|name| all(&name)), set))
}

impl FromStr for Capability {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let upper = text.to_ascii_uppercase();
        let name = upper.strip_prefix("CAP_").unwrap_or(&upper);
        NAMES
            .iter()
            .position(|known| *known == name)
            .map(|number| Self(number as u8))
            .ok_or_else(|| format!("`{text}` is not a capability of Linux"))
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::{Capability, Security};

    fn set(add: &[&str], drop: &[&str]) -> Vec<String> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let security = Security { cap_add: owned(add), cap_drop: owned(drop), ..Security::default() };
        Capability::set(&security).unwrap().into_iter().map(Capability::name).collect()
    }

    #[test]
    fn capabilities_are_added_and_dropped_as_docker_does() {
        assert_eq!(set(&[], &[]).len(), 14);
        assert_eq!(set(&["ALL"], &[]).len(), 41);
        assert_eq!(set(&["all"], &["CAP_SYS_ADMIN"]).len(), 40);
        assert_eq!(set(&[], &["ALL"]), [] as [&str; 0]);
        assert_eq!(set(&["net_admin"], &["all"]), ["CAP_NET_ADMIN"]);
        assert!(!set(&[], &["CHOWN"]).contains(&"CAP_CHOWN".to_owned()));
        assert!("CAP_FLY".parse::<Capability>().is_err());
    }
}
