//! What Docker allows unless it is told otherwise.
//!
//! The same in effect as the profile that Docker Engine carries (`moby/profiles`, `seccomp/default.json`, 2026), for the
//! architectures here. What it leaves out, programs in a container have no use for, or can harm the kernel with: `io_uring`,
//! keyrings, userfaultfd, obsolete families of sockets, `AF_ALG` and `AF_VSOCK`, and everything that needs a capability that
//! the container does not have.

use std::borrow::Cow;

use crate::abi::ArchName;
use crate::profile::{Action, Architectures, Circumstances, Condition, Operator, Profile, Rule};
use crate::program::FilterFlags;

/// Allowed always.
#[rustfmt::skip]
const ALWAYS: &[&str] = &[
    "_llseek", "_newselect", "accept", "accept4", "access", "adjtimex", "alarm", "bind", "brk", "cachestat",
    "capget", "capset", "chdir", "chmod", "chown", "chown32", "clock_adjtime", "clock_adjtime64",
    "clock_getres", "clock_getres_time64", "clock_gettime", "clock_gettime64", "clock_nanosleep",
    "clock_nanosleep_time64", "close", "close_range", "connect", "copy_file_range", "creat", "dup", "dup2",
    "dup3", "epoll_create", "epoll_create1", "epoll_ctl", "epoll_ctl_old", "epoll_pwait", "epoll_pwait2",
    "epoll_wait", "epoll_wait_old", "eventfd", "eventfd2", "execve", "execveat", "exit", "exit_group",
    "faccessat", "faccessat2", "fadvise64", "fadvise64_64", "fallocate", "fanotify_mark", "fchdir",
    "fchmod", "fchmodat", "fchmodat2", "fchown", "fchown32", "fchownat", "fcntl", "fcntl64", "fdatasync",
    "fgetxattr", "flistxattr", "flock", "fork", "fremovexattr", "fsetxattr", "fstat", "fstat64",
    "fstatat64", "fstatfs", "fstatfs64", "fsync", "ftruncate", "ftruncate64", "futex", "futex_requeue",
    "futex_time64", "futex_wait", "futex_waitv", "futex_wake", "futimesat", "get_robust_list",
    "get_thread_area", "getcpu", "getcwd", "getdents", "getdents64", "getegid", "getegid32", "geteuid",
    "geteuid32", "getgid", "getgid32", "getgroups", "getgroups32", "getitimer", "getpeername", "getpgid",
    "getpgrp", "getpid", "getppid", "getpriority", "getrandom", "getresgid", "getresgid32", "getresuid",
    "getresuid32", "getrlimit", "getrusage", "getsid", "getsockname", "getsockopt", "gettid",
    "gettimeofday", "getuid", "getuid32", "getxattr", "getxattrat", "inotify_add_watch", "inotify_init",
    "inotify_init1", "inotify_rm_watch", "io_cancel", "io_destroy", "io_getevents", "io_pgetevents",
    "io_pgetevents_time64", "io_setup", "io_submit", "ioctl", "ioprio_get", "ioprio_set", "ipc", "kill",
    "landlock_add_rule", "landlock_create_ruleset", "landlock_restrict_self", "lchown", "lchown32",
    "lgetxattr", "link", "linkat", "listen", "listmount", "listxattr", "listxattrat", "llistxattr",
    "lremovexattr", "lseek", "lsetxattr", "lstat", "lstat64", "madvise", "map_shadow_stack", "membarrier",
    "memfd_create", "memfd_secret", "mincore", "mkdir", "mkdirat", "mknod", "mknodat", "mlock", "mlock2",
    "mlockall", "mmap", "mmap2", "mprotect", "mq_getsetattr", "mq_notify", "mq_open", "mq_timedreceive",
    "mq_timedreceive_time64", "mq_timedsend", "mq_timedsend_time64", "mq_unlink", "mremap", "mseal",
    "msgctl", "msgget", "msgrcv", "msgsnd", "msync", "munlock", "munlockall", "munmap", "name_to_handle_at",
    "nanosleep", "newfstatat", "open", "openat", "openat2", "pause", "pidfd_open", "pidfd_send_signal",
    "pipe", "pipe2", "pkey_alloc", "pkey_free", "pkey_mprotect", "poll", "ppoll", "ppoll_time64", "prctl",
    "pread64", "preadv", "preadv2", "prlimit64", "process_mrelease", "pselect6", "pselect6_time64",
    "pwrite64", "pwritev", "pwritev2", "read", "readahead", "readlink", "readlinkat", "readv", "recv",
    "recvfrom", "recvmmsg", "recvmmsg_time64", "recvmsg", "remap_file_pages", "removexattr",
    "removexattrat", "rename", "renameat", "renameat2", "restart_syscall", "rmdir", "rseq", "rt_sigaction",
    "rt_sigpending", "rt_sigprocmask", "rt_sigqueueinfo", "rt_sigreturn", "rt_sigsuspend",
    "rt_sigtimedwait", "rt_sigtimedwait_time64", "rt_tgsigqueueinfo", "sched_get_priority_max",
    "sched_get_priority_min", "sched_getaffinity", "sched_getattr", "sched_getparam", "sched_getscheduler",
    "sched_rr_get_interval", "sched_rr_get_interval_time64", "sched_setaffinity", "sched_setattr",
    "sched_setparam", "sched_setscheduler", "sched_yield", "seccomp", "select", "semctl", "semget", "semop",
    "semtimedop", "semtimedop_time64", "send", "sendfile", "sendfile64", "sendmmsg", "sendmsg", "sendto",
    "set_robust_list", "set_thread_area", "set_tid_address", "setfsgid", "setfsgid32", "setfsuid",
    "setfsuid32", "setgid", "setgid32", "setgroups", "setgroups32", "setitimer", "setpgid", "setpriority",
    "setregid", "setregid32", "setresgid", "setresgid32", "setresuid", "setresuid32", "setreuid",
    "setreuid32", "setrlimit", "setsid", "setsockopt", "setuid", "setuid32", "setxattr", "setxattrat",
    "shmat", "shmctl", "shmdt", "shmget", "shutdown", "sigaltstack", "signalfd", "signalfd4", "sigprocmask",
    "sigreturn", "socketcall", "socketpair", "splice", "stat", "stat64", "statfs", "statfs64", "statmount",
    "statx", "symlink", "symlinkat", "sync", "sync_file_range", "syncfs", "sysinfo", "tee", "tgkill",
    "time", "timer_create", "timer_delete", "timer_getoverrun", "timer_gettime", "timer_gettime64",
    "timer_settime", "timer_settime64", "timerfd_create", "timerfd_gettime", "timerfd_gettime64",
    "timerfd_settime", "timerfd_settime64", "times", "tkill", "truncate", "truncate64", "ugetrlimit",
    "umask", "uname", "unlink", "unlinkat", "uretprobe", "utime", "utimensat", "utimensat_time64", "utimes",
    "vfork", "vmsplice", "wait4", "waitid", "waitpid", "write", "writev",
];

/// Allowed with a capability.
const WITH_CAPABILITY: &[(&str, &[&str])] = &[
    ("CAP_DAC_READ_SEARCH", &["open_by_handle_at"]),
    (
        "CAP_SYS_ADMIN",
        &[
            "bpf",
            "clone",
            "clone3",
            "fanotify_init",
            "fsconfig",
            "fsmount",
            "fsopen",
            "fspick",
            "lookup_dcookie",
            "lsm_get_self_attr",
            "lsm_list_modules",
            "lsm_set_self_attr",
            "mount",
            "mount_setattr",
            "move_mount",
            "open_tree",
            "perf_event_open",
            "quotactl",
            "quotactl_fd",
            "setdomainname",
            "sethostname",
            "setns",
            "syslog",
            "umount",
            "umount2",
            "unshare",
        ],
    ),
    ("CAP_SYS_BOOT", &["reboot"]),
    ("CAP_SYS_CHROOT", &["chroot"]),
    ("CAP_SYS_MODULE", &["delete_module", "init_module", "finit_module"]),
    ("CAP_SYS_PACCT", &["acct"]),
    (
        "CAP_SYS_PTRACE",
        &["kcmp", "pidfd_getfd", "process_madvise", "process_vm_readv", "process_vm_writev", "ptrace"],
    ),
    ("CAP_SYS_RAWIO", &["iopl", "ioperm"]),
    ("CAP_SYS_TIME", &["settimeofday", "stime", "clock_settime", "clock_settime64"]),
    ("CAP_SYS_TTY_CONFIG", &["vhangup"]),
    ("CAP_SYS_NICE", &["get_mempolicy", "mbind", "set_mempolicy", "set_mempolicy_home_node"]),
    ("CAP_SYSLOG", &["syslog"]),
    ("CAP_BPF", &["bpf"]),
    ("CAP_PERFMON", &["perf_event_open"]),
];

/// Allowed on an architecture.
const ON_ARCHITECTURE: &[(&str, &[&str])] = &[
    (
        "arm64",
        &[
            "arm_fadvise64_64",
            "arm_sync_file_range",
            "sync_file_range2",
            "breakpoint",
            "cacheflush",
            "set_tls",
        ],
    ),
    ("amd64", &["arch_prctl", "modify_ldt"]),
];

/// Allowed since a tracer can no longer get around a filter.
const SINCE_4_8: &[&str] = &["process_vm_readv", "process_vm_writev", "ptrace"];

/// The families of sockets that are allowed, from one to another.
const FAMILIES: &[(u64, u64)] =
    &[(0, 11), (13, 18), (21, 22), (24, 24), (26, 33), (35, 36), (39, 39), (41, 45)];

/// The personalities that are allowed: Linux, Linux for 32 bits, each also with `uname` as of 2.6; and asking for it.
const PERSONALITIES: &[u64] = &[0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];

/// The flags of `clone` that make namespaces: mount, cgroup, UTS, IPC, user, process and network.
const NAMESPACES: u64 = 0x7e02_0000;

/// `ENOSYS`, after which the C library falls back from `clone3`, whose flags no filter can see, to `clone`.
const ENOSYS: u16 = 38;
const EPERM: u16 = 1;

impl Profile {
    /// What Docker allows unless it is told otherwise.
    pub fn docker_default() -> Self {
        let allowed = |names: &[&'static str]| Rule {
            names: names.iter().map(|name| Cow::Borrowed(*name)).collect(),
            action: Action::Allow,
            conditions: Vec::new(),
            includes: Circumstances::default(),
            excludes: Circumstances::default(),
        };
        let mut rules = vec![
            allowed(ALWAYS),
            Rule {
                includes: Circumstances { kernel: Some((4, 8)), ..Circumstances::default() },
                ..allowed(SINCE_4_8)
            },
        ];
        rules.extend(
            FAMILIES
                .iter()
                .map(|(first, last)| Rule { conditions: between(*first, *last), ..allowed(&["socket"]) }),
        );
        rules.extend(PERSONALITIES.iter().map(|value| Rule {
            conditions: vec![condition(Operator::Equal, *value)],
            ..allowed(&["personality"])
        }));
        rules.extend(ON_ARCHITECTURE.iter().map(|(architecture, names)| Rule {
            includes: Circumstances {
                architectures: vec![Cow::Borrowed(architecture)],
                ..Circumstances::default()
            },
            ..allowed(names)
        }));
        rules.extend(
            WITH_CAPABILITY.iter().map(|(name, calls)| Rule { includes: capability(name), ..allowed(calls) }),
        );
        rules.push(Rule {
            conditions: vec![condition(Operator::MaskedEqual(NAMESPACES), 0)],
            excludes: capability("CAP_SYS_ADMIN"),
            ..allowed(&["clone"])
        });
        rules.push(Rule {
            action: Action::Errno(ENOSYS),
            excludes: capability("CAP_SYS_ADMIN"),
            ..allowed(&["clone3"])
        });
        let architectures = vec![
            (ArchName::X86_64, vec![ArchName::X86, ArchName::X32]),
            (ArchName::Aarch64, vec![ArchName::Arm]),
        ];
        Self {
            default: Action::Errno(EPERM),
            architectures: Architectures::Mapped(architectures),
            flags: FilterFlags::SPEC_ALLOW,
            rules,
        }
    }
}

fn condition(operator: Operator, value: u64) -> Condition {
    Condition { argument: 0, operator, value }
}

fn between(first: u64, last: u64) -> Vec<Condition> {
    match (first, last) {
        (first, last) if first == last => vec![condition(Operator::Equal, first)],
        (0, last) => vec![condition(Operator::LessOrEqual, last)],
        (first, last) => {
            vec![condition(Operator::GreaterOrEqual, first), condition(Operator::LessOrEqual, last)]
        }
    }
}

fn capability(name: &'static str) -> Circumstances {
    Circumstances { capabilities: vec![Cow::Borrowed(name)], ..Circumstances::default() }
}
