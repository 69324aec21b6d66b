//! Runs as a tree that is drawn in place, for a terminal.
//!
//! The lower end of the window belongs to the tree of what is not over: it is drawn anew a few times a second, never higher
//! or wider than the window. What stays is written above it: steps that failed, opened at their error, and each run when it
//! has ended, as a tree of everything that was done.
//!
//! The escape sequences are those that every terminal knows (ECMA-48: cursor up, erase line, erase below), and synchronised
//! output, which others ignore. No mode is left behind if the process is killed.

mod frame;
mod job;

#[cfg(test)]
mod screen;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io::{self, Write};

use longshore_event::{
    Conclusion, Event, EventKind, ImageEvent, JobEvent, JobKey, RunEvent, RunId, RunSink, ServiceState,
    StepEvent, StepNumber, Timestamp,
};
use unicode_width::UnicodeWidthStr as _;

use super::excerpt::Excerpt;
use super::sheet::Sheet;
use super::tracked::{News, Tracking};
use super::words::{self, one_line};
use super::{ansi, end, tree};
use crate::{Role, Style};

/// The least time between two drawings, in milliseconds.
const INTERVAL: u64 = 100;

/// Erases from the start of a line to the end of the screen. The blank is there because tmux takes erasing from the
/// upper left corner for clearing the screen, and keeps what it erases in its history.
const ERASE_BELOW: &str = " \u{1b}[J\r";

/// How large a window is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Columns of letters.
    pub columns: usize,
    /// Lines.
    pub rows: usize,
}

/// What is known of the terminal and of time.
pub struct Window {
    /// Whether to use colour and weight.
    pub color: bool,
    /// Asks for the size, which may change at any time.
    pub size: Box<dyn Fn() -> Size + Send>,
    /// Asks for the time.
    pub now: Box<dyn Fn() -> Timestamp + Send>,
}

impl fmt::Debug for Window {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Window").field("color", &self.color).finish_non_exhaustive()
    }
}

/// Draws.
#[derive(Debug)]
pub struct Live<W> {
    sheet: Sheet<W>,
    window: Window,
    tracking: Tracking,
    /// The columns that the lines of the tree take, as they stand on the screen.
    drawn: Vec<usize>,
    last: Option<Timestamp>,
}

impl<W: Write> Live<W> {
    /// A display that draws to this terminal.
    pub fn new(terminal: W, window: Window) -> Self {
        Self {
            sheet: Sheet::new(terminal),
            window,
            tracking: Tracking::default(),
            drawn: Vec::new(),
            last: None,
        }
    }

    /// Leaves what is known of runs that have not ended; the first failure of the terminal.
    pub fn finish(&mut self) -> io::Result<()> {
        let style = self.style((self.window.size)());
        let mut text = String::new();
        let tracking = std::mem::take(&mut self.tracking);
        for run in tracking.runs.values().filter(|run| run.state.is_open()) {
            ended(&run.state, style, &mut text);
        }
        self.draw(&text);
        self.sheet.finish()
    }

    /// Takes the tree off the screen; the next event draws it anew.
    pub(in crate::run) fn step_aside(&mut self) {
        let mut text = self.back_to_start((self.window.size)());
        text.push_str(ERASE_BELOW);
        self.drawn.clear();
        self.last = None;
        self.sheet.write(text.as_bytes());
    }

    fn style(&self, size: Size) -> Style {
        Style { color: self.window.color, width: size.columns }
    }

    /// Writes what stays, and the tree below it.
    fn draw(&mut self, staying: &str) {
        let size = (self.window.size)();
        let now = (self.window.now)();
        let frame = frame::frame(&self.tracking, now, size, self.style(size));
        let mut text = String::from("\u{1b}[?2026h");
        text.push_str(&self.back_to_start(size));
        if !staying.is_empty() {
            text.push_str(ERASE_BELOW);
            text.push_str(staying);
        }
        self.drawn.clear();
        for line in &frame {
            self.drawn.push(ansi::terminal(line, false).width());
            text.push_str(line);
            text.push_str("\u{1b}[K\n");
        }
        text.push_str("\u{1b}[J\u{1b}[?2026l");
        self.last = Some(now);
        self.sheet.write(text.as_bytes());
    }

    /// Moves the cursor to where the tree begins. Lines that were drawn for a wider window now take several.
    fn back_to_start(&self, size: Size) -> String {
        let rows: usize = self.drawn.iter().map(|width| width.div_ceil(size.columns.max(1)).max(1)).sum();
        if rows == 0 { "\r".to_owned() } else { format!("\r\u{1b}[{rows}A") }
    }

    /// What an event leaves on the screen.
    fn staying(&self, event: &Event, news: &News) -> String {
        let mut text = String::new();
        // Output is by far the most frequent and leaves nothing.
        if matches!(event.kind, EventKind::Log(_)) {
            return text;
        }
        let style = self.style((self.window.size)());
        let note = Note { tracking: &self.tracking, run: event.run, style, out: &mut text };
        match (&event.kind, &event.job, event.step) {
            (EventKind::Step(StepEvent::Finished { conclusion, .. }), Some(job), Some(step))
                if *conclusion == Conclusion::Failure =>
            {
                note.failed_step(job, step, news.excerpt.as_ref());
            }
            (EventKind::Job(JobEvent::Service { name, state: ServiceState::Failed, .. }), Some(job), _) => {
                note.line(job, &format!("service {} failed", one_line(name)));
            }
            (EventKind::Job(JobEvent::Finished { .. }), Some(job), _) => note.failed_job(job),
            (EventKind::Image(ImageEvent::Retried { .. }), ..) => {
                text.extend(news.image.iter().map(|line| format!("{line}\n")));
            }
            (EventKind::Run(RunEvent::Finished { .. }), ..) => {
                if let Some(run) = self.tracking.runs.get(&event.run) {
                    ended(&run.state, style, &mut text);
                }
            }
            _ => {}
        }
        text
    }
}

impl<W: Write + Send> RunSink for Live<W> {
    fn take(&mut self, event: &Event) {
        let Some(news) = self.tracking.take(event) else { return };
        let staying = self.staying(event, &news);
        // A step that prints without end leaves no idle moment.
        let due = |last: Timestamp| (self.window.now)().0.abs_diff(last.0) >= INTERVAL;
        if !staying.is_empty() || self.last.is_none_or(due) {
            self.draw(&staying);
        }
    }

    fn idle(&mut self) {
        self.draw("");
    }
}

/// The whole run, as it stays.
fn ended(state: &longshore_event::RunState, style: Style, out: &mut String) {
    tree::write(state, style, out);
    out.push('\n');
    end::write(state, style, out);
    out.push('\n');
}

/// Something that stays above the tree.
struct Note<'a> {
    tracking: &'a Tracking,
    run: RunId,
    style: Style,
    out: &'a mut String,
}

impl Note<'_> {
    fn line(self, job: &JobKey, text: &str) {
        let label = self.tracking.label(self.run, job);
        let mark = words::mark(Conclusion::Failure, self.style);
        self.out.push_str(&format!("{mark} {}: {text}\n", self.style.paint(Role::Strong, &label)));
    }

    fn failed_job(self, job: &JobKey) {
        let state = self.tracking.runs.get(&self.run).and_then(|run| run.state.job(job));
        // That jobs are cancelled is no news to who cancelled them; the tree of the whole run says it.
        let failed = state.filter(|job| words::job_conclusion(job) == Some(Conclusion::Failure));
        if let Some(error) = failed.and_then(words::own_error) {
            self.line(job, &one_line(error));
        }
    }

    fn failed_step(self, job: &JobKey, step: StepNumber, excerpt: Option<&Excerpt>) {
        let Some(tracked) = self.tracking.runs.get(&self.run) else { return };
        let Some(step) = tracked.state.job(job).and_then(|job| job.steps.get(&step)) else { return };
        let label = format!("{} › {}", self.tracking.label(self.run, job), words::step_name(step));
        let mark = words::mark(Conclusion::Failure, self.style);
        let time = words::step_time(step).map_or_else(String::new, |time| format!(" ({time})"));
        self.out.push_str(&format!(
            "{mark} {}{}: {}\n",
            self.style.paint(Role::Strong, &label),
            self.style.paint(Role::Faint, &time),
            words::failure(step)
        ));
        if let Some(excerpt) = excerpt {
            excerpt.write(&words::logs_command(&tracked.state, job), self.style, self.out);
        }
        self.out.push('\n');
    }
}
