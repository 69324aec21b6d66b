//! Names of hosts, in a program that has its C library inside.

use std::ffi::{CStr, c_char, c_int};

#[expect(unsafe_code, reason = "the function is declared as the C library defines it")]
unsafe extern "C" {
    /// Settles what a database is looked up with, as a line of `nsswitch.conf(5)` would.
    fn __nss_configure_lookup(database: *const c_char, services: *const c_char) -> c_int;
}

/// Has names of hosts looked up in `/etc/hosts` and with the name servers of `/etc/resolv.conf`, whatever `nsswitch.conf(5)`
/// says. To be called once, first of all, by programs that have glibc inside: what else stands in that file are plug-ins,
/// which are libraries for the glibc of the machine, and bring it along a second time.
pub fn resolve_by_files_and_dns() {
    let settle = |database: &CStr, services: &CStr| {
        // SAFETY: the function is part of glibc, in all programs for it; it reads two texts that end with a zero, and
        // keeps neither.
        #[expect(unsafe_code, reason = "see the comment on safety")]
        unsafe {
            __nss_configure_lookup(database.as_ptr(), services.as_ptr())
        }
    };
    settle(c"hosts", c"files dns");
    for database in [c"passwd", c"group"] {
        settle(database, c"files");
    }
}
