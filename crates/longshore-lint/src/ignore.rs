//! `# longshore: ignore[code]`: silencing a rule in one place.
//!
//! A comment at the end of a line counts for findings that begin on that line, a comment on a line of its own for those
//! on the next line that is no comment. Codes are written with or without `lint/`, several with commas; what follows the
//! bracket is the reason.

use longshore_syntax::{Diagnostic, Edit, Severity, Span};

use crate::{RULES, Rule, Subject};

pub(crate) const RULE: Rule = Rule::new(
    "lint/unused-ignore",
    Severity::Note,
    "a comment `# longshore: ignore[…]` silences nothing",
    |_, _| {},
)
.with_fix();

const MARK: &str = "longshore: ignore";

/// One code in one comment.
struct Ignore<'a> {
    code: &'a str,
    /// Where the code stands.
    span: Span,
    /// The line, from 1, whose findings it silences.
    line: usize,
    /// What deleting the comment replaces, if the code is its only one.
    comment: Option<Span>,
    used: bool,
}

/// Takes out what comments silence, and adds the comments that silence nothing.
pub(crate) fn apply(subject: &Subject<'_>, found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut ignores = read(subject);
    if ignores.is_empty() {
        return found;
    }
    let mut kept: Vec<Diagnostic> = Vec::with_capacity(found.len());
    for diagnostic in found {
        let line = subject.file.position(diagnostic.span.start).line;
        let mut silenced = false;
        for ignore in ignores.iter_mut().filter(|ignore| ignore.line == line) {
            if is_code(ignore.code, diagnostic.code.0) {
                ignore.used = true;
                silenced = true;
            }
        }
        if !silenced {
            kept.push(diagnostic);
        }
    }
    if subject.context.is_on(&RULE) {
        kept.extend(
            ignores.iter().filter(|ignore| !ignore.used).filter_map(|ignore| unused(subject, ignore)),
        );
    }
    kept
}

fn is_code(written: &str, code: &str) -> bool {
    written == code || code.strip_prefix("lint/") == Some(written)
}

fn unused(subject: &Subject<'_>, ignore: &Ignore<'_>) -> Option<Diagnostic> {
    let rule = RULES.iter().find(|rule| is_code(ignore.code, rule.code.0));
    let diagnostic = match rule {
        Some(rule) if !subject.context.is_on(rule) => return None,
        Some(rule) => RULE.at(ignore.span, format!("there is no `{}` to ignore here", rule.code)),
        None if ignore.code.is_empty() => RULE
            .at(ignore.span, "the comment names no rule, so it ignores nothing")
            .help("write `# longshore: ignore[code]`"),
        None => RULE.at(ignore.span, format!("there is no rule `{}`", ignore.code)),
    };
    Some(match ignore.comment {
        Some(span) => diagnostic.fix("delete the comment", vec![Edit { span, text: String::new() }]),
        None => diagnostic,
    })
}

fn read<'a>(subject: &Subject<'a>) -> Vec<Ignore<'a>> {
    let file = subject.file;
    let text = file.text();
    let mut ignores = Vec::new();
    for (at, _) in text.match_indices(MARK) {
        let line = file.position(at as u32).line;
        let line_span = file.line_span(line);
        let before = &text[line_span.start as usize..at];
        let Some(hash) = before.trim_end().strip_suffix('#').map(str::len) else { continue };
        if !before[..hash].is_empty() && !before[..hash].ends_with([' ', '\t']) {
            continue;
        }
        let own_line = before[..hash].trim().is_empty();
        let comment = if own_line {
            Span::new(line_span.start as usize, file.line_span(line + 1).start as usize)
        } else {
            Span::new(line_span.start as usize + before[..hash].trim_end().len(), line_span.end as usize)
        };
        let target = if own_line { line_below(subject, line) } else { line };
        let rest_start = at + MARK.len();
        let rest = &text[rest_start..line_span.end as usize];
        let codes =
            rest.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or("", |(codes, _)| codes);
        let single = !codes.contains(',');
        let mut offset = rest_start + 1;
        for code in codes.split(',') {
            let start = offset + (code.len() - code.trim_start().len());
            let span = if codes.is_empty() {
                Span::new(at, rest_start)
            } else {
                Span::new(start, start + code.trim().len())
            };
            let comment = single.then_some(comment);
            ignores.push(Ignore { code: code.trim(), span, line: target, comment, used: false });
            offset += code.len() + 1;
        }
    }
    ignores
}

/// The next line that is no comment.
fn line_below(subject: &Subject<'_>, line: usize) -> usize {
    (line + 1..=subject.file.line_count())
        .find(|&next| !subject.file.slice(subject.file.line_span(next)).trim_start().starts_with('#'))
        .unwrap_or(line + 1)
}
