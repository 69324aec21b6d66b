//! A tree of words, laid out in lines.
//!
//! Words are never cut: a line is broken at blanks, and a word that is wider than the window stands alone and sticks
//! out, because a path or name that is cut cannot be copied.

use crate::style::visible;
use crate::{Role, Style};

/// Wider lines are hard to read, however wide the window is.
const MAX_WIDTH: usize = 100;
/// A narrow window gets at least this much text beside the guides.
const MIN_TEXT: usize = 24;

/// Text whose parts play roles.
#[derive(Debug, Clone, Default)]
pub(super) struct Text(Vec<(Option<Role>, String)>);

impl Text {
    pub(super) fn plain(text: &str) -> Self {
        Self::default().and(text)
    }

    pub(super) fn strong(text: &str) -> Self {
        Self::default().role(Role::Strong, text)
    }

    pub(super) fn and(self, text: &str) -> Self {
        self.push(None, text)
    }

    pub(super) fn faint(self, text: &str) -> Self {
        self.role(Role::Faint, text)
    }

    pub(super) fn role(self, role: Role, text: &str) -> Self {
        self.push(Some(role), text)
    }

    fn push(mut self, role: Option<Role>, text: &str) -> Self {
        self.0.push((role, visible(text).replace('\n', " ")));
        self
    }

    /// The words, each with its parts; blanks separate words across parts too.
    fn words(&self) -> Vec<Word<'_>> {
        let mut words: Vec<Word<'_>> = Vec::new();
        let mut open = false;
        for (role, text) in &self.0 {
            for (at, part) in text.split(' ').enumerate() {
                open &= at == 0;
                if part.is_empty() {
                    continue;
                }
                match words.last_mut().filter(|_| open) {
                    Some(word) => word.0.push((*role, part)),
                    None => words.push(Word(vec![(*role, part)])),
                }
                open = true;
            }
        }
        words
    }
}

struct Word<'a>(Vec<(Option<Role>, &'a str)>);

impl Word<'_> {
    fn width(&self) -> usize {
        self.0.iter().map(|(_, text)| text.chars().count()).sum()
    }

    fn write(&self, style: Style, out: &mut String) {
        for (role, text) in &self.0 {
            // A blank that no line is broken at has done its work.
            let text = &text.replace('\u{a0}', " ");
            match role {
                Some(role) => out.push_str(&style.paint(*role, text)),
                None => out.push_str(text),
            }
        }
    }
}

/// A heading, what is to say about it, and what belongs to it.
#[derive(Debug, Clone, Default)]
pub(super) struct Node {
    pub(super) head: Text,
    /// A label, empty for none, and what it is about.
    pub(super) rows: Vec<(&'static str, Text)>,
    pub(super) children: Vec<Node>,
}

impl Node {
    pub(super) fn new(head: Text) -> Self {
        Self { head, ..Self::default() }
    }

    /// Adds a row, if there is something in it.
    pub(super) fn row(&mut self, label: &'static str, text: Text) {
        if text.0.iter().any(|(_, text)| !text.trim().is_empty()) {
            self.rows.push((label, text));
        }
    }
}

/// Writes nodes as trees, each beginning at the margin.
pub(super) fn write(node: &Node, style: Style, out: &mut String) {
    Writer { style, width: style.width.min(MAX_WIDTH), out }.node(node, "", "");
}

/// Writes one paragraph; further lines are indented.
pub(super) fn paragraph(text: &Text, style: Style, out: &mut String) {
    Writer { style, width: style.width.min(MAX_WIDTH), out }.text("", "  ", text);
}

struct Writer<'a> {
    style: Style,
    width: usize,
    out: &'a mut String,
}

impl Writer<'_> {
    /// `first` stands before the heading, `rest` before everything below it.
    fn node(&mut self, node: &Node, first: &str, rest: &str) {
        let guide = if node.children.is_empty() { "   " } else { "│  " };
        let below = format!("{rest}{guide}");
        self.text(first, &format!("{below}  "), &node.head);
        let column = node.rows.iter().map(|(label, _)| label.len()).max().unwrap_or(0);
        let column = if column == 0 { 0 } else { column + 2 };
        for (label, text) in &node.rows {
            let painted = self.style.paint(Role::Faint, label);
            let blanks = " ".repeat(column - label.len());
            self.text(&format!("{below}{painted}{blanks}"), &format!("{below}{}", " ".repeat(column)), text);
        }
        let last = node.children.len().saturating_sub(1);
        for (at, child) in node.children.iter().enumerate() {
            let (branch, trunk) = if at == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            self.node(child, &format!("{rest}{branch}"), &format!("{rest}{trunk}"));
        }
    }

    fn text(&mut self, first: &str, rest: &str, text: &Text) {
        let indent = rest.chars().count();
        let width = self.width.max(indent + MIN_TEXT);
        self.out.push_str(first);
        // What is painted has the width of `rest` or less; the heading's guide alone may be narrower.
        let mut column = indent;
        let mut begun = false;
        for word in text.words() {
            if begun && column + 1 + word.width() > width {
                self.out.truncate(self.out.trim_end_matches(' ').len());
                self.out.push('\n');
                self.out.push_str(rest);
                column = indent;
            } else if begun {
                self.out.push(' ');
                column += 1;
            }
            word.write(self.style, self.out);
            column += word.width();
            begun = true;
        }
        self.out.truncate(self.out.trim_end_matches(' ').len());
        self.out.push('\n');
    }
}
