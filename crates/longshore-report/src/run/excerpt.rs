//! The part of a step's log that is kept while it runs: its end, and the lines around its first error.
//!
//! **Invariant:** bounded, however much a step prints. The whole log is what the history keeps.

use std::collections::VecDeque;

use super::line::{ERROR_MARK, Line};
use crate::{Role, Style};

/// Lines that are kept before the first error, or at the end if there is none.
const BEFORE: usize = 29;
/// Lines that are kept after the first error.
const AFTER: usize = 10;
/// Lines of the end.
const TAIL: usize = 5;
/// Longer lines are cut.
const LONGEST_LINE: usize = 2_000;

/// What is kept of the log of a step.
#[derive(Debug, Clone, Default)]
pub(super) struct Excerpt {
    /// Lines before the first error, and that line and what follows once it came.
    lines: VecDeque<String>,
    /// How many more lines there is room for since the first error.
    room: Option<usize>,
    /// The last lines of all.
    tail: VecDeque<String>,
    /// Lines in all.
    total: u64,
    /// Lines that are not in `lines` and came before them.
    dropped: u64,
}

impl Excerpt {
    /// Takes more lines.
    pub(super) fn take(&mut self, lines: &[String]) {
        self.total += lines.len() as u64;
        for line in &lines[lines.len().saturating_sub(TAIL)..] {
            push(&mut self.tail, line, TAIL);
        }
        let rest = if self.room.is_some() { lines } else { self.until_error(lines) };
        let room = self.room.unwrap_or(0).min(rest.len());
        for line in &rest[..room] {
            self.lines.push_back(cut(line));
        }
        self.room = self.room.map(|free| free - room);
    }

    /// Takes lines up to and with the first error; gives the rest.
    fn until_error<'l>(&mut self, lines: &'l [String]) -> &'l [String] {
        let error = lines.iter().position(|line| line.starts_with(ERROR_MARK));
        let (before, rest) = lines.split_at(error.unwrap_or(lines.len()));
        let skipped = before.len().saturating_sub(BEFORE);
        self.dropped += skipped as u64;
        for line in &before[skipped..] {
            self.dropped += u64::from(push(&mut self.lines, line, BEFORE));
        }
        if error.is_some() {
            // The line itself stands first in `rest`.
            self.room = Some(AFTER + 1);
        }
        rest
    }

    /// The last lines, at most so many.
    pub(super) fn tail(&self, most: usize) -> impl Iterator<Item = &str> {
        self.tail.iter().skip(self.tail.len().saturating_sub(most)).map(String::as_str)
    }

    /// The lines around the first error, or the last ones, each under a guide; what is left out is counted, and `all`
    /// says how to see everything.
    pub(super) fn write(&self, all: &str, style: Style, out: &mut String) {
        let bar = style.paint(Role::Faint, "│");
        if self.dropped > 0 {
            let text = format!("┄ {} before", lines(self.dropped));
            out.push_str(&format!("  {}\n", style.paint(Role::Faint, &text)));
        }
        for line in &self.lines {
            if let Some(shown) = Line::of(line).shown(style) {
                out.push_str(format!("  {bar} {shown}").trim_end());
                out.push('\n');
            }
        }
        let after = self.total - self.dropped - self.lines.len() as u64;
        if after > 0 {
            out.push_str(&format!("  {}\n", style.paint(Role::Faint, &format!("┄ {} after", lines(after)))));
        }
        if self.dropped + after > 0 {
            out.push_str(&format!("  {} {all}\n", style.paint(Role::Help, "all of it:")));
        }
    }

    /// Whether the step printed nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.total == 0
    }
}

fn lines(count: u64) -> String {
    if count == 1 { "1 line".to_owned() } else { format!("{count} lines") }
}

/// Whether a line had to go for it.
fn push(lines: &mut VecDeque<String>, line: &str, most: usize) -> bool {
    let full = lines.len() >= most;
    if full {
        lines.pop_front();
    }
    lines.push_back(cut(line));
    full
}

fn cut(line: &str) -> String {
    match line.char_indices().nth(LONGEST_LINE) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::Excerpt;
    use crate::Style;

    fn numbered(from: u32, to: u32) -> Vec<String> {
        (from..=to).map(|number| format!("line {number}")).collect()
    }

    fn shown(excerpt: &Excerpt) -> String {
        let mut text = String::new();
        excerpt.write("longshore logs 7", Style::PLAIN, &mut text);
        text
    }

    #[test]
    fn it_opens_at_the_first_error() {
        let mut chunks = numbered(1, 100);
        chunks.push("##[error]first".to_owned());
        chunks.extend(numbered(101, 120));
        chunks.push("##[error]second".to_owned());
        let mut at_once = Excerpt::default();
        at_once.take(&chunks);
        let mut singly = Excerpt::default();
        chunks.iter().for_each(|line| singly.take(std::slice::from_ref(line)));
        let text = shown(&at_once);
        assert_eq!(text, shown(&singly));
        assert!(text.starts_with("  ┄ 71 lines before\n  │ line 72\n"), "{text}");
        assert!(text.contains("  │ line 100\n  │ Error: first\n  │ line 101\n"), "{text}");
        assert!(
            text.ends_with("  │ line 110\n  ┄ 11 lines after\n  all of it: longshore logs 7\n"),
            "{text}"
        );
        assert_eq!(at_once.tail(2).collect::<Vec<_>>(), ["line 120", "##[error]second"]);
    }

    #[test]
    fn without_an_error_it_is_the_end_and_a_short_log_is_whole() {
        let mut excerpt = Excerpt::default();
        assert!(excerpt.is_empty());
        excerpt.take(&numbered(1, 3));
        assert_eq!(shown(&excerpt), "  │ line 1\n  │ line 2\n  │ line 3\n");
        excerpt.take(&numbered(4, 60));
        let text = shown(&excerpt);
        assert!(text.starts_with("  ┄ 31 lines before\n  │ line 32\n"), "{text}");
        assert!(text.contains("  │ line 60\n  all of it"), "{text}");
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut excerpt = Excerpt::default();
        excerpt.take(&vec!["é".repeat(100_000); 500]);
        assert!(shown(&excerpt).len() < 200_000);
    }
}
