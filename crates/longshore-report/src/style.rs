//! How text may be decorated.

use std::borrow::Cow;
use std::fmt::Write as _;

use anstyle::AnsiColor;

/// What a piece of text is, which decides its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The word `error`.
    Error,
    /// The word `warning`.
    Warning,
    /// The word `note`, and what says that all is well.
    Note,
    /// The word `help`.
    Help,
    /// What the eye should find first: names and headings.
    Strong,
    /// What may be skipped.
    Faint,
}

/// Whether to decorate, and how wide the reader's window is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether to use colour and weight.
    pub color: bool,
    /// Columns that source lines are cut to.
    pub width: usize,
}

impl Style {
    /// No decoration, for files, pipes and tests.
    pub const PLAIN: Self = Self { color: false, width: 140 };

    /// The text as its role shows it; without colour, the text itself.
    pub fn paint(self, role: Role, text: &str) -> String {
        if !self.color {
            return text.to_owned();
        }
        let style = match role {
            Role::Error => AnsiColor::BrightRed.on_default().bold(),
            Role::Warning => AnsiColor::Yellow.on_default().bold(),
            Role::Note => AnsiColor::BrightGreen.on_default().bold(),
            Role::Help => AnsiColor::BrightCyan.on_default().bold(),
            Role::Strong => anstyle::Style::new().bold(),
            Role::Faint => anstyle::Style::new().dimmed(),
        };
        format!("{style}{text}{style:#}")
    }
}

/// The text without characters that could move the cursor, hide text or reorder it.
///
/// Text from files reaches terminals through messages; an escape sequence in a job's name must stay visible as what
/// it is. Line feeds stay; tabs become a space; other controls and the bidirectional marks become `\u{…}`.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        match letter {
            '\t' => shown.push(' '),
            letter if is_hidden(letter) => {
                // Writing to a string cannot fail.
                let _ = write!(shown, "{}", letter.escape_unicode());
            }
            letter => shown.push(letter),
        }
    }
    Cow::Owned(shown)
}

fn is_hidden(letter: char) -> bool {
    (letter.is_control() && letter != '\n')
        || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::{Role, Style, visible};

    #[test]
    fn colour_only_surrounds_the_words() {
        let coloured = Style { color: true, width: 80 }.paint(Role::Error, "error");
        assert!(coloured.contains("error") && coloured.starts_with('\u{1b}') && coloured.ends_with('m'));
        assert_eq!(Style::PLAIN.paint(Role::Error, "error"), "error");
    }

    #[test]
    fn control_characters_are_spelled_out() {
        assert_eq!(visible("a\tb\u{1b}[2J\u{202e}c\nd"), "a b\\u{1b}[2J\\u{202e}c\nd");
        assert_eq!(visible("läuft ✓"), "läuft ✓");
    }
}
