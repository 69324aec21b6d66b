//! Patterns for names of artifacts, as `minimatch` reads them: `*`, `?`, `[…]`, braces, extended globs, and a leading `!`.
//!
//! A pattern becomes a list of regular expressions that match in linear time. What would need looking ahead (`!(…)`) is
//! refused. Braces are expanded up to a bound, because every pair may double their number.

use regex::Regex;
use thiserror::Error;

/// A pattern for names.
#[derive(Debug)]
pub(super) struct NamePattern {
    is_negated: bool,
    shapes: Vec<Regex>,
}

/// A pattern cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum PatternError {
    #[error(
        "the pattern `{0}` excludes by `!(…)`, which is not supported: list what is wanted, or begin it with `!`"
    )]
    Excludes(String),
    #[error("the braces of the pattern `{0}` stand for more than {MOST} patterns")]
    Many(String),
    #[error("the pattern `{0}` is too large")]
    Large(String),
}

/// As many patterns as braces may stand for.
const MOST: usize = 1000;

impl NamePattern {
    pub(super) fn parse(text: &str) -> Result<Self, PatternError> {
        let mut rest = text;
        let mut is_negated = false;
        while let Some(inner) = rest.strip_prefix('!').filter(|inner| !inner.starts_with('(')) {
            is_negated = !is_negated;
            rest = inner;
        }
        let mut expanded = Vec::new();
        expand(rest, "", &mut expanded).ok_or_else(|| PatternError::Many(text.to_owned()))?;
        let shape = |pattern: &String| {
            let written = translate(pattern).ok_or_else(|| PatternError::Excludes(text.to_owned()))?;
            Regex::new(&written).map_err(|_| PatternError::Large(text.to_owned()))
        };
        Ok(Self { is_negated, shapes: expanded.iter().map(shape).collect::<Result<_, _>>()? })
    }

    pub(super) fn matches(&self, name: &str) -> bool {
        self.shapes.iter().any(|shape| shape.is_match(name)) != self.is_negated
    }
}

/// Replaces braces by what they stand for. `None` if that is too much.
fn expand(text: &str, before: &str, found: &mut Vec<String>) -> Option<()> {
    let Some((open, close, parts)) = braces(text) else {
        if found.len() >= MOST {
            return None;
        }
        found.push(format!("{before}{text}"));
        return Some(());
    };
    let (head, tail) = (text.get(..open)?, text.get(close + 1..)?);
    for part in parts {
        if found.len() >= MOST {
            return None;
        }
        // What is in the braces may hold braces, and so may what follows.
        let mut inner = Vec::new();
        expand(&part, "", &mut inner)?;
        for inner in inner {
            expand(tail, &format!("{before}{head}{inner}"), found)?;
        }
    }
    Some(())
}

/// The first braces that stand for something: where they open and close, and the parts between.
fn braces(text: &str) -> Option<(usize, usize, Vec<String>)> {
    for (open, _) in text.match_indices('{') {
        let (mut depth, mut commas, mut close) = (0_usize, vec![open], None);
        for (at, character) in text.char_indices().skip_while(|(at, _)| *at < open) {
            match character {
                '{' => depth += 1,
                '}' => {
                    depth -= 1;
                    if depth == 0 {
                        close = Some(at);
                        break;
                    }
                }
                ',' if depth == 1 => commas.push(at),
                _ => {}
            }
        }
        let close = close?;
        if commas.len() > 1 {
            commas.push(close);
            let parts = commas.windows(2).filter_map(|pair| match pair {
                [from, to] => text.get(from + 1..*to).map(str::to_owned),
                _ => None,
            });
            return Some((open, close, parts.collect()));
        }
        if let Some(numbers) = text.get(open + 1..close).and_then(sequence) {
            return Some((open, close, numbers));
        }
    }
    None
}

/// The numbers or letters of `1..5`.
fn sequence(text: &str) -> Option<Vec<String>> {
    let (from, to) = text.split_once("..")?;
    if let (Ok(from), Ok(to)) = (from.parse::<i64>(), to.parse::<i64>()) {
        let count = usize::try_from(from.abs_diff(to)).ok().filter(|count| *count < MOST)?;
        let upwards = from <= to;
        return Some(
            (0..=i64::try_from(count).ok()?)
                .map(|step| (if upwards { from + step } else { from - step }).to_string())
                .collect(),
        );
    }
    let (from, to) = (single(from)?, single(to)?);
    let range: Vec<String> = (from.min(to)..=from.max(to)).map(String::from).collect();
    Some(if from <= to { range } else { range.into_iter().rev().collect() })
}

fn single(text: &str) -> Option<char> {
    let mut characters = text.chars();
    characters.next().filter(|character| character.is_ascii_alphabetic() && characters.next().is_none())
}

/// A pattern without braces as a regular expression. `None` if it excludes.
fn translate(pattern: &str) -> Option<String> {
    let characters: Vec<char> = pattern.chars().collect();
    let (mut written, mut at, mut groups) = (String::from("^(?s:"), 0, Vec::new());
    // A wildcard at the beginning does not stand for a dot.
    let mut is_start = true;
    while let Some(&character) = characters.get(at) {
        let next = characters.get(at + 1).copied();
        at += 1;
        match (character, next) {
            ('!', Some('(')) => return None,
            ('@' | '+' | '*' | '?', Some('(')) => {
                groups.push(if character == '@' { ' ' } else { character });
                written.push_str("(?:");
                at += 1;
            }
            ('|', _) if !groups.is_empty() => written.push('|'),
            (')', _) if !groups.is_empty() => {
                written.push(')');
                written.extend(groups.pop().filter(|repeat| *repeat != ' '));
            }
            ('*', _) => written.push_str(if is_start { "(?:[^.].*)?" } else { ".*" }),
            ('?', _) => written.push_str(if is_start { "[^.]" } else { "." }),
            ('[', _) => match class(&characters, at) {
                Some((text, after)) => {
                    written += &text;
                    at = after;
                }
                None => written.push_str("\\["),
            },
            ('\\', Some(escaped)) => {
                written += &regex::escape(&escaped.to_string());
                at += 1;
            }
            (other, _) => written += &regex::escape(&other.to_string()),
        }
        is_start = false;
    }
    // A group that stays open is text in earnest; nobody means that.
    groups.iter().for_each(|_| written.push(')'));
    Some(written + ")$")
}

/// A class whose bracket is before `start`, and where it ends. `None` if it does not.
fn class(characters: &[char], start: usize) -> Option<(String, usize)> {
    let mut at = start;
    let mut text = String::from("[");
    if matches!(characters.get(at), Some('!' | '^')) {
        text.push('^');
        at += 1;
    }
    let first = at;
    loop {
        match *characters.get(at)? {
            ']' if at > first => return Some((text + "]", at + 1)),
            '-' => text.push('-'),
            character => text += &regex::escape(&character.to_string()).replace('[', "\\["),
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::{NamePattern, PatternError};

    #[test]
    fn names_match_as_in_minimatch() {
        let table = [
            ("*", "anything", true),
            ("*", ".hidden", false),
            ("coverage-*", "coverage-3.12", true),
            ("coverage-*", "coverage", false),
            ("{a,b}-*", "b-1", true),
            ("{a,b}-*", "c-1", false),
            ("x{1..3}", "x2", true),
            ("x{1..3}", "x4", false),
            ("a{b,c{d,e}}", "ace", true),
            ("{a}", "{a}", true),
            ("?est", "test", true),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("!a*", "b", true),
            ("!a*", "ab", false),
            ("@(a|b)c", "bc", true),
            ("+(ab)", "abab", true),
            ("a.b", "axb", false),
            ("a(b", "a(b", true),
            ("digest (3.12)", "digest (3.12)", true),
        ];
        for (pattern, name, wanted) in table {
            assert_eq!(NamePattern::parse(pattern).unwrap().matches(name), wanted, "{pattern} on {name}");
        }
    }

    #[test]
    fn patterns_are_bounded() {
        assert!(matches!(NamePattern::parse(&"{a,b}".repeat(30)), Err(PatternError::Many(_))));
        assert!(matches!(NamePattern::parse("a!(b)"), Err(PatternError::Excludes(_))));
    }
}
