//! Starting containers as an ordinary user.
//!
//! The monitor puts itself into a user namespace in which the user is root, and works from there as it does for root.
//! With subordinate ids (`/etc/subuid`, `newuidmap`), containers have as many users as there are ids; without, only the
//! one who starts them exists inside, as root.

use std::fs;

use longshore_engine::{EngineError, Fault};

use crate::launch::Privilege;

/// Makes the process root of a user namespace if it is not root of the machine.
pub(crate) fn enter() -> Result<Privilege, EngineError> {
    if rustix::process::geteuid().is_root() {
        return Ok(Privilege::Root);
    }
    let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    longshore_sys::unshare_user_and_mounts().map_err(|errno| {
        EngineError::new(Fault::Unsupported, "failed to make a user namespace").because(errno).help(
            "this kernel does not let ordinary users make them; look at `kernel.unprivileged_userns_clone`, \
             `user.max_user_namespaces` and AppArmor's restriction, or run as root",
        )
    })?;
    let write = |file: &str, text: String| {
        fs::write(format!("/proc/self/{file}"), text).map_err(|error| {
            EngineError::new(Fault::Unsupported, format!("failed to write /proc/self/{file}")).because(error)
        })
    };
    write("setgroups", "deny".to_owned())?;
    write("uid_map", format!("0 {uid} 1"))?;
    write("gid_map", format!("0 {gid} 1"))?;
    Ok(Privilege::SingleUser)
}

/// Who this process starts containers as.
pub(crate) fn privilege() -> Privilege {
    if rustix::process::geteuid().is_root() { Privilege::Root } else { Privilege::SingleUser }
}
