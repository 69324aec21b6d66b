//! What a container may use, in Docker's words and meaning.

use std::fmt;

use thiserror::Error;

use crate::device::DeviceRule;

/// The period of bandwidth when a number of processors is asked for, in microseconds.
pub(crate) const DEFAULT_PERIOD: u64 = 100_000;

/// An upper bound, or that there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ceiling {
    /// No bound.
    Unlimited,
    /// At most so much.
    At(u64),
}

impl Ceiling {
    /// A number as Docker's API has it: 0 is not set, and less than 0 is without limit.
    pub fn from_docker(value: i64) -> Option<Self> {
        match u64::try_from(value) {
            Ok(0) => None,
            Ok(value) => Some(Self::At(value)),
            Err(_) => Some(Self::Unlimited),
        }
    }
}

/// What a container may use. What is `None` or empty is not limited.
///
/// Meaning and units are those of the fields of Docker's `HostConfig` with these names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Limits {
    /// Bytes of memory.
    pub memory: Option<Ceiling>,
    /// Bytes of memory and swap together. Unset with `memory` set, it is twice the memory.
    pub memory_swap: Option<Ceiling>,
    /// Bytes of memory that are taken back last when memory is short.
    pub memory_reservation: Option<u64>,
    /// How readily anonymous pages are swapped, 0 to 100; version 1 only.
    pub memory_swappiness: Option<u64>,
    /// Whether processes wait instead of being killed when memory is used up; version 1 only.
    pub oom_kill_disable: bool,
    /// Billionths of processors; excludes quota and period.
    pub nano_cpus: Option<u64>,
    /// Microseconds of processor time for each period.
    pub cpu_quota: Option<Ceiling>,
    /// The period of `cpu_quota` in microseconds.
    pub cpu_period: Option<u64>,
    /// The relative weight among groups, 1024 in the middle.
    pub cpu_shares: Option<u64>,
    /// Processors, as a list like `0-2,4`.
    pub cpuset_cpus: Option<String>,
    /// Memory nodes, as a list like `0-1`.
    pub cpuset_mems: Option<String>,
    /// Processes and threads.
    pub pids: Option<Ceiling>,
    /// Rules for device nodes, of which the last that fits decides. Empty is everything allowed.
    pub devices: Vec<DeviceRule>,
    /// The relative weight for block devices, 10 to 1000.
    pub blkio_weight: Option<u16>,
    /// Bounds for single block devices.
    pub blkio_throttles: Vec<Throttle>,
}

/// A bound on reading or writing one block device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttle {
    /// The device's major number.
    pub major: u32,
    /// The device's minor number.
    pub minor: u32,
    /// What is bounded.
    pub kind: ThrottleKind,
    /// The bound for each second.
    pub rate: u64,
}

/// What a [`Throttle`] bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThrottleKind {
    /// Bytes read.
    ReadBytes,
    /// Bytes written.
    WriteBytes,
    /// Read operations.
    ReadOperations,
    /// Write operations.
    WriteOperations,
}

/// One limit of [`Limits`], by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Limit {
    /// [`Limits::memory`].
    Memory,
    /// [`Limits::memory_swap`].
    MemorySwap,
    /// [`Limits::memory_reservation`].
    MemoryReservation,
    /// [`Limits::memory_swappiness`].
    MemorySwappiness,
    /// [`Limits::oom_kill_disable`].
    OomKillDisable,
    /// [`Limits::nano_cpus`], or [`Limits::cpu_quota`] and [`Limits::cpu_period`].
    CpuBandwidth,
    /// [`Limits::cpu_shares`].
    CpuShares,
    /// [`Limits::cpuset_cpus`].
    CpusetCpus,
    /// [`Limits::cpuset_mems`].
    CpusetMems,
    /// [`Limits::pids`].
    Pids,
    /// [`Limits::devices`].
    Devices,
    /// [`Limits::blkio_weight`].
    BlkioWeight,
    /// [`Limits::blkio_throttles`].
    BlkioThrottle,
}

impl fmt::Display for Limit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Memory => "the memory limit",
            Self::MemorySwap => "the limit of memory and swap",
            Self::MemoryReservation => "the memory reservation",
            Self::MemorySwappiness => "the swappiness",
            Self::OomKillDisable => "waiting for memory instead of a kill",
            Self::CpuBandwidth => "the limit of processor time",
            Self::CpuShares => "the processor shares",
            Self::CpusetCpus => "the set of processors",
            Self::CpusetMems => "the set of memory nodes",
            Self::Pids => "the limit of processes",
            Self::Devices => "the rules for devices",
            Self::BlkioWeight => "the block device weight",
            Self::BlkioThrottle => "the block device rate",
        })
    }
}

/// Limits that no machine could keep. They are the mistake of who asked for them.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LimitsError {
    /// Two ways of saying the same.
    #[error("the number of processors excludes a quota or period of processor time")]
    BandwidthTwice,
    /// Less processor time than the kernel can give out.
    #[error("the quota of processor time is {0} µs, less than 1000")]
    QuotaTooSmall(u64),
    /// A period outside of what the kernel takes.
    #[error("the period of processor time is {0} µs, not between 1000 and 1000000")]
    PeriodOutOfRange(u64),
    /// More swap cannot be less memory.
    #[error("the limit of memory and swap ({swap} bytes) is less than the memory limit ({memory} bytes)")]
    SwapBelowMemory {
        /// The memory limit.
        memory: u64,
        /// The limit of both.
        swap: u64,
    },
    /// Swap is limited, and memory is not.
    #[error("a limit of memory and swap needs a memory limit")]
    SwapWithoutMemory,
    /// What is kept back exceeds what there is.
    #[error("the memory reservation ({reservation} bytes) is more than the memory limit ({memory} bytes)")]
    ReservationAboveMemory {
        /// The memory limit.
        memory: u64,
        /// The reservation.
        reservation: u64,
    },
    /// Not a percentage.
    #[error("the swappiness is {0}, not between 0 and 100")]
    SwappinessOutOfRange(u64),
    /// Not a weight.
    #[error("the block device weight is {0}, not between 10 and 1000")]
    WeightOutOfRange(u16),
    /// Not a list like `0-2,4`.
    #[error("`{0}` is not a list of numbers and ranges such as `0-2,4`")]
    NotASet(String),
}

impl Limits {
    /// Whether a controller of processors is needed.
    pub(crate) fn limits_cpu(&self) -> bool {
        self.bandwidth().is_some() || self.cpu_shares.is_some()
    }

    /// Quota and period of processor time, if it is limited.
    pub(crate) fn bandwidth(&self) -> Option<(Ceiling, u64)> {
        if let Some(nano) = self.nano_cpus.filter(|nano| *nano > 0) {
            let quota = u128::from(nano) * u128::from(DEFAULT_PERIOD) / 1_000_000_000;
            return Some((Ceiling::At(u64::try_from(quota).unwrap_or(u64::MAX)), DEFAULT_PERIOD));
        }
        match (self.cpu_quota, self.cpu_period) {
            (None, None) => None,
            (quota, period) => Some((quota.unwrap_or(Ceiling::Unlimited), period.unwrap_or(DEFAULT_PERIOD))),
        }
    }

    /// The bound of memory and swap together that follows, and whether someone asked for it.
    pub(crate) fn memory_and_swap(&self) -> Option<(Ceiling, bool)> {
        match (self.memory_swap, self.memory) {
            (Some(swap), _) => Some((swap, true)),
            (None, Some(Ceiling::At(memory))) => Some((Ceiling::At(memory.saturating_mul(2)), false)),
            (None, Some(Ceiling::Unlimited)) => Some((Ceiling::Unlimited, false)),
            (None, None) => None,
        }
    }

    /// Whether a machine could keep these limits.
    ///
    /// # Errors
    ///
    /// The first contradiction among them, or a number that is out of its range.
    pub fn validate(&self) -> Result<(), LimitsError> {
        self.validate_cpu()?;
        self.validate_memory()?;
        if let Some(weight) = self.blkio_weight.filter(|weight| !(10..=1000).contains(weight)) {
            return Err(LimitsError::WeightOutOfRange(weight));
        }
        for set in [&self.cpuset_cpus, &self.cpuset_mems].into_iter().flatten() {
            if !is_set(set) {
                return Err(LimitsError::NotASet(set.clone()));
            }
        }
        Ok(())
    }

    fn validate_cpu(&self) -> Result<(), LimitsError> {
        if self.nano_cpus.is_some_and(|nano| nano > 0)
            && (self.cpu_quota.is_some() || self.cpu_period.is_some())
        {
            return Err(LimitsError::BandwidthTwice);
        }
        match self.bandwidth() {
            Some((Ceiling::At(quota), _)) if quota < 1000 => Err(LimitsError::QuotaTooSmall(quota)),
            Some((_, period)) if !(1000..=1_000_000).contains(&period) => {
                Err(LimitsError::PeriodOutOfRange(period))
            }
            _ => Ok(()),
        }
    }

    fn validate_memory(&self) -> Result<(), LimitsError> {
        match (self.memory, self.memory_swap) {
            (Some(Ceiling::At(memory)), Some(Ceiling::At(swap))) if swap < memory => {
                return Err(LimitsError::SwapBelowMemory { memory, swap });
            }
            (None | Some(Ceiling::Unlimited), Some(Ceiling::At(_))) => {
                return Err(LimitsError::SwapWithoutMemory);
            }
            _ => {}
        }
        match (self.memory, self.memory_reservation) {
            (Some(Ceiling::At(memory)), Some(reservation)) if reservation > memory => {
                return Err(LimitsError::ReservationAboveMemory { memory, reservation });
            }
            _ => {}
        }
        match self.memory_swappiness {
            Some(swappiness) if swappiness > 100 => Err(LimitsError::SwappinessOutOfRange(swappiness)),
            _ => Ok(()),
        }
    }
}

/// Whether a text is a list of numbers and rising ranges. The kernel says whether they exist.
fn is_set(text: &str) -> bool {
    let number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u32>().ok())?;
    text.split(',').all(|part| match part.split_once('-') {
        None => number(part).is_some(),
        Some((first, last)) => {
            matches!((number(first), number(last)), (Some(first), Some(last)) if first <= last)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{Ceiling, Limits, LimitsError, is_set};

    #[test]
    fn numbers_of_docker_have_its_meaning() {
        assert_eq!(Ceiling::from_docker(0), None);
        assert_eq!(Ceiling::from_docker(-1), Some(Ceiling::Unlimited));
        assert_eq!(Ceiling::from_docker(5), Some(Ceiling::At(5)));
    }

    #[test]
    fn processors_become_a_quota_of_a_tenth_of_a_second() {
        let limits = Limits { nano_cpus: Some(1_500_000_000), ..Limits::default() };
        assert_eq!(limits.bandwidth(), Some((Ceiling::At(150_000), 100_000)));
        let limits = Limits { nano_cpus: Some(u64::MAX), ..Limits::default() };
        assert_eq!(limits.bandwidth(), Some((Ceiling::At(1_844_674_407_370_955), 100_000)));
        let limits = Limits { cpu_period: Some(50_000), ..Limits::default() };
        assert_eq!(limits.bandwidth(), Some((Ceiling::Unlimited, 50_000)));
        assert_eq!(Limits::default().bandwidth(), None);
    }

    #[test]
    fn swap_is_twice_the_memory_unless_said_otherwise() {
        let memory = Some(Ceiling::At(100));
        let limits = Limits { memory, ..Limits::default() };
        assert_eq!(limits.memory_and_swap(), Some((Ceiling::At(200), false)));
        let limits = Limits { memory, memory_swap: Some(Ceiling::Unlimited), ..Limits::default() };
        assert_eq!(limits.memory_and_swap(), Some((Ceiling::Unlimited, true)));
    }

    #[test]
    fn contradictions_are_refused() {
        let at = |value| Some(Ceiling::At(value));
        let none = Limits::default();
        let cases = [
            (Limits { nano_cpus: Some(1), ..none.clone() }, LimitsError::QuotaTooSmall(0)),
            (
                Limits { nano_cpus: Some(1 << 30), cpu_period: Some(1000), ..none.clone() },
                LimitsError::BandwidthTwice,
            ),
            (Limits { cpu_period: Some(999), ..none.clone() }, LimitsError::PeriodOutOfRange(999)),
            (Limits { memory_swap: at(9), ..none.clone() }, LimitsError::SwapWithoutMemory),
            (
                Limits { memory: at(9), memory_swap: at(8), ..none.clone() },
                LimitsError::SwapBelowMemory { memory: 9, swap: 8 },
            ),
            (
                Limits { memory: at(9), memory_reservation: Some(10), ..none.clone() },
                LimitsError::ReservationAboveMemory { memory: 9, reservation: 10 },
            ),
            (Limits { memory_swappiness: Some(101), ..none.clone() }, LimitsError::SwappinessOutOfRange(101)),
            (Limits { blkio_weight: Some(9), ..none.clone() }, LimitsError::WeightOutOfRange(9)),
            (Limits { cpuset_cpus: Some("a".into()), ..none.clone() }, LimitsError::NotASet("a".into())),
        ];
        for (limits, error) in cases {
            assert_eq!(limits.validate(), Err(error));
        }
        assert_eq!(none.validate(), Ok(()));
    }

    #[test]
    fn sets_are_numbers_and_rising_ranges() {
        assert!(["0", "0-3", "0,2-3,7"].into_iter().all(is_set));
        assert!(!["", "-", "3-1", "0,", "+1", "0-", "1-2-3", "0\n", "99999999999"].into_iter().any(is_set));
    }
}
