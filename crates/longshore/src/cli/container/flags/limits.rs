//! What a container may use up.

use clap::Args;
use longshore_core::ByteSize;
use longshore_engine::{ContainerSpec, Ulimit};

use super::{FlagError, device};

/// What a container may use up.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(super) struct LimitArgs {
    /// Memory, such as `512m`
    #[arg(short, long, value_name = "SIZE")]
    memory: Option<ByteSize>,

    /// Memory and swap together; -1 for any amount of swap
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true)]
    memory_swap: Option<String>,

    /// Memory that is left to it when memory gets short
    #[arg(long, value_name = "SIZE")]
    memory_reservation: Option<ByteSize>,

    /// Let it wait for memory rather than kill its processes
    #[arg(long)]
    oom_kill_disable: bool,

    /// Make its processes more (or less) likely to be killed for memory, -1000 to 1000
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    oom_score_adj: Option<i32>,

    /// Number of CPUs, such as `1.5`
    #[arg(long, value_name = "COUNT")]
    cpus: Option<String>,

    /// Weight in sharing CPUs (1024 is normal)
    #[arg(short, long, value_name = "WEIGHT")]
    cpu_shares: Option<u64>,

    /// Microseconds of CPU time for each period
    #[arg(long, value_name = "MICROSECONDS", allow_hyphen_values = true)]
    cpu_quota: Option<i64>,

    /// Length of a period
    #[arg(long, value_name = "MICROSECONDS")]
    cpu_period: Option<u64>,

    /// CPUs it may run on, such as `0-2,4`
    #[arg(long, value_name = "LIST")]
    cpuset_cpus: Option<String>,

    /// Memory nodes it may use
    #[arg(long, value_name = "LIST")]
    cpuset_mems: Option<String>,

    /// Number of processes and threads; -1 for any
    #[arg(long, value_name = "COUNT", allow_hyphen_values = true)]
    pids_limit: Option<i64>,

    /// Weight in sharing disks, 10 to 1000
    #[arg(long, value_name = "WEIGHT")]
    blkio_weight: Option<u16>,

    /// Limit of single processes: `nofile=1024:2048`
    #[arg(long, value_name = "NAME=SOFT[:HARD]", allow_hyphen_values = true)]
    ulimit: Vec<String>,

    /// Size of `/dev/shm` (default 64m)
    #[arg(long, value_name = "SIZE")]
    shm_size: Option<ByteSize>,

    /// A device of this machine: `/dev/fuse[:/dev/other[:rwm]]`
    #[arg(long, value_name = "DEVICE")]
    device: Vec<String>,

    /// A rule for devices as the kernel writes it: `c 188:* rmw`
    #[arg(long, value_name = "RULE")]
    device_cgroup_rule: Vec<String>,

    /// Graphics processors, which this engine does not hand on: refused
    #[arg(long, hide = true)]
    gpus: Option<String>,
}

impl LimitArgs {
    pub(super) fn lower(&self, spec: &mut ContainerSpec) -> Result<(), FlagError> {
        if let Some(gpus) = &self.gpus {
            let why = "this engine does not install drivers into containers";
            return Err(FlagError::unsupported(&format!("--gpus {gpus}"), why)
                .help("hand on the device and its libraries with `--device` and `--volume`"));
        }
        let resources = &mut spec.resources;
        resources.memory = nonzero(self.memory);
        resources.memory_swap = self.memory_swap.as_deref().map(memory_swap).transpose()?;
        resources.memory_reservation = nonzero(self.memory_reservation);
        resources.oom_kill_disable = self.oom_kill_disable;
        resources.oom_score_adj = self.oom_score_adj;
        if let Some(score) = self.oom_score_adj.filter(|score| !(-1000..=1000).contains(score)) {
            return Err(FlagError::value("--oom-score-adj", &score.to_string(), "it is from -1000 to 1000"));
        }
        resources.nano_cpus = self.cpus.as_deref().map(cpus).transpose()?.filter(|cpus| *cpus > 0);
        if resources.nano_cpus.is_some() && (self.cpu_quota.is_some() || self.cpu_period.is_some()) {
            return Err(FlagError::conflict("--cpus", "--cpu-quota, --cpu-period"));
        }
        resources.cpu_shares = self.cpu_shares.filter(|shares| *shares > 0);
        resources.cpu_quota = self.cpu_quota.filter(|quota| *quota != 0);
        resources.cpu_period = self.cpu_period.filter(|period| *period != 0);
        resources.cpuset_cpus.clone_from(&self.cpuset_cpus);
        resources.cpuset_mems.clone_from(&self.cpuset_mems);
        resources.pids =
            self.pids_limit.and_then(|count| u64::try_from(count).ok()).filter(|count| *count > 0);
        resources.blkio_weight = self.blkio_weight.filter(|weight| *weight != 0);
        resources.shm_size = nonzero(self.shm_size);
        resources.ulimits = self.ulimit.iter().map(|text| ulimit(text)).collect::<Result<_, _>>()?;
        resources.devices = self.device.iter().map(|text| device::parse(text)).collect::<Result<_, _>>()?;
        resources.device_rules.clone_from(&self.device_cgroup_rule);
        Ok(())
    }
}

/// As with Docker, 0 is no limit.
fn nonzero(size: Option<ByteSize>) -> Option<u64> {
    size.map(ByteSize::bytes).filter(|bytes| *bytes > 0)
}

fn memory_swap(text: &str) -> Result<i64, FlagError> {
    if text == "-1" {
        return Ok(-1);
    }
    let size: ByteSize = text.parse().map_err(|error| FlagError::value("--memory-swap", text, error))?;
    i64::try_from(size.bytes()).map_err(|_| FlagError::value("--memory-swap", text, "it is too much"))
}

/// A decimal number of CPUs, in billionths.
fn cpus(text: &str) -> Result<u64, FlagError> {
    let wrong = || FlagError::value("--cpus", text, "it is not a number of CPUs such as `1.5`");
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) || fraction.len() > 9
    {
        return Err(wrong());
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| wrong())? };
    let billionths: u64 = format!("{fraction:0<9}").parse().map_err(|_| wrong())?;
    whole.checked_mul(1_000_000_000).and_then(|nano| nano.checked_add(billionths)).ok_or_else(wrong)
}

/// The limits that `setrlimit(2)` knows.
const ULIMITS: [&str; 16] = [
    "as",
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

fn ulimit(text: &str) -> Result<Ulimit, FlagError> {
    let wrong = |why: &str| FlagError::value("--ulimit", text, why);
    let (name, limits) = text.split_once('=').ok_or_else(|| wrong("it is not `NAME=SOFT[:HARD]`"))?;
    if !ULIMITS.contains(&name) {
        return Err(wrong("there is no such limit").help(&format!("the limits are {}", ULIMITS.join(", "))));
    }
    let number = |text: &str| match text {
        "-1" | "unlimited" => Ok(-1),
        text => {
            text.parse::<i64>().ok().filter(|number| *number >= 0).ok_or_else(|| wrong("it is not a number"))
        }
    };
    let (soft, hard) = match limits.split_once(':') {
        Some((soft, hard)) => (number(soft)?, number(hard)?),
        None => (number(limits)?, number(limits)?),
    };
    if hard != -1 && (soft == -1 || soft > hard) {
        return Err(wrong("the soft limit is above the hard limit"));
    }
    Ok(Ulimit { name: name.to_owned(), soft, hard })
}

#[cfg(test)]
mod tests {
    use super::{cpus, memory_swap, ulimit};

    #[test]
    fn numbers_of_cpus_are_billionths() {
        for (text, nano) in [("1", 1_000_000_000), ("1.5", 1_500_000_000), (".25", 250_000_000), ("0", 0)] {
            assert_eq!(cpus(text).unwrap(), nano, "{text}");
        }
        for text in ["", ".", "-1", "1e3", "1.2.3", "one", "0.0000000001", "99999999999999"] {
            assert!(cpus(text).is_err(), "{text}");
        }
        assert_eq!((memory_swap("-1").unwrap(), memory_swap("1g").unwrap()), (-1, 1 << 30));
        assert!(memory_swap("-2").is_err());
    }

    #[test]
    fn limits_of_processes_have_two_numbers() {
        let shown = |text: &str| ulimit(text).map(|it| (it.soft, it.hard)).ok();
        assert_eq!(shown("nofile=10"), Some((10, 10)));
        assert_eq!(shown("nofile=10:20"), Some((10, 20)));
        assert_eq!(shown("memlock=-1:-1"), Some((-1, -1)));
        for text in ["nofile", "nofile=", "nofile=20:10", "nofile=-1:10", "files=1", "nofile=a", "nofile=-2"]
        {
            assert_eq!(shown(text), None, "{text}");
        }
    }
}
