//! Who runs this, and what they may do.

use std::collections::BTreeSet;
use std::fs;

use longshore_engine::{Capability, Security};
use longshore_engine_native::{ContainerUsers, container_users, user_name};
use rustix::process::{Resource, getrlimit};
use rustix::thread::{CapabilitySet, capabilities, capability_is_in_bounding_set};

use super::check::CheckDto;
use super::{is_mapped, is_root};

/// Capabilities without which root starts no containers at all.
const ESSENTIAL: [&str; 4] = ["SYS_ADMIN", "SETUID", "SETGID", "CHOWN"];

/// What follows from lacking some of the others.
const CONSEQUENCES: [(&str, &str); 6] = [
    ("SYS_RESOURCE", "limits of processes (`--ulimit`) above the present hard limits are clamped to them"),
    ("NET_ADMIN", "containers can have no network of their own but `none`"),
    ("MKNOD", "images with device files cannot be unpacked"),
    ("SYS_PTRACE", "processes of containers of other users cannot be looked into"),
    ("SYS_CHROOT", "programs in containers cannot change their root directory"),
    ("DAC_OVERRIDE", "files of other users can be changed neither in images nor in containers"),
];

/// The kernel's limits that people meet, by the names of `--ulimit`.
const RESOURCES: [(&str, Resource); 4] = [
    ("nofile", Resource::Nofile),
    ("nproc", Resource::Nproc),
    ("memlock", Resource::Memlock),
    ("core", Resource::Core),
];

pub(super) fn checks() -> Vec<CheckDto> {
    let mut checks = vec![identity()];
    if is_root() {
        checks.push(lacking());
    } else {
        checks.push(subordinate_ids());
    }
    checks.push(ulimits());
    checks
}

fn identity() -> CheckDto {
    const ID: &str = "user.identity";
    let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    match (uid, is_mapped()) {
        (0, false) => CheckDto::ok(ID, "root: containers have user ids and networks of the kernel's own"),
        (0, true) => CheckDto::note(ID, "root of a user namespace, with those rights only that it has there"),
        _ => CheckDto::ok(ID, format!("user {uid}, group {gid}: containers are started without root")),
    }
}

fn subordinate_ids() -> CheckDto {
    const ID: &str = "user.subordinate-ids";
    match container_users() {
        ContainerUsers::All => CheckDto::ok(ID, "not needed: root has all ids"),
        ContainerUsers::Some(count) => CheckDto::ok(ID, format!("containers have {count} user ids")),
        ContainerUsers::Root(why) => CheckDto::note(ID, "containers have one user, root, who is this user")
            .detail([
                why,
                "programs in containers cannot become other users, and files of images keep no other owners"
                    .to_owned(),
            ])
            .help(format!(
                "install `uidmap` (`shadow-utils` on Fedora), and as root: \
                 `usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {}`",
                user_name().unwrap_or_else(|| "USER".to_owned())
            )),
        _ => CheckDto::ok(ID, "containers have users"),
    }
}

/// What root lacks of root's rights.
fn lacking() -> CheckDto {
    const ID: &str = "user.capabilities";
    let effective = capabilities(None).map_or(0, |sets| sets.effective.bits());
    let has = |capability: &Capability| {
        let bit = 1 << capability.number();
        let bounded = capability_is_in_bounding_set(CapabilitySet::from_bits_retain(bit)).unwrap_or(false);
        bounded && effective & bit != 0
    };
    let name = |capability: Capability| capability.name().trim_start_matches("CAP_").to_owned();
    let last: u8 = fs::read_to_string("/proc/sys/kernel/cap_last_cap")
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(u8::MAX);
    let missing: Vec<String> = Capability::all()
        .filter(|capability| capability.number() <= last && !has(capability))
        .map(name)
        .collect();
    if missing.is_empty() {
        return CheckDto::ok(ID, "root has all of them");
    }
    let defaults: BTreeSet<String> =
        Capability::set(&Security::default()).unwrap_or_default().into_iter().map(name).collect();
    let consequences = CONSEQUENCES
        .iter()
        .filter(|(name, _)| missing.iter().any(|missing| missing == name))
        .map(|(name, follows)| format!("CAP_{name}: {follows}"));
    let finding = format!("root lacks CAP_{}", missing.join(", CAP_"));
    let is_among = |names: &[&str]| missing.iter().any(|missing| names.contains(&missing.as_str()));
    let check = if is_among(&ESSENTIAL) {
        CheckDto::problem(ID, finding).help("run it on the machine itself, or in a privileged container")
    } else if is_among(&["NET_ADMIN"]) || missing.iter().any(|missing| defaults.contains(missing)) {
        CheckDto::warning(ID, finding)
            .detail(["containers cannot have what root itself does not have".to_owned()])
            .help("give this process the missing capabilities, if containers need them")
    } else {
        CheckDto::note(ID, finding)
    };
    check.detail(consequences)
}

fn ulimits() -> CheckDto {
    let shown = |value: Option<u64>| value.map_or("unlimited".to_owned(), |value| value.to_string());
    let lines = RESOURCES.iter().map(|(name, resource)| {
        let limit = getrlimit(*resource);
        format!("{name}: {} (hard limit {})", shown(limit.current), shown(limit.maximum))
    });
    let files = getrlimit(Resource::Nofile);
    let finding = format!("{} open files, at most {}", shown(files.current), shown(files.maximum));
    CheckDto::ok("user.ulimits", finding).detail(lines)
}
