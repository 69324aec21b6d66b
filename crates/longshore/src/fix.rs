//! Applying the fixes that findings carry.

use std::io::{self, Write as _};
use std::path::Path;

use longshore_syntax::{Diagnostic, Edit};

/// The text with the fixes of the findings made, and how many were. A fix that overlaps one before it is left for
/// another round.
pub(crate) fn apply(text: &str, findings: &[Diagnostic]) -> (String, usize) {
    let mut taken: Vec<&Edit> = Vec::new();
    let mut applied = 0;
    for fix in findings.iter().filter_map(|finding| finding.fix.as_ref()) {
        let fits = |edit: &Edit| {
            text.get(edit.span.range()).is_some() && taken.iter().all(|other| !overlap(other, edit))
        };
        if !fix.edits.is_empty() && fix.edits.iter().all(fits) {
            taken.extend(&fix.edits);
            applied += 1;
        }
    }
    taken.sort_by_key(|edit| edit.span);
    let mut fixed = String::with_capacity(text.len());
    let mut at = 0;
    for edit in taken {
        let range = edit.span.range();
        fixed.push_str(text.get(at..range.start).unwrap_or(""));
        // A file keeps its line ends.
        let lines = if text.contains("\r\n") { edit.text.replace('\n', "\r\n") } else { edit.text.clone() };
        fixed.push_str(&lines);
        at = range.end;
    }
    fixed.push_str(text.get(at..).unwrap_or(""));
    (fixed, applied)
}

/// Two insertions at one place have no order, so they count as overlapping.
fn overlap(one: &Edit, other: &Edit) -> bool {
    one.span == other.span || (one.span.start < other.span.end && other.span.start < one.span.end)
}

/// Replaces a file's text at once: whoever reads it meanwhile sees the old text or the new one, and an interruption
/// leaves one of the two. Permissions stay.
pub(crate) fn replace(place: &Path, text: &str) -> io::Result<()> {
    let mut name = place.file_name().unwrap_or_default().to_owned();
    name.push(format!(".longshore-{}", std::process::id()));
    let temporary = place.with_file_name(name);
    let written = (|| {
        let permissions = std::fs::metadata(place)?.permissions();
        let mut file = std::fs::File::create_new(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.set_permissions(permissions)?;
        file.sync_all()?;
        std::fs::rename(&temporary, place)
    })();
    if written.is_err() {
        // What is left over is of no use; the first error is the one to tell.
        let _ = std::fs::remove_file(&temporary);
    }
    written
}

#[cfg(test)]
mod tests {
    use longshore_syntax::{Code, Diagnostic, Edit, Span};

    use super::apply;

    fn finding(edits: &[(usize, usize, &str)]) -> Diagnostic {
        let edits = edits
            .iter()
            .map(|(start, end, text)| Edit { span: Span::new(*start, *end), text: (*text).to_owned() });
        Diagnostic::error(Code("a/b"), Span::at(0), "x").fix("mend it", edits.collect())
    }

    #[test]
    fn edits_are_made_together_and_overlaps_left() {
        let findings = [
            finding(&[(4, 5, "B"), (0, 1, "AA")]),
            finding(&[(4, 6, "x")]),
            finding(&[(2, 2, "+")]),
            finding(&[(2, 2, "-")]),
            finding(&[(5, 5, "!")]),
            finding(&[(90, 91, "?")]),
            Diagnostic::error(Code("a/b"), Span::at(0), "no fix"),
        ];
        assert_eq!(apply("a.b.c", &findings), ("AA.+b.B!".to_owned(), 3));
        assert_eq!(apply("é", &[finding(&[(1, 2, "x")])]), ("é".to_owned(), 0));
    }
}
