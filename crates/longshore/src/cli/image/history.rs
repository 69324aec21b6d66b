//! `longshore image history`: how an image was made.

use std::time::SystemTime;

use jiff::Timestamp;
use longshore_format::{Format, Listing, Value, human};

use super::{Outcome, Session, platform};
use crate::exit::Exit;
use crate::wiring::Wiring;

/// Show the steps in which an image was made, the last one first
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  longshore image history debian:bookworm-slim
  longshore image history --no-trunc --format '{{.CreatedBy}}' debian:bookworm-slim")]
pub(super) struct HistoryArgs {
    /// Name or id of the image
    #[arg(value_name = "IMAGE")]
    image: String,

    /// Show ids only
    #[arg(short, long)]
    quiet: bool,

    /// Cut nothing off
    #[arg(long)]
    no_trunc: bool,

    /// Sizes and times for people; `--human=false` for programs
    #[arg(short = 'H', long, value_name = "BOOL", default_value_t = true, default_missing_value = "true", num_args = 0..=1, require_equals = true, action = clap::ArgAction::Set)]
    human: bool,

    /// `table`, `json`, `table TEMPLATE` or a template of Go
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,

    /// Show the image for this platform
    #[arg(long, value_name = "OS/ARCHITECTURE")]
    platform: Option<String>,
}

const LISTING: Listing = Listing {
    titles: &[
        ("ID", "IMAGE"),
        ("CreatedSince", "CREATED"),
        ("CreatedAt", "CREATED AT"),
        ("CreatedBy", "CREATED BY"),
        ("Size", "SIZE"),
        ("Comment", "COMMENT"),
    ],
    table: "{{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}",
    raw: "",
};
/// How many columns of a command are shown.
const COMMAND: usize = 45;

pub(super) fn run(args: &HistoryArgs, session: &mut Session) -> Outcome {
    // Docker's table for programs has times in the place of ages.
    let table = if args.human { LISTING.table.to_owned() } else { LISTING.table.replace("Since", "At") };
    let text = match args.format.as_deref().unwrap_or_default() {
        "" | "table" => format!("table {table}"),
        other => other.to_owned(),
    };
    let format = Format::parse(&text, &LISTING)?;
    let images = session.wiring().images()?;
    let image = images.resolve(&args.image, platform(args.platform.as_deref())?.as_ref())?;
    let now = Wiring::now();
    let mut rows = Vec::new();
    let mut ids = String::new();
    let sizes = images.layer_sizes(&image)?;
    for (at, step) in image.history(&sizes).into_iter().enumerate() {
        let id = match (at, args.no_trunc) {
            (0, true) => image.id().to_string(),
            (0, false) => human::short_id(image.id().as_str()).to_owned(),
            _ => "<missing>".to_owned(),
        };
        ids += &format!("{id}\n");
        let created = step.history.created.as_deref().unwrap_or_default().parse::<Timestamp>().ok();
        let since = created.map_or_else(
            || "N/A".to_owned(),
            |time| {
                format!("{} ago", human::ago(now.duration_since(SystemTime::from(time)).unwrap_or_default()))
            },
        );
        let by = step.history.created_by.unwrap_or_default().replace('\t', " ");
        let by = if args.no_trunc { by } else { human::ellipsis(&by, COMMAND) };
        let size = if args.human { human::size(step.size, 3) } else { step.size.to_string() };
        rows.push(Value::row(
            "*formatter.historyContext",
            [
                ("Comment", Value::text(step.history.comment.unwrap_or_default())),
                ("CreatedAt", Value::text(created.map_or_else(String::new, moment))),
                ("CreatedBy", Value::text(by)),
                ("CreatedSince", Value::text(since)),
                ("ID", Value::text(id)),
                ("Size", Value::text(size)),
            ],
        ));
    }
    let text = if args.quiet && args.format.is_none() { ids } else { format.render(&rows)? };
    session.output.data(&text)?;
    Ok(Exit::Success)
}

/// A time in whole seconds as RFC 3339 writes it.
fn moment(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
