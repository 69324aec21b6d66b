//! Processes as `/proc` shows them, see `proc_pid_stat(5)`.

use std::collections::BTreeMap;
use std::fs;
use std::time::UNIX_EPOCH;

use crate::wiring::Wiring;

/// Clock ticks of a second, as all kernels of this kind count for programs.
const TICKS: u64 = 100;
/// The bytes that resident memory is counted in.
const PAGE: u64 = 4096;

/// What is the same for all processes.
#[derive(Debug, Default)]
pub(super) struct Machine {
    users: BTreeMap<u32, String>,
    /// Seconds since it was started.
    uptime: u64,
    memory: u64,
    /// Seconds since 1970.
    now: u64,
}

/// One process.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) pid: i32,
    pub(super) uid: u32,
    pub(super) ppid: i32,
    pub(super) group: i32,
    pub(super) session: i32,
    pub(super) state: char,
    pub(super) terminal: String,
    pub(super) cpu_seconds: u64,
    cpu_ticks: u64,
    /// Seconds from the machine's start to its own.
    started: u64,
    pub(super) threads: u64,
    pub(super) nice: i64,
    pub(super) size: u64,
    pub(super) resident: u64,
    pub(super) name: String,
    pub(super) command_line: String,
}

impl Machine {
    /// Looks at this machine.
    pub(super) fn read() -> Self {
        let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let users = passwd.lines().filter_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?.to_owned();
            Some((fields.nth(1)?.parse().ok()?, name))
        });
        let system = rustix::system::sysinfo();
        Self {
            // Of several names of one user, the first is shown.
            users: users.fold(BTreeMap::new(), |mut users, (uid, name)| {
                users.entry(uid).or_insert(name);
                users
            }),
            uptime: u64::try_from(system.uptime).unwrap_or_default(),
            memory: system.totalram.saturating_mul(u64::from(system.mem_unit)),
            now: Wiring::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
        }
    }

    /// The name of a user, or the number.
    pub(super) fn user(&self, uid: u32) -> String {
        self.users.get(&uid).cloned().unwrap_or_else(|| uid.to_string())
    }

    /// How much of all memory so many bytes are.
    pub(super) fn per_mille_of_memory(&self, bytes: u64) -> u64 {
        bytes.saturating_mul(1000).checked_div(self.memory).unwrap_or(0)
    }
}

impl Process {
    /// Looks at a process; nothing if it has ended.
    pub(super) fn read(pid: i32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        Self::parse(pid, &stat, &status, &arguments)
    }

    fn parse(pid: i32, stat: &str, status: &str, arguments: &[u8]) -> Option<Self> {
        let (begin, rest) = stat.rsplit_once(')')?;
        let name = begin.split_once('(')?.1.to_owned();
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        // The third field of the manual page is the first one here.
        let field = |number: usize| fields.get(number - 3).copied();
        let number = |index: usize| field(index)?.parse::<u64>().ok();
        let id = |index: usize| field(index)?.parse::<i32>().ok();
        let uid = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
        let uid = uid.split_ascii_whitespace().nth(1)?.parse().ok()?;
        let cpu_ticks = number(14)? + number(15)?;
        let words: Vec<String> = arguments
            .split(|byte| *byte == 0)
            .map(|word| String::from_utf8_lossy(word).replace(|char: char| char.is_control(), "?"))
            .collect();
        let line = words.join(" ").trim_end().to_owned();
        Some(Self {
            pid,
            uid,
            ppid: id(4)?,
            group: id(5)?,
            session: id(6)?,
            state: field(3)?.chars().next()?,
            terminal: terminal(field(7)?.parse().ok()?),
            cpu_seconds: cpu_ticks / TICKS,
            cpu_ticks,
            started: number(22)? / TICKS,
            threads: number(20)?,
            nice: field(19)?.parse().ok()?,
            size: number(23)?,
            resident: number(24)? * PAGE,
            // Kernel threads and what has ended have no arguments.
            command_line: if line.is_empty() { format!("[{name}]") } else { line },
            name,
        })
    }

    /// Seconds since it began.
    pub(super) fn age(&self, machine: &Machine) -> u64 {
        machine.uptime.saturating_sub(self.started)
    }

    /// CPU time over its whole life, in thousandths of one CPU.
    pub(super) fn cpu_per_mille(&self, machine: &Machine) -> u64 {
        (self.cpu_ticks * 1000 / TICKS).checked_div(self.age(machine)).unwrap_or(0)
    }

    /// The time of day of its start, or the date if that was not today.
    pub(super) fn start_time(&self, machine: &Machine) -> String {
        let began = machine.now.saturating_sub(self.age(machine));
        let Ok(time) = jiff::Timestamp::from_second(i64::try_from(began).unwrap_or_default()) else {
            return String::new();
        };
        let today = machine.now / 86_400 == began / 86_400;
        time.strftime(if today { "%H:%M" } else { "%b%d" }).to_string()
    }
}

/// The name of a terminal by its number, see `proc_pid_stat(5)`.
fn terminal(number: i32) -> String {
    let number = number.cast_unsigned();
    let (major, minor) = (number >> 8 & 0xfff, number & 0xff | number >> 12 & 0xfff00);
    match major {
        0 => "?".to_owned(),
        4 if minor < 64 => format!("tty{minor}"),
        4 => format!("ttyS{}", minor - 64),
        5 if minor == 1 => "console".to_owned(),
        136..=143 => format!("pts/{}", minor + (major - 136) * 256),
        _ => format!("{major}:{minor}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Process, terminal};

    #[test]
    fn a_process_is_read_whatever_its_name() {
        let stat = "7 (a) b (c) S 1 7 7 34816 7 4194304 1 0 0 0 150 50 0 0 20 5 3 0 12345 4096000 100 18446744073709551615";
        let process = Process::parse(7, stat, "Name:\tx\nUid:\t0\t1000\t0\t0\n", b"sleep\x001\x00").unwrap();
        assert_eq!((process.name.as_str(), process.uid, process.ppid), ("a) b (c", 1000, 1));
        assert_eq!((process.cpu_seconds, process.started, process.threads), (2, 123, 3));
        assert_eq!((process.terminal.as_str(), process.command_line.as_str()), ("pts/0", "sleep 1"));
        let ended = Process::parse(7, stat, "Uid:\t0\t0\t0\t0\n", b"").unwrap();
        assert_eq!(ended.command_line, "[a) b (c]");
        assert!(Process::parse(7, "7 (x) S 1", "Uid: 0 0", b"").is_none());
        assert_eq!((terminal(0), terminal(34817)), ("?".into(), "pts/1".into()));
    }
}
