//! The image of a container that is to be made: here already, or fetched first.

use longshore_engine::{ContainerSpec, Engine as _, EngineError, ImageSource, PullPolicy, PullSpec};
use longshore_engine_native::NativeEngine;

use super::failure::starting;
use crate::cli::Session;
use crate::exit::Blame;
use crate::failure::Failure;
use crate::progress::ProgressSink;

/// Makes something of a container's image. If it is not here, it is fetched and another attempt made, unless it is not
/// to be.
pub(super) fn with_image<T>(
    session: &mut Session,
    engine: &NativeEngine,
    spec: &ContainerSpec,
    (policy, quiet): (PullPolicy, bool),
    attempt: impl Fn() -> Result<T, EngineError>,
) -> Result<T, Failure> {
    let ImageSource::Image(name) = &spec.image else {
        return attempt().map_err(|error| starting(error, 125));
    };
    let platform = spec.platform.as_deref();
    if policy == PullPolicy::Always {
        fetch(session, engine, (name, platform), quiet)?;
    }
    match attempt() {
        // What is missing may be something else than the image.
        Err(error)
            if policy == PullPolicy::Missing
                && error.is_not_found()
                && !engine.has_image(name, platform).unwrap_or(true) =>
        {
            if !quiet {
                session.output.talk(&format!("unable to find image `{name}` here, fetching it\n"));
            }
            fetch(session, engine, (name, platform), quiet)?;
            attempt().map_err(|error| starting(error, 125))
        }
        made => made.map_err(|error| starting(error, 125)),
    }
}

fn fetch(
    session: &mut Session,
    engine: &NativeEngine,
    (name, platform): (&str, Option<&str>),
    quiet: bool,
) -> Result<(), Failure> {
    // Whatever went wrong, the container could not be made.
    let as_run = |failure: Failure| Failure { blame: Blame::Code(125), ..failure };
    let reference = crate::cli::image::reference(name).map_err(|error| as_run(error.into()))?.or_latest();
    let platform = crate::cli::image::platform(platform).map_err(|error| as_run(error.into()))?;
    let spec = PullSpec { policy: PullPolicy::Always, platform, login: None };
    let progress = ProgressSink::new(quiet || session.output.is_quiet(), session.output.talk_style());
    let pulled = engine.pull(&reference, &spec, &*progress);
    progress.finish();
    pulled.map(drop).map_err(|error| starting(error, 125))
}
