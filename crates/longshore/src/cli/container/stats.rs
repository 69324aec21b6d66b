//! `longshore container stats`.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use longshore_engine::{ContainerId, ContainerStatus};
use longshore_engine_native::{NativeEngine, Usage};
use longshore_format::{Format, Listing, Value, human};

use super::failure::plain;
use crate::cli::{Outcome, Session};
use crate::exit::Exit;
use crate::failure::Failure;

/// How long the use of CPUs is looked at before it is shown.
const WINDOW: Duration = Duration::from_secs(1);

/// Show what containers use: CPU, memory, network, disks, processes
#[derive(Debug, clap::Args)]
#[command(mut_args = super::as_switch, after_long_help = "Examples:
  longshore container stats
  longshore container stats --no-stream --format '{{.Name}} {{.MemUsage}}' web")]
pub(super) struct StatsArgs {
    /// All containers, not only those that run
    #[arg(short, long)]
    all: bool,

    /// Look once, and end
    #[arg(long)]
    no_stream: bool,

    /// Do not shorten ids
    #[arg(long)]
    no_trunc: bool,

    /// `table`, `json`, or a template of Go, with or without `table` before it
    #[arg(long, value_name = "FORMAT", default_value = "", hide_default_value = true)]
    format: String,

    /// Containers by name or id; those that run, if none is named
    #[arg(value_name = "CONTAINER")]
    containers: Vec<String>,
}

const LISTING: Listing = Listing {
    titles: &[
        ("Container", "CONTAINER"),
        ("ID", "CONTAINER ID"),
        ("Name", "NAME"),
        ("CPUPerc", "CPU %"),
        ("MemUsage", "MEM USAGE / LIMIT"),
        ("MemPerc", "MEM %"),
        ("NetIO", "NET I/O"),
        ("BlockIO", "BLOCK I/O"),
        ("PIDs", "PIDS"),
    ],
    table: "{{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}",
    raw: "container: {{.Container}}\nname: {{.Name}}\ncpu: {{.CPUPerc}}\nmem: {{.MemUsage}}\npids: {{.PIDs}}\n",
};

/// CPU time of each container, and when that was.
type Seen = BTreeMap<ContainerId, (Duration, Instant)>;

pub(super) fn run(args: &StatsArgs, session: &mut Session) -> Outcome {
    let format = Format::parse(&args.format, &LISTING)?;
    let engine = super::engine(session)?;
    let clear = !args.no_stream && std::io::stdout().is_terminal();
    let mut seen = Seen::new();
    args.rows(&engine, &mut seen)?;
    loop {
        std::thread::sleep(WINDOW);
        let rows = args.rows(&engine, &mut seen)?;
        let text = format.render(&rows)?;
        // The terminal's own words for an empty screen and its first place.
        session.output.data(&if clear { format!("\x1b[2J\x1b[H{text}") } else { text })?;
        session.output.flush()?;
        if args.no_stream || session.output.is_closed() {
            return Ok(Exit::Success);
        }
    }
}

impl StatsArgs {
    fn rows(&self, engine: &NativeEngine, seen: &mut Seen) -> Result<Vec<Value>, Failure> {
        let mut chosen: Vec<(String, ContainerStatus)> = Vec::new();
        if self.containers.is_empty() {
            let all = engine.containers().map_err(plain)?;
            let wanted = all.into_iter().filter(|status| self.all || status.state.is_alive());
            chosen.extend(wanted.map(|status| (status.id.short().to_owned(), status)));
        }
        for name in &self.containers {
            let id = super::find(engine, name).map_err(plain)?;
            chosen.push((name.clone(), engine.status(&id).map_err(plain)?));
        }
        let mut rows = Vec::new();
        for (asked, status) in chosen {
            // One that ended meanwhile uses nothing.
            let usage = engine.usage(&status.id).ok().flatten();
            rows.push(self.row(&asked, &status, usage.as_ref(), seen));
        }
        Ok(rows)
    }

    fn row(&self, asked: &str, status: &ContainerStatus, usage: Option<&Usage>, seen: &mut Seen) -> Value {
        let id = if self.no_trunc { status.id.as_str() } else { status.id.short() };
        let nothing = Usage::default();
        let usage = usage.unwrap_or(&nothing);
        let now = Instant::now();
        let cpu = usage.stats.cpu.as_ref().map_or(Duration::ZERO, |cpu| cpu.usage);
        let before = seen.insert(status.id.clone(), (cpu, now));
        let percent = before.map_or(0.0, |(used, then)| share(cpu.saturating_sub(used), now - then));
        let (used, limit) = memory(usage);
        #[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
        let memory_percent = if limit > 0 { used as f64 / limit as f64 * 100.0 } else { 0.0 };
        let (received, sent) = usage.network.unwrap_or_default();
        let block = usage.stats.block.as_ref();
        let (read, written) = block.map_or((0, 0), |block| (block.read_bytes, block.write_bytes));
        let pids = usage.stats.pids.as_ref().map_or(usage.processes as u64, |pids| pids.current);
        let fields = [
            ("BlockIO", Value::text(format!("{} / {}", human::size(read, 3), human::size(written, 3)))),
            ("CPUPerc", Value::text(format!("{percent:.2}%"))),
            ("Container", Value::text(asked)),
            ("ID", Value::text(id)),
            ("MemPerc", Value::text(format!("{memory_percent:.2}%"))),
            (
                "MemUsage",
                Value::text(format!("{} / {}", human::binary_size(used), human::binary_size(limit))),
            ),
            ("Name", Value::text(status.name.as_str())),
            ("NetIO", Value::text(format!("{} / {}", human::size(received, 3), human::size(sent, 3)))),
            ("PIDs", Value::text(pids.to_string())),
        ];
        Value::row("*container.statsContext", fields)
    }
}

fn share(used: Duration, passed: Duration) -> f64 {
    if passed.is_zero() { 0.0 } else { used.as_secs_f64() / passed.as_secs_f64() * 100.0 }
}

/// Memory in use without what the kernel can take back at once, and how much there may be.
fn memory(usage: &Usage) -> (u64, u64) {
    let Some(memory) = &usage.stats.memory else { return (0, 0) };
    let machine = rustix::system::sysinfo();
    let total = u64::from(machine.mem_unit).saturating_mul(machine.totalram);
    let limit = memory.limit.filter(|limit| *limit < total).unwrap_or(total);
    (memory.usage.saturating_sub(memory.inactive_file), limit)
}
