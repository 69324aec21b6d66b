//! What a profile says, independent of how it is written.

use std::borrow::Cow;

use crate::abi::ArchName;
use crate::program::FilterFlags;

/// What happens to which system calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    pub(crate) default: Action,
    pub(crate) architectures: Architectures,
    pub(crate) flags: FilterFlags,
    pub(crate) rules: Vec<Rule>,
}

/// For which architectures a profile speaks besides that of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Architectures {
    /// For these.
    Listed(Vec<ArchName>),
    /// For those that stand beside that of the machine.
    Mapped(Vec<(ArchName, Vec<ArchName>)>),
}

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Action {
    KillProcess,
    KillThread,
    Trap,
    Errno(u16),
    Trace(u16),
    Log,
    Allow,
    Notify,
}

/// What happens to some calls under some conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) names: Vec<Cow<'static, str>>,
    pub(crate) action: Action,
    /// All must be met by the call.
    pub(crate) conditions: Vec<Condition>,
    pub(crate) includes: Circumstances,
    pub(crate) excludes: Circumstances,
}

/// A condition on an argument of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Condition {
    /// Which argument, 0 to 5.
    pub(crate) argument: u8,
    pub(crate) operator: Operator,
    /// What it is compared with.
    pub(crate) value: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    /// Equal in the bits of this mask.
    MaskedEqual(u64),
}

/// Under which circumstances a rule is there, or is not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Circumstances {
    pub(crate) capabilities: Vec<Cow<'static, str>>,
    pub(crate) architectures: Vec<Cow<'static, str>>,
    pub(crate) kernel: Option<(u32, u32)>,
}

impl Action {
    /// The kernel's word for it, `SECCOMP_RET_*`.
    pub(crate) fn answer(self) -> u32 {
        match self {
            Self::KillThread => 0,
            Self::KillProcess => 0x8000_0000,
            Self::Trap => 0x0003_0000,
            Self::Errno(code) => 0x0005_0000 | u32::from(code),
            Self::Notify => 0x7fc0_0000,
            Self::Trace(message) => 0x7ff0_0000 | u32::from(message),
            Self::Log => 0x7ffc_0000,
            Self::Allow => 0x7fff_0000,
        }
    }

    /// Whether the call fails, as opposed to being carried out or handed on.
    pub(crate) const fn refuses(self) -> bool {
        matches!(self, Self::KillProcess | Self::KillThread | Self::Trap | Self::Errno(_))
    }
}
