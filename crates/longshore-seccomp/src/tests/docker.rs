//! The default profile, by its known answers.

use super::interpreter::{Call, check, run_counting};
use super::{ALLOW, ENOSYS, EPERM, KILL, X86_64, ask, ask_number};
use crate::abi::{Abi, Architecture, X32_BIT};
use crate::{Profile, Program, Target};

fn compile(target: &Target<'_>) -> Program {
    let program = Profile::docker_default().compile(target).unwrap();
    check(&program.instructions).unwrap();
    program
}

const ALL: [Abi; 5] = [Abi::X86_64, Abi::I386, Abi::X32, Abi::Aarch64, Abi::Arm];

/// The programs for both machines, and the interfaces of each.
fn programs(capabilities: &[&str]) -> Vec<(Program, Abi)> {
    let program = |architecture| compile(&Target { architecture, capabilities, ..X86_64 });
    let (x86, arm) = (program(Architecture::X86_64), program(Architecture::Aarch64));
    let of = |abi| if matches!(abi, Abi::Aarch64 | Abi::Arm) { arm.clone() } else { x86.clone() };
    ALL.into_iter().map(|abi| (of(abi), abi)).collect()
}

#[test]
fn common_calls_are_allowed_everywhere() {
    for (program, abi) in programs(&[]) {
        for name in ["read", "openat", "execve", "futex", "mseal", "ptrace", "process_vm_readv", "openat2"] {
            assert_eq!(ask(&program, abi, name, &[]), ALLOW, "{name} {abi:?}");
        }
    }
}

#[test]
fn dangerous_calls_are_refused_everywhere() {
    let names = [
        "mount",
        "umount2",
        "unshare",
        "setns",
        "bpf",
        "io_uring_setup",
        "keyctl",
        "add_key",
        "userfaultfd",
        "reboot",
        "swapon",
        "kexec_load",
        "init_module",
        "open_by_handle_at",
        "pivot_root",
        "chroot",
        "syslog",
        "perf_event_open",
        "settimeofday",
        "pidfd_getfd",
        "move_pages",
    ];
    for (program, abi) in programs(&[]) {
        for name in names {
            assert_eq!(ask(&program, abi, name, &[]), EPERM, "{name} {abi:?}");
        }
    }
}

#[test]
fn capabilities_open_what_they_are_for() {
    let cases: &[(&[&str], &[&str])] = &[
        (&["CAP_SYS_ADMIN"], &["mount", "unshare", "setns", "bpf", "clone3", "fsopen", "syslog"]),
        (&["CAP_SYS_CHROOT"], &["chroot"]),
        (&["CAP_SYS_TIME"], &["settimeofday", "clock_settime"]),
        (&["CAP_SYS_PTRACE"], &["kcmp", "pidfd_getfd", "process_madvise"]),
        (&["CAP_SYS_NICE"], &["mbind", "set_mempolicy_home_node"]),
        (&["CAP_BPF", "CAP_PERFMON"], &["bpf", "perf_event_open"]),
        (&["CAP_DAC_READ_SEARCH", "CAP_SYSLOG"], &["open_by_handle_at", "syslog"]),
    ];
    for (capabilities, names) in cases {
        for (program, abi) in programs(capabilities) {
            for name in *names {
                assert_eq!(ask(&program, abi, name, &[]), ALLOW, "{name} {capabilities:?} {abi:?}");
            }
        }
    }
}

#[test]
fn namespaces_are_made_only_with_a_capability() {
    const THREAD: u64 = 0x003d_0f00;
    const NEW_USER: u64 = 0x1000_0000;
    for (program, abi) in programs(&[]) {
        assert_eq!(ask(&program, abi, "clone", &[THREAD]), ALLOW);
        assert_eq!(ask(&program, abi, "clone", &[THREAD | NEW_USER]), EPERM);
        assert_eq!(ask(&program, abi, "clone3", &[]), ENOSYS);
    }
    for (program, abi) in programs(&["CAP_SYS_ADMIN"]) {
        assert_eq!(ask(&program, abi, "clone", &[THREAD | NEW_USER]), ALLOW);
    }
}

#[test]
fn some_families_of_sockets_are_refused() {
    for (program, abi) in programs(&[]) {
        let allowed: Vec<u64> =
            (0..64).filter(|family| ask(&program, abi, "socket", &[*family]) == ALLOW).collect();
        let refused = [12, 19, 20, 23, 25, 34, 37, 38, 40];
        assert_eq!(allowed, (0..46).filter(|family| !refused.contains(family)).collect::<Vec<_>>());
        // The kernel takes the lower half only, and so must nobody get past with an upper half.
        assert_eq!(ask(&program, abi, "socket", &[0x1_0000_0026]), EPERM);
    }
}

#[test]
fn personalities_that_weaken_are_refused() {
    const ADDR_NO_RANDOMIZE: u64 = 0x0004_0000;
    for (program, abi) in programs(&[]) {
        for value in [0, 8, 0x2_0000, 0x2_0008, 0xffff_ffff] {
            assert_eq!(ask(&program, abi, "personality", &[value]), ALLOW);
        }
        for value in [ADDR_NO_RANDOMIZE, 1, 9, 0xffff_fffe] {
            assert_eq!(ask(&program, abi, "personality", &[value]), EPERM);
        }
    }
}

#[test]
fn old_kernels_let_nobody_trace() {
    for (kernel, expected) in
        [((4, 7), EPERM), ((4, 8), ALLOW), ((4, 10), ALLOW), ((3, 19), EPERM), ((5, 0), ALLOW)]
    {
        let program = compile(&Target { kernel, ..X86_64 });
        assert_eq!(ask(&program, Abi::X86_64, "ptrace", &[]), expected, "{kernel:?}");
    }
}

#[test]
fn calls_newer_than_the_profile_do_not_exist() {
    for (program, abi) in programs(&[]) {
        let bit = if abi == Abi::X32 { X32_BIT } else { 0 };
        if abi != Abi::Arm && abi != Abi::X32 {
            assert_eq!(ask_number(&program, abi, 467 + bit, &[]), ENOSYS, "{abi:?}");
        }
        assert_eq!(ask_number(&program, abi, 0x00ff_ffff | bit, &[]), ENOSYS, "{abi:?}");
    }
    // A gap is not beyond.
    assert_eq!(ask_number(&compile(&X86_64), Abi::X86_64, 400, &[]), EPERM);
}

#[test]
fn other_architectures_are_killed() {
    let program = compile(&X86_64);
    assert_eq!(ask_number(&program, Abi::Aarch64, 63, &[]), KILL);
    let arm = compile(&Target { architecture: Architecture::Aarch64, ..X86_64 });
    assert_eq!(ask_number(&arm, Abi::X86_64, 0, &[]), KILL);
}

#[test]
fn ways_are_short() {
    let program = compile(&X86_64);
    assert!(program.instructions.len() < 600, "{}", program.instructions.len());
    for number in 0..512 {
        let call = Call { number, audit: Abi::X86_64.audit(), arguments: [0; 6] };
        let (answer, steps) = run_counting(&program.instructions, &call).unwrap();
        assert!(answer != ALLOW || steps <= 16, "{number}: {steps}");
    }
}
