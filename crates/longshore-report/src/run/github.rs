//! Runs as GitHub's own commands, for a run inside a hosted runner: steps are groups, findings are annotations.
//!
//! Groups do not nest and lines of several jobs would mix, so the log of a step is kept back while another one is printed;
//! at some size it is printed nevertheless, and goes on in a second group. Nothing of it is lost.
//!
//! **Invariant:** nothing that a step prints is a command to the outer runner. That reads commands at the beginning of a line
//! (`::name`) and, in their old form (`##[name]`), anywhere in it (`ActionCommand` of actions/runner).

use std::collections::BTreeMap;
use std::io::{self, Write};

use longshore_event::{
    Annotation, Conclusion, Event, EventKind, JobEvent, JobKey, LogChunk, RunEvent, RunId, RunSink,
    StepEvent, StepNumber,
};

use super::line::Line;
use super::sheet::Sheet;
use super::tracked::Tracking;
use super::words::{self, one_line};
use super::{ansi, end};
use crate::Style;

/// So much of a log is kept back at most.
const KEPT_BACK: usize = 256 * 1024;

type Place = (RunId, JobKey, StepNumber);

/// Writes commands.
#[derive(Debug)]
pub struct GitHub<W> {
    sheet: Sheet<W>,
    tracking: Tracking,
    /// What was kept back of each step that runs, and whether its group was opened before.
    kept: BTreeMap<Place, Kept>,
    /// The group that is open.
    open: Option<Place>,
}

#[derive(Debug, Default)]
struct Kept {
    text: String,
    begun: bool,
}

impl<W: Write> GitHub<W> {
    /// A display that writes to the output of a step of a hosted runner.
    pub fn new(stream: W) -> Self {
        Self { sheet: Sheet::new(stream), tracking: Tracking::default(), kept: BTreeMap::new(), open: None }
    }

    /// Prints what was kept back; the first failure of the stream.
    pub fn finish(&mut self) -> io::Result<()> {
        let places: Vec<Place> = self.kept.keys().cloned().collect();
        let mut text = String::new();
        places.iter().for_each(|place| self.print(place, &mut text));
        self.close(&mut text);
        self.sheet.write(text.as_bytes());
        self.sheet.finish()
    }

    fn log(&mut self, place: &Place, chunk: &LogChunk, out: &mut String) {
        let alone = !self.tracking.is_parallel();
        let kept = self.kept.entry(place.clone()).or_default();
        for line in &chunk.lines {
            if let Some(shown) = Line::of(line).shown(Style { color: true, width: 0 }) {
                kept.text.push_str(&harmless(&shown));
                kept.text.push('\n');
            }
        }
        let many = kept.text.len() >= KEPT_BACK;
        if many || alone || self.open.as_ref() == Some(place) {
            self.print(place, out);
        }
    }

    /// Prints what was kept back of a step in its group.
    fn print(&mut self, place: &Place, out: &mut String) {
        let Some(kept) = self.kept.get_mut(place) else { return };
        let text = std::mem::take(&mut kept.text);
        if text.is_empty() {
            return;
        }
        let again = std::mem::replace(&mut kept.begun, true);
        if self.open.as_ref() != Some(place) {
            self.close(out);
            let title = format!("{}{}", self.title(place), if again { " (goes on)" } else { "" });
            out.push_str(&format!("::group::{}\n", data(&title)));
            self.open = Some(place.clone());
        }
        out.push_str(&text);
    }

    fn title(&self, (run, job, step): &Place) -> String {
        let label = self.tracking.label(*run, job);
        let state = self.tracking.runs.get(run).and_then(|run| run.state.job(job));
        match state.and_then(|job| job.steps.get(step)) {
            Some(step) => format!("{label}: {}", words::step_name(step)),
            None => label,
        }
    }

    fn close(&mut self, out: &mut String) {
        if self.open.take().is_some() {
            out.push_str("::endgroup::\n");
        }
    }

    fn end_step(&mut self, place: &Place, outcome: Conclusion, out: &mut String) {
        self.print(place, out);
        self.kept.remove(place);
        if self.open.as_ref() == Some(place) {
            self.close(out);
        }
        let state = self.tracking.runs.get(&place.0).and_then(|run| run.state.job(&place.1));
        let Some(step) = state.and_then(|job| job.steps.get(&place.2)) else { return };
        if outcome != Conclusion::Success {
            let why = if outcome == Conclusion::Failure {
                words::failure(step)
            } else {
                words::ended(outcome).into()
            };
            let text = format!("{} {}: {why}", words::mark(outcome, Style::PLAIN), self.title(place));
            self.say(&text, out);
        }
    }

    /// A line outside of groups.
    fn say(&mut self, text: &str, out: &mut String) {
        // It would look like output of the step; what comes of that opens its group again.
        self.close(out);
        out.push_str(&harmless(text));
        out.push('\n');
    }

    fn job(&mut self, run: RunId, job: &JobKey, event: &JobEvent, out: &mut String) {
        let label = self.tracking.label(run, job);
        let text = match event {
            JobEvent::Skipped { reason, .. } => format!("○ {label} skipped: {}", one_line(reason)),
            JobEvent::Finished { conclusion, error, .. } => {
                let state = self.tracking.runs.get(&run).and_then(|run| run.state.job(job));
                let time =
                    state.and_then(words::job_time).map_or_else(String::new, |time| format!(" ({time})"));
                let error = error.as_ref().map_or_else(String::new, |error| format!(": {}", one_line(error)));
                let mark = words::mark(*conclusion, Style::PLAIN);
                format!("{mark} {label} {}{time}{error}", words::ended(*conclusion))
            }
            _ => return,
        };
        self.say(&text, out);
    }
}

impl<W: Write + Send> RunSink for GitHub<W> {
    fn take(&mut self, event: &Event) {
        if self.tracking.take(event).is_none() {
            return;
        }
        let mut out = String::new();
        let place = event.job.clone().zip(event.step).map(|(job, step)| (event.run, job, step));
        match (&event.kind, place, &event.job) {
            (EventKind::Log(chunk), Some(place), _) => self.log(&place, chunk, &mut out),
            (EventKind::Step(StepEvent::Finished { outcome, .. }), Some(place), _) => {
                self.end_step(&place, *outcome, &mut out);
            }
            (EventKind::Job(kind), _, Some(job)) => self.job(event.run, job, kind, &mut out),
            (EventKind::Annotation(annotation), ..) => out.push_str(&command(annotation)),
            (EventKind::Run(RunEvent::Finished { .. }), ..) => {
                self.close(&mut out);
                let mut text = String::new();
                if let Some(run) = self.tracking.runs.get(&event.run) {
                    end::write(&run.state, Style::PLAIN, &mut text);
                }
                text.lines().for_each(|line| self.say(line, &mut out));
            }
            _ => {}
        }
        match event.kind {
            EventKind::Log(_) => self.sheet.gather(out.as_bytes()),
            _ => self.sheet.write(out.as_bytes()),
        }
    }

    fn idle(&mut self) {
        self.sheet.write_out();
    }
}

/// A finding as a command. Columns are taken for one line only.
fn command(annotation: &Annotation) -> String {
    let mut properties: Vec<String> = Vec::new();
    let file = annotation.file.as_deref().filter(|file| !file.is_empty());
    if let Some(file) = file {
        properties.push(format!("file={}", property(file)));
        let one_line = annotation.end_line.is_none() || annotation.end_line == annotation.line;
        let numbers = [
            ("line", annotation.line),
            ("endLine", annotation.end_line),
            ("col", annotation.column.filter(|_| one_line)),
            ("endColumn", annotation.end_column.filter(|_| one_line)),
        ];
        let known = numbers.into_iter().filter_map(|(name, number)| Some(format!("{name}={}", number?)));
        properties.extend(known);
    }
    properties.extend(
        annotation
            .title
            .iter()
            .filter(|title| !title.is_empty())
            .map(|title| format!("title={}", property(title))),
    );
    let gap = if properties.is_empty() { "" } else { " " };
    format!("::{}{gap}{}::{}\n", annotation.level.as_str(), properties.join(","), data(&annotation.message))
}

/// A line that the outer runner takes for no command.
fn harmless(line: &str) -> String {
    let line = line.replace("##[", "# #[");
    if line.trim_start().starts_with("::") { format!("│ {line}") } else { line }
}

/// A message in a form that ends neither the line nor the command.
fn data(value: &str) -> String {
    let mut shown = String::new();
    for (at, line) in value.split('\n').enumerate() {
        if at > 0 {
            shown.push_str("%0A");
        }
        shown.push_str(&ansi::terminal(line, false).replace('%', "%25").replace("##[", "# #["));
    }
    shown
}

/// A property's value in a form that ends neither itself nor the list.
fn property(value: &str) -> String {
    data(value).replace(':', "%3A").replace(',', "%2C")
}
