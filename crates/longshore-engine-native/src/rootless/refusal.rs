//! Why a kernel does not let ordinary users make namespaces, as far as its settings tell.

use std::fs;

use longshore_engine::{EngineError, Fault};

/// A setting of the kernel, the value that is in the way, and what to do about it.
struct Setting {
    path: &'static str,
    hinders: fn(&str) -> bool,
    help: &'static str,
}

const SETTINGS: [Setting; 3] = [
    Setting {
        path: "/proc/sys/kernel/unprivileged_userns_clone",
        hinders: |value| value == "0",
        help: "this kernel lets only root make user namespaces; as root: \
               `sysctl kernel.unprivileged_userns_clone=1`, or run as root",
    },
    Setting {
        path: "/proc/sys/user/max_user_namespaces",
        hinders: |value| value == "0",
        help: "this kernel allows no user namespaces; as root: `sysctl user.max_user_namespaces=15000`, or run as root",
    },
    Setting {
        path: "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        hinders: |value| value != "0",
        help: "AppArmor lets only programs with a profile of their own use user namespaces; as root: \
               `sysctl kernel.apparmor_restrict_unprivileged_userns=0`, or give this program a profile with `userns,`, \
               or run as root",
    },
];

const UNKNOWN: &str = "what runs here may be in a container or under a filter of system calls that does not allow user \
                       namespaces; `longshore doctor` tells what this machine allows; or run as root";

/// An error of the kernel where namespaces are made.
pub(super) fn refused(attempt: &str, error: impl std::error::Error + Send + Sync + 'static) -> EngineError {
    let read = |path: &str| fs::read_to_string(path).ok();
    EngineError::new(Fault::Unsupported, format!("failed to {attempt}")).because(error).help(advice(read))
}

/// What to do, by what settings say.
fn advice(read: impl Fn(&str) -> Option<String>) -> &'static str {
    SETTINGS
        .iter()
        .find(|setting| read(setting.path).is_some_and(|value| (setting.hinders)(value.trim())))
        .map_or(UNKNOWN, |setting| setting.help)
}

#[cfg(test)]
mod tests {
    use super::{UNKNOWN, advice};

    #[test]
    fn the_setting_in_the_way_is_named() {
        let with = |name: &'static str, value: &'static str| {
            advice(move |path| path.ends_with(name).then(|| format!("{value}\n")))
        };
        assert!(with("unprivileged_userns_clone", "0").contains("unprivileged_userns_clone=1"));
        assert!(with("max_user_namespaces", "0").contains("max_user_namespaces=15000"));
        assert!(with("apparmor_restrict_unprivileged_userns", "1").contains("AppArmor"));
        for harmless in [
            with("unprivileged_userns_clone", "1"),
            with("max_user_namespaces", "5000"),
            with("apparmor_restrict_unprivileged_userns", "0"),
            advice(|_| None),
        ] {
            assert_eq!(harmless, UNKNOWN);
        }
    }
}
