//! Runs as lines, for logs and pipes: one for each fact that a person wants to know.
//!
//! What passed is one line. A step that fails is opened at its error. With [`Verbosity::Verbose`] the log of every step is
//! printed as it comes; lines have the job before them only while several jobs run.

use std::io::{self, Write};

use longshore_event::{
    AnnotationLevel, Conclusion, Event, EventKind, ImageEvent, JobEvent, JobKey, JobStatus, LogChunk,
    RunEvent, RunId, RunSink, ServiceState, StepEvent, StepNumber, StepStage,
};

use super::end;
use super::excerpt::Excerpt;
use super::line::Line;
use super::sheet::Sheet;
use super::tracked::{News, Tracking};
use super::words::{self, one_line};
use crate::{Role, Style};

/// The runner's own steps are told of if they take as long as this, in milliseconds.
const NOTABLE: u64 = 1_000;

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Verbosity {
    /// Only what went wrong.
    Quiet,
    /// What a person wants to know.
    #[default]
    Brief,
    /// Everything, with the logs of all steps.
    Verbose,
}

/// Writes lines.
#[derive(Debug)]
pub struct Plain<W> {
    sheet: Sheet<W>,
    style: Style,
    verbosity: Verbosity,
    tracking: Tracking,
}

impl<W: Write> Plain<W> {
    /// A display that writes to this stream.
    pub fn new(stream: W, verbosity: Verbosity, style: Style) -> Self {
        Self { sheet: Sheet::new(stream), style, verbosity, tracking: Tracking::default() }
    }

    /// The first failure of the stream.
    pub fn finish(&mut self) -> io::Result<()> {
        self.sheet.finish()
    }
}

impl<W: Write + Send> RunSink for Plain<W> {
    fn take(&mut self, event: &Event) {
        let Some(news) = self.tracking.take(event) else { return };
        let mut text = String::new();
        let page = Page {
            run: event.run,
            style: self.style,
            verbosity: self.verbosity,
            tracking: &self.tracking,
            out: &mut text,
        };
        page.event(event, news);
        match event.kind {
            EventKind::Log(_) => self.sheet.gather(text.as_bytes()),
            _ => self.sheet.write(text.as_bytes()),
        }
    }

    fn idle(&mut self) {
        self.sheet.write_out();
    }
}

/// What one event adds.
struct Page<'a> {
    run: RunId,
    style: Style,
    verbosity: Verbosity,
    tracking: &'a Tracking,
    out: &'a mut String,
}

impl Page<'_> {
    fn event(mut self, event: &Event, news: News) {
        match (&event.kind, &event.job, event.step) {
            (EventKind::Run(kind), ..) => self.run_event(kind),
            (EventKind::Job(kind), Some(job), _) => self.job_event(job, kind),
            (EventKind::Step(kind), Some(job), Some(step)) => self.step_event(job, step, kind, news.excerpt),
            (EventKind::Log(chunk), Some(job), _) => self.log(job, chunk),
            (EventKind::Annotation(annotation), Some(job), _) => {
                let wanted = match self.verbosity {
                    Verbosity::Quiet => annotation.level == AnnotationLevel::Error,
                    Verbosity::Brief => annotation.level >= AnnotationLevel::Warning,
                    // It stands in the log.
                    Verbosity::Verbose => false,
                };
                if let (true, Some(place)) = (wanted, words::place(annotation)) {
                    let level =
                        self.style.paint(words::level_role(annotation.level), annotation.level.as_str());
                    self.fact(job, &format!("{level}: {place}: {}", one_line(&annotation.message)));
                }
            }
            (EventKind::Image(kind), job, _) => self.image_event(job.as_ref(), kind, news.image),
            _ => {}
        }
    }

    fn run_event(&mut self, event: &RunEvent) {
        let Some(tracked) = self.tracking.runs.get(&self.run) else { return };
        let name = self.style.paint(Role::Strong, &words::workflow(&tracked.state));
        match event {
            RunEvent::Started(outline) if self.tells() => {
                let run = self.style.paint(Role::Faint, &format!("(run {})", self.run));
                self.line(&format!("{name}: {} {run}", words::cause(outline)));
            }
            RunEvent::Waiting { reason } if self.tells() => {
                self.line(&format!("{name}: waits for {}", one_line(reason)));
            }
            RunEvent::Cancelling { reason } => {
                self.line(&format!("{name}: is being cancelled: {}", one_line(reason)));
            }
            RunEvent::Finished { conclusion } if self.tells() || *conclusion != Conclusion::Success => {
                self.out.push('\n');
                end::write(&tracked.state, self.style, self.out);
                if self.tracking.runs.values().any(|run| run.state.is_open()) {
                    self.out.push('\n');
                }
            }
            _ => {}
        }
    }

    fn job_event(&mut self, job: &JobKey, event: &JobEvent) {
        match event {
            JobEvent::Queued { reason: Some(reason), .. } if self.tells() => {
                self.fact(job, &format!("◌ waits for {}", one_line(reason)));
            }
            JobEvent::Started { image, .. } if self.tells() => {
                self.fact(job, &format!("▸ starts in {}", one_line(image)));
            }
            JobEvent::Service { name, image, state, .. } => self.service(job, name, image, *state),
            JobEvent::Skipped { reason, .. } if self.tells() => {
                let mark = words::mark(Conclusion::Skipped, self.style);
                self.fact(job, &format!("{mark} skipped: {}", one_line(reason)));
            }
            JobEvent::Finished { conclusion, continue_on_error, .. }
                if self.tells() || *conclusion == Conclusion::Failure =>
            {
                self.job_finished(job, *conclusion, *continue_on_error);
            }
            _ => {}
        }
    }

    fn job_finished(&mut self, job: &JobKey, conclusion: Conclusion, forgiven: bool) {
        let state = self.tracking.runs.get(&self.run).and_then(|run| run.state.job(job));
        let time = state.and_then(words::job_time).map_or_else(String::new, |time| format!(" ({time})"));
        let mark = words::mark(conclusion, self.style);
        let mut text = format!(
            "{mark} {}{}",
            self.style.paint(Role::Strong, words::ended(conclusion)),
            self.faint(&time)
        );
        if forgiven && conclusion == Conclusion::Failure {
            text.push_str(", which does not count");
        }
        if let Some(error) = state.and_then(words::own_error) {
            text.push_str(&format!(": {}", one_line(error)));
        }
        self.fact(job, &text);
    }

    fn service(&mut self, job: &JobKey, name: &str, image: &str, state: ServiceState) {
        let (mark, wanted) = match state {
            ServiceState::Starting => ("▸".to_owned(), self.verbosity == Verbosity::Verbose),
            ServiceState::Ready => (words::mark(Conclusion::Success, self.style), self.tells()),
            ServiceState::Failed => (words::mark(Conclusion::Failure, self.style), true),
        };
        if wanted {
            let word = words::service(state);
            self.fact(job, &format!("{mark} service {} ({}): {word}", one_line(name), one_line(image)));
        }
    }

    fn step_event(&mut self, job: &JobKey, step: StepNumber, event: &StepEvent, excerpt: Option<Excerpt>) {
        match event {
            StepEvent::Started { name, .. } if self.verbosity == Verbosity::Verbose => {
                self.fact(job, &format!("▸ {}", one_line(name)));
            }
            StepEvent::Skipped { name, stage, condition, .. } if self.tells() => {
                // After a failure everything is skipped; only what has a condition of its own is news.
                let expected = *stage != StepStage::Main || (condition.is_none() && self.has_failed(job));
                if self.verbosity == Verbosity::Verbose || !expected {
                    let mark = words::mark(Conclusion::Skipped, self.style);
                    let why = condition
                        .as_ref()
                        .map_or_else(String::new, |text| format!(": `{}` does not hold", one_line(text)));
                    self.fact(job, &format!("{mark} {} skipped{why}", one_line(name)));
                }
            }
            StepEvent::Finished { outcome, conclusion, .. } => {
                self.step_finished(job, step, *outcome, *conclusion);
                if *conclusion == Conclusion::Failure && self.verbosity < Verbosity::Verbose {
                    self.excerpt(job, excerpt);
                }
            }
            _ => {}
        }
    }

    fn step_finished(&mut self, job: &JobKey, step: StepNumber, outcome: Conclusion, conclusion: Conclusion) {
        let tracked = self.tracking.runs.get(&self.run).and_then(|run| run.state.job(job));
        let Some(step) = tracked.and_then(|job| job.steps.get(&step)) else { return };
        let took = super::duration::between(step.started, step.finished).unwrap_or(0);
        let wanted = match self.verbosity {
            Verbosity::Quiet => conclusion == Conclusion::Failure,
            Verbosity::Brief => {
                step.stage == StepStage::Main || outcome != Conclusion::Success || took >= NOTABLE
            }
            Verbosity::Verbose => true,
        };
        if !wanted {
            return;
        }
        let time = words::step_time(step).map_or_else(String::new, |time| format!(" ({time})"));
        let mark = words::mark(outcome, self.style);
        let mut text = format!("{mark} {}{}", words::step_name(step), self.faint(&time));
        match outcome {
            Conclusion::Success => {}
            Conclusion::Failure => text.push_str(&format!(": {}", words::failure(step))),
            _ => text.push_str(&format!(": {}", words::ended(outcome))),
        }
        if outcome != conclusion {
            text.push_str(", which does not count");
        }
        self.fact(job, &text);
    }

    fn excerpt(&mut self, job: &JobKey, excerpt: Option<Excerpt>) {
        let Some(excerpt) = excerpt.filter(|excerpt| !excerpt.is_empty()) else { return };
        if let Some(tracked) = self.tracking.runs.get(&self.run) {
            excerpt.write(&words::logs_command(&tracked.state, job), self.style, self.out);
        }
    }

    fn log(&mut self, job: &JobKey, chunk: &LogChunk) {
        if self.verbosity != Verbosity::Verbose {
            return;
        }
        let prefix =
            if self.tracking.is_parallel() { format!("{} ", self.label(job)) } else { "  ".to_owned() };
        for line in &chunk.lines {
            if let Some(shown) = Line::of(line).shown(self.style) {
                self.out.push_str(&prefix);
                self.out.push_str(&shown);
                self.out.push('\n');
            }
        }
    }

    fn image_event(&mut self, job: Option<&JobKey>, event: &ImageEvent, line: Option<String>) {
        let news = match event {
            ImageEvent::Retried { .. } => true,
            ImageEvent::Resolved { .. } | ImageEvent::Stage { .. } => self.tells(),
            _ => self.verbosity == Verbosity::Verbose,
        };
        match (line.filter(|_| news), job) {
            (Some(line), Some(job)) => self.fact(job, &line),
            (Some(line), None) => self.line(&line),
            (None, _) => {}
        }
    }

    /// Whether more than failures is told.
    fn tells(&self) -> bool {
        self.verbosity >= Verbosity::Brief
    }

    fn has_failed(&self, job: &JobKey) -> bool {
        let state = self.tracking.runs.get(&self.run).and_then(|run| run.state.job(job));
        state.is_some_and(|job| job.status != JobStatus::Running || super::tree::failed_step(job).is_some())
    }

    fn label(&self, job: &JobKey) -> String {
        self.faint(&format!("[{}]", self.tracking.label(self.run, job)))
    }

    fn faint(&self, text: &str) -> String {
        if text.is_empty() { String::new() } else { self.style.paint(Role::Faint, text) }
    }

    fn fact(&mut self, job: &JobKey, text: &str) {
        let label = self.label(job);
        self.line(&format!("{label} {text}"));
    }

    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }
}
