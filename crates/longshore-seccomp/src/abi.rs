//! Architectures, as profiles, the kernel and tables of numbers know them.

use serde::Deserialize;

use crate::number::{CALLS, NO};

/// What the machine's kernel is built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Architecture {
    /// 64-bit x86, which also runs programs for i386 and x32.
    X86_64,
    /// 64-bit ARM, which also runs programs for 32-bit ARM.
    Aarch64,
}

impl Architecture {
    /// The architecture that this program is compiled for, if there are filters for it.
    pub const fn current() -> Option<Self> {
        if cfg!(target_arch = "x86_64") {
            Some(Self::X86_64)
        } else if cfg!(target_arch = "aarch64") {
            Some(Self::Aarch64)
        } else {
            None
        }
    }

    /// Its name in the conditions of profiles, which is Go's.
    pub(crate) const fn go_name(self) -> &'static str {
        match self {
            Self::X86_64 => "amd64",
            Self::Aarch64 => "arm64",
        }
    }

    /// The interface of its own programs, and those of others that it can run.
    pub(crate) const fn interfaces(self) -> &'static [Abi] {
        match self {
            Self::X86_64 => &[Abi::X86_64, Abi::I386, Abi::X32],
            Self::Aarch64 => &[Abi::Aarch64, Abi::Arm],
        }
    }
}

/// One interface between programs and kernel: a table of calls, and a size of arguments. The order is that of the columns
/// of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Abi {
    X86_64,
    I386,
    X32,
    Aarch64,
    Arm,
}

/// What marks the numbers of x32, which shares the kernel's word for the architecture with `x86_64`.
pub(crate) const X32_BIT: u32 = 0x4000_0000;

impl Abi {
    /// The kernel's word for it, `AUDIT_ARCH_*`.
    pub(crate) const fn audit(self) -> u32 {
        match self {
            Self::X86_64 | Self::X32 => 0xc000_003e,
            Self::I386 => 0x4000_0003,
            Self::Aarch64 => 0xc000_00b7,
            Self::Arm => 0x4000_0028,
        }
    }

    /// Its name in profiles.
    pub(crate) const fn name(self) -> ArchName {
        match self {
            Self::X86_64 => ArchName::X86_64,
            Self::I386 => ArchName::X86,
            Self::X32 => ArchName::X32,
            Self::Aarch64 => ArchName::Aarch64,
            Self::Arm => ArchName::Arm,
        }
    }

    /// Whether arguments have 64 bits.
    pub(crate) const fn is_wide(self) -> bool {
        matches!(self, Self::X86_64 | Self::Aarch64)
    }

    /// The number in one row of the table.
    pub(crate) fn number(self, numbers: [i32; 5]) -> Option<u32> {
        let [x86_64, i386, x32, aarch64, arm] = numbers;
        let number = match self {
            Self::X86_64 => x86_64,
            Self::I386 => i386,
            Self::X32 => x32,
            Self::Aarch64 => aarch64,
            Self::Arm => arm,
        };
        // What is not there is less than 0.
        u32::try_from(number).ok()
    }
}

/// The numbers of a call; `None` if no architecture here has it.
pub(crate) fn numbers(name: &str) -> Option<[i32; 5]> {
    let row = CALLS.binary_search_by(|(other, _)| (*other).cmp(name)).ok()?;
    CALLS.get(row).map(|(_, numbers)| *numbers).filter(|numbers| numbers.iter().any(|number| *number != NO))
}

/// Architectures as profiles name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum ArchName {
    #[serde(rename = "SCMP_ARCH_NATIVE")]
    Native,
    #[serde(rename = "SCMP_ARCH_X86")]
    X86,
    #[serde(rename = "SCMP_ARCH_X86_64")]
    X86_64,
    #[serde(rename = "SCMP_ARCH_X32")]
    X32,
    #[serde(rename = "SCMP_ARCH_ARM")]
    Arm,
    #[serde(rename = "SCMP_ARCH_AARCH64")]
    Aarch64,
    #[serde(
        rename = "SCMP_ARCH_MIPS",
        alias = "SCMP_ARCH_MIPS64",
        alias = "SCMP_ARCH_MIPS64N32",
        alias = "SCMP_ARCH_MIPSEL",
        alias = "SCMP_ARCH_MIPSEL64",
        alias = "SCMP_ARCH_MIPSEL64N32",
        alias = "SCMP_ARCH_PPC",
        alias = "SCMP_ARCH_PPC64",
        alias = "SCMP_ARCH_PPC64LE",
        alias = "SCMP_ARCH_S390",
        alias = "SCMP_ARCH_S390X",
        alias = "SCMP_ARCH_PARISC",
        alias = "SCMP_ARCH_PARISC64",
        alias = "SCMP_ARCH_RISCV64",
        alias = "SCMP_ARCH_LOONGARCH64",
        alias = "SCMP_ARCH_M68K",
        alias = "SCMP_ARCH_SH",
        alias = "SCMP_ARCH_SHEB"
    )]
    Other,
}

/// A call that i386 also has as a part of another: that call's number, and the value of its first argument.
pub(crate) fn multiplexed(name: &str) -> Option<(u32, u64)> {
    const SOCKETCALL: u32 = 102;
    const IPC: u32 = 117;
    Some(match name {
        "socket" => (SOCKETCALL, 1),
        "bind" => (SOCKETCALL, 2),
        "connect" => (SOCKETCALL, 3),
        "listen" => (SOCKETCALL, 4),
        "accept" => (SOCKETCALL, 5),
        "getsockname" => (SOCKETCALL, 6),
        "getpeername" => (SOCKETCALL, 7),
        "socketpair" => (SOCKETCALL, 8),
        "send" => (SOCKETCALL, 9),
        "recv" => (SOCKETCALL, 10),
        "sendto" => (SOCKETCALL, 11),
        "recvfrom" => (SOCKETCALL, 12),
        "shutdown" => (SOCKETCALL, 13),
        "setsockopt" => (SOCKETCALL, 14),
        "getsockopt" => (SOCKETCALL, 15),
        "sendmsg" => (SOCKETCALL, 16),
        "recvmsg" => (SOCKETCALL, 17),
        "accept4" => (SOCKETCALL, 18),
        "recvmmsg" => (SOCKETCALL, 19),
        "sendmmsg" => (SOCKETCALL, 20),
        "semop" => (IPC, 1),
        "semget" => (IPC, 2),
        "semctl" => (IPC, 3),
        "semtimedop" => (IPC, 4),
        "msgsnd" => (IPC, 11),
        "msgrcv" => (IPC, 12),
        "msgget" => (IPC, 13),
        "msgctl" => (IPC, 14),
        "shmat" => (IPC, 21),
        "shmdt" => (IPC, 22),
        "shmget" => (IPC, 23),
        "shmctl" => (IPC, 24),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{Abi, multiplexed, numbers};
    use crate::number::CALLS;

    #[test]
    fn the_table_is_sorted_and_each_number_has_one_meaning() {
        assert!(CALLS.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for abi in [Abi::X86_64, Abi::I386, Abi::X32, Abi::Aarch64, Abi::Arm] {
            let mut found: Vec<_> =
                CALLS.iter().filter_map(|(name, row)| Some((abi.number(*row)?, *name))).collect();
            found.sort_unstable();
            for pair in found.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
                // One call under two names.
                assert_eq!((pair[0].1, pair[1].1), ("arm_sync_file_range", "sync_file_range2"));
            }
        }
    }

    #[test]
    fn numbers_are_the_kernel_s() {
        assert_eq!(numbers("read"), Some([0, 3, 0, 63, 3]));
        assert_eq!(numbers("mseal"), Some([462; 5]));
        assert_eq!(numbers("reads"), None);
        assert_eq!(numbers("ioctl").and_then(|row| Abi::X32.number(row)), Some(514));
        assert_eq!(
            multiplexed("socket")
                .zip(numbers("socketcall"))
                .map(|(part, row)| part.0 == row[1].cast_unsigned()),
            Some(true)
        );
        assert_eq!(
            multiplexed("shmat").zip(numbers("ipc")).map(|(part, row)| part.0 == row[1].cast_unsigned()),
            Some(true)
        );
    }
}
