//! Findings as JSON, in a shape that is Longshore's own and stays as documented in `docs/output.md`.
//!
//! Fields may be added; none changes its meaning without a new number in `schema`.

use longshore_syntax::{Diagnostic, Edit, SourceFile, Span};
use serde::Serialize;

use super::place::Place;
use super::{Counts, FileFindings};

/// Name and version of the shape.
pub const SCHEMA: &str = "longshore.findings/1";

/// One JSON document with all findings, pretty-printed, ending with a line feed.
pub fn render(files: &[FileFindings]) -> String {
    let document = FindingsDto {
        schema: SCHEMA,
        summary: SummaryDto::new(Counts::of(files)),
        diagnostics: files
            .iter()
            .flat_map(|found| {
                found.diagnostics.iter().map(|diagnostic| diagnostic_dto(&found.file, diagnostic))
            })
            .collect(),
    };
    // Plain structs of strings and numbers: there is nothing in them that could fail to serialise.
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

/// One finding in this shape, for documents that hold findings among other things.
pub fn diagnostic_dto<'a>(file: &'a SourceFile, diagnostic: &'a Diagnostic) -> DiagnosticDto<'a> {
    DiagnosticDto {
        code: diagnostic.code.0,
        severity: diagnostic.severity.as_str(),
        message: &diagnostic.message,
        place: place(file, diagnostic.span),
        label: Some(diagnostic.label.as_str()).filter(|label| !label.is_empty()),
        help: diagnostic.help.as_deref(),
        related: diagnostic
            .related
            .iter()
            .map(|label| RelatedDto { place: place(file, label.span), message: &label.text })
            .collect(),
        fix: diagnostic.fix.as_ref().map(|fix| FixDto {
            title: &fix.title,
            edits: fix.edits.iter().map(|edit| edit_dto(file, edit)).collect(),
        }),
    }
}

fn edit_dto<'a>(file: &'a SourceFile, edit: &'a Edit) -> EditDto<'a> {
    EditDto { place: place(file, edit.span), text: &edit.text }
}

fn place(file: &SourceFile, span: Span) -> PlaceDto<'_> {
    PlaceDto { file: file.name(), start: point(file, span.start), end: point(file, span.end) }
}

fn point(file: &SourceFile, offset: u32) -> PointDto {
    let place = Place::of(file, offset);
    PointDto { line: place.line, column: place.column(), offset }
}

#[derive(Debug, Serialize)]
struct FindingsDto<'a> {
    schema: &'static str,
    summary: SummaryDto,
    diagnostics: Vec<DiagnosticDto<'a>>,
}

#[derive(Debug, Serialize)]
struct SummaryDto {
    files: usize,
    errors: usize,
    warnings: usize,
    notes: usize,
}

impl SummaryDto {
    fn new(counts: Counts) -> Self {
        Self { files: counts.files, errors: counts.errors, warnings: counts.warnings, notes: counts.notes }
    }
}

/// One finding.
#[derive(Debug, Serialize)]
pub struct DiagnosticDto<'a> {
    code: &'a str,
    severity: &'static str,
    message: &'a str,
    #[serde(flatten)]
    place: PlaceDto<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related: Vec<RelatedDto<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<FixDto<'a>>,
}

#[derive(Debug, Serialize)]
struct PlaceDto<'a> {
    file: &'a str,
    start: PointDto,
    /// Exclusive.
    end: PointDto,
}

/// Line and column from 1, columns in Unicode scalar values; `offset` in bytes of UTF-8 from 0.
#[derive(Debug, Serialize)]
struct PointDto {
    line: usize,
    column: usize,
    offset: u32,
}

#[derive(Debug, Serialize)]
struct RelatedDto<'a> {
    #[serde(flatten)]
    place: PlaceDto<'a>,
    message: &'a str,
}

#[derive(Debug, Serialize)]
struct FixDto<'a> {
    title: &'a str,
    edits: Vec<EditDto<'a>>,
}

#[derive(Debug, Serialize)]
struct EditDto<'a> {
    #[serde(flatten)]
    place: PlaceDto<'a>,
    /// What stands in the place's stead.
    text: &'a str,
}
