//! A line made of parts that play roles, cut to a window by the columns that it takes there.

use longshore_event::Conclusion;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::words::one_line;
use crate::{Role, Style};

/// One line. Its text holds nothing that a terminal obeys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Row(Vec<(Option<Role>, String)>);

impl Row {
    /// The mark of what has ended so, or that has not.
    pub(super) fn mark(conclusion: Option<Conclusion>) -> Self {
        match conclusion {
            Some(Conclusion::Success) => Self::default().role(Role::Note, "✓"),
            Some(Conclusion::Failure) => Self::default().role(Role::Error, "✗"),
            Some(Conclusion::Cancelled) => Self::default().role(Role::Warning, "⊘"),
            Some(Conclusion::Skipped) => Self::default().faint("○"),
            None => Self::plain("●"),
        }
    }

    /// A line of ordinary text.
    pub(super) fn plain(text: &str) -> Self {
        Self::default().and(text)
    }

    pub(super) fn and(self, text: &str) -> Self {
        self.push(None, text)
    }

    pub(super) fn role(self, role: Role, text: &str) -> Self {
        self.push(Some(role), text)
    }

    pub(super) fn faint(self, text: &str) -> Self {
        self.role(Role::Faint, text)
    }

    pub(super) fn strong(self, text: &str) -> Self {
        self.role(Role::Strong, text)
    }

    /// Another line behind this one.
    pub(super) fn and_row(self, other: Self) -> Self {
        other.after(self)
    }

    /// This line behind another.
    pub(super) fn after(self, mut first: Self) -> Self {
        first.0.extend(self.0);
        first
    }

    fn push(mut self, role: Option<Role>, text: &str) -> Self {
        if !text.is_empty() {
            self.0.push((role, one_line(text).into_owned()));
        }
        self
    }

    /// The columns that it takes.
    pub(super) fn width(&self) -> usize {
        self.0.iter().map(|(_, text)| text.width()).sum()
    }

    /// Whole.
    pub(super) fn whole(&self, style: Style) -> String {
        self.0.iter().map(|(role, text)| paint(*role, text, style)).collect()
    }

    /// In at most so many columns; what is cut ends with `…`.
    pub(super) fn cut(&self, columns: usize, style: Style) -> String {
        if self.width() <= columns {
            return self.whole(style);
        }
        let mut left = columns.saturating_sub(1);
        let mut shown = String::new();
        for (role, text) in &self.0 {
            let part = fitting(text, left);
            shown.push_str(&paint(*role, part, style));
            left -= part.width().min(left);
            if part.len() < text.len() {
                break;
            }
        }
        if columns > 0 {
            shown.push('…');
        }
        shown
    }
}

fn paint(role: Option<Role>, text: &str, style: Style) -> String {
    role.map_or_else(|| text.to_owned(), |role| style.paint(role, text))
}

/// The longest beginning that takes no more columns.
pub(super) fn fitting(text: &str, columns: usize) -> &str {
    let mut taken = 0;
    for (at, letter) in text.char_indices() {
        taken += letter.width().unwrap_or(0);
        if taken > columns {
            return &text[..at];
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Row, fitting};
    use crate::{Role, Style};

    #[test]
    fn it_is_cut_by_columns_not_by_letters() {
        let row = Row::plain("● ").role(Role::Strong, "構築とテスト").and(" 3 s");
        assert_eq!(row.cut(40, Style::PLAIN), "● 構築とテスト 3 s");
        assert_eq!(row.cut(8, Style::PLAIN), "● 構築…");
        assert_eq!(row.cut(1, Style::PLAIN), "…");
        assert_eq!(row.cut(0, Style::PLAIN), "");
        assert_eq!(fitting("e\u{301}x", 1), "e\u{301}");
    }
}
