//! `longshore volume`: directories that outlive containers.

use std::collections::BTreeMap;
use std::path::Path;

use clap::Subcommand;
use longshore_engine_native::{NativeEngine, VolumeDto};
use longshore_format::{Filters, Format, Inspection, Listing, Value};
use serde_json::json;

use super::container::failure::{Refused, complain, each, plain};
use super::container::{as_switch, confirmed, engine, flags::labels, moment, report};
use super::{Outcome, Session};
use crate::exit::Exit;
use crate::failure::Failure;

/// Look after volumes: directories that outlive containers
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  longshore volume create --label team=web data
  longshore container run --rm -v data:/data host ls /data
  longshore volume ls --filter dangling=true
  longshore volume rm data")]
pub(super) struct VolumeArgs {
    #[command(subcommand)]
    command: VolumeCommand,
}

#[derive(Debug, Subcommand)]
enum VolumeCommand {
    /// Make a volume; one of that name that exists stays as it is
    #[command(mut_args = as_switch)]
    Create {
        /// Driver; `local` is the only one
        #[arg(short, long, default_value = "local")]
        driver: String,
        /// Set a label: `NAME=value` or `NAME`
        #[arg(long)]
        label: Vec<String>,
        /// `type=none`, `o=bind` and `device=PATH`, which make it a directory of this machine
        #[arg(short, long, value_name = "NAME=VALUE")]
        opt: Vec<String>,
        /// Its name; a made-up one, if absent
        name: Option<String>,
    },
    /// List volumes
    #[command(mut_args = as_switch, visible_alias = "list")]
    Ls {
        /// Only names
        #[arg(short, long)]
        quiet: bool,
        /// Only those that meet a condition: dangling, driver, label, name
        #[arg(short, long, value_name = "NAME=VALUE")]
        filter: Vec<String>,
        /// `table`, `json`, or a template of Go, with or without `table` before it
        #[arg(long, value_name = "FORMAT", default_value = "", hide_default_value = true)]
        format: String,
    },
    /// Show everything that is known of volumes
    Inspect {
        /// A template of Go, or `json`
        #[arg(short, long, value_name = "FORMAT", default_value = "", hide_default_value = true)]
        format: String,
        /// Volumes by name
        #[arg(value_name = "VOLUME", required = true)]
        volumes: Vec<String>,
    },
    /// Remove volumes that no container uses, with what is in them
    #[command(mut_args = as_switch, visible_alias = "remove")]
    Rm {
        /// One that does not exist is no error
        #[arg(short, long)]
        force: bool,
        /// Volumes by name
        #[arg(value_name = "VOLUME", required = true)]
        volumes: Vec<String>,
    },
    /// Remove the volumes that no container uses: those without a name, or all
    #[command(mut_args = as_switch)]
    Prune {
        /// Named ones, too
        #[arg(short, long)]
        all: bool,
        /// Do not ask
        #[arg(short, long)]
        force: bool,
        /// Only those that meet a condition: label, label!
        #[arg(long, value_name = "NAME=VALUE")]
        filter: Vec<String>,
    },
}

const LISTING: Listing = Listing {
    titles: &[
        ("Name", "VOLUME NAME"),
        ("Driver", "DRIVER"),
        ("Mountpoint", "MOUNTPOINT"),
        ("Scope", "SCOPE"),
        ("Labels", "LABELS"),
        ("Size", "SIZE"),
        ("Links", "LINKS"),
    ],
    table: "{{.Driver}}\t{{.Name}}",
    raw: "name: {{.Name}}\ndriver: {{.Driver}}\n",
};

pub(super) fn run(args: &VolumeArgs, session: &mut Session) -> Outcome {
    match &args.command {
        VolumeCommand::Create { driver, label, opt, name } => {
            create(session, driver, (label, opt), name.as_deref())
        }
        VolumeCommand::Ls { quiet, filter, format } => list(session, *quiet, filter, format),
        VolumeCommand::Inspect { format, volumes } => inspect(session, format, volumes),
        VolumeCommand::Rm { force, volumes } => remove(session, *force, volumes),
        VolumeCommand::Prune { all, force, filter } => prune(session, *all, *force, filter),
    }
}

fn create(
    session: &mut Session,
    driver: &str,
    (given, options): (&[String], &[String]),
    name: Option<&str>,
) -> Outcome {
    if driver != "local" {
        return Err(Refused(format!("`--driver` cannot be `{driver}`: `local` is the only driver")).into());
    }
    let options: BTreeMap<String, String> = options
        .iter()
        .map(|option| option.split_once('=').unwrap_or((option, "")))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let labels = labels(&[], given).map_err(|error| error.code(1))?;
    let engine = engine(session)?;
    let volumes = engine.volumes();
    let volume = match name {
        Some(name) => VolumeDto { labels, options, ..VolumeDto::named(name) },
        None => VolumeDto {
            labels,
            options,
            anonymous: true,
            ..VolumeDto::named(&engine.free_volume_name().map_err(plain)?)
        },
    };
    let made = volumes.create(&volume).map_err(plain)?;
    session.output.data(&format!("{}\n", made.name))?;
    Ok(Exit::Success)
}

fn list(session: &mut Session, quiet: bool, filter: &[String], format: &str) -> Outcome {
    let filters = Filters::parse(filter, &["dangling", "driver", "label", "name"])?;
    let dangling = filters.flag("dangling")?;
    let text = if quiet && matches!(format, "" | "table") { "{{.Name}}" } else { format };
    let format = Format::parse(text, &LISTING)?;
    let engine = engine(session)?;
    let mut rows = Vec::new();
    for volume in engine.volumes().list().map_err(plain)? {
        let met = filters.exact("driver", "local")
            && filters.pattern("name", &[volume.name.as_str()])
            && filters.labels("label", |name| volume.labels.get(name).map(String::as_str));
        let unused =
            |engine: &NativeEngine| engine.users_of_volume(&volume.name).map(|users| users.is_empty());
        if met
            && dangling
                .map_or(Ok(true), |wanted| unused(&engine).map(|unused| unused == wanted))
                .map_err(plain)?
        {
            rows.push(row(&engine, &volume));
        }
    }
    session.output.data(&format.render(&rows)?)?;
    Ok(Exit::Success)
}

fn row(engine: &NativeEngine, volume: &VolumeDto) -> Value {
    let labels: Vec<String> = volume.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let fields = [
        ("Availability", Value::text("N/A")),
        ("Driver", Value::text("local")),
        ("Group", Value::text("N/A")),
        ("Labels", Value::text(labels.join(","))),
        ("Links", Value::text("N/A")),
        ("Mountpoint", Value::text(engine.volumes().data(&volume.name).display().to_string())),
        ("Name", Value::text(volume.name.as_str())),
        ("Scope", Value::text("local")),
        ("Size", Value::text("N/A")),
        ("Status", Value::text("N/A")),
        ("Label", Value::lookup(volume.labels.clone())),
    ];
    Value::row("*formatter.volumeContext", fields)
}

fn inspect(session: &mut Session, format: &str, names: &[String]) -> Outcome {
    let format = Inspection::parse(format)?;
    let engine = engine(session)?;
    let (mut documents, mut exit) = (Vec::new(), Exit::Success);
    for name in names {
        match engine.volumes().inspect(name) {
            Ok(volume) => documents.push(document(&volume, &engine.volumes().data(name))),
            Err(error) => {
                complain(session, &plain(error));
                exit = Exit::Program(1);
            }
        }
    }
    session.output.data(&format.render(&documents)?)?;
    Ok(exit)
}

fn document(volume: &VolumeDto, data: &Path) -> serde_json::Value {
    let or_null =
        |map: &BTreeMap<String, String>| if map.is_empty() { serde_json::Value::Null } else { json!(map) };
    let mut labels = volume.labels.clone();
    if volume.anonymous {
        labels.insert("com.docker.volume.anonymous".to_owned(), String::new());
    }
    json!({
        "CreatedAt": moment::rfc3339(i128::from(volume.created) / 1_000_000_000 * 1_000_000_000),
        "Driver": "local",
        "Labels": or_null(&labels),
        "Mountpoint": data,
        "Name": volume.name,
        "Options": or_null(&volume.options),
        "Scope": "local",
    })
}

fn remove(session: &mut Session, force: bool, names: &[String]) -> Outcome {
    let engine = engine(session)?;
    each(session, names, |_, name| match engine.remove_volume(name) {
        Err(error) if force && error.is_not_found() => Ok(name.to_owned()),
        result => result.map(|()| name.to_owned()).map_err(plain),
    })
}

fn prune(session: &mut Session, all: bool, force: bool, filter: &[String]) -> Outcome {
    let filters = Filters::parse(filter, &["label", "label!", "all"])?;
    let all = all || filters.flag("all")?.unwrap_or(false);
    let kind = if all { "all volumes" } else { "all volumes without a name" };
    if !force && !confirmed(session, &format!("this will remove {kind} that no container uses"))? {
        return Ok(Exit::Success);
    }
    let engine = engine(session)?;
    let (mut deleted, mut freed) = (Vec::new(), 0);
    for volume in engine.volumes().list().map_err(plain)? {
        let label = |name: &str| volume.labels.get(name).map(String::as_str);
        if !(all || volume.anonymous)
            || !filters.labels("label", label)
            || !filters.without_labels("label!", label)
        {
            continue;
        }
        let size = engine.size_of_volume(&volume.name);
        if freed_one(&engine, &volume.name)? {
            freed += size;
            deleted.push(volume.name);
        }
    }
    report(session, "Volumes", &deleted, freed)?;
    Ok(Exit::Success)
}

/// Removes a volume if nobody uses it.
fn freed_one(engine: &NativeEngine, name: &str) -> Result<bool, Failure> {
    if !engine.users_of_volume(name).map_err(plain)?.is_empty() {
        return Ok(false);
    }
    match engine.remove_volume(name) {
        Ok(()) => Ok(true),
        // Somebody took or removed it meanwhile.
        Err(error) if error.is_not_found() || error.fault == longshore_engine::Fault::Conflict => Ok(false),
        Err(error) => Err(plain(error)),
    }
}
