//! The filters on branches, tags and paths.

use longshore_syntax::Span;

use super::{Obstacle, Stopped};
use crate::event::Event;
use crate::filter::{Filter, FilterMode, Verdict};
use crate::model::{FilterKind, PatternFilter, Trigger};

/// How many files of a difference GitHub compares with the patterns.
const FILE_LIMIT: usize = 300;

/// Stops the event if a filter does; adds to `reasons` why the others let it pass.
pub(super) fn check(trigger: &Trigger, event: &Event, reasons: &mut Vec<String>) -> Result<(), Stopped> {
    match event.name.as_str() {
        "push" => push(trigger, event, reasons),
        "pull_request" | "pull_request_target" => {
            branch(trigger, "target branch", event.base_ref.as_deref(), reasons)?;
            paths(trigger, event, reasons)
        }
        "merge_group" => branch(trigger, "target branch", event.base_ref.as_deref(), reasons),
        "workflow_run" => branch(trigger, "branch", event.head_ref.as_deref(), reasons),
        _ => Ok(()),
    }
}

/// A push is of a branch or a tag; filters for the other kind alone leave it out, and tags have no changed paths.
fn push(trigger: &Trigger, event: &Event, reasons: &mut Vec<String>) -> Result<(), Stopped> {
    let branches = either(trigger, FilterKind::Branches);
    let tags = either(trigger, FilterKind::Tags);
    if let Some(tag) = event.tag() {
        return match (tags, branches) {
            (Some(filter), _) => apply(filter, Obstacle::Tag, "tag", &[tag], reasons),
            (None, Some(filter)) => Err(other_kind(filter, Obstacle::Tag, "tag", tag)),
            (None, None) => Ok(()),
        };
    }
    match (branches, tags, event.branch()) {
        (Some(_), _, name) => branch(trigger, "branch", name, reasons)?,
        (None, Some(filter), Some(name)) => {
            return Err(other_kind(filter, Obstacle::Branch, "branch", name));
        }
        _ => {}
    }
    paths(trigger, event, reasons)
}

fn either(trigger: &Trigger, kind: FilterKind) -> Option<&PatternFilter> {
    trigger.filter(kind).or_else(|| trigger.filter(kind.counterpart()))
}

fn other_kind(filter: &PatternFilter, obstacle: Obstacle, noun: &str, name: &str) -> Stopped {
    let key = filter.kind.as_str();
    let text = format!("{noun} `{name}` is pushed, and a filter on `{key}` alone leaves out every {noun}");
    Stopped::new(obstacle, Some(filter.span), text)
}

fn branch(
    trigger: &Trigger,
    noun: &str,
    name: Option<&str>,
    reasons: &mut Vec<String>,
) -> Result<(), Stopped> {
    let Some(filter) = either(trigger, FilterKind::Branches) else { return Ok(()) };
    let Some(name) = name else {
        reasons.push(format!("the {noun} is not known, so `{}` is taken to match", filter.kind.as_str()));
        return Ok(());
    };
    apply(filter, Obstacle::Branch, noun, &[name], reasons)
}

fn paths(trigger: &Trigger, event: &Event, reasons: &mut Vec<String>) -> Result<(), Stopped> {
    let Some(filter) = either(trigger, FilterKind::Paths) else { return Ok(()) };
    let Some(changed) = event.changed_paths.as_ref().filter(|changed| changed.complete) else {
        let key = filter.kind.as_str();
        reasons.push(format!("the changed paths are not known, so `{key}` is taken to match"));
        return Ok(());
    };
    let seen = changed.paths.get(..FILE_LIMIT).unwrap_or(&changed.paths);
    let found = apply(filter, Obstacle::Path, "path", seen, reasons);
    found.map_err(|stopped| {
        let rest = changed.paths.get(FILE_LIMIT..).unwrap_or_default();
        if rest.is_empty() || !compile(filter).is_some_and(|filter| filter.verdict(rest).runs) {
            return stopped;
        }
        let count = changed.paths.len();
        let text = format!(
            "{}; a later file would match, but GitHub only looks at the first {FILE_LIMIT} of {count}",
            stopped.text
        );
        Stopped { text, ..stopped }
    })
}

fn compile(filter: &PatternFilter) -> Option<Filter> {
    let mode = match filter.kind {
        FilterKind::Branches | FilterKind::Tags | FilterKind::Paths => FilterMode::Filter,
        FilterKind::BranchesIgnore | FilterKind::TagsIgnore | FilterKind::PathsIgnore => FilterMode::Ignore,
    };
    let patterns: Vec<&str> = filter.patterns.iter().map(|pattern| pattern.value.as_str()).collect();
    Filter::parse(&patterns, mode).ok()
}

fn apply<S: AsRef<str>>(
    filter: &PatternFilter,
    obstacle: Obstacle,
    noun: &str,
    values: &[S],
    reasons: &mut Vec<String>,
) -> Result<(), Stopped> {
    // A pattern that is none makes the file invalid, which is found before.
    let Some(compiled) = compile(filter) else { return Ok(()) };
    let verdict = compiled.verdict(values);
    let text = compiled.explain(noun, values, &verdict);
    if verdict.runs {
        reasons.push(text);
        return Ok(());
    }
    let place = decisive(filter, &verdict).unwrap_or(filter.span);
    let key = filter.kind.as_str();
    let text = text.replacen("matches no pattern", &format!("matches no pattern of `{key}`"), 1);
    Err(Stopped::new(obstacle, Some(place), text))
}

/// The pattern that decided last.
fn decisive(filter: &PatternFilter, verdict: &Verdict) -> Option<Span> {
    let pattern = verdict.decisions.last()?.pattern?;
    filter.patterns.get(pattern).map(|pattern| pattern.span)
}
