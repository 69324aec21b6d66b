//! What a container may do.

use clap::Args;
use longshore_engine::{Capability, ContainerSpec, NamespaceMode, SeccompChoice, UserNamespaceMode};

use super::FlagError;

/// What a container may do.
#[derive(Debug, Args)]
#[command(next_help_heading = "Security")]
pub(super) struct SecurityArgs {
    /// Give it everything: capabilities, devices, system calls
    #[arg(long)]
    privileged: bool,

    /// Add a capability, or `ALL`
    #[arg(long, value_name = "CAPABILITY")]
    cap_add: Vec<String>,

    /// Take a capability away, or `ALL`
    #[arg(long, value_name = "CAPABILITY")]
    cap_drop: Vec<String>,

    /// `no-new-privileges[=false]` (true is the default), `seccomp=FILE`, `seccomp=unconfined`, `systempaths=unconfined`,
    /// `apparmor=unconfined`, `label=disable`
    #[arg(long, value_name = "OPTION")]
    security_opt: Vec<String>,

    /// Let nothing change the root file system
    #[arg(long)]
    read_only: bool,

    /// Users: `private` for ids of its own, `host` for this machine's
    #[arg(long, value_name = "MODE")]
    userns: Option<String>,

    /// Processes that it sees: `host`, `container:NAME`
    #[arg(long, value_name = "MODE")]
    pid: Option<String>,

    /// Shared memory and queues: `private`, `shareable`, `host`, `container:NAME`
    #[arg(long, value_name = "MODE")]
    ipc: Option<String>,

    /// Host name: `host` for this machine's
    #[arg(long, value_name = "MODE")]
    uts: Option<String>,

    /// Control groups: `private`, `host`
    #[arg(long, value_name = "MODE")]
    cgroupns: Option<String>,

    /// Set a kernel parameter of its namespaces: `net.core.somaxconn=1024`
    #[arg(long, value_name = "NAME=VALUE")]
    sysctl: Vec<String>,
}

impl SecurityArgs {
    pub(super) fn lower(&self, spec: &mut ContainerSpec) -> Result<(), FlagError> {
        let security = &mut spec.security;
        security.privileged = self.privileged;
        security.read_only = self.read_only;
        for (flag, names) in [("--cap-add", &self.cap_add), ("--cap-drop", &self.cap_drop)] {
            for name in names.iter().filter(|name| !name.eq_ignore_ascii_case("all")) {
                name.parse::<Capability>().map_err(|why| FlagError::value(flag, name, why))?;
            }
        }
        security.cap_add.clone_from(&self.cap_add);
        security.cap_drop.clone_from(&self.cap_drop);
        for option in &self.security_opt {
            match read_option(option)? {
                Choice::NoNewPrivileges(no) => security.no_new_privileges = no,
                Choice::Seccomp(choice) => security.seccomp = choice,
                Choice::Unmasked => security.unmasked = true,
                Choice::Nothing => {}
            }
        }
        security.user_namespace = match self.userns.as_deref() {
            None | Some("") => UserNamespaceMode::Default,
            Some("host") => UserNamespaceMode::Host,
            Some("private") => UserNamespaceMode::Private,
            Some(other) => return Err(FlagError::value("--userns", other, "it is `private` or `host`")),
        };
        security.pid = namespace("--pid", self.pid.as_deref(), &[], true)?;
        security.ipc = namespace("--ipc", self.ipc.as_deref(), &["private", "shareable"], true)?;
        security.uts = namespace("--uts", self.uts.as_deref(), &["private"], false)?;
        security.cgroup = namespace("--cgroupns", self.cgroupns.as_deref(), &["private"], false)?;
        for text in &self.sysctl {
            let (name, value) = text
                .split_once('=')
                .filter(|(name, _)| !name.is_empty())
                .ok_or_else(|| FlagError::value("--sysctl", text, "it is not `NAME=VALUE`"))?;
            security.sysctls.push((name.to_owned(), value.to_owned()));
        }
        Ok(())
    }
}

fn namespace(
    flag: &str,
    text: Option<&str>,
    private: &[&str],
    shared: bool,
) -> Result<NamespaceMode, FlagError> {
    match text {
        None | Some("") => Ok(NamespaceMode::Private),
        Some("host") => Ok(NamespaceMode::Host),
        Some(word) if private.contains(&word) => Ok(NamespaceMode::Private),
        Some(word) => match word.strip_prefix("container:") {
            Some(name) if shared && !name.is_empty() => Ok(NamespaceMode::Container(name.to_owned())),
            _ => {
                let mut known = private.to_vec();
                known.push("host");
                known.extend(shared.then_some("container:NAME"));
                Err(FlagError::value(flag, word, format!("it is one of {}", known.join(", "))))
            }
        },
    }
}

/// What an option of `--security-opt` decides.
#[derive(Debug, PartialEq)]
enum Choice {
    NoNewPrivileges(bool),
    Seccomp(SeccompChoice),
    Unmasked,
    Nothing,
}

/// Reads one option. Docker takes `=` and, from older days, `:` after the name.
fn read_option(text: &str) -> Result<Choice, FlagError> {
    let wrong = |why: &str| FlagError::value("--security-opt", text, why);
    let (name, value) = match text.split_once(['=', ':']) {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    };
    match (name, value) {
        ("no-new-privileges", None | Some("true")) => Ok(Choice::NoNewPrivileges(true)),
        ("no-new-privileges", Some("false")) => Ok(Choice::NoNewPrivileges(false)),
        ("seccomp", Some("unconfined")) => Ok(Choice::Seccomp(SeccompChoice::Unconfined)),
        ("seccomp", Some("builtin")) => Ok(Choice::Seccomp(SeccompChoice::Default)),
        ("seccomp", Some(path)) if !path.is_empty() => {
            let profile = crate::input::read_text(std::path::Path::new(path))
                .map_err(|error| FlagError::value("--security-opt", text, error))?;
            Ok(Choice::Seccomp(SeccompChoice::Profile(profile)))
        }
        ("systempaths", Some("unconfined")) => Ok(Choice::Unmasked),
        // What is asked for is so already: no such labels or profiles are applied.
        ("label", Some("disable")) | ("apparmor", Some("unconfined" | "")) => Ok(Choice::Nothing),
        ("apparmor", Some(_)) => Err(wrong("this engine applies no AppArmor profiles")
            .help("isolation is by namespaces, capabilities and seccomp; leave the option out")),
        ("label", Some(_)) => Err(wrong("this engine applies no SELinux labels")
            .help("leave the option out, or use `label=disable`")),
        _ => Err(wrong("there is no such option")
            .help("the options are no-new-privileges, seccomp, systempaths, apparmor, label")),
    }
}

#[cfg(test)]
mod tests {
    use longshore_engine::{NamespaceMode, SeccompChoice};

    use super::{Choice, namespace, read_option};

    #[test]
    fn options_are_read_or_refused() {
        for (text, expected) in [
            ("no-new-privileges", Choice::NoNewPrivileges(true)),
            ("no-new-privileges:false", Choice::NoNewPrivileges(false)),
            ("seccomp=unconfined", Choice::Seccomp(SeccompChoice::Unconfined)),
            ("seccomp:unconfined", Choice::Seccomp(SeccompChoice::Unconfined)),
            ("systempaths=unconfined", Choice::Unmasked),
            ("label=disable", Choice::Nothing),
            ("apparmor=unconfined", Choice::Nothing),
        ] {
            assert_eq!(read_option(text).unwrap(), expected, "{text}");
        }
        for text in ["", "seccomp", "seccomp=/not/there", "apparmor=mine", "label=type:x", "what=ever"] {
            assert!(read_option(text).is_err(), "{text}");
        }
    }

    #[test]
    fn namespaces_are_own_or_shared() {
        assert_eq!(namespace("--pid", None, &[], true).unwrap(), NamespaceMode::Private);
        assert_eq!(namespace("--pid", Some("host"), &[], true).unwrap(), NamespaceMode::Host);
        let other = NamespaceMode::Container("db".to_owned());
        assert_eq!(namespace("--pid", Some("container:db"), &[], true).unwrap(), other);
        for (text, shared) in [("container:", true), ("container:x", false), ("none", true)] {
            assert!(namespace("--ipc", Some(text), &["private"], shared).is_err(), "{text}");
        }
    }
}
