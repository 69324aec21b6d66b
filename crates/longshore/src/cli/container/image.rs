//! The image of a container that is to be made: here already, or fetched first.

use longshore_engine::{ContainerSpec, EngineError, ImageSource, PullPolicy};
use longshore_image::{PullOptions, ResolveError, UnpackOptions, host_platform};
use longshore_oci::Platform;

use super::failure::starting;
use crate::cli::Session;
use crate::exit::Blame;
use crate::failure::Failure;
use crate::progress::ProgressSink;
use crate::wiring::Wiring;

/// Makes something of a container's image. If it is not here, it is fetched and another attempt made, unless it is not
/// to be.
pub(super) fn with_image<T>(
    session: &mut Session,
    spec: &ContainerSpec,
    (policy, quiet): (PullPolicy, bool),
    attempt: impl Fn() -> Result<T, EngineError>,
) -> Result<T, Failure> {
    let ImageSource::Image(name) = &spec.image else {
        return attempt().map_err(|error| starting(error, 125));
    };
    if policy == PullPolicy::Always {
        fetch(session, name, spec.platform.as_deref(), quiet)?;
    }
    match attempt() {
        Err(error) if policy == PullPolicy::Missing && error.is_not_found() => {
            // What is missing may be something else than the image.
            if !is_missing(session, name, spec.platform.as_deref()) {
                return Err(starting(error, 125));
            }
            if !quiet {
                session.output.talk(&format!("unable to find image `{name}` here, fetching it\n"));
            }
            fetch(session, name, spec.platform.as_deref(), quiet)?;
            attempt().map_err(|error| starting(error, 125))
        }
        made => made.map_err(|error| starting(error, 125)),
    }
}

fn is_missing(session: &Session, name: &str, platform: Option<&str>) -> bool {
    let platform = platform.and_then(|text| Platform::parse(text, &host_platform()).ok());
    let found = session.wiring().images().map(|images| images.resolve(name, platform.as_ref()));
    matches!(found, Ok(Err(ResolveError::NotFound { .. } | ResolveError::Platform { .. })))
}

fn fetch(session: &mut Session, name: &str, platform: Option<&str>, quiet: bool) -> Result<(), Failure> {
    // Whatever went wrong, the container could not be made.
    fetched(session, name, platform, quiet).map_err(|failure| Failure { blame: Blame::Code(125), ..failure })
}

fn fetched(session: &mut Session, name: &str, platform: Option<&str>, quiet: bool) -> Result<(), Failure> {
    let reference = crate::cli::image::reference(name)?.or_latest();
    let images = session.wiring().images()?;
    let progress = ProgressSink::new(quiet || session.output.is_quiet(), session.output.talk_style());
    let client = session.wiring().registry(progress.clone());
    let options = PullOptions {
        platform: crate::cli::image::platform(platform)?,
        policy: longshore_image::PullPolicy::Always,
        unpack: Some(UnpackOptions::for_this_process()),
        now: Wiring::now(),
        sink: &*progress,
    };
    let pulled = images.pull(&reference, &options, &client);
    progress.finish();
    pulled?;
    Ok(())
}
