//! Commit messages that ask to skip the run: "Skipping workflow runs" of GitHub's documentation.

use longshore_syntax::Span;

use super::{Obstacle, Stopped};
use crate::event::Event;

const MARKERS: [&str; 5] = ["[skip ci]", "[ci skip]", "[no ci]", "[skip actions]", "[actions skip]"];

/// Stops a push or pull request whose head commit asks for it.
pub(super) fn check(event: &Event, span: Span) -> Result<(), Stopped> {
    if !matches!(event.name.as_str(), "push" | "pull_request") {
        return Ok(());
    }
    let message = event.commit_message.as_deref().unwrap_or_default();
    let text = if let Some(marker) = MARKERS.iter().find(|marker| message.contains(**marker)) {
        format!("the message of the head commit contains `{marker}`")
    } else if has_trailer(message) {
        "the message of the head commit ends with `skip-checks: true`".to_owned()
    } else {
        return Ok(());
    };
    Err(Stopped::new(Obstacle::SkipMarker, Some(span), text))
}

/// Whether the last line is the trailer and two empty lines stand before the trailers.
fn has_trailer(message: &str) -> bool {
    let lines: Vec<&str> = message.trim_end().lines().map(str::trim_end).collect();
    let is_skip = |line: &&str| matches!(*line, "skip-checks:true" | "skip-checks: true");
    if !lines.last().is_some_and(is_skip) {
        return false;
    }
    let trailers = lines.iter().rev().take_while(|line| !line.is_empty()).count();
    let empty = lines.iter().rev().skip(trailers).take_while(|line| line.is_empty()).count();
    empty >= 2
}
