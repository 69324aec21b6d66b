//! Programs of the kernel's classic BPF, as `seccomp(2)` takes them.

/// One instruction, `struct sock_filter`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// What to do.
    pub code: u16,
    /// How many instructions to skip if a comparison is true.
    pub jt: u8,
    /// How many instructions to skip if it is not.
    pub jf: u8,
    /// The operand.
    pub k: u32,
}

/// A filter, ready to be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// What the kernel runs for each call.
    pub instructions: Vec<Instruction>,
    /// How it is to be loaded.
    pub flags: FilterFlags,
}

/// How a filter is loaded, `SECCOMP_FILTER_FLAG_*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FilterFlags {
    bits: u32,
}

impl FilterFlags {
    /// All threads of the process get the filter.
    pub const TSYNC: Self = Self { bits: 1 };
    /// Answers other than `ALLOW` are logged.
    pub const LOG: Self = Self { bits: 2 };
    /// The processor may go on speculating about memory as without a filter.
    pub const SPEC_ALLOW: Self = Self { bits: 4 };
    /// Who waits for a listener can only be killed.
    pub const WAIT_KILLABLE: Self = Self { bits: 32 };

    /// The kernel's bits, as `seccomp(2)` takes them.
    pub const fn bits(self) -> u32 {
        self.bits
    }

    /// Both.
    pub(crate) const fn with(self, other: Self) -> Self {
        Self { bits: self.bits | other.bits }
    }
}

/// The longest program that the kernel takes, `BPF_MAXINSNS`.
pub(crate) const MAX_INSTRUCTIONS: usize = 4096;

/// Where the kernel puts number and architecture of a call, `struct seccomp_data`.
pub(crate) const NUMBER: u32 = 0;
pub(crate) const ARCHITECTURE: u32 = 4;

/// Where it puts the lower half of an argument; the machines here have that half first.
pub(crate) const fn lower_half(argument: u8) -> u32 {
    16 + 8 * argument as u32
}

/// Where it puts the upper half.
pub(crate) const fn upper_half(argument: u8) -> u32 {
    lower_half(argument) + 4
}

pub(crate) const LOAD: u16 = 0x20;
pub(crate) const AND: u16 = 0x54;
pub(crate) const JUMP: u16 = 0x05;
pub(crate) const JUMP_EQUAL: u16 = 0x15;
pub(crate) const JUMP_GREATER: u16 = 0x25;
pub(crate) const JUMP_GREATER_OR_EQUAL: u16 = 0x35;
pub(crate) const RETURN: u16 = 0x06;

impl Instruction {
    /// An instruction that goes on to the next.
    pub(crate) const fn plain(code: u16, k: u32) -> Self {
        Self { code, jt: 0, jf: 0, k }
    }

    /// A comparison.
    pub(crate) const fn compare(code: u16, k: u32, jt: u8, jf: u8) -> Self {
        Self { code, jt, jf, k }
    }
}
