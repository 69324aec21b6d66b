//! `longshore container inspect`.

use longshore_engine::{ContainerId, EngineError};
use longshore_engine_native::NativeEngine;
use longshore_format::Inspection;
use serde_json::Value;

use super::document::{Subject, document};
use super::failure::{Refused, complain, plain};
use crate::cli::{Outcome, Session};
use crate::exit::Exit;

/// Show everything that is known of containers, as JSON in Docker's shape
#[derive(Debug, clap::Args)]
#[command(mut_args = super::as_switch, after_long_help = "Examples:
  longshore container inspect web
  longshore container inspect -f '{{.State.Status}}' web
  longshore container inspect -f '{{json .NetworkSettings.Ports}}' web")]
pub(super) struct InspectArgs {
    /// A template of Go, or `json`
    #[arg(short, long, value_name = "FORMAT", default_value = "", hide_default_value = true)]
    format: String,

    /// Add how much room they take
    #[arg(short, long)]
    size: bool,

    /// Kind of object; `container` is the only one of this verb
    #[arg(long, value_name = "KIND", hide = true)]
    r#type: Option<String>,

    /// Containers by name or id
    #[arg(value_name = "CONTAINER", required = true)]
    containers: Vec<String>,
}

pub(super) fn run(args: &InspectArgs, session: &mut Session) -> Outcome {
    if let Some(kind) = args.r#type.as_deref().filter(|kind| *kind != "container") {
        return Err(Refused(format!("`--type` cannot be `{kind}`: this verb shows containers")).into());
    }
    let format = Inspection::parse(&args.format)?;
    let engine = super::engine(session)?;
    let mut exit = Exit::Success;
    let mut documents = Vec::new();
    for name in &args.containers {
        match super::find(&engine, name).and_then(|id| of(&engine, &id, args.size)) {
            Ok(document) => documents.push(document),
            Err(error) => {
                complain(session, &plain(error));
                exit = Exit::Program(1);
            }
        }
    }
    session.output.data(&format.render(&documents)?)?;
    Ok(exit)
}

/// The document of a container.
fn of(engine: &NativeEngine, id: &ContainerId, size: bool) -> Result<Value, EngineError> {
    let subject = Subject {
        status: engine.status(id)?,
        exposed: engine.exposed(id)?,
        directory: engine.home().join("containers").join(id.as_str()),
        size: if size { Some(engine.size(id)?) } else { None },
    };
    Ok(document(&subject, &engine.volumes()))
}
