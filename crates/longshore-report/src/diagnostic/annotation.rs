//! Findings as GitHub workflow commands, which GitHub shows as annotations on a change's files.
//!
//! The form is `::error file=…,line=…::message`; values escape `%`, line breaks and, in properties, `:` and `,`.
//! Specification: <https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands>.

use std::fmt::Write as _;

use longshore_syntax::{Diagnostic, Severity, SourceFile};

use super::FileFindings;
use super::place::Place;

/// One line for each finding. Each ends with a line feed.
pub fn render(files: &[FileFindings]) -> String {
    let mut text = String::new();
    for found in files {
        for diagnostic in &found.diagnostics {
            write_command(&mut text, &found.file, diagnostic);
        }
    }
    text
}

fn write_command(text: &mut String, file: &SourceFile, diagnostic: &Diagnostic) {
    let command = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let start = Place::of(file, diagnostic.span.start);
    let end = Place::of(file, diagnostic.span.end);
    let _ = write!(
        text,
        "::{command} file={},line={},endLine={},col={}",
        property(file.name()),
        start.line,
        end.line,
        start.column(),
    );
    // Columns are taken for one line only.
    if end.line == start.line {
        let _ = write!(text, ",endColumn={}", end.column());
    }
    let mut message = diagnostic.message.clone();
    if let Some(help) = &diagnostic.help {
        message.push_str("\nhelp: ");
        message.push_str(help);
    }
    let _ = writeln!(text, ",title={}::{}", property(diagnostic.code.0), data(&message));
}

/// A message in a form that ends neither the line nor the command.
fn data(value: &str) -> String {
    value.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property's value in a form that ends neither itself nor the list.
fn property(value: &str) -> String {
    data(value).replace(':', "%3A").replace(',', "%2C")
}
