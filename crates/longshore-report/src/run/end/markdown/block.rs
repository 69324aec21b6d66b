//! Blocks of text: paragraphs broken at blanks, in lists and quotations that indent them.

use unicode_width::UnicodeWidthStr as _;

use super::table::Table;
use crate::run::row::Row;
use crate::run::words::one_line;
use crate::{Role, Style};

/// Deeper nesting is indented no further.
const DEEPEST: usize = 8;
/// A narrow window gets at least so much text beside the indentation.
const NARROWEST: usize = 16;

/// What stands before the lines of a block: its first one and the others.
#[derive(Debug)]
struct Prefix {
    first: Option<String>,
    rest: String,
}

/// Lines as they are written.
#[derive(Debug)]
pub(super) struct Blocks {
    style: Style,
    lines: Vec<String>,
    prefixes: Vec<Prefix>,
    /// The parts of the paragraph that is open.
    open: Vec<(Option<Role>, String)>,
    /// Whether an empty line is due before the next block.
    gap: bool,
    /// Whether the next item is the first of its list.
    first: bool,
}

impl Blocks {
    pub(super) fn new(style: Style) -> Self {
        Self { style, lines: Vec::new(), prefixes: Vec::new(), open: Vec::new(), gap: false, first: false }
    }

    pub(super) fn finish(mut self) -> Vec<String> {
        self.paragraph();
        self.lines
    }

    pub(super) fn text(&mut self, role: Option<Role>, text: &str) {
        self.open.push((role, one_line(text).into_owned()));
    }

    /// How much text was written, to ask for what came later.
    pub(super) fn written(&self) -> usize {
        self.open.len()
    }

    /// The text of the open paragraph since then.
    pub(super) fn written_since(&self, from: usize) -> String {
        self.open.get(from..).unwrap_or_default().iter().map(|(_, text)| text.as_str()).collect()
    }

    /// Ends the open paragraph; an empty line is due after it.
    pub(super) fn paragraph(&mut self) {
        if self.flush() {
            self.gap = true;
        }
    }

    /// Begins the next line without an empty one.
    pub(super) fn line_break(&mut self) {
        self.flush();
    }

    pub(super) fn rule(&mut self) {
        self.paragraph();
        let rule = "─".repeat(self.room().min(24));
        self.line(&self.style.paint(Role::Faint, &rule));
        self.gap = true;
    }

    /// Begins a block that is indented.
    pub(super) fn open(&mut self, first: &str, rest: &str) {
        self.paragraph();
        self.prefixes.push(Prefix { first: Some(first.to_owned()), rest: rest.to_owned() });
    }

    /// Ends it.
    pub(super) fn close(&mut self) {
        self.flush();
        // An item without text has a mark nevertheless.
        if self.prefixes.last().is_some_and(|prefix| prefix.first.is_some()) {
            self.line("");
        }
        self.prefixes.pop();
        self.gap = true;
    }

    /// Begins a list; items stand together, whatever blanks the source has between them.
    pub(super) fn list(&mut self, depth: usize) {
        self.flush();
        self.gap |= depth == 0;
        self.first = true;
    }

    pub(super) fn item(&mut self, mark: &str, blanks: &str) {
        self.flush();
        self.gap &= std::mem::take(&mut self.first);
        self.prefixes.push(Prefix { first: Some(mark.to_owned()), rest: blanks.to_owned() });
    }

    pub(super) fn end_list(&mut self, depth: usize) {
        self.gap = depth == 0;
    }

    /// Lines as they are.
    pub(super) fn code(&mut self, text: &str) {
        for line in text.trim_end_matches('\n').split('\n') {
            let shown = crate::run::ansi::terminal(line, false).into_owned();
            self.line(&shown);
        }
    }

    pub(super) fn table(&mut self, table: &Table) {
        for row in table.lines(self.room(), self.style) {
            self.line(&row);
        }
        self.gap = true;
    }

    /// The text between the tags.
    pub(super) fn html(&mut self, html: &str) {
        for line in without_tags(html).lines().map(str::trim).filter(|line| !line.is_empty()) {
            self.text(None, line);
            self.flush();
        }
    }

    /// Columns beside the indentation.
    fn room(&self) -> usize {
        let taken: usize = self.prefixes.iter().take(DEEPEST).map(|prefix| prefix.rest.width()).sum();
        self.style.width.saturating_sub(taken).max(NARROWEST)
    }

    /// Writes the open paragraph, if there is something in it.
    fn flush(&mut self) -> bool {
        let open = std::mem::take(&mut self.open);
        if open.iter().all(|(_, text)| text.trim().is_empty()) {
            return false;
        }
        for row in broken(&open, self.room()) {
            self.line(&row.whole(self.style));
        }
        true
    }

    fn line(&mut self, text: &str) {
        if std::mem::take(&mut self.gap) && !self.lines.is_empty() {
            let empty: String = self.prefixes.iter().take(DEEPEST).map(gap_before).collect();
            self.lines.push(empty.trim_end().to_owned());
        }
        let mut line = String::new();
        for prefix in self.prefixes.iter_mut().take(DEEPEST) {
            let first = prefix.first.take();
            line.push_str(first.as_deref().unwrap_or(&prefix.rest));
        }
        self.prefixes.iter_mut().skip(DEEPEST).for_each(|prefix| prefix.first = None);
        line.push_str(text);
        line.truncate(line.trim_end().len());
        self.lines.push(line);
    }
}

/// What an empty line has of the indentation: nothing of a block that begins after it.
fn gap_before(prefix: &Prefix) -> &str {
    if prefix.first.is_some() { "" } else { &prefix.rest }
}

/// Breaks a paragraph at blanks.
fn broken(parts: &[(Option<Role>, String)], columns: usize) -> Vec<Row> {
    let mut rows = vec![Row::default()];
    let mut column = 0;
    // A word may have parts in several roles.
    let mut word: Vec<(Option<Role>, &str)> = Vec::new();
    let mut blank = false;
    let mut place = |word: &mut Vec<(Option<Role>, &str)>, blank: bool| {
        let width: usize = word.iter().map(|(_, text)| text.width()).sum();
        if width == 0 {
            return;
        }
        let gap = usize::from(blank && column > 0);
        if column > 0 && column + gap + width > columns {
            rows.push(Row::default());
            column = 0;
        } else if gap > 0 {
            add(&mut rows, None, " ");
            column += 1;
        }
        for (role, text) in word.drain(..) {
            add(&mut rows, role, text);
        }
        column += width;
    };
    for (role, text) in parts {
        for (at, piece) in text.split(' ').enumerate() {
            if at > 0 {
                let had = !word.is_empty();
                place(&mut word, blank);
                blank |= had || at > 0;
            }
            if !piece.is_empty() {
                word.push((*role, piece));
            }
        }
    }
    place(&mut word, blank);
    rows
}

fn add(rows: &mut [Row], role: Option<Role>, text: &str) {
    if let Some(row) = rows.last_mut() {
        let before = std::mem::take(row);
        *row = match role {
            Some(role) => before.role(role, text),
            None => before.and(text),
        };
    }
}

/// HTML without its tags and comments; the entities that everybody uses are resolved.
fn without_tags(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        let end = if tag.starts_with("!--") { "-->" } else { ">" };
        let Some((name, after)) = tag.split_once(end) else {
            rest = "";
            break;
        };
        let name = name.trim_start_matches('/').trim_end_matches('/').trim().to_ascii_lowercase();
        let name = name.split_ascii_whitespace().next().unwrap_or("");
        match name {
            "td" | "th" => text.push(' '),
            "br" | "p" | "div" | "tr" | "li" | "summary" | "details" | "h1" | "h2" | "h3" | "h4" => {
                text.push('\n');
            }
            _ => {}
        }
        rest = after;
    }
    text.push_str(rest);
    let entities =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&nbsp;", " "), ("&amp;", "&")];
    entities.into_iter().fold(text, |text, (entity, letter)| text.replace(entity, letter))
}
