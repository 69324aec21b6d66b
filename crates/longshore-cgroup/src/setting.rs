//! Which values keep which limits: Docker's words in the kernel's files, for both versions.

use crate::controller::Controller;
use crate::limits::{Ceiling, Limit, Limits, Throttle, ThrottleKind};

/// One value in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setting {
    /// The limit that it keeps.
    pub(crate) limit: Limit,
    /// The controller with the file.
    pub(crate) controller: Controller,
    /// The file.
    pub(crate) file: &'static str,
    /// What to write.
    pub(crate) value: String,
    /// File and value for kernels without the first file.
    pub(crate) alternative: Option<(&'static str, String)>,
    /// Whether someone asked for it; else it follows from another limit and may be missing.
    pub(crate) is_asked: bool,
}

impl Setting {
    fn new(limit: Limit, controller: Controller, file: &'static str, value: impl Into<String>) -> Self {
        Self { limit, controller, file, value: value.into(), alternative: None, is_asked: true }
    }
}

/// The values of version 1, in the order in which the kernel takes them in a new group.
pub(crate) fn legacy(limits: &Limits) -> Vec<Setting> {
    let mut settings = Vec::new();
    let mut add = |limit, controller, file, value: String| {
        settings.push(Setting::new(limit, controller, file, value));
    };
    if let Some(memory) = limits.memory {
        add(Limit::Memory, Controller::Memory, "memory.limit_in_bytes", negative(memory));
    }
    if let Some(reservation) = limits.memory_reservation {
        let file = "memory.soft_limit_in_bytes";
        add(Limit::MemoryReservation, Controller::Memory, file, reservation.to_string());
    }
    if let Some(swappiness) = limits.memory_swappiness {
        add(Limit::MemorySwappiness, Controller::Memory, "memory.swappiness", swappiness.to_string());
    }
    if limits.oom_kill_disable {
        add(Limit::OomKillDisable, Controller::Memory, "memory.oom_control", "1".to_owned());
    }
    if let Some(shares) = limits.cpu_shares {
        add(Limit::CpuShares, Controller::Cpu, "cpu.shares", shares.to_string());
    }
    if let Some((quota, period)) = limits.bandwidth() {
        add(Limit::CpuBandwidth, Controller::Cpu, "cpu.cfs_period_us", period.to_string());
        add(Limit::CpuBandwidth, Controller::Cpu, "cpu.cfs_quota_us", negative(quota));
    }
    for throttle in &limits.blkio_throttles {
        let Throttle { major, minor, rate, .. } = throttle;
        let value = format!("{major}:{minor} {rate}");
        add(Limit::BlkioThrottle, Controller::Blkio, legacy_throttle(throttle.kind), value);
    }
    for rule in &limits.devices {
        let file = if rule.allow { "devices.allow" } else { "devices.deny" };
        rule.legacy_lines().into_iter().for_each(|line| add(Limit::Devices, Controller::Devices, file, line));
    }
    let swap = limits.memory_and_swap().map(|(swap, is_asked)| Setting {
        is_asked,
        ..Setting::new(Limit::MemorySwap, Controller::Memory, "memory.memsw.limit_in_bytes", negative(swap))
    });
    let weight = limits.blkio_weight.map(|weight| Setting {
        alternative: Some(("blkio.bfq.weight", weight.to_string())),
        ..Setting::new(Limit::BlkioWeight, Controller::Blkio, "blkio.weight", weight.to_string())
    });
    settings.extend(swap.into_iter().chain(weight).chain(both(limits)));
    settings
}

/// The values of version 2, and the limits that it does not have. Rules for devices are a program there.
pub(crate) fn unified(limits: &Limits) -> (Vec<Setting>, Vec<Limit>) {
    let mut settings = Vec::new();
    let mut add = |limit, controller, file, value: String| {
        settings.push(Setting::new(limit, controller, file, value));
    };
    if let Some(memory) = limits.memory {
        add(Limit::Memory, Controller::Memory, "memory.max", word(memory));
    }
    if let Some(reservation) = limits.memory_reservation {
        add(Limit::MemoryReservation, Controller::Memory, "memory.low", reservation.to_string());
    }
    if let Some(shares) = limits.cpu_shares {
        add(Limit::CpuShares, Controller::Cpu, "cpu.weight", weight_of_shares(shares).to_string());
    }
    if let Some((quota, period)) = limits.bandwidth() {
        add(Limit::CpuBandwidth, Controller::Cpu, "cpu.max", format!("{} {period}", word(quota)));
    }
    for throttle in &limits.blkio_throttles {
        let Throttle { major, minor, rate, .. } = throttle;
        let value = format!("{major}:{minor} {}={rate}", unified_throttle(throttle.kind));
        add(Limit::BlkioThrottle, Controller::Blkio, "io.max", value);
    }
    let swap = swap_alone(limits).map(|(swap, is_asked)| Setting {
        is_asked,
        ..Setting::new(Limit::MemorySwap, Controller::Memory, "memory.swap.max", word(swap))
    });
    let weight = limits.blkio_weight.map(|weight| Setting {
        alternative: Some(("io.weight", format!("default {}", weight_of_blkio(weight)))),
        ..Setting::new(Limit::BlkioWeight, Controller::Blkio, "io.bfq.weight", weight.to_string())
    });
    settings.extend(swap.into_iter().chain(weight).chain(both(limits)));
    let absent = [
        (limits.memory_swappiness.is_some(), Limit::MemorySwappiness),
        (limits.oom_kill_disable, Limit::OomKillDisable),
    ];
    (settings, absent.into_iter().filter_map(|(is_asked, limit)| is_asked.then_some(limit)).collect())
}

/// What is the same in both versions.
fn both(limits: &Limits) -> impl Iterator<Item = Setting> {
    let pids = limits.pids.map(|pids| Setting::new(Limit::Pids, Controller::Pids, "pids.max", word(pids)));
    let set = |limit, file, set: &Option<String>| {
        set.as_ref().map(|set| Setting::new(limit, Controller::Cpuset, file, set.as_str()))
    };
    let cpus = set(Limit::CpusetCpus, "cpuset.cpus", &limits.cpuset_cpus);
    let mems = set(Limit::CpusetMems, "cpuset.mems", &limits.cpuset_mems);
    [pids, cpus, mems].into_iter().flatten()
}

/// Version 1 has -1 for no limit.
fn negative(ceiling: Ceiling) -> String {
    match ceiling {
        Ceiling::Unlimited => "-1".to_owned(),
        Ceiling::At(value) => value.to_string(),
    }
}

/// Version 2 has `max` for no limit, and so has `pids` in both.
fn word(ceiling: Ceiling) -> String {
    match ceiling {
        Ceiling::Unlimited => "max".to_owned(),
        Ceiling::At(value) => value.to_string(),
    }
}

/// Version 2 bounds swap alone where Docker bounds memory and swap together.
fn swap_alone(limits: &Limits) -> Option<(Ceiling, bool)> {
    let (both, is_asked) = limits.memory_and_swap()?;
    let swap = match (both, limits.memory) {
        (Ceiling::At(both), Some(Ceiling::At(memory))) => Ceiling::At(both.saturating_sub(memory)),
        (both, _) => both,
    };
    Some((swap, is_asked))
}

/// Shares, 2 to 262144 with 1024 in the middle, as a weight, 1 to 10000 with 100 in the middle: the curve through these
/// three points that the runtimes agree on, where both logarithms are a quadratic apart.
fn weight_of_shares(shares: u64) -> u64 {
    let shares = u32::try_from(shares.clamp(2, 262_144)).unwrap_or(262_144);
    let logarithm = f64::from(shares).log2();
    let exponent = (logarithm * logarithm + 125.0 * logarithm) / 612.0 - 7.0 / 34.0;
    // Rounding of floats must not lift a weight that is met exactly.
    let weight = (10_f64.powf(exponent) - 1e-6).ceil();
    #[expect(clippy::cast_sign_loss, reason = "the curve is between 1 and 10000")]
    let weight = weight as u64;
    weight.clamp(1, 10_000)
}

/// A weight of 10 to 1000 as one of 1 to 10000, in a straight line.
fn weight_of_blkio(weight: u16) -> u64 {
    1 + u64::from(weight).saturating_sub(10) * 9999 / 990
}

const fn legacy_throttle(kind: ThrottleKind) -> &'static str {
    match kind {
        ThrottleKind::ReadBytes => "blkio.throttle.read_bps_device",
        ThrottleKind::WriteBytes => "blkio.throttle.write_bps_device",
        ThrottleKind::ReadOperations => "blkio.throttle.read_iops_device",
        ThrottleKind::WriteOperations => "blkio.throttle.write_iops_device",
    }
}

const fn unified_throttle(kind: ThrottleKind) -> &'static str {
    match kind {
        ThrottleKind::ReadBytes => "rbps",
        ThrottleKind::WriteBytes => "wbps",
        ThrottleKind::ReadOperations => "riops",
        ThrottleKind::WriteOperations => "wiops",
    }
}

#[cfg(test)]
mod tests {
    use super::{Setting, legacy, unified, weight_of_blkio, weight_of_shares};
    use crate::device::{DeviceAccess, DeviceKind, DeviceRule};
    use crate::limits::{Ceiling, Limit, Limits, Throttle, ThrottleKind};

    fn everything() -> Limits {
        let null = DeviceRule {
            allow: true,
            kind: DeviceKind::Character,
            major: Some(1),
            minor: Some(3),
            access: DeviceAccess::ALL,
        };
        let throttle = Throttle { major: 8, minor: 0, kind: ThrottleKind::ReadBytes, rate: 7 };
        Limits {
            memory: Some(Ceiling::At(100)),
            memory_swap: Some(Ceiling::At(150)),
            memory_reservation: Some(50),
            memory_swappiness: Some(60),
            oom_kill_disable: true,
            nano_cpus: Some(500_000_000),
            cpu_quota: None,
            cpu_period: None,
            cpu_shares: Some(1024),
            cpuset_cpus: Some("0-1".into()),
            cpuset_mems: Some("0".into()),
            pids: Some(Ceiling::At(9)),
            devices: vec![DeviceRule::DENY_ALL, null],
            blkio_weight: Some(500),
            blkio_throttles: vec![throttle],
        }
    }

    fn lines(settings: &[Setting]) -> Vec<String> {
        settings.iter().map(|setting| format!("{}={}", setting.file, setting.value)).collect()
    }

    #[test]
    fn version_1_has_a_file_for_each_limit() {
        let expected = [
            "memory.limit_in_bytes=100",
            "memory.soft_limit_in_bytes=50",
            "memory.swappiness=60",
            "memory.oom_control=1",
            "cpu.shares=1024",
            "cpu.cfs_period_us=100000",
            "cpu.cfs_quota_us=50000",
            "blkio.throttle.read_bps_device=8:0 7",
            "devices.deny=a",
            "devices.allow=c 1:3 rwm",
            "memory.memsw.limit_in_bytes=150",
            "blkio.weight=500",
            "pids.max=9",
            "cpuset.cpus=0-1",
            "cpuset.mems=0",
        ];
        assert_eq!(lines(&legacy(&everything())), expected);
        assert_eq!(legacy(&Limits::default()), []);
    }

    #[test]
    fn version_2_counts_swap_alone_and_lacks_two_limits() {
        let expected = [
            "memory.max=100",
            "memory.low=50",
            "cpu.weight=100",
            "cpu.max=50000 100000",
            "io.max=8:0 rbps=7",
            "memory.swap.max=50",
            "io.bfq.weight=500",
            "pids.max=9",
            "cpuset.cpus=0-1",
            "cpuset.mems=0",
        ];
        let (settings, absent) = unified(&everything());
        assert_eq!(lines(&settings), expected);
        assert_eq!(absent, [Limit::MemorySwappiness, Limit::OomKillDisable]);
        assert_eq!(unified(&Limits::default()), (vec![], vec![]));
    }

    #[test]
    fn no_limit_has_each_version_s_word() {
        let unlimited = Some(Ceiling::Unlimited);
        let limits = Limits {
            memory: unlimited,
            memory_swap: unlimited,
            pids: unlimited,
            cpu_quota: unlimited,
            ..Limits::default()
        };
        let old = [
            "memory.limit_in_bytes=-1",
            "cpu.cfs_period_us=100000",
            "cpu.cfs_quota_us=-1",
            "memory.memsw.limit_in_bytes=-1",
            "pids.max=max",
        ];
        assert_eq!(lines(&legacy(&limits)), old);
        let new = ["memory.max=max", "cpu.max=max 100000", "memory.swap.max=max", "pids.max=max"];
        assert_eq!(lines(&unified(&limits).0), new);
    }

    #[test]
    fn swap_that_nobody_asked_for_may_be_missing() {
        let limits = Limits { memory: Some(Ceiling::At(100)), ..Limits::default() };
        let asked =
            |settings: &[Setting]| settings.iter().map(|setting| setting.is_asked).collect::<Vec<_>>();
        assert_eq!(asked(&legacy(&limits)), [true, false]);
        assert_eq!(asked(&unified(&limits).0), [true, false]);
    }

    #[test]
    fn weights_meet_at_both_ends_and_in_the_middle() {
        let weights = [0, 2, 1024, 262_144, u64::MAX].map(weight_of_shares);
        assert_eq!(weights, [1, 1, 100, 10_000, 10_000]);
        assert_eq!([10, 500, 1000].map(weight_of_blkio), [1, 4950, 10_000]);
    }
}
