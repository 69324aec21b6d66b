//! What a container may do.

use longshore_engine::{ContainerSpec, Mount, MountKind, SeccompChoice, Security, Tmpfs};

use crate::conformance::check::{Check, ensure, ensure_eq};
use crate::conformance::{Captured, Context, program};

/// The capabilities that Docker gives, as the kernel writes them.
const DEFAULT: u64 = 0xa804_25fb;

fn run(context: &Context, security: Security, script: &str) -> Check<Captured> {
    context.run(&ContainerSpec { security, ..context.spec(program::shell(script))? })
}

/// A value of `/proc/self/status`.
fn status(context: &Context, security: Security, field: &str) -> Check<String> {
    let script = format!("grep '^{field}:' /proc/self/status | cut -f 2");
    Ok(run(context, security, &script)?.text())
}

fn capabilities(context: &Context, security: Security, field: &str) -> Check<u64> {
    let text = status(context, security, field)?;
    u64::from_str_radix(&text, 16)
        .map_err(|_| crate::conformance::Failure::new(format!("`{field}` is `{text}`")))
}

pub(super) fn the_root_can_be_read_only(context: &Context) -> Check {
    let tmpfs = MountKind::Tmpfs(Tmpfs::default());
    let spec = ContainerSpec {
        security: Security { read_only: true, ..Security::default() },
        mounts: vec![Mount { kind: tmpfs, target: "/tmp".to_owned(), read_only: false }],
        ..context.spec(program::shell("touch /tmp/x && touch /dev/shm/x && ! touch /x && ! touch /etc/x"))?
    };
    let ran = context.run(&spec)?;
    ensure_eq!(ran.exit.code, 0, "what can be written: {}", ran.error_text());
    ensure!(ran.error_text().contains("Read-only file system"), "the error is: {}", ran.error_text());
    Ok(())
}

pub(super) fn capabilities_are_dockers(context: &Context) -> Check {
    for field in ["CapEff", "CapPrm", "CapBnd"] {
        let found = capabilities(context, Security::default(), field)?;
        ensure!(found == DEFAULT, "{field} is {found:016x}, expected {DEFAULT:016x}");
    }
    let ambient = capabilities(context, Security::default(), "CapAmb")?;
    ensure_eq!(ambient, 0, "ambient capabilities");
    Ok(())
}

pub(super) fn capabilities_can_be_dropped_and_added(context: &Context) -> Check {
    let security = |add: &[&str], drop: &[&str]| Security {
        cap_add: add.iter().map(|name| (*name).to_owned()).collect(),
        cap_drop: drop.iter().map(|name| (*name).to_owned()).collect(),
        ..Security::default()
    };
    for (add, drop, wanted) in [
        (&[][..], &["ALL"][..], 0),
        (&["CHOWN"], &["ALL"], 1),
        (&["NET_ADMIN"], &["CAP_MKNOD"], DEFAULT & !(1 << 27) | 1 << 12),
    ] {
        for field in ["CapEff", "CapBnd"] {
            let found = capabilities(context, security(add, drop), field)?;
            ensure!(
                found == wanted,
                "{field} with {add:?} and without {drop:?} is {found:x}, expected {wanted:x}"
            );
        }
    }
    let ran = run(context, security(&[], &["CHOWN"]), "chown 1:1 /tmp")?;
    ensure!(ran.exit.code != 0, "an owner was changed without the capability");
    Ok(())
}

pub(super) fn privileges_are_not_gained(context: &Context) -> Check {
    ensure_eq!(
        status(context, Security::default(), "NoNewPrivs")?,
        "1",
        "whether privileges may not be gained"
    );
    let security = Security { no_new_privileges: false, ..Security::default() };
    ensure_eq!(status(context, security, "NoNewPrivs")?, "0", "the same when it is allowed");
    Ok(())
}

pub(super) fn system_calls_are_filtered(context: &Context) -> Check {
    ensure_eq!(status(context, Security::default(), "Seccomp")?, "2", "whether calls are filtered");
    let security = Security { seccomp: SeccompChoice::Unconfined, ..Security::default() };
    ensure_eq!(status(context, security, "Seccomp")?, "0", "the same when it is switched off");
    let profile = r#"{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_AARCH64"],
        "syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":31}]}"#;
    let security = Security { seccomp: SeccompChoice::Profile(profile.to_owned()), ..Security::default() };
    let ran = run(context, security, "mkdir /tmp/x")?;
    ensure!(ran.exit.code != 0, "a call was let through that the profile forbids");
    ensure!(ran.error_text().contains("Too many links"), "the error is: {}", ran.error_text());
    Ok(())
}

pub(super) fn the_kernels_files_are_protected(context: &Context) -> Check {
    let script = "for file in /proc/kcore /proc/keys /proc/timer_list; do \
                  [ -e $file ] && [ -n \"$(head -c 1 $file 2>/dev/null)\" ] && echo read $file; done; \
                  for file in /proc/sys/kernel/hostname /proc/sys/vm/swappiness /proc/sysrq-trigger; do \
                  (echo x > $file) 2>/dev/null && echo wrote $file; done; \
                  (touch /sys/x) 2>/dev/null && echo wrote /sys; \
                  mount -t tmpfs none /tmp 2>/dev/null && echo mounted; true";
    ensure_eq!(run(context, Security::default(), script)?.text(), "", "what was let through");
    Ok(())
}

pub(super) fn devices_are_few(context: &Context) -> Check {
    let script = "for name in null zero full random urandom tty ptmx; do [ -e /dev/$name ] || echo no $name; done; \
                  [ -e /dev/mem ] && echo memory; echo x > /dev/null || echo null; \
                  mknod /tmp/mem c 1 1 2>/dev/null && head -c 1 /tmp/mem >/dev/null 2>&1 && echo read memory; \
                  [ \"$(head -c 3 /dev/zero | wc -c)\" = 3 ] || echo zero; readlink /dev/fd; readlink /dev/stdout";
    let found = run(context, Security::default(), script)?.text();
    ensure_eq!(found, "/proc/self/fd\n/proc/self/fd/1", "the devices");
    Ok(())
}

pub(super) fn privileged_means_all(context: &Context) -> Check {
    let security = || Security { privileged: true, no_new_privileges: false, ..Security::default() };
    let effective = capabilities(context, security(), "CapEff")?;
    // Audit and block suspend apart, what an engine itself does not have it cannot give.
    ensure!(effective & DEFAULT == DEFAULT && effective & 1 << 21 != 0, "the capabilities are {effective:x}");
    ensure_eq!(status(context, security(), "Seccomp")?, "0", "whether calls are filtered");
    let ran = run(context, security(), "mount -t tmpfs none /tmp && echo mounted")?;
    ensure_eq!(ran.text(), "mounted", "what a mount gives ({})", ran.error_text());
    Ok(())
}

pub(super) fn kernel_settings_are_the_containers(context: &Context) -> Check {
    let name = "kernel.msgmax".to_owned();
    let security = Security { sysctls: vec![(name, "12345".to_owned())], ..Security::default() };
    let ran = run(context, security, "cat /proc/sys/kernel/msgmax")?;
    ensure_eq!(ran.text(), "12345", "a setting of the kernel");
    let ours = std::fs::read_to_string("/proc/sys/kernel/msgmax")?;
    ensure!(ours.trim() != "12345", "a setting of the machine was changed");
    Ok(())
}
