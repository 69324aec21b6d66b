//! `.env` files: a `NAME=VALUE` on each line.
//!
//! - Blank lines and lines that begin with `#` are skipped, and `export ` in front of a name is.
//! - A bare value ends with its line or at a `#` after a blank, and loses the blanks around it.
//! - `"…"` may hold several lines and the escapes `\n`, `\r`, `\t`, `\"`, `\\` and `\$`; another backslash stays.
//! - `'…'` may hold several lines and is taken as it stands.
//!
//! Nothing is expanded: a `$` is a `$`. Of two entries with one name the last counts; names have no letter case, as GitHub's
//! secrets have none.

use std::ops::Range;

use longshore_core::Secret;
use thiserror::Error;

/// Larger files are refused.
pub const MAX_SIZE: usize = 4 * 1024 * 1024;

/// A name with its value.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The name.
    pub name: String,
    /// The value.
    pub value: Secret<String>,
    /// Where it stands in the text, with its line feed.
    pub span: Range<usize>,
}

/// A text is no such file. What stands in it is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("line {line} {problem}")]
pub struct DotenvError {
    /// From 1.
    pub line: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What can be wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Problem {
    /// It has no `=`.
    #[error("is not NAME=VALUE")]
    NoAssignment,
    /// What stands before `=` is none.
    #[error("has no name of letters, digits and `_` before `=`")]
    Name,
    /// A quote has no end.
    #[error("begins a quoted value that has no end")]
    Unclosed,
    /// There is more after a quote.
    #[error("goes on after its quoted value")]
    Trailing,
    /// There is too much.
    #[error("is beyond what a file of secrets may hold")]
    TooLarge,
}

/// Reads a file.
pub fn parse(text: &str) -> Result<Vec<Entry>, DotenvError> {
    let line_of = |at: usize| 1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count();
    let error = |at: usize, problem| DotenvError { line: line_of(at), problem };
    if text.len() > MAX_SIZE {
        return Err(error(MAX_SIZE, Problem::TooLarge));
    }
    let mut entries: Vec<Entry> = Vec::new();
    let mut at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    while at < text.len() {
        let rest = text.get(at..).unwrap_or_default();
        let line = rest.split('\n').next().unwrap_or_default();
        let content = line.trim();
        if content.is_empty() || content.starts_with('#') {
            at += line.len() + 1;
            continue;
        }
        let (before, _) = line.split_once('=').ok_or_else(|| error(at, Problem::NoAssignment))?;
        let name = before.trim();
        let name =
            name.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t'])).unwrap_or(name).trim();
        if !is_name(name) {
            return Err(error(at, Problem::Name));
        }
        let begin = at + before.len() + 1;
        let (value, end) = value(text, begin).map_err(|problem| error(at, problem))?;
        entries.push(Entry { name: name.to_owned(), value: Secret::new(value), span: at..end });
        at = end;
    }
    Ok(entries)
}

/// Whether this can be the name of a secret.
pub fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The text with an entry set: in the place of the one that has the name, or at the end.
pub fn set(text: &str, name: &str, value: &str) -> Result<String, DotenvError> {
    let entries = parse(text)?;
    let line = format!("{name}={}\n", quoted(value));
    let last = entries.iter().rfind(|entry| entry.name.eq_ignore_ascii_case(name));
    let mut changed = String::with_capacity(text.len() + line.len());
    if let Some(entry) = last {
        changed.push_str(text.get(..entry.span.start).unwrap_or_default());
        changed.push_str(&line);
        changed.push_str(text.get(entry.span.end..).unwrap_or_default());
    } else {
        changed.push_str(text);
        if !text.is_empty() && !text.ends_with('\n') {
            changed.push('\n');
        }
        changed.push_str(&line);
    }
    Ok(changed)
}

/// The text without the entries of a name, if there are any.
pub fn remove(text: &str, name: &str) -> Result<Option<String>, DotenvError> {
    let entries = parse(text)?;
    let mut left = text.to_owned();
    let named = entries.iter().rev().filter(|entry| entry.name.eq_ignore_ascii_case(name));
    let spans: Vec<Range<usize>> = named.map(|entry| entry.span.clone()).collect();
    for span in &spans {
        left.replace_range(span.clone(), "");
    }
    Ok((!spans.is_empty()).then_some(left))
}

/// The value that begins at a byte, and the byte after its line.
fn value(text: &str, begin: usize) -> Result<(String, usize), Problem> {
    let rest = text.get(begin..).unwrap_or_default();
    let line = rest.split('\n').next().unwrap_or_default();
    let line_end = (begin + line.len() + 1).min(text.len());
    let bare = line.trim_start();
    let Some(quote @ ('"' | '\'')) = bare.chars().next() else {
        return Ok((uncommented(line).trim().to_owned(), line_end));
    };
    let open = begin + (line.len() - bare.len()) + 1;
    let inner = text.get(open..).unwrap_or_default();
    let length = closing(inner, quote).ok_or(Problem::Unclosed)?;
    let content = inner.get(..length).unwrap_or_default();
    let after = inner.get(length + 1..).unwrap_or_default();
    let tail = after.split('\n').next().unwrap_or_default();
    if !matches!(tail.trim().chars().next(), None | Some('#')) {
        return Err(Problem::Trailing);
    }
    let end = (open + length + 1 + tail.len() + 1).min(text.len());
    // Line ends are the file's; a `\r` that was escaped is the value's own.
    let content = content.replace("\r\n", "\n");
    let value = if quote == '"' { unescaped(&content) } else { content };
    Ok((value, end))
}

/// Where a quoted text ends.
fn closing(inner: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, character) in inner.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            _ if character == quote => return Some(at),
            _ => {}
        }
    }
    None
}

fn unescaped(content: &str) -> String {
    let mut value = String::with_capacity(content.len());
    let mut characters = content.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            value.push(character);
            continue;
        }
        match characters.next() {
            Some('n') => value.push('\n'),
            Some('r') => value.push('\r'),
            Some('t') => value.push('\t'),
            Some(plain @ ('"' | '\\' | '$')) => value.push(plain),
            Some(other) => value.extend(['\\', other]),
            None => value.push('\\'),
        }
    }
    value
}

/// A value so that [`parse`] reads it again.
fn quoted(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + 2);
    text.push('"');
    for character in value.chars() {
        match character {
            '"' | '\\' => text.extend(['\\', character]),
            '\r' => text.push_str("\\r"),
            other => text.push(other),
        }
    }
    text.push('"');
    text
}

/// A bare value without the comment after it.
fn uncommented(line: &str) -> &str {
    let comment = line.match_indices('#').find(|(at, _)| {
        line.get(..*at).is_some_and(|before| before.is_empty() || before.ends_with([' ', '\t']))
    });
    comment.and_then(|(at, _)| line.get(..at)).unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Vec<(String, String)> {
        let entries = parse(text).unwrap();
        entries.into_iter().map(|entry| (entry.name, entry.value.expose().clone())).collect()
    }

    #[test]
    fn values_of_every_shape() {
        for (text, value) in [
            ("A=b", "b"),
            ("A=b\r\n", "b"),
            ("\u{feff}A=b", "b"),
            ("export A = b c ", "b c"),
            ("A=", ""),
            ("A=b#c", "b#c"),
            ("A=b # c", "b"),
            ("A=#c", ""),
            ("A=a=b==", "a=b=="),
            ("A=\"b c\" # d", "b c"),
            ("A=\"b\\nc\\t\\\"\\\\\\$x\\y\"", "b\nc\t\"\\$x\\y"),
            ("A='b\\n\"c'", "b\\n\"c"),
            ("A=\"-----BEGIN\nkey\n-----END\"\n", "-----BEGIN\nkey\n-----END"),
            ("A='one\r\ntwo'", "one\ntwo"),
            ("# c\n\n  A=$HOME\n", "$HOME"),
        ] {
            assert_eq!(read(text), [("A".to_owned(), value.to_owned())], "{text:?}");
        }
        assert_eq!(read("A='1\n2'\nB=3").len(), 2);
    }

    #[test]
    fn what_is_wrong_is_told_without_the_text() {
        for (text, line, problem) in [
            ("\nhunter2", 2, Problem::NoAssignment),
            ("=x", 1, Problem::Name),
            ("a b=x", 1, Problem::Name),
            ("1A=x", 1, Problem::Name),
            ("B=1\nA=\"x\n\n", 2, Problem::Unclosed),
            ("A='x'y", 1, Problem::Trailing),
        ] {
            assert_eq!(parse(text).unwrap_err(), DotenvError { line, problem }, "{text:?}");
        }
    }

    #[test]
    fn editing_leaves_the_rest_alone() {
        let text = "# mine\nA=1\nB='x\ny' # both\nC=3";
        assert_eq!(set(text, "b", "new").unwrap(), "# mine\nA=1\nb=\"new\"\nC=3");
        assert_eq!(set(text, "D", "4").unwrap(), format!("{text}\nD=\"4\"\n"));
        assert_eq!(remove(text, "B").unwrap().unwrap(), "# mine\nA=1\nC=3");
        assert_eq!(remove(text, "X").unwrap(), None);
    }

    proptest! {
        #[test]
        fn what_is_set_is_read(value in "\\PC*|[\\x00-\\x7f]*", before in "(A=1\n|# x\n){0,3}") {
            let text = set(&before, "NAME", &value).unwrap();
            let read = read(&text);
            let last = read.last().unwrap();
            prop_assert_eq!(&last.1, &value);
        }

        #[test]
        fn nothing_makes_it_panic(text in "(A|=|\"|'|\\\\|\n|#| |é){0,40}") {
            if let Ok(entries) = parse(&text) {
                for entry in entries {
                    prop_assert!(text.get(entry.span).is_some());
                }
            }
        }
    }
}
