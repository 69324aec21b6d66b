//! Refusals as text for snapshots, and the fixtures they are of. A refusal that people are not shown is marked.

use std::fmt::Write as _;
use std::path::PathBuf;

use longshore_syntax::{SourceFile, Span};
use longshore_workflow::Parsed;

/// The fixtures of one directory, sorted by name.
pub(crate) fn fixtures(directory: &str) -> Vec<(String, SourceFile)> {
    let place = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(directory);
    let mut found: Vec<(String, SourceFile)> = std::fs::read_dir(&place)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yml"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            let file = SourceFile::new(format!("{name}.yml"), text);
            (name, file)
        })
        .collect();
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    found
}

/// Everything refused: place, severity, code, message, help; then the text at the place and GitHub's words.
pub(crate) fn refusals<T>(file: &SourceFile, parsed: &Parsed<T>) -> String {
    let mut out = String::new();
    let said = parsed.diagnostics();
    let halves = [("schema", &parsed.schema_refusals), ("model", &parsed.model_refusals)];
    for (half, refusals) in halves.into_iter().filter(|(_, refusals)| !refusals.is_empty()) {
        let _ = writeln!(out, "## refused by the {half}");
        for refusal in refusals {
            let diagnostic = &refusal.diagnostic;
            let severity = diagnostic.severity.as_str();
            let place = place(file, diagnostic.span);
            // What follows from another refusal is GitHub's to say, not ours.
            let unsaid = if said.contains(diagnostic) { "" } else { "(not said) " };
            let _ = write!(
                out,
                "{unsaid}{place} {severity} {} {}",
                diagnostic.code,
                shortened(&diagnostic.message)
            );
            if let Some(help) = &diagnostic.help {
                let _ = write!(out, " | {help}");
            }
            out.push('\n');
            let _ = writeln!(out, "    at: {}", excerpt(file, diagnostic.span));
            for label in &diagnostic.related {
                let place = self::place(file, label.span);
                let _ = writeln!(out, "    see: {place} {} ({})", excerpt(file, label.span), label.text);
            }
            if let Some(github) = &refusal.github {
                let _ = writeln!(out, "    github: {}", shortened(github));
            }
        }
    }
    if out.is_empty() { "nothing is refused\n".to_owned() } else { out }
}

/// `line:column..line:column`.
pub(crate) fn place(file: &SourceFile, span: Span) -> String {
    let (start, end) = (file.position(span.start), file.position(span.end));
    format!("{}:{}..{}:{}", start.line, start.column, end.line, end.column)
}

fn excerpt(file: &SourceFile, span: Span) -> String {
    let text = file.slice(span);
    if text.is_empty() { "(nothing)".to_owned() } else { shortened(&text.escape_debug().to_string()) }
}

fn shortened(text: &str) -> String {
    let mut letters = text.chars();
    let start: String = letters.by_ref().take(300).collect();
    if letters.next().is_some() { format!("{start} …") } else { start }
}
