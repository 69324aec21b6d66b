//! A run as one HTML file that needs nothing else: no script, no font, no network.
//!
//! Jobs and steps are rows with bars on a common scale of time (a waterfall); a step that is opened shows its log. What
//! programs and users wrote is escaped everywhere; Markdown is rendered, HTML in it is shown as text. The content security
//! policy allows this file's own style sheet, by its hash, and nothing else, so even a mistake here runs nothing.

mod color;
mod log;
mod markdown;
mod row;

use std::fmt::Write as _;
use std::io::{self, Write};

use longshore_event::{Conclusion, JobState, RunId, RunState, StepState, StepStatus};

use self::row::{Scale, row};
use super::duration::{between, duration};
use super::group::Tally;
use super::step_logs::StepLogs;
use super::words::{self, one_line};
use crate::count;

/// The style sheet.
const STYLE: &str = include_str!("style.css");

/// The hash of the style sheet, as the policy has it.
const STYLE_HASH: &str = "sha256-TOPW4VNzlBAzfi3tgUZ7X7v0UMGAcOqqIplTs3iD9y4=";

/// A file that the run has left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
}

/// Writes the file. The logs of all steps are read, one after another, and none is held in memory.
pub fn write(
    run: &RunState,
    artifacts: &[Artifact],
    logs: &mut dyn StepLogs,
    out: &mut dyn Write,
) -> io::Result<()> {
    out.write_all(head(run).as_bytes())?;
    let scale = Scale::of(run);
    writeln!(out, "<section>\n<h2>Jobs</h2>")?;
    for job in &run.jobs {
        write_job(run, job, &scale, logs, out)?;
    }
    writeln!(out, "</section>")?;
    let mut rest = String::new();
    findings(run, &mut rest);
    summaries(run, &mut rest);
    deployments(run, &mut rest);
    files(run, artifacts, &mut rest);
    rest.push_str("</main>\n</body>\n</html>\n");
    out.write_all(rest.as_bytes())
}

fn head(run: &RunState) -> String {
    let conclusion = run.conclusion;
    let result = conclusion.map_or("interrupted", words::ended);
    let class = conclusion.map_or("cancelled", Conclusion::as_str);
    let id = run.run.unwrap_or(RunId(0));
    let name = escaped(&words::workflow(run));
    let time =
        between(run.started, Some(run.finished.unwrap_or(run.last))).map_or_else(String::new, duration);
    let date = run.started.and_then(words::date).unwrap_or_default();
    let tally = Tally::of(&run.jobs).final_words().join(", ");
    let mut text = String::from("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\" />\n");
    let _ = writeln!(
        text,
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '{STYLE_HASH}'; \
         base-uri 'none'; form-action 'none'\" />"
    );
    text.push_str("<meta name=\"viewport\" content=\"width=device-width\" />\n<meta name=\"referrer\" content=\"no-referrer\" />\n");
    let _ = writeln!(
        text,
        "<title>{name} {result} (run {id})</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>"
    );
    let _ = writeln!(text, "<header class=\"{class}\">\n<h1>{name} {result}</h1>");
    let _ = writeln!(text, "<p>{}</p>", escaped(&one_line(&run.outline.title)));
    let _ = writeln!(
        text,
        "<p>Run {id}, attempt {} · {} · {} · {time} · {}: {tally}</p>\n</header>",
        run.outline.attempt.max(1),
        escaped(&words::cause(&run.outline)),
        escaped(&date),
        count(run.jobs.len(), "job"),
    );
    text
}

fn write_job(
    run: &RunState,
    job: &JobState,
    scale: &Scale,
    logs: &mut dyn StepLogs,
    out: &mut dyn Write,
) -> io::Result<()> {
    let failed = words::job_conclusion(job) == Some(Conclusion::Failure);
    let open = if failed { " open=\"open\"" } else { "" };
    writeln!(out, "<details class=\"job\"{open}><summary>{}</summary>", row::job(job, scale))?;
    if let Some(reason) = row::remark(job) {
        writeln!(out, "<p class=\"remark\">{}</p>", escaped(&one_line(&reason)))?;
    }
    for (number, step) in &job.steps {
        let failed = matches!(step.status, StepStatus::Finished(_, Conclusion::Failure));
        let line = row(&words::step_name(step), row::step_class(step), (step.started, step.finished), scale);
        if step.lines == 0 {
            writeln!(out, "<div class=\"step\">{line}</div>")?;
            write_failure(step, out)?;
            continue;
        }
        let open = if failed { " open=\"open\"" } else { "" };
        writeln!(out, "<details class=\"step\"{open}><summary>{line}</summary>")?;
        let mut pages = log::Pages::new(out);
        logs.read(run.run.unwrap_or(RunId(0)), &job.key, *number, &mut |line| pages.take(line))?;
        pages.finish()?;
        writeln!(out, "</details>")?;
        write_failure(step, out)?;
    }
    writeln!(out, "</details>")
}

/// Why a step failed.
fn write_failure(step: &StepState, out: &mut dyn Write) -> io::Result<()> {
    let StepStatus::Finished(Conclusion::Failure, conclusion) = step.status else { return Ok(()) };
    let forgiven = if conclusion == Conclusion::Failure { "" } else { ", which does not count" };
    writeln!(out, "<p class=\"remark\">{}{forgiven}</p>", escaped(&words::failure(step)))
}

fn findings(run: &RunState, out: &mut String) {
    if run.annotations.is_empty() {
        return;
    }
    out.push_str("<section>\n<h2>Findings</h2>\n<table>\n");
    for (job, step, annotation) in &run.annotations {
        let level = annotation.level.as_str();
        let place = words::place(annotation).unwrap_or_default();
        let mut origin = words::job_name(run, job).into_owned();
        if let Some(step) = step.and_then(|step| run.job(job)?.steps.get(&step)) {
            origin.push_str(&format!(" › {}", words::step_name(step)));
        }
        let title = annotation.title.as_deref().map_or_else(String::new, |title| format!("{title}: "));
        let _ = writeln!(
            out,
            "<tr class=\"{level}\"><td>{level}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            escaped(&place),
            escaped(&one_line(&format!("{title}{}", annotation.message))),
            escaped(&origin),
        );
    }
    out.push_str("</table>\n</section>\n");
}

fn summaries(run: &RunState, out: &mut String) {
    for job in &run.jobs {
        for step in job.steps.values() {
            let Some(summary) = step.summary.as_deref().filter(|text| !text.trim().is_empty()) else {
                continue;
            };
            let title = escaped(&format!("Summary of {} › {}", one_line(&job.name), words::step_name(step)));
            let _ = writeln!(
                out,
                "<section class=\"summary\">\n<h2>{title}</h2>\n{}</section>",
                markdown::html(summary)
            );
        }
    }
}

fn deployments(run: &RunState, out: &mut String) {
    for job in &run.jobs {
        let Some(url) = job.url.as_deref().filter(|url| !url.is_empty()) else { continue };
        let (shown, name) = (escaped(&one_line(url)), escaped(&one_line(&job.name)));
        let link = if markdown::is_web(&shown) { format!("<a href=\"{shown}\">{shown}</a>") } else { shown };
        let _ = writeln!(out, "<p>Deployed by {name}: {link}</p>");
    }
}

fn files(run: &RunState, artifacts: &[Artifact], out: &mut String) {
    if artifacts.is_empty() {
        return;
    }
    let id = run.run.unwrap_or(RunId(0));
    out.push_str("<section>\n<h2>Artifacts</h2>\n<table>\n");
    for artifact in artifacts {
        let name = one_line(&artifact.name);
        let command = format!("longshore artifact get {id} {}", words::shell_word(&name));
        let (name, command) = (escaped(&name), escaped(&command));
        let size = crate::progress::bytes(artifact.bytes);
        let _ = writeln!(out, "<tr><td>{name}</td><td>{size}</td><td><code>{command}</code></td></tr>");
    }
    out.push_str("</table>\n</section>\n");
}

/// Text for elements and attributes.
fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '"' => shown.push_str("&quot;"),
            '\'' => shown.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => shown.push('\u{fffd}'),
            letter if letter.is_control() && letter != '\n' => shown.push('\u{fffd}'),
            letter => shown.push(letter),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;
    use sha2::{Digest as _, Sha256};

    use super::{STYLE, STYLE_HASH};

    #[test]
    fn the_policy_allows_the_style_sheet() {
        assert_eq!(STYLE_HASH, format!("sha256-{}", BASE64_STANDARD.encode(Sha256::digest(STYLE))));
        // It stands in the page as it is, so that it must not end its element, and the page must stay XML.
        assert!(!STYLE.contains('<') && !STYLE.contains('&'));
    }
}
