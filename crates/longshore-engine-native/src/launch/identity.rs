//! What a process of a container is and may: limits, capabilities, filters, user, environment, program.
//!
//! It is the same for the container's own process and for those that are started in it later.

use std::ffi::CString;

use longshore_engine::{Capability, EngineError, Fault, SeccompChoice, Security, Ulimit};
use longshore_seccomp::{Architecture, Profile, Target};
use longshore_sys::{FilterInstruction, Op, Program};
use rustix::process::{Gid, Resource, Uid};

use super::path::c_text;
use crate::user::User;

/// What a process is and may.
#[derive(Debug)]
pub(crate) struct Identity<'a> {
    pub(crate) security: &'a Security,
    pub(crate) ulimits: &'a [Ulimit],
    pub(crate) user: &'a User,
    /// Only the user who starts it exists inside, as root.
    pub(crate) single_user: bool,
    /// Some rights of the kernel, such as module loading, do not hold in a user namespace; they are given anyway.
    pub(crate) privileged: bool,
    /// The capabilities that may be handed on, see [`available_capabilities`].
    pub(crate) available: u64,
}

/// A program to run.
#[derive(Debug)]
pub(crate) struct Command<'a> {
    /// The program and its arguments; none if it becomes none.
    pub(crate) words: &'a [String],
    pub(crate) environment: &'a [String],
    pub(crate) working_directory: &'a str,
}

impl Identity<'_> {
    /// The capabilities of root, by number.
    fn capabilities(&self) -> Result<u64, EngineError> {
        let set = if self.privileged {
            Capability::all().collect()
        } else {
            Capability::set(self.security)
                .map_err(|message| EngineError::new(Fault::Invalid, message).help(CAPABILITY_HELP))?
        };
        Ok(set.iter().fold(0, |bits, capability| bits | (1 << capability.number())) & self.available)
    }

    /// Operations from here to the program itself. The working directory is that of the container's root.
    pub(crate) fn push(&self, program: &mut Program, command: &Command<'_>) -> Result<(), EngineError> {
        let capabilities = self.capabilities()?;
        for limit in self.ulimits {
            program.push(limit_op(limit)?);
        }
        let filter = self.filter(capabilities)?;
        let no_new_privileges = self.security.no_new_privileges && !self.privileged;
        // Without `no_new_privs` only who has rights may set a filter, so it comes before they are given up.
        let (early, late) = if no_new_privileges { (None, filter) } else { (filter, None) };
        program.push(Op::BoundCapabilities(capabilities));
        if let Some(filter) = early {
            program.push(Op::Filter(filter));
        }
        program.push(self.become_op(capabilities)?);
        program.push(Op::WorkingDirectory(c_text(command.working_directory)?));
        if no_new_privileges {
            program.push(Op::NoNewPrivileges);
        }
        if let Some(filter) = late {
            program.push(Op::Filter(filter));
        }
        push_command(program, command)
    }

    fn become_op(&self, capabilities: u64) -> Result<Op, EngineError> {
        let user = self.user;
        if self.single_user && (user.uid != 0 || user.gid != 0) {
            return Err(missing(&format!("user {}:{}", user.uid, user.gid)));
        }
        if self.single_user && !self.security.groups.is_empty() {
            return Err(missing(&format!("group {}", self.security.groups.join(", "))));
        }
        Ok(Op::Become {
            uid: Uid::from_raw(user.uid),
            gid: Gid::from_raw(user.gid),
            groups: (!self.single_user).then(|| user.groups.iter().map(|gid| Gid::from_raw(*gid)).collect()),
            capabilities,
        })
    }

    fn filter(&self, capabilities: u64) -> Result<Option<Vec<FilterInstruction>>, EngineError> {
        if self.privileged || self.security.privileged {
            return Ok(None);
        }
        let profile = match &self.security.seccomp {
            SeccompChoice::Unconfined => return Ok(None),
            SeccompChoice::Default => Profile::docker_default(),
            SeccompChoice::Profile(text) => Profile::parse(text).map_err(|error| {
                EngineError::new(Fault::Invalid, "decoding seccomp profile failed").because(error)
            })?,
        };
        let names: Vec<String> = Capability::all()
            .filter(|capability| capabilities & (1 << capability.number()) != 0)
            .map(Capability::name)
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let target = Target { architecture: ARCHITECTURE, capabilities: &names, kernel: kernel_version() };
        let program = profile.compile(&target).map_err(|error| {
            EngineError::new(Fault::Invalid, "the seccomp profile cannot be carried out").because(error)
        })?;
        let instructions = program.instructions.iter().map(|instruction| FilterInstruction {
            code: instruction.code,
            jump_true: instruction.jt,
            jump_false: instruction.jf,
            operand: instruction.k,
        });
        Ok(Some(instructions.collect()))
    }
}

/// Somebody who does not exist where root is alone.
fn missing(who: &str) -> EngineError {
    EngineError::new(
        Fault::Unsupported,
        format!("{who} does not exist in a container of an ordinary user without subordinate ids"),
    )
    .help(
        "add ranges for yourself to /etc/subuid and /etc/subgid (`usermod --add-subuids …`) and install `newuidmap` \
         (package `uidmap`), or be root inside: `-u 0`",
    )
}

const CAPABILITY_HELP: &str = "see capabilities(7) for their names; `ALL` is all";

/// The capabilities that this kernel has, and that this process may hand on.
pub(crate) fn available_capabilities() -> u64 {
    (0..64).filter(|number| is_bounding(*number)).fold(0, |bits, number| bits | (1 << number))
}

fn is_bounding(number: u32) -> bool {
    let capability = rustix::thread::CapabilitySet::from_bits_retain(1 << number);
    rustix::thread::capability_is_in_bounding_set(capability).unwrap_or(false)
}

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: Architecture = Architecture::X86_64;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: Architecture = Architecture::Aarch64;

/// The version of the running kernel.
fn kernel_version() -> (u32, u32) {
    let name = rustix::system::uname();
    let release = name.release().to_string_lossy();
    let mut numbers =
        release.split(|letter: char| !letter.is_ascii_digit()).map(|number| number.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

fn limit_op(limit: &Ulimit) -> Result<Op, EngineError> {
    let resource = match limit.name.as_str() {
        "core" => Resource::Core,
        "cpu" => Resource::Cpu,
        "data" => Resource::Data,
        "fsize" => Resource::Fsize,
        "locks" => Resource::Locks,
        "memlock" => Resource::Memlock,
        "msgqueue" => Resource::Msgqueue,
        "nice" => Resource::Nice,
        "nofile" => Resource::Nofile,
        "nproc" => Resource::Nproc,
        "rss" => Resource::Rss,
        "rtprio" => Resource::Rtprio,
        "rttime" => Resource::Rttime,
        "sigpending" => Resource::Sigpending,
        "stack" => Resource::Stack,
        other => {
            return Err(EngineError::new(Fault::Invalid, format!("invalid ulimit type: {other}")));
        }
    };
    let amount = |value: i64| u64::try_from(value).ok();
    Ok(Op::Limit { resource, soft: amount(limit.soft), hard: amount(limit.hard) })
}

/// Adds the program itself.
fn push_command(program: &mut Program, command: &Command<'_>) -> Result<(), EngineError> {
    if command.words.is_empty() {
        return Ok(());
    }
    let texts = |texts: &[String]| -> Result<Vec<CString>, EngineError> {
        texts.iter().map(|text| c_text(text.as_str())).collect()
    };
    let name = command.words.first().map(String::as_str).unwrap_or_default();
    let path = command
        .environment
        .iter()
        .rev()
        .find_map(|variable| variable.strip_prefix("PATH="))
        .unwrap_or(super::DEFAULT_PATH);
    program.execute(candidates(name, path)?, texts(command.words)?, texts(command.environment)?);
    Ok(())
}

/// Where a program may be: as it is if it is a path, else in each directory of the search path.
fn candidates(name: &str, path: &str) -> Result<Vec<CString>, EngineError> {
    if name.contains('/') {
        return Ok(vec![c_text(name)?]);
    }
    path.split(':')
        .map(|directory| if directory.is_empty() { "." } else { directory })
        .map(|directory| c_text(format!("{}/{name}", directory.trim_end_matches('/'))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::candidates;

    #[test]
    fn programs_are_searched_for_in_order() {
        let texts = |name| -> Vec<String> {
            candidates(name, "/a:/b/::/")
                .unwrap()
                .into_iter()
                .map(|text| text.into_string().unwrap())
                .collect()
        };
        assert_eq!(texts("x"), ["/a/x", "/b/x", "./x", "/x"]);
        assert_eq!(texts("./x"), ["./x"]);
    }
}
