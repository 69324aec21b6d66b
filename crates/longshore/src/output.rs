//! Where text goes: data to standard output, talk to standard error.

use std::io::{self, IsTerminal as _, Write as _};

use longshore_report::Style;
use thiserror::Error;

use crate::exit::Blame;
use crate::failure::Explained;
use crate::settings::ColorChoice;

/// The two streams of the process.
///
/// A reader who has had enough (`longshore … | head -1`) is not an error: what is written after the pipe closed is
/// dropped, and the command ends with the exit code it would have had.
pub(crate) struct Output {
    stdout: io::BufWriter<io::Stdout>,
    closed: bool,
    quiet: bool,
    data: Style,
    talk: Style,
}

/// Standard output does not take what it is given.
#[derive(Debug, Error)]
#[error("failed to write to standard output")]
pub(crate) struct WriteError(#[source] io::Error);

impl Explained for WriteError {
    fn blame(&self) -> Blame {
        Blame::Environment
    }

    fn help(&self) -> Option<String> {
        Some("check that the disk or device it is redirected to has room".to_owned())
    }
}

impl Output {
    /// The process's streams. `color` is what settings say; `auto` decides for each stream by whether it is a terminal.
    pub(crate) fn new(color: ColorChoice, quiet: bool) -> Self {
        let data = style(color, io::stdout().is_terminal());
        let talk = style(color, io::stderr().is_terminal());
        Self { stdout: io::BufWriter::new(io::stdout()), closed: false, quiet, data, talk }
    }

    /// How text on standard output is decorated.
    pub(crate) fn style(&self) -> Style {
        self.data
    }

    /// How text on standard error is decorated.
    pub(crate) fn talk_style(&self) -> Style {
        self.talk
    }

    /// Whether nobody reads standard output any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Writes what was asked for.
    pub(crate) fn data(&mut self, text: &str) -> Result<(), WriteError> {
        let written = if self.closed { Ok(()) } else { self.stdout.write_all(text.as_bytes()) };
        self.settle(written)
    }

    /// Writes bytes that are no text.
    pub(crate) fn raw(&mut self) -> &mut io::BufWriter<io::Stdout> {
        &mut self.stdout
    }

    /// Whether standard output is a terminal.
    pub(crate) fn is_terminal() -> bool {
        io::stdout().is_terminal()
    }

    /// Whether nothing but results and errors is wanted.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Hands what was written to the reader now.
    pub(crate) fn flush(&mut self) -> Result<(), WriteError> {
        let flushed = if self.closed { Ok(()) } else { self.stdout.flush() };
        self.settle(flushed)
    }

    /// Says something about the work; `--quiet` drops it.
    pub(crate) fn talk(&mut self, text: &str) {
        if !self.quiet {
            self.complain(text);
        }
    }

    /// Says why the work was not done. Nothing can be done about a standard error that is closed.
    pub(crate) fn complain(&mut self, text: &str) {
        let _ = self.flush();
        let _ = io::stderr().write_all(text.as_bytes());
    }

    fn settle(&mut self, result: io::Result<()>) -> Result<(), WriteError> {
        match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            result => result.map_err(WriteError),
        }
    }
}

fn style(color: ColorChoice, terminal: bool) -> Style {
    let color = match color {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => terminal,
    };
    let columns =
        terminal.then(terminal_size::terminal_size).flatten().map(|(width, _)| usize::from(width.0));
    Style { color, width: columns.map_or(Style::PLAIN.width, |columns| columns.max(40)) }
}
