//! The flags that say which event is assumed; verbs that plan or run workflows share them.

use std::path::{Path, PathBuf};

use longshore_syntax::suggest;
use longshore_workflow::schema::{activity_types, event_names};
use thiserror::Error;

use crate::exit::Blame;
use crate::failure::Explained;
use crate::plan::occasion::EventRequest;

/// Which event is assumed.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Event")]
pub(super) struct EventArgs {
    /// The event: `pull_request`, `release:published`, or a JSON file with its payload [default: a push of what is here]
    #[arg(short, long, value_name = "EVENT|FILE")]
    event: Option<String>,

    /// A JSON file with the payload of the event; `-` is standard input
    #[arg(long, value_name = "FILE", alias = "eventpath")]
    payload: Option<PathBuf>,

    /// The activity type, such as `opened`
    #[arg(long = "type", value_name = "ACTIVITY")]
    activity: Option<String>,

    /// The branch or tag that it is about [default: what is checked out]
    #[arg(long = "ref", value_name = "REF")]
    git_ref: Option<String>,

    /// What to compare the files with; for pull requests the target branch
    #[arg(long, value_name = "REF")]
    base: Option<String>,

    /// Who causes it
    #[arg(short, long, value_name = "NAME")]
    actor: Option<String>,

    /// It comes from a fork
    #[arg(long)]
    fork: bool,

    /// An input of `workflow_dispatch`, which is the event if no other is given
    #[arg(short, long = "input", value_name = "NAME=VALUE", value_parser = pair)]
    inputs: Vec<(String, String)>,
}

/// `NAME=VALUE` in two; also `LABEL=IMAGE`.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err("write both, with `=` between".to_owned()),
    }
}

/// The event cannot be.
#[derive(Debug, Error)]
pub(super) enum EventError {
    #[error("there is no event `{name}`")]
    Unknown { name: String, help: String },
    #[error("`--input` is for `workflow_dispatch`, not for `{name}`")]
    Inputs { name: String },
    #[error("two payloads are given, `{}` and `{}`", first.display(), second.display())]
    TwoPayloads { first: PathBuf, second: PathBuf },
    #[error("two activity types are given, `{first}` and `{second}`")]
    TwoActivities { first: String, second: String },
    #[error("`{event}` has no activity type `{activity}`")]
    Activity { event: String, activity: String, help: String },
    #[error("`{text}` is not the name of a branch or tag")]
    Ref { text: String },
}

impl Explained for EventError {
    fn blame(&self) -> Blame {
        Blame::User
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Unknown { help, .. } | Self::Activity { help, .. } => help.clone(),
            Self::Inputs { .. } => "leave out `--event`, or the inputs".to_owned(),
            Self::TwoPayloads { .. } => {
                "`--event EVENT --payload FILE` names the event of a payload".to_owned()
            }
            Self::TwoActivities { .. } => "leave out `--type`".to_owned(),
            Self::Ref { .. } => "give `--ref` a branch, or a full ref such as `refs/tags/v1.2.3`".to_owned(),
        })
    }
}

impl EventArgs {
    /// What was asked for, as far as it makes sense by itself.
    pub(super) fn request(&self) -> Result<EventRequest, EventError> {
        let mut request = EventRequest {
            name: None,
            action: self.activity.clone(),
            payload: self.payload.clone(),
            git_ref: self.git_ref.clone(),
            base: self.base.clone(),
            actor: self.actor.clone(),
            fork: self.fork,
            inputs: self.inputs.clone(),
        };
        if let Some(text) = self.git_ref.as_ref().filter(|text| !is_ref(text)) {
            return Err(EventError::Ref { text: text.clone() });
        }
        let Some(event) = &self.event else { return Ok(request) };
        if is_file(event) {
            if let Some(second) = &self.payload {
                return Err(EventError::TwoPayloads { first: event.into(), second: second.clone() });
            }
            request.payload = Some(event.into());
            return Ok(request);
        }
        let (name, activity) = match event.split_once(':') {
            Some((name, activity)) => (name, Some(activity.to_owned())),
            None => (event.as_str(), None),
        };
        if !event_names().any(|known| known == name) {
            return Err(EventError::Unknown { name: name.to_owned(), help: near(name) });
        }
        if name != "workflow_dispatch" && !self.inputs.is_empty() {
            return Err(EventError::Inputs { name: name.to_owned() });
        }
        if let (Some(first), Some(second)) = (&activity, &self.activity) {
            return Err(EventError::TwoActivities { first: first.clone(), second: second.clone() });
        }
        request.name = Some(name.to_owned());
        request.action = activity.or(request.action);
        if let Some(activity) = &request.action {
            check_activity(name, activity)?;
        }
        Ok(request)
    }
}

/// Only types that GitHub knows can be sent; `repository_dispatch` takes any.
fn check_activity(event: &str, activity: &str) -> Result<(), EventError> {
    let known = activity_types(event);
    if event == "repository_dispatch" || known.is_some_and(|known| known.contains(&activity)) {
        return Ok(());
    }
    let help = match known {
        None => "it has no activity types; leave the type out".to_owned(),
        Some(known) => match suggest::nearest(activity, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("its types are {}", known.join(", ")),
        },
    };
    Err(EventError::Activity { event: event.to_owned(), activity: activity.to_owned(), help })
}

/// The characters and dots that git refuses in a ref (git-check-ref-format), and the empty name.
fn is_ref(text: &str) -> bool {
    let refused = |c: char| c.is_ascii_control() || " ~^:?*[\\".contains(c);
    !text.is_empty()
        && !text.contains(refused)
        && ["..", "//", "@{"].iter().all(|part| !text.contains(part))
        && !text.starts_with(['/', '-', '.'])
        && !text.ends_with(['/', '.'])
}

/// Whether this can be no event: events are lower case words.
fn is_file(event: &str) -> bool {
    let path = Path::new(event);
    event == "-" || event.contains('/') || path.extension().is_some_and(|extension| extension == "json")
}

fn near(name: &str) -> String {
    match suggest::nearest(name, event_names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "events are those of `on:`, such as `push`, `pull_request` and `workflow_dispatch`; \
                 a file with a payload ends in `.json`"
            .to_owned(),
    }
}
