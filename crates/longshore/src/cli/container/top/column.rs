//! Columns of `ps` and the options that choose them.

use super::process::{Machine, Process};

/// One column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Uid,
    User,
    Pid,
    Ppid,
    Pgid,
    Sid,
    Processor,
    CpuShare,
    MemoryShare,
    VirtualSize,
    ResidentSize,
    Terminal,
    State,
    StartTime,
    Elapsed,
    CpuTime,
    Threads,
    Nice,
    Name,
    CommandLine(&'static str),
}

/// `ps -ef`.
const FULL: [Column; 8] = [
    Column::Uid,
    Column::Pid,
    Column::Ppid,
    Column::Processor,
    Column::StartTime,
    Column::Terminal,
    Column::CpuTime,
    Column::CommandLine("CMD"),
];

/// `ps aux`.
const BSD: [Column; 11] = [
    Column::User,
    Column::Pid,
    Column::CpuShare,
    Column::MemoryShare,
    Column::VirtualSize,
    Column::ResidentSize,
    Column::Terminal,
    Column::State,
    Column::StartTime,
    Column::CpuTime,
    Column::CommandLine("COMMAND"),
];

impl Column {
    /// The columns that options ask for.
    ///
    /// # Errors
    /// There is an option or a column that is not known.
    pub(super) fn chosen(options: &[String]) -> Result<Vec<Self>, String> {
        let mut columns: Vec<Self> = Vec::new();
        let mut options = options.iter().map(String::as_str);
        let mut whole: Option<&[Self]> = None;
        while let Some(option) = options.next() {
            let list = match option {
                "-ef" | "-f" | "-e" | "-A" | "-eF" => {
                    whole.get_or_insert(&FULL);
                    continue;
                }
                "aux" | "-aux" | "axu" | "u" => {
                    whole = Some(&BSD);
                    continue;
                }
                "-o" | "o" | "-eo" | "-Ao" | "--format" => {
                    options.next().ok_or_else(|| format!("`{option}` needs a list of columns"))?
                }
                other => other
                    .strip_prefix("--format=")
                    .or_else(|| other.strip_prefix("-eo"))
                    .or_else(|| other.strip_prefix("-o"))
                    .ok_or_else(|| {
                        format!("there is no option `{other}`; see `longshore container top --help`")
                    })?,
            };
            for name in list.split([',', ' ']).filter(|name| !name.is_empty()) {
                columns.push(Self::named(name).ok_or_else(|| format!("there is no column `{name}`"))?);
            }
        }
        Ok(if columns.is_empty() { whole.unwrap_or(&FULL).to_vec() } else { columns })
    }

    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "uid" => Self::Uid,
            "user" | "euser" => Self::User,
            "pid" => Self::Pid,
            "ppid" => Self::Ppid,
            "pgid" | "pgrp" => Self::Pgid,
            "sid" | "sess" => Self::Sid,
            "c" => Self::Processor,
            "pcpu" | "%cpu" => Self::CpuShare,
            "pmem" | "%mem" => Self::MemoryShare,
            "vsz" | "vsize" => Self::VirtualSize,
            "rss" | "rssize" => Self::ResidentSize,
            "tty" | "tt" | "tname" => Self::Terminal,
            "stat" | "state" | "s" => Self::State,
            "stime" | "start" | "start_time" => Self::StartTime,
            "etime" => Self::Elapsed,
            "time" | "cputime" => Self::CpuTime,
            "nlwp" | "thcount" => Self::Threads,
            "ni" | "nice" => Self::Nice,
            "comm" | "ucmd" => Self::Name,
            "args" | "command" => Self::CommandLine("COMMAND"),
            "cmd" => Self::CommandLine("CMD"),
            _ => return None,
        })
    }

    /// Its title.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Uid => "UID",
            Self::User => "USER",
            Self::Pid => "PID",
            Self::Ppid => "PPID",
            Self::Pgid => "PGID",
            Self::Sid => "SID",
            Self::Processor => "C",
            Self::CpuShare => "%CPU",
            Self::MemoryShare => "%MEM",
            Self::VirtualSize => "VSZ",
            Self::ResidentSize => "RSS",
            Self::Terminal => "TTY",
            Self::State => "STAT",
            Self::StartTime => "STIME",
            Self::Elapsed => "ELAPSED",
            Self::CpuTime => "TIME",
            Self::Threads => "NLWP",
            Self::Nice => "NI",
            Self::Name => "COMMAND",
            Self::CommandLine(title) => title,
        }
    }

    /// What a process has in it.
    pub(super) fn cell(self, process: &Process, machine: &Machine) -> String {
        match self {
            Self::Uid | Self::User => machine.user(process.uid),
            Self::Pid => process.pid.to_string(),
            Self::Ppid => process.ppid.to_string(),
            Self::Pgid => process.group.to_string(),
            Self::Sid => process.session.to_string(),
            Self::Processor => (process.cpu_per_mille(machine) / 10).min(99).to_string(),
            Self::CpuShare => tenths(process.cpu_per_mille(machine)),
            Self::MemoryShare => tenths(machine.per_mille_of_memory(process.resident)),
            Self::VirtualSize => (process.size / 1024).to_string(),
            Self::ResidentSize => (process.resident / 1024).to_string(),
            Self::Terminal => process.terminal.clone(),
            Self::State => process.state.to_string(),
            Self::StartTime => process.start_time(machine),
            Self::Elapsed => elapsed(process.age(machine)),
            Self::CpuTime => clock(process.cpu_seconds),
            Self::Threads => process.threads.to_string(),
            Self::Nice => process.nice.to_string(),
            Self::Name => process.name.clone(),
            Self::CommandLine(_) => process.command_line.clone(),
        }
    }
}

fn tenths(per_mille: u64) -> String {
    format!("{}.{}", per_mille / 10, per_mille % 10)
}

fn clock(seconds: u64) -> String {
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// `[[days-]hours:]minutes:seconds`.
fn elapsed(seconds: u64) -> String {
    let (days, hours) = (seconds / 86_400, seconds / 3600 % 24);
    let rest = format!("{:02}:{:02}", seconds / 60 % 60, seconds % 60);
    match (days, hours) {
        (0, 0) => rest,
        (0, hours) => format!("{hours:02}:{rest}"),
        (days, hours) => format!("{days}-{hours:02}:{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{BSD, Column, FULL, clock, elapsed};

    #[test]
    fn options_choose_columns() {
        let chosen =
            |options: &[&str]| Column::chosen(&options.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>());
        assert_eq!(chosen(&[]), Ok(FULL.to_vec()));
        assert_eq!(chosen(&["aux"]), Ok(BSD.to_vec()));
        let two = vec![Column::Pid, Column::CommandLine("COMMAND")];
        for options in [
            &["-o", "pid,args"][..],
            &["-eo", "pid,args"],
            &["-opid,args"],
            &["-e", "-o", "pid", "-o", "args"],
        ] {
            assert_eq!(chosen(options), Ok(two.clone()), "{options:?}");
        }
        assert!(chosen(&["-Z"]).is_err() && chosen(&["-o", "label"]).is_err() && chosen(&["-o"]).is_err());
        assert_eq!(
            (clock(3_661), elapsed(61), elapsed(90_061)),
            ("01:01:01".into(), "01:01".into(), "1-01:01:01".into())
        );
    }
}
