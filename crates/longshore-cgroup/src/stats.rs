//! What a container has used and uses now.

use std::path::Path;
use std::time::Duration;

use crate::cgroup::{Cgroup, Tracker};
use crate::controller::Controller;
use crate::error::CgroupError;
use crate::file;
use crate::hierarchy::Hierarchy;

/// Use of everything that is counted. What this machine, or this container's choice of controllers, does not count is
/// `None`, which is not the same as 0.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stats {
    /// Processor time.
    pub cpu: Option<CpuStats>,
    /// Memory.
    pub memory: Option<MemoryStats>,
    /// Processes and threads.
    pub pids: Option<PidStats>,
    /// Block devices; counted on version 2, and on version 1 where a limit asks for the controller.
    pub block: Option<BlockStats>,
}

/// Processor time since the group was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CpuStats {
    /// All of it.
    pub usage: Duration,
    /// In programs.
    pub user: Duration,
    /// In the kernel.
    pub system: Duration,
    /// Periods in which there was something to do, where processor time is limited.
    pub periods: u64,
    /// Periods in which it was used up.
    pub throttled_periods: u64,
    /// How long processes waited for the next period.
    pub throttled: Duration,
}

/// Memory now, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MemoryStats {
    /// All of it, with cached files.
    pub usage: u64,
    /// The most that it was; `None` in kernels that do not say.
    pub peak: Option<u64>,
    /// The limit, if there is one.
    pub limit: Option<u64>,
    /// Cached files.
    pub cache: u64,
    /// Cached files that were not needed lately. `docker stats` shows the use without them.
    pub inactive_file: u64,
    /// Memory that stands for no file.
    pub anonymous: u64,
    /// Swapped out.
    pub swap: u64,
    /// How many processes were killed for want of memory.
    pub oom_kills: u64,
}

/// Processes and threads now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PidStats {
    /// How many.
    pub current: u64,
    /// The limit, if there is one.
    pub limit: Option<u64>,
}

/// Input and output of block devices since the group was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BlockStats {
    /// Bytes read.
    pub read_bytes: u64,
    /// Bytes written.
    pub write_bytes: u64,
    /// Read operations.
    pub reads: u64,
    /// Write operations.
    pub writes: u64,
}

impl Cgroup {
    /// What is used now, and was since the group was made.
    ///
    /// # Errors
    ///
    /// When one of the kernel's files is there and cannot be read.
    pub fn stats(&self) -> Result<Stats, CgroupError> {
        let is_unified = matches!(self.hierarchy, Hierarchy::V2(_));
        let memory = self.controller(Controller::Memory);
        let block = self.controller(Controller::Blkio);
        Ok(Stats {
            cpu: self.cpu_stats()?,
            memory: match memory {
                Some(path) if is_unified => unified_memory(path)?,
                Some(path) => legacy_memory(path)?,
                None => None,
            },
            pids: self.pid_stats()?,
            block: match block {
                Some(path) if is_unified => unified_block(path)?,
                Some(path) => legacy_block(path)?,
                None => None,
            },
        })
    }

    fn cpu_stats(&self) -> Result<Option<CpuStats>, CgroupError> {
        let mut stats = match (&self.unified, self.legacy.get(&Controller::Cpuacct)) {
            (Some(path), _) => unified_cpu(path)?,
            (None, Some(path)) => legacy_cpu(path)?,
            (None, None) => None,
        };
        // On version 1, limits are kept and counted elsewhere than time.
        if let (Some(stats), Some(path)) = (&mut stats, self.legacy.get(&Controller::Cpu)) {
            let text = file::read_if_there(&path.join("cpu.stat"))?.unwrap_or_default();
            stats.periods = file::keyed(&text, "nr_periods").unwrap_or_default();
            stats.throttled_periods = file::keyed(&text, "nr_throttled").unwrap_or_default();
            stats.throttled = Duration::from_nanos(file::keyed(&text, "throttled_time").unwrap_or_default());
        }
        Ok(stats)
    }

    fn pid_stats(&self) -> Result<Option<PidStats>, CgroupError> {
        if let Some(path) = self.controller(Controller::Pids)
            && let Some(current) = number(&path.join("pids.current"))?
        {
            return Ok(Some(PidStats { current, limit: number(&path.join("pids.max"))? }));
        }
        let (path, name) = match self.tracker() {
            None => return Ok(None),
            Some(Tracker::Unified(path)) => (path, "cgroup.threads"),
            Some(Tracker::Freezer(path) | Tracker::Plain(path)) => (path, "tasks"),
        };
        let mut current = 0;
        for directory in file::tree(path)? {
            let text = file::read_if_there(&directory.join(name))?.unwrap_or_default();
            current += u64::try_from(text.lines().count()).unwrap_or(u64::MAX);
        }
        Ok(Some(PidStats { current, limit: None }))
    }
}

fn unified_cpu(path: &Path) -> Result<Option<CpuStats>, CgroupError> {
    let Some(text) = file::read_if_there(&path.join("cpu.stat"))? else { return Ok(None) };
    let count = |key| file::keyed(&text, key).unwrap_or_default();
    let time = |key| Duration::from_micros(count(key));
    Ok(Some(CpuStats {
        usage: time("usage_usec"),
        user: time("user_usec"),
        system: time("system_usec"),
        periods: count("nr_periods"),
        throttled_periods: count("nr_throttled"),
        throttled: time("throttled_usec"),
    }))
}

fn legacy_cpu(path: &Path) -> Result<Option<CpuStats>, CgroupError> {
    let time = |name: &str| Ok(number(&path.join(name))?.map(Duration::from_nanos));
    let Some(usage) = time("cpuacct.usage")? else { return Ok(None) };
    let user = time("cpuacct.usage_user")?.unwrap_or_default();
    let system = time("cpuacct.usage_sys")?.unwrap_or_default();
    Ok(Some(CpuStats { usage, user, system, ..CpuStats::default() }))
}

fn unified_memory(path: &Path) -> Result<Option<MemoryStats>, CgroupError> {
    let Some(usage) = number(&path.join("memory.current"))? else { return Ok(None) };
    let text = file::read_if_there(&path.join("memory.stat"))?.unwrap_or_default();
    let events = file::read_if_there(&path.join("memory.events"))?.unwrap_or_default();
    let count = |key| file::keyed(&text, key).unwrap_or_default();
    Ok(Some(MemoryStats {
        usage,
        peak: number(&path.join("memory.peak"))?,
        limit: number(&path.join("memory.max"))?,
        cache: count("file"),
        inactive_file: count("inactive_file"),
        anonymous: count("anon"),
        swap: number(&path.join("memory.swap.current"))?.unwrap_or_default(),
        oom_kills: file::keyed(&events, "oom_kill").unwrap_or_default(),
    }))
}

fn legacy_memory(path: &Path) -> Result<Option<MemoryStats>, CgroupError> {
    let Some(usage) = number(&path.join("memory.usage_in_bytes"))? else { return Ok(None) };
    let text = file::read_if_there(&path.join("memory.stat"))?.unwrap_or_default();
    let count = |key| file::keyed(&text, key).unwrap_or_default();
    // Without a limit it is the greatest number of bytes in whole pages that the kernel can count.
    let limit = number(&path.join("memory.limit_in_bytes"))?
        .filter(|limit| *limit < i64::MAX.cast_unsigned() >> 16 << 16);
    Ok(Some(MemoryStats {
        usage,
        peak: number(&path.join("memory.max_usage_in_bytes"))?,
        limit,
        cache: count("total_cache"),
        inactive_file: count("total_inactive_file"),
        anonymous: count("total_rss"),
        swap: count("total_swap"),
        oom_kills: legacy_oom_kills(path)?,
    }))
}

/// The kills in a group and in what the container made below it; version 1 counts each where it happened.
pub(crate) fn legacy_oom_kills(path: &Path) -> Result<u64, CgroupError> {
    let mut kills = 0_u64;
    for directory in file::tree(path)? {
        let text = file::read_if_there(&directory.join("memory.oom_control"))?.unwrap_or_default();
        kills = kills.saturating_add(file::keyed(&text, "oom_kill").unwrap_or_default());
    }
    Ok(kills)
}

/// Lines are a device and `key=number` pairs.
fn unified_block(path: &Path) -> Result<Option<BlockStats>, CgroupError> {
    let Some(text) = file::read_if_there(&path.join("io.stat"))? else { return Ok(None) };
    let mut stats = BlockStats::default();
    for (key, value) in text.split_whitespace().filter_map(|word| word.split_once('=')) {
        let field = match key {
            "rbytes" => &mut stats.read_bytes,
            "wbytes" => &mut stats.write_bytes,
            "rios" => &mut stats.reads,
            "wios" => &mut stats.writes,
            _ => continue,
        };
        *field = field.saturating_add(value.parse().unwrap_or_default());
    }
    Ok(Some(stats))
}

/// Lines are a device, `Read` or `Write` among others, and a number.
fn legacy_block(path: &Path) -> Result<Option<BlockStats>, CgroupError> {
    let sums = |name: &str| {
        let Some(text) = file::read_if_there(&path.join(name))? else { return Ok(None) };
        let (mut read, mut write) = (0_u64, 0_u64);
        for line in text.lines() {
            let mut words = line.split_whitespace().skip(1);
            let (kind, count) = (words.next(), words.next().and_then(|count| count.parse().ok()));
            match (kind, count) {
                (Some("Read"), Some(count)) => read = read.saturating_add(count),
                (Some("Write"), Some(count)) => write = write.saturating_add(count),
                _ => {}
            }
        }
        Ok(Some((read, write)))
    };
    let Some((read_bytes, write_bytes)) = sums("blkio.throttle.io_service_bytes_recursive")? else {
        return Ok(None);
    };
    let (reads, writes) = sums("blkio.throttle.io_serviced_recursive")?.unwrap_or_default();
    Ok(Some(BlockStats { read_bytes, write_bytes, reads, writes }))
}

/// The number in a file; `None` if it says `max`, or is not there.
fn number(path: &Path) -> Result<Option<u64>, CgroupError> {
    Ok(file::read_if_there(path)?.and_then(|text| text.trim_end().parse().ok()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use super::{BlockStats, CpuStats, MemoryStats, PidStats, Stats};
    use crate::detect::Surroundings;
    use crate::hierarchy::Hierarchy;

    /// The group `one` of a tree of version 2 made of plain files, with what the kernel would write into them.
    fn with_group(files: &[(&str, &str)], check: impl FnOnce(&crate::cgroup::Cgroup)) {
        let place = tempfile::tempdir().unwrap();
        let group = place.path().join("longshore/one");
        fs::create_dir_all(group.join("below")).unwrap();
        files.iter().for_each(|(name, text)| fs::write(group.join(name), text).unwrap());
        let mountinfo = format!("1 2 0:3 / {} rw - cgroup2 cgroup2 rw", place.path().display());
        let surroundings = Surroundings { mountinfo: &mountinfo, cgroup: "0::/\n", parent: "longshore" };
        check(&Hierarchy::detect_in(surroundings).open("one").unwrap().unwrap());
    }

    #[test]
    fn version_2_counts_everything_in_one_directory() {
        let files = [
            (
                "cpu.stat",
                "usage_usec 30\nuser_usec 20\nsystem_usec 10\nnr_periods 4\nnr_throttled 3\nthrottled_usec 2\n",
            ),
            ("memory.current", "4096\n"),
            ("memory.max", "max\n"),
            ("memory.peak", "8192\n"),
            ("memory.stat", "anon 1\nfile 2\ninactive_file 3\nfile_mapped 9\n"),
            ("memory.swap.current", "5\n"),
            ("memory.events", "low 0\noom 9\noom_kill 2\noom_group_kill 0\n"),
            ("pids.current", "7\n"),
            ("pids.max", "100\n"),
            (
                "io.stat",
                "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n8:16 rbytes=10 wbytes=20\n253:0 \n",
            ),
        ];
        let micros = Duration::from_micros;
        let expected = Stats {
            cpu: Some(CpuStats {
                usage: micros(30),
                user: micros(20),
                system: micros(10),
                periods: 4,
                throttled_periods: 3,
                throttled: micros(2),
            }),
            memory: Some(MemoryStats {
                usage: 4096,
                peak: Some(8192),
                limit: None,
                cache: 2,
                inactive_file: 3,
                anonymous: 1,
                swap: 5,
                oom_kills: 2,
            }),
            pids: Some(PidStats { current: 7, limit: Some(100) }),
            block: Some(BlockStats { read_bytes: 11, write_bytes: 22, reads: 3, writes: 4 }),
        };
        with_group(&files, |cgroup| {
            assert_eq!(cgroup.stats().unwrap(), expected);
            assert_eq!(cgroup.oom_kills().unwrap(), Some(2));
        });
    }

    #[test]
    fn what_is_not_counted_is_not_0() {
        let threads =
            [("cgroup.threads", "1\n2\n"), ("below/cgroup.threads", "3\n"), ("cgroup.procs", "1\n0\n")];
        with_group(&threads, |cgroup| {
            let stats = cgroup.stats().unwrap();
            assert_eq!((stats.cpu, stats.memory, stats.block), (None, None, None));
            assert_eq!(stats.pids, Some(PidStats { current: 3, limit: None }));
            assert_eq!(cgroup.processes().unwrap().into_iter().collect::<Vec<_>>(), [1]);
            assert_eq!(cgroup.oom_kills().unwrap(), None);
            assert!(cgroup.watch_oom().unwrap().is_none());
        });
    }

    #[test]
    fn groups_are_found_by_name_and_by_name_only() {
        with_group(&[], |cgroup| {
            assert_eq!(cgroup.hierarchy.leftovers().unwrap().into_iter().collect::<Vec<_>>(), ["one"]);
            assert!(matches!(cgroup.hierarchy.open("../one"), Err(crate::error::CgroupError::Name(_))));
        });
    }
}
