//! What `longshore watch` says between runs: to people on standard error, to programs as objects among the events, which
//! `docs/events.md` documents.

use std::path::Path;

use longshore_event::RunId;
use longshore_report::run::Format;
use longshore_report::{count, visible};
use longshore_source::Saved;
use serde::Serialize;

use super::Session;
use crate::output::WriteError;
use crate::run::now;

/// Paths that people are told of.
const SHOWN: usize = 4;

/// What a save comes to.
#[derive(Debug, Default)]
pub(super) struct Came {
    /// The runs that begin, with their workflows.
    pub(super) begun: Vec<(RunId, String)>,
    /// The runs whose place they take.
    pub(super) superseded: Vec<(RunId, String)>,
    /// Workflows that do not run, with why.
    pub(super) untouched: Vec<(String, String)>,
    /// Why nothing could be planned.
    pub(super) error: Option<String>,
}

/// Says what goes on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Telling {
    is_json: bool,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type")]
enum WatchDto<'a> {
    #[serde(rename = "watch.started")]
    Started { at: u64, directory: String, directories: usize },
    #[serde(rename = "watch.saved")]
    Saved {
        at: u64,
        paths: &'a [String],
        complete: bool,
        runs: Vec<RunDto<'a>>,
        superseded: Vec<RunDto<'a>>,
        not_affected: Vec<NotAffectedDto<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<&'a str>,
    },
    #[serde(rename = "watch.waiting")]
    Waiting { at: u64 },
}

#[derive(Debug, Serialize)]
struct RunDto<'a> {
    run: u64,
    path: &'a str,
}

#[derive(Debug, Serialize)]
struct NotAffectedDto<'a> {
    path: &'a str,
    reason: &'a str,
}

impl Telling {
    pub(super) fn new(format: Format) -> Self {
        Self { is_json: format == Format::Json }
    }

    /// Files are watched from here on.
    pub(super) fn begins(
        self,
        root: &Path,
        directories: usize,
        session: &mut Session,
    ) -> Result<(), WriteError> {
        let directory = root.display().to_string();
        let shown = format!("watching `{}`; Ctrl-C ends it\n", visible(&directory));
        self.say(&WatchDto::Started { at: now().0, directory, directories }, &shown, session)
    }

    /// Files were saved.
    pub(super) fn saved(self, saved: &Saved, came: &Came, session: &mut Session) -> Result<(), WriteError> {
        let runs = |runs: &'_ [(RunId, String)]| -> Vec<(u64, String)> {
            runs.iter().map(|(run, path)| (run.0, path.clone())).collect()
        };
        let (begun, superseded) = (runs(&came.begun), runs(&came.superseded));
        let dto = WatchDto::Saved {
            at: now().0,
            paths: &saved.paths,
            complete: saved.is_complete,
            runs: begun.iter().map(|(run, path)| RunDto { run: *run, path }).collect(),
            superseded: superseded.iter().map(|(run, path)| RunDto { run: *run, path }).collect(),
            not_affected: came
                .untouched
                .iter()
                .map(|(path, reason)| NotAffectedDto { path, reason })
                .collect(),
            error: came.error.as_deref(),
        };
        self.say(&dto, &text(saved, came), session)
    }

    /// All runs have ended.
    pub(super) fn waits(self, session: &mut Session) -> Result<(), WriteError> {
        self.say(&WatchDto::Waiting { at: now().0 }, "waiting for a save\n", session)
    }

    fn say(self, dto: &WatchDto<'_>, text: &str, session: &mut Session) -> Result<(), WriteError> {
        if !self.is_json {
            session.output.talk(text);
            return Ok(());
        }
        // Texts and numbers: there is nothing that could fail to serialise.
        session.output.data(&(serde_json::to_string(dto).unwrap_or_default() + "\n"))?;
        session.output.flush()
    }
}

fn text(saved: &Saved, came: &Came) -> String {
    let mut text = format!("\nsaved: {}\n", paths(saved));
    for (run, path) in &came.superseded {
        text.push_str(&format!("  ends run {run} of {}, whose place is taken\n", visible(path)));
    }
    for (run, path) in &came.begun {
        text.push_str(&format!("  runs {} (run {run})\n", visible(path)));
    }
    if came.begun.is_empty() && came.error.is_none() {
        text.push_str("  starts nothing\n");
        for (path, why) in &came.untouched {
            text.push_str(&format!("  not {}: {}\n", visible(path), visible(why)));
        }
    }
    text
}

fn paths(saved: &Saved) -> String {
    let shown: Vec<String> = saved.paths.iter().take(SHOWN).map(|path| visible(path).into_owned()).collect();
    let more = match saved.paths.len().saturating_sub(SHOWN) {
        0 if saved.is_complete => String::new(),
        0 if shown.is_empty() => "directories".to_owned(),
        0 => " and more".to_owned(),
        rest => format!(" and {} more", count(rest, "file")),
    };
    shown.join(", ") + &more
}
