//! What stands at the end of a run: the result, what was found, what steps wrote to the summary, and what to do next.

mod findings;
pub(super) mod markdown;

use longshore_event::{Conclusion, JobState, RunState};

use super::duration::{between, duration};
use super::group::Tally;
use super::words::{self, one_line};
use crate::{Role, Style, count};

/// Lines of a step's summary that are printed.
const SUMMARY: usize = 60;

/// Writes the block, ending with a line feed.
pub fn write(state: &RunState, style: Style, out: &mut String) {
    result(state, style, out);
    findings::write(state, style, out);
    summaries(state, style, out);
    deployments(state, style, out);
    next(state, style, out);
}

fn result(state: &RunState, style: Style, out: &mut String) {
    let conclusion = state.conclusion.unwrap_or(Conclusion::Cancelled);
    let ended = if state.conclusion.is_some() { words::ended(conclusion) } else { "was interrupted" };
    let mut text = words::workflow(state);
    text.push_str(&format!(" {ended}"));
    let end = state.finished.unwrap_or(state.last);
    if let Some(took) = between(state.started, Some(end)) {
        text.push_str(&format!(
            " {} {}",
            if conclusion == Conclusion::Success { "in" } else { "after" },
            duration(took)
        ));
    }
    let tally = Tally::of(&state.jobs).final_words();
    let run = state.run.map_or_else(String::new, |run| format!(" (run {run})"));
    let jobs = match tally.as_slice() {
        [] => String::new(),
        [one] if state.jobs.len() == 1 => format!(": 1 job {}", one.trim_start_matches("1 ")),
        words => format!(": {} of {}", words.join(", "), count(state.jobs.len(), "job")),
    };
    out.push_str(&format!(
        "{} {}{jobs}{}\n",
        words::mark(conclusion, style),
        style.paint(Role::Strong, &text),
        style.paint(Role::Faint, &run)
    ));
    if let Some(reason) = &state.cancelling {
        out.push_str(&format!("  {}\n", one_line(reason)));
    }
}

fn summaries(state: &RunState, style: Style, out: &mut String) {
    for job in &state.jobs {
        for step in job.steps.values() {
            let Some(markdown) = step.summary.as_deref().filter(|text| !text.trim().is_empty()) else {
                continue;
            };
            let title = format!("Summary of {} › {}", one_line(&job.name), words::step_name(step));
            out.push_str(&format!("\n{}\n", style.paint(Role::Strong, &title)));
            let lines = markdown::lines(markdown, Style { width: style.width.saturating_sub(2), ..style });
            for line in lines.iter().take(SUMMARY) {
                out.push_str(format!("  {line}").trim_end());
                out.push('\n');
            }
            if lines.len() > SUMMARY {
                let more = format!("┄ {} more", count(lines.len() - SUMMARY, "line"));
                out.push_str(&format!("  {}\n", style.paint(Role::Faint, &more)));
            }
        }
    }
}

fn deployments(state: &RunState, style: Style, out: &mut String) {
    let deployed = state.jobs.iter().filter_map(|job| job.url.as_deref().map(|url| (job, url)));
    let mut deployed = deployed.filter(|(_, url)| !url.is_empty()).peekable();
    if deployed.peek().is_some() {
        out.push('\n');
    }
    for (job, url) in deployed {
        let word = style.paint(Role::Note, "deployed");
        out.push_str(&format!("{word}: {} by {}\n", one_line(url), one_line(&job.name)));
    }
}

/// What a person can do when it did not pass.
fn next(state: &RunState, style: Style, out: &mut String) {
    let Some(run) = state.run else { return };
    if state.conclusion == Some(Conclusion::Success) {
        return;
    }
    let ended_so =
        |wanted| move |job: &&JobState| words::job_conclusion(job) == Some(wanted) && !job.continue_on_error;
    let mut failed = state.jobs.iter().filter(ended_so(Conclusion::Failure));
    let first = failed.clone().next();
    let failed = failed.find(|job| job.kept).or(first);
    let mut commands = Vec::new();
    if let Some(job) = failed {
        let key = words::shell_word(job.key.as_str());
        commands.push((words::logs_command(state, &job.key), "the whole log of the job"));
        if job.kept {
            commands.push((format!("longshore shell {run} {key}"), "a shell in the job as it was left"));
            commands.push((format!("longshore run --resume {run}"), "go on where it failed"));
        } else {
            commands.push((format!("longshore rerun {run} --failed"), "carry out again what failed"));
        }
    } else {
        commands.push((format!("longshore logs {run}"), "what was done"));
        commands.push((format!("longshore run --resume {run}"), "go on where it ended"));
    }
    let column = commands.iter().map(|(command, _)| command.chars().count()).max().unwrap_or(0);
    out.push('\n');
    for (at, (command, meaning)) in commands.iter().enumerate() {
        let label =
            if at == 0 { format!("{}:", style.paint(Role::Help, "next")) } else { "     ".to_owned() };
        let blanks = " ".repeat(column - command.chars().count());
        out.push_str(&format!("{label} {command}{blanks}  {}\n", style.paint(Role::Faint, meaning)));
    }
}
