//! `longshore container ps`.

mod filter;
mod row;

use longshore_engine::{ContainerState, ContainerStatus, EngineError};
use longshore_engine_native::NativeEngine;
use longshore_format::{Filters, Format, Listing, Value};

use super::failure::plain;
use super::moment;
use crate::cli::{Outcome, Session};
use crate::exit::Exit;
use crate::failure::Failure;

/// List containers that run, or all of them
#[derive(Debug, clap::Args)]
#[command(mut_args = super::as_switch, after_long_help = "Examples:
  longshore container ps
  longshore container ps -aq --filter status=exited --filter label=job
  longshore container ps --format 'table {{.Names}}\\t{{.Status}}\\t{{.Ports}}'
  longshore container ps --format json

Filters: ancestor, before, exited, expose, health, id, label, name, network, publish, since, status, volume")]
#[expect(clippy::struct_excessive_bools, reason = "these are the switches that Docker has")]
pub(super) struct ListArgs {
    /// All, not only those that run
    #[arg(short, long)]
    all: bool,

    /// Only ids
    #[arg(short, long)]
    quiet: bool,

    /// The last so many that were created, whatever they do
    #[arg(short = 'n', long, value_name = "COUNT", allow_negative_numbers = true)]
    last: Option<i64>,

    /// The last one that was created, whatever it does
    #[arg(short, long)]
    latest: bool,

    /// Add how much room they take
    #[arg(short, long)]
    size: bool,

    /// Do not shorten anything
    #[arg(long)]
    no_trunc: bool,

    /// Only those that meet a condition: `status=exited`, `name=web`
    #[arg(short, long, value_name = "NAME=VALUE")]
    filter: Vec<String>,

    /// `table`, `json`, or a template of Go, with or without `table` before it
    #[arg(long, value_name = "FORMAT", default_value = "", hide_default_value = true)]
    format: String,
}

/// What listings show, with and without sizes.
const LISTING: Listing = Listing {
    titles: &[
        ("ID", "CONTAINER ID"),
        ("Image", "IMAGE"),
        ("Command", "COMMAND"),
        ("CreatedAt", "CREATED AT"),
        ("RunningFor", "CREATED"),
        ("Status", "STATUS"),
        ("State", "STATE"),
        ("Ports", "PORTS"),
        ("Names", "NAMES"),
        ("Size", "SIZE"),
        ("Labels", "LABELS"),
        ("Mounts", "MOUNTS"),
        ("LocalVolumes", "LOCAL VOLUMES"),
        ("Networks", "NETWORKS"),
        ("Platform", "PLATFORM"),
    ],
    table: "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}",
    raw: "container_id: {{.ID}}\nimage: {{.Image}}\ncommand: {{.Command}}\ncreated_at: {{.CreatedAt}}\nstate: {{.State}}\n\
          status: {{.Status}}\nnames: {{.Names}}\nlabels: {{.Labels}}\nports: {{.Ports}}\n",
};
const SIZED: &str =
    "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}\t{{.Size}}";

pub(super) fn run(args: &ListArgs, session: &mut Session) -> Outcome {
    let filters = Filters::parse(&args.filter, filter::KNOWN)?;
    let listing = if args.size { Listing { table: SIZED, ..LISTING } } else { LISTING };
    let table = args.quiet && matches!(args.format.as_str(), "" | "table");
    let text = if table { "{{.ID}}" } else { args.format.as_str() };
    let format = Format::parse(text, &listing)?;
    let engine = super::engine(session)?;
    let chosen = args.choose(&engine, &filters)?;
    let now = moment::now();
    let sized = args.size || args.format.contains(".Size");
    let rows: Result<Vec<Value>, EngineError> = chosen
        .iter()
        .map(|status| row::row(&engine, status, now, row::Width { whole: args.no_trunc, sized }))
        .collect();
    session.output.data(&format.render(&rows.map_err(plain)?)?)?;
    Ok(Exit::Success)
}

impl ListArgs {
    /// The containers that are wanted, newest first.
    fn choose(&self, engine: &NativeEngine, filters: &Filters) -> Result<Vec<ContainerStatus>, Failure> {
        let all = engine.containers().map_err(plain)?;
        let count =
            if self.latest { Some(1) } else { self.last.and_then(|count| usize::try_from(count).ok()) };
        let any_state =
            self.all || count.is_some() || filters.contains("status") || filters.contains("exited");
        let conditions = filter::Conditions::new(filters, &all)?;
        let mut chosen = Vec::new();
        for status in &all {
            let runs = matches!(
                status.state,
                ContainerState::Running | ContainerState::Paused | ContainerState::Restarting
            );
            if (runs || any_state) && conditions.met(engine, status)? {
                chosen.push(status.clone());
            }
        }
        chosen.truncate(count.unwrap_or(usize::MAX));
        Ok(chosen)
    }
}
