//! `longshore image inspect`: all about images.

use longshore_format::Inspection;
use longshore_image::{Images, ResolveError, Unpacker};
use serde_json::Value;

use super::{Outcome, Session, platform};
use crate::exit::Exit;
use crate::failure::Failure;

/// Show all about images, as JSON or by a template
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  longshore image inspect debian:bookworm-slim
  longshore image inspect -f '{{.Id}}' debian:bookworm-slim
  longshore image inspect -f '{{json .Config.Env}}' debian:bookworm-slim")]
pub(super) struct InspectArgs {
    /// Names or ids of images
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<String>,

    /// `json` or a template of Go
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<String>,

    /// Show the image for this platform
    #[arg(long, value_name = "OS/ARCHITECTURE")]
    platform: Option<String>,
}

pub(super) fn run(args: &InspectArgs, session: &mut Session) -> Outcome {
    let inspection = Inspection::parse(args.format.as_deref().unwrap_or_default())?;
    let images = session.wiring().images()?;
    let mut documents = Vec::new();
    let mut failed: Option<Failure> = None;
    for text in &args.images {
        match document(&images, text, args.platform.as_deref()) {
            Ok(document) => documents.push(document),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    // What was found is shown although something else was not, as Docker does.
    let text = inspection.render(&documents)?;
    session.output.data(&text)?;
    failed.map_or(Ok(Exit::Success), Err)
}

fn document(images: &Images, text: &str, wanted: Option<&str>) -> Result<Value, Failure> {
    let image = images.resolve(text, platform(wanted)?.as_ref())?;
    let gone = || ResolveError::NotFound { text: text.to_owned() };
    let mut listed = images.listed(&image)?.ok_or_else(gone)?;
    listed.size = images.size(&image)?;
    listed.image = image;
    let layers = images.unpacked(&listed.image, Unpacker::of_this_process())?.unwrap_or_default();
    Ok(listed.inspection(&layers))
}
