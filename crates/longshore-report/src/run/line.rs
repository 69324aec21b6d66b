//! A line of a step's log: what a program printed, or one of the marks that GitHub's raw logs have.

use super::ansi;
use crate::{Role, Style};

/// A line and what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// What a program printed.
    Text(&'a str),
    /// Lines up to `EndGroup` belong together under this heading.
    Group(&'a str),
    /// The end of a group.
    EndGroup,
    /// A command that the runner or an action started.
    Command(&'a str),
    /// A finding.
    Error(&'a str),
    /// A finding.
    Warning(&'a str),
    /// A finding.
    Notice(&'a str),
    /// What is of interest only when debugging.
    Debug(&'a str),
}

/// What marks the line at which a failed step is opened.
pub(super) const ERROR_MARK: &str = "##[error]";

/// A line of a step's log as people see it; `None` for a line that only marks the end of a group. Only colours pass, and
/// only where the style has colour.
pub fn log_line(line: &str, style: Style) -> Option<String> {
    Line::of(line).shown(style)
}

impl<'a> Line<'a> {
    /// Reads the mark of a line.
    pub(super) fn of(line: &'a str) -> Self {
        let Some((mark, rest)) = line.strip_prefix("##[").and_then(|rest| rest.split_once(']')) else {
            return Self::Text(line);
        };
        match mark {
            "group" => Self::Group(rest),
            "endgroup" => Self::EndGroup,
            "command" => Self::Command(rest),
            "error" => Self::Error(rest),
            "warning" => Self::Warning(rest),
            "notice" => Self::Notice(rest),
            "debug" => Self::Debug(rest),
            _ => Self::Text(line),
        }
    }

    /// The line as it is shown; the end of a group is no line.
    pub(super) fn shown(self, style: Style) -> Option<String> {
        let marked = |role, word: &str, text: &str| {
            Some(format!("{}: {}", style.paint(role, word), ansi::terminal(text, style.color)))
        };
        match self {
            Self::Text(text) => Some(ansi::terminal(text, style.color).into_owned()),
            Self::Group(title) => {
                Some(style.paint(Role::Strong, &format!("▸ {}", ansi::terminal(title, false))))
            }
            Self::EndGroup => None,
            Self::Command(text) => Some(style.paint(Role::Help, &ansi::terminal(text, false))),
            Self::Error(text) => marked(Role::Error, "Error", text),
            Self::Warning(text) => marked(Role::Warning, "Warning", text),
            Self::Notice(text) => marked(Role::Note, "Notice", text),
            Self::Debug(text) => {
                Some(style.paint(Role::Faint, &format!("Debug: {}", ansi::terminal(text, false))))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Line;
    use crate::Style;

    #[test]
    fn marks_are_read_at_the_beginning_only() {
        assert_eq!(Line::of("##[group]Run x"), Line::Group("Run x"));
        assert_eq!(Line::of("##[odd]x"), Line::Text("##[odd]x"));
        assert_eq!(Line::of("a ##[error]x"), Line::Text("a ##[error]x"));
        assert_eq!(Line::of("##[error"), Line::Text("##[error"));
        assert_eq!(Line::of("##[error]a\u{1b}[Kb").shown(Style::PLAIN).unwrap(), "Error: ab");
        assert_eq!(Line::of("##[endgroup]").shown(Style::PLAIN), None);
    }
}
