//! What a case needs of an engine.

use longshore_engine::{Capabilities, Isolation};

/// What a case needs of an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Programs of an image run on a kernel; a fake has only scripts.
    Kernel,
    /// Containers have users besides root.
    Users,
    /// Containers of a sandbox find each other by name.
    Names,
    /// Logs keep bytes that are no text.
    Bytes,
    /// Ports can be published.
    Ports,
    /// Privileged containers are possible.
    Privileged,
    /// Limits hold.
    Limits,
    /// Directories of the machine can be mounted.
    Binds,
    /// Files can be copied to and from containers that do not run.
    CopyStopped,
    /// Programs of this machine can work in the network of a container.
    Beside,
}

impl Need {
    /// Why an engine cannot do what is needed; `None` if it can.
    pub fn lacking(self, capabilities: &Capabilities) -> Option<String> {
        let unless = |able: bool, why: &str| (!able).then(|| format!("the engine {why}"));
        match self {
            Self::Kernel => unless(capabilities.isolation != Isolation::None, "runs no programs"),
            // With subordinate ids there could be more, but the engine does not say so.
            Self::Users => {
                let able = !matches!(capabilities.isolation, Isolation::Rootless | Isolation::None);
                unless(able, "may have no users besides root in its containers")
            }
            Self::Names => unless(capabilities.names_resolve, "resolves no names"),
            Self::Ports => unless(capabilities.publish_ports, "publishes no ports"),
            Self::Bytes => {
                // Docker's logs are files of JSON, in which there are characters only.
                unless(capabilities.isolation != Isolation::Remote, "keeps text only in its logs")
            }
            Self::Privileged if capabilities.isolation == Isolation::Remote && !machine_gives_all() => {
                Some("this machine holds capabilities back, and the engine insists on giving all".to_owned())
            }
            Self::Privileged => unless(capabilities.privileged, "has no privileged containers"),
            Self::Limits => {
                capabilities.limits.as_ref().err().map(|why| format!("limits do not hold: {why}"))
            }
            Self::Binds => unless(capabilities.bind_mounts, "mounts no directories of the machine"),
            Self::Beside => unless(capabilities.beside, "starts no programs beside containers"),
            Self::CopyStopped => unless(capabilities.copy_stopped, "copies only while containers run"),
        }
    }
}

/// Whether programs of this machine may have every capability that its kernel knows.
fn machine_gives_all() -> bool {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return true };
    let Ok(last) = std::fs::read_to_string("/proc/sys/kernel/cap_last_cap") else { return true };
    let bounding = status.lines().find_map(|line| line.strip_prefix("CapBnd:"));
    let bounding =
        bounding.and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok()).unwrap_or(u64::MAX);
    let last: u32 = last.trim().parse().unwrap_or(0);
    bounding.count_ones() > last
}
