//! Findings as text with a view of the line.
//!
//! The view is drawn by `annotate-snippets`, whose work grows with the text it is handed; so it is handed windows: the
//! lines that carry a label, never the file, and of a line that no window shows whole only the part around the label.
//! A place that spans lines is shown by its first line: the caret says where to look, not how much there is.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use longshore_syntax::{Diagnostic, Severity, SourceFile, Span};

use super::FileFindings;
use super::place::Place;
use crate::Style;
use crate::style::visible;

/// Labels at most this many lines apart share one view.
const NEAR: usize = 12;
/// Longer lines are shown in part.
const LONGEST_LINE: usize = 2_000;
/// Bytes shown on each side of a label in a line that is cut.
const AROUND: usize = 120;

/// All findings, an empty line after each.
pub fn render(files: &[FileFindings], style: Style) -> String {
    let mut text = String::new();
    for found in files {
        for diagnostic in &found.diagnostics {
            text.push_str(&render_one(&found.file, diagnostic, style));
            text.push('\n');
        }
    }
    text
}

/// One finding; ends with a line feed.
pub fn render_one(file: &SourceFile, diagnostic: &Diagnostic, style: Style) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let message = visible(&diagnostic.message);
    let name = visible(file.name());
    let mut group = Group::with_title(level.primary_title(message.as_ref()).id(diagnostic.code.0));
    let marks = marks(file, diagnostic);
    for view in views(&marks) {
        group = add_view(group, file, name.as_ref(), &view);
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(visible(help)));
    }
    if let Some(fix) = &diagnostic.fix {
        let fix = format!("{} (`longshore check --fix` does it)", visible(&fix.title));
        group = group.element(Level::HELP.with_name("fix").message(fix));
    }
    let renderer = if style.color { Renderer::styled().hyperlink(false) } else { Renderer::plain() };
    let renderer = renderer.term_width(style.width).decor_style(DecorStyle::Ascii);
    let mut text = renderer.render(&[group]);
    text.push('\n');
    text
}

/// One labelled place, cut to its first line.
struct Mark<'a> {
    line: usize,
    span: Range<usize>,
    /// The whole line.
    within: Range<usize>,
    text: &'a str,
    primary: bool,
}

impl Mark<'_> {
    fn is_cut(&self) -> bool {
        self.within.len() > LONGEST_LINE
    }
}

fn marks<'a>(file: &SourceFile, diagnostic: &'a Diagnostic) -> Vec<Mark<'a>> {
    let mut marks = vec![mark(file, diagnostic.span, &diagnostic.label, true)];
    marks.extend(diagnostic.related.iter().map(|label| mark(file, label.span, &label.text, false)));
    marks
}

fn mark<'a>(file: &SourceFile, span: Span, text: &'a str, primary: bool) -> Mark<'a> {
    let length = file.text().len();
    let at = (span.start as usize).min(length);
    let line = Place::of(file, at as u32).line;
    let within = file.line_span(line).range();
    let start = boundary(file.text(), at.clamp(within.start, within.end));
    let end = boundary(file.text(), (span.end as usize).clamp(start, within.end));
    Mark { line, span: start..end, within, text, primary }
}

/// The nearest start of a character at or before `at`.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

/// The marks in groups that are shown together, the one with the finding's own place first.
fn views<'m, 'a>(marks: &'m [Mark<'a>]) -> Vec<Vec<&'m Mark<'a>>> {
    let mut sorted: Vec<&Mark<'_>> = marks.iter().collect();
    sorted.sort_by_key(|mark| mark.line);
    let mut views: Vec<Vec<&Mark<'_>>> = Vec::new();
    for mark in sorted {
        let joins = |view: &Vec<&Mark<'_>>| {
            view.last().is_some_and(|last| mark.line - last.line <= NEAR && !mark.is_cut() && !last.is_cut())
        };
        match views.last_mut() {
            Some(view) if joins(view) => view.push(mark),
            _ => views.push(vec![mark]),
        }
    }
    views.sort_by_key(|view| !view.iter().any(|mark| mark.primary));
    views
}

fn add_view<'a>(group: Group<'a>, file: &'a SourceFile, name: &'a str, view: &[&Mark<'a>]) -> Group<'a> {
    let (Some(first), Some(last)) = (view.first(), view.last()) else { return group };
    let window = if first.is_cut() {
        let text = file.text();
        boundary(text, first.span.start.saturating_sub(AROUND)).max(first.within.start)
            ..boundary(text, first.span.start + AROUND).min(first.within.end)
    } else {
        first.within.start..last.within.end
    };
    let source = file.text().get(window.clone()).unwrap_or("");
    let mut snippet = Snippet::<Annotation<'a>>::source(source).line_start(first.line);
    for mark in view {
        let kind = if mark.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
        let start = mark.span.start.clamp(window.start, window.end) - window.start;
        let end = mark.span.end.clamp(window.start, window.end) - window.start;
        let label = Some(mark.text).filter(|text| !text.is_empty()).map(visible);
        snippet = snippet.annotation(kind.span(start..end).label(label));
    }
    if first.is_cut() {
        // The column cannot be read off a part of a line, so it is given.
        let column = Place::of(file, first.span.start as u32).column();
        group.element(Origin::path(name).line(first.line).char_column(column)).element(snippet)
    } else {
        group.element(snippet.path(name))
    }
}
