//! Text from programs, taken apart into what may be shown and colours.
//!
//! A step writes what it likes. Of its escape sequences only SGR (`ESC [ … m`, ECMA-48 section 8.3.117) is of use to a
//! reader; all others, which move the cursor, set titles or answer questions, are removed, and so are single control
//! characters. Bidirectional marks are spelled out, because they make a line read as something else.

use std::borrow::Cow;
use std::iter::Peekable;
use std::str::CharIndices;

use crate::style::visible;

/// Longer sequences are no colours.
const LONGEST_SGR: usize = 64;

/// The distance between tab stops.
const TAB: usize = 8;

/// A part of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// Text without control characters.
    Text(&'a str),
    /// So many blanks in place of a tab.
    Blanks(usize),
    /// The parameters of a colour sequence: digits, `;` and `:`.
    Sgr(&'a str),
}

/// A line as a terminal may have it: with its colours, closed at the end, or without any.
pub(super) fn terminal(line: &str, color: bool) -> Cow<'_, str> {
    if is_plain(line) {
        return Cow::Borrowed(line);
    }
    let mut shown = String::with_capacity(line.len() + 8);
    let mut open = false;
    parts(line, |part| match part {
        Part::Text(text) => shown.push_str(&visible(text)),
        Part::Blanks(count) => shown.extend(std::iter::repeat_n(' ', count)),
        Part::Sgr(parameters) if color => {
            open = !matches!(parameters, "" | "0");
            shown.push_str("\u{1b}[");
            shown.push_str(parameters);
            shown.push('m');
        }
        Part::Sgr(_) => {}
    });
    if open {
        shown.push_str("\u{1b}[0m");
    }
    Cow::Owned(shown)
}

/// Whether every byte is one that needs no look: most lines are.
fn is_plain(line: &str) -> bool {
    // C2 begins the C1 controls, E2 the bidirectional marks.
    !line.bytes().any(|byte| byte < b' ' || matches!(byte, 0x7f | 0xc2 | 0xe2))
}

/// Gives the parts of a line in order.
pub(super) fn parts<'a>(line: &'a str, mut each: impl FnMut(Part<'a>)) {
    let line = last_written(line);
    let mut letters = line.char_indices().peekable();
    let (mut from, mut column) = (0, 0);
    while let Some((at, letter)) = letters.next() {
        if !letter.is_control() {
            column += 1;
            continue;
        }
        if from < at {
            each(Part::Text(&line[from..at]));
        }
        match letter {
            '\t' => {
                let blanks = TAB - column % TAB;
                column += blanks;
                each(Part::Blanks(blanks));
            }
            '\u{1b}' => {
                if let Some(parameters) = escape(line, &mut letters) {
                    each(Part::Sgr(parameters));
                }
            }
            _ => {}
        }
        from = letters.peek().map_or(line.len(), |(next, _)| *next);
    }
    if from < line.len() {
        each(Part::Text(&line[from..]));
    }
}

/// A program that draws over its line with carriage returns is shown with what it wrote last.
fn last_written(line: &str) -> &str {
    line.rsplit('\r').find(|part| !part.is_empty()).unwrap_or("")
}

type Letters<'a> = Peekable<CharIndices<'a>>;

/// Steps over an escape sequence whose first character was taken; gives the parameters if it is a colour.
fn escape<'a>(line: &'a str, letters: &mut Letters<'a>) -> Option<&'a str> {
    let (at, kind) = *letters.peek()?;
    match kind {
        '[' => {
            letters.next();
            control_sequence(line, letters)
        }
        // Strings for the terminal end with BEL or ESC \; one without an end hides nothing.
        ']' | 'P' | 'X' | '^' | '_' => {
            letters.next();
            if let Some(end) = line[at..].find(['\u{7}', '\u{1b}']) {
                while letters.next_if(|(next, _)| *next < at + end).is_some() {}
                if letters.next_if(|(_, letter)| *letter == '\u{1b}').is_some() {
                    letters.next_if(|(_, letter)| *letter == '\\');
                }
            }
            None
        }
        _ => {
            while letters.next_if(|(_, letter)| matches!(letter, ' '..='/')).is_some() {}
            letters.next_if(|(_, letter)| matches!(letter, '0'..='~'));
            None
        }
    }
}

fn control_sequence<'a>(line: &'a str, letters: &mut Letters<'a>) -> Option<&'a str> {
    let start = letters.peek()?.0;
    while letters.next_if(|(_, letter)| matches!(letter, ' '..='?')).is_some() {}
    let (end, last) = letters.next_if(|(_, letter)| matches!(letter, '@'..='~'))?;
    let parameters = &line[start..end];
    let is_colour = last == 'm'
        && parameters.len() <= LONGEST_SGR
        && parameters.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b';' | b':'));
    is_colour.then_some(parameters)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::terminal;

    #[test]
    fn only_colours_pass() {
        let table = [
            ("plain läuft ✓", "plain läuft ✓", "plain läuft ✓"),
            ("\u{1b}[31mred\u{1b}[0m.", "\u{1b}[31mred\u{1b}[0m.", "red."),
            ("\u{1b}[1;38;5;9mopen", "\u{1b}[1;38;5;9mopen\u{1b}[0m", "open"),
            ("a\u{1b}[2J\u{1b}[10Ab", "ab", "ab"),
            ("a\u{1b}[?25lb\u{1b}[>4;1mc", "abc", "abc"),
            ("a\u{1b}]0;title\u{7}b\u{1b}]8;;x\u{1b}\\c", "abc", "abc"),
            ("a\u{1b}]0;no end", "a0;no end", "a0;no end"),
            ("a\u{1b}(Bb\u{1b}7c\u{1b}", "abc", "abc"),
            ("a\u{9b}2Jb\u{8}c\u{7f}", "a2Jbc", "a2Jbc"),
            ("10%\r20%\r", "20%", "20%"),
            ("ab\tc", "ab      c", "ab      c"),
            ("a\u{202e}b", "a\\u{202e}b", "a\\u{202e}b"),
        ];
        for (line, coloured, plain) in table {
            assert_eq!(terminal(line, true), coloured, "{line:?}");
            assert_eq!(terminal(line, false), plain, "{line:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_else_ever_passes(line in "([a-z\u{1b}\u{9b}\u{7}\r\t;:0-9?mAJ\\]\\[\\\\]|\\PC|\\p{Cc}){0,60}") {
            let plain = terminal(&line, false).into_owned();
            prop_assert!(!plain.chars().any(char::is_control), "{:?}", plain);
            let coloured = terminal(&line, true).into_owned();
            let mut rest = coloured.as_str();
            while let Some((before, after)) = rest.split_once('\u{1b}') {
                prop_assert!(!before.chars().any(char::is_control));
                let (parameters, tail) = after.split_once('m').unwrap_or((after, ""));
                prop_assert!(parameters.starts_with('[')
                    && parameters[1..].bytes().all(|b| b.is_ascii_digit() || b == b';' || b == b':'));
                rest = tail;
            }
            prop_assert!(!rest.chars().any(char::is_control));
        }
    }
}
