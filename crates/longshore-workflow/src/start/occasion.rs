//! What an event says beside refs and paths: its activity, the workflow that ran, the time that has come.

use longshore_syntax::Spanned;

use super::{Obstacle, Stopped};
use crate::event::Event;
use crate::filter::{Filter, FilterMode};
use crate::model::Trigger;

/// The activity types of an event without `types:`, where they are not all.
fn default_types(event: &str) -> Option<&'static [&'static str]> {
    match event {
        "pull_request" | "pull_request_target" => Some(&["opened", "synchronize", "reopened"]),
        _ => None,
    }
}

/// `types:`, or the types that count without it.
pub(super) fn activity(trigger: &Trigger, event: &Event, reasons: &mut Vec<String>) -> Result<(), Stopped> {
    let Some(action) = event.action.as_deref() else { return Ok(()) };
    if let Some(types) = &trigger.types {
        if types.iter().any(|wanted| wanted.value == action) {
            reasons.push(format!("`types` names `{action}`"));
            return Ok(());
        }
        let span = types.first().map_or(trigger.event.span, |first| first.span);
        let text = format!("`types` does not name `{action}`, only {}", list(types));
        return Err(Stopped::new(Obstacle::ActivityType, Some(span), text));
    }
    match default_types(&event.name) {
        Some(types) if !types.contains(&action) => {
            let listed: Vec<String> = types.iter().map(|name| format!("`{name}`")).collect();
            let text = format!("without `types` it starts on {}, and this is `{action}`", listed.join(", "));
            Err(Stopped::new(Obstacle::ActivityType, Some(trigger.event.span), text))
        }
        _ => Ok(()),
    }
}

/// `workflows:` of `workflow_run`.
pub(super) fn workflow_run(
    trigger: &Trigger,
    event: &Event,
    reasons: &mut Vec<String>,
) -> Result<(), Stopped> {
    if event.name != "workflow_run" {
        return Ok(());
    }
    let name = text(event, &["workflow_run", "name"]).or_else(|| text(event, &["workflow", "name"]));
    let Some(name) = name else { return Ok(()) };
    if trigger.workflows.iter().any(|wanted| wanted.value == name) {
        reasons.push(format!("`workflows` names `{name}`"));
        return Ok(());
    }
    let span = trigger.workflows.first().map_or(trigger.event.span, |first| first.span);
    let message = if trigger.workflows.is_empty() {
        "there are no `workflows` that it follows".to_owned()
    } else {
        format!("`workflows` does not name `{name}`, only {}", list(&trigger.workflows))
    };
    Err(Stopped::new(Obstacle::Workflow, Some(span), message))
}

/// `names:` and `versions:` of `image_version`.
pub(super) fn image_version(
    trigger: &Trigger,
    event: &Event,
    reasons: &mut Vec<String>,
) -> Result<(), Stopped> {
    for (noun, key, patterns) in
        [("image", "name", &trigger.names), ("version", "version", &trigger.versions)]
    {
        let Some(value) = text(event, &["image_version", key]) else { continue };
        let texts: Vec<&str> = patterns.iter().map(|pattern| pattern.value.as_str()).collect();
        let Ok(filter) = Filter::parse(&texts, FilterMode::Filter) else { continue };
        let verdict = filter.verdict(&[&value]);
        let explained = filter.explain(noun, &[&value], &verdict);
        if !verdict.runs {
            let span = patterns.first().map(|first| first.span);
            return Err(Stopped::new(Obstacle::ImageVersion, span, explained));
        }
        if !patterns.is_empty() {
            reasons.push(explained);
        }
    }
    Ok(())
}

/// The cron entries that may have caused the event.
pub(super) fn schedules(
    trigger: &Trigger,
    event: &Event,
    reasons: &mut Vec<String>,
) -> Result<Vec<String>, Stopped> {
    if event.name != "schedule" {
        return Ok(Vec::new());
    }
    let crons = trigger.schedules.iter().map(|schedule| &schedule.cron);
    let Some(wanted) = text(event, &["schedule"]) else {
        return Ok(crons.map(|cron| cron.value.clone()).collect());
    };
    if crons.clone().any(|cron| cron.value == wanted) {
        reasons.push(format!("`{wanted}` is due"));
        return Ok(vec![wanted]);
    }
    let span = trigger.schedules.first().map_or(trigger.event.span, |first| first.cron.span);
    let listed: Vec<Spanned<String>> = crons.cloned().collect();
    let message = format!("no entry of `schedule` is `{wanted}`, only {}", list(&listed));
    Err(Stopped::new(Obstacle::Schedule, Some(span), message))
}

fn text(event: &Event, path: &[&str]) -> Option<String> {
    let value = path.iter().try_fold(&event.payload, |value, key| value.property(key))?;
    value.as_str().map(str::to_owned)
}

fn list(names: &[Spanned<String>]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{}`", name.value)).collect();
    names.join(", ")
}
