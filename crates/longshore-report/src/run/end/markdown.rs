//! Markdown as text for a terminal: the standard one with the tables, task lists and strikethrough of GitHub.
//!
//! HTML says nothing to a terminal: tags are left out and their text stays. Nothing is shown that the reader of the source
//! would not find there, except the address of a link behind its text.

mod block;
mod table;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use self::block::Blocks;
use self::table::Table;
use crate::{Role, Style};

/// GitHub takes no more than this for the summary of a step.
const LONGEST: usize = 1024 * 1024;

/// What GitHub understands beside standard Markdown, as far as it is shown here.
pub(in crate::run) const GITHUB: Options =
    Options::ENABLE_TABLES.union(Options::ENABLE_STRIKETHROUGH).union(Options::ENABLE_TASKLISTS);

/// The text as lines.
pub(in crate::run) fn lines(markdown: &str, style: Style) -> Vec<String> {
    let mut writer = Writer::new(style);
    for event in Parser::new_ext(bounded(markdown), GITHUB) {
        writer.event(event);
    }
    writer.blocks.finish()
}

/// The beginning of a text that is longer than GitHub would take.
pub(in crate::run) fn bounded(markdown: &str) -> &str {
    let mut end = markdown.len().min(LONGEST);
    while !markdown.is_char_boundary(end) {
        end -= 1;
    }
    &markdown[..end]
}

struct Writer {
    blocks: Blocks,
    table: Option<Table>,
    /// The numbers of the lists that are open; none for bullets.
    lists: Vec<Option<u64>>,
    role: Vec<Role>,
    links: Vec<(String, usize)>,
    code: bool,
    html: String,
}

impl Writer {
    fn new(style: Style) -> Self {
        Self {
            blocks: Blocks::new(style),
            table: None,
            lists: Vec::new(),
            role: Vec::new(),
            links: Vec::new(),
            code: false,
            html: String::new(),
        }
    }

    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) if self.code => self.blocks.code(&text),
            Event::Text(text) => self.text(&text),
            Event::Code(text) | Event::InlineMath(text) | Event::DisplayMath(text) => {
                self.push(Some(Role::Help), &format!("`{text}`"));
            }
            Event::Html(text) => self.html.push_str(&text),
            Event::InlineHtml(text) if is_break(&text) => self.line_break(),
            Event::InlineHtml(_) => {}
            Event::SoftBreak => self.text(" "),
            Event::HardBreak => self.line_break(),
            Event::Rule => self.blocks.rule(),
            Event::TaskListMarker(done) => self.text(if done { "[x] " } else { "[ ] " }),
            Event::FootnoteReference(name) => self.text(&format!("[{name}]")),
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { .. } => {
                self.blocks.paragraph();
                self.role.push(Role::Strong);
            }
            Tag::BlockQuote(_) => self.blocks.open("│ ", "│ "),
            Tag::CodeBlock(_) => {
                self.blocks.paragraph();
                self.code = true;
                self.blocks.open("  ", "  ");
            }
            Tag::List(first) => {
                self.blocks.list(self.lists.len());
                self.lists.push(first);
            }
            Tag::Item => self.item(),
            Tag::Table(alignments) => {
                self.blocks.paragraph();
                self.table = Some(Table::new(alignments));
            }
            Tag::Strong => self.role.push(Role::Strong),
            Tag::Link { dest_url, .. } => self.links.push((dest_url.into_string(), self.blocks.written())),
            Tag::Image { .. } => self.text("[image: "),
            _ => {}
        }
    }

    fn item(&mut self) {
        let mark = match self.lists.last_mut() {
            Some(Some(number)) => {
                *number = number.saturating_add(1);
                format!("{}. ", *number - 1)
            }
            _ => "• ".to_owned(),
        };
        let blanks = " ".repeat(mark.chars().count());
        self.blocks.item(&mark, &blanks);
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph => self.blocks.paragraph(),
            TagEnd::Heading(_) => {
                self.role.pop();
                self.blocks.paragraph();
            }
            TagEnd::CodeBlock => {
                self.code = false;
                self.blocks.close();
            }
            TagEnd::BlockQuote(_) | TagEnd::Item => self.blocks.close(),
            TagEnd::List(_) => {
                self.lists.pop();
                self.blocks.end_list(self.lists.len());
            }
            TagEnd::Strong => {
                self.role.pop();
            }
            TagEnd::Link => self.link(),
            TagEnd::Image => self.text("]"),
            TagEnd::HtmlBlock => {
                let html = std::mem::take(&mut self.html);
                self.blocks.html(&html);
            }
            TagEnd::TableCell => self.with_table(Table::end_cell),
            TagEnd::TableHead | TagEnd::TableRow => self.with_table(Table::end_row),
            TagEnd::Table => {
                if let Some(table) = self.table.take() {
                    self.blocks.table(&table);
                }
            }
            _ => {}
        }
    }

    fn with_table(&mut self, change: impl FnOnce(&mut Table)) {
        if let Some(table) = &mut self.table {
            change(table);
        }
    }

    /// The address, unless it is what the reader has read.
    fn link(&mut self) {
        let Some((address, from)) = self.links.pop() else { return };
        let written = if self.table.is_none() { self.blocks.written_since(from) } else { String::new() };
        let shown = written.trim() == address || written.trim() == address.trim_start_matches("mailto:");
        if !shown && !address.is_empty() && !address.starts_with('#') {
            self.push(Some(Role::Faint), &format!(" ({address})"));
        }
    }

    fn line_break(&mut self) {
        match &mut self.table {
            Some(table) => table.text(" "),
            None => self.blocks.line_break(),
        }
    }

    fn text(&mut self, text: &str) {
        self.push(self.role.last().copied(), text);
    }

    fn push(&mut self, role: Option<Role>, text: &str) {
        match &mut self.table {
            Some(table) => table.text(text),
            None => self.blocks.text(role, text),
        }
    }
}

fn is_break(tag: &str) -> bool {
    tag.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("<br"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::lines;
    use crate::Style;

    const SUMMARY: &str = "# Tests\n\n120 passed, **2 failed** in `tests/`; see [the report](https://example.org/r).\n\n\
        | suite | passed | time |\n|:--|--:|:-:|\n| unit | 100 | 1 s |\n| *slow* **ones** | 2 | 10 min |\n\n\
        - first, with enough words to fill more than one line of a narrow window\n  - nested\n- [x] done\n\n\
        3. three\n4. four\n\n```rust\nfn main() {\n    let x = 1;\n}\n```\n\n> quoted\n> twice\n\n---\n\n\
        <details><summary>More</summary>\n\n![a badge](https://example.org/b.svg) and <b>bold</b> <https://example.org>\n\n</details>\n\n### Small\nend\\\nof it";

    #[test]
    fn everything_is_readable() {
        insta::assert_snapshot!(lines(SUMMARY, Style { color: false, width: 48 }).join("\n"));
    }

    #[test]
    fn colour_changes_no_word() {
        let coloured = lines(SUMMARY, Style { color: true, width: 48 }).join("\n");
        let plain = crate::run::ansi::terminal(&coloured.replace('\n', "¶"), false).replace('¶', "\n");
        assert_eq!(plain, lines(SUMMARY, Style { color: false, width: 48 }).join("\n"));
    }

    #[test]
    fn hostile_text_is_harmless_and_bounded() {
        let deep = format!("{}x", "> ".repeat(5_000));
        let wide = format!("|a|\n|-|\n|{}|\n", "b".repeat(10_000));
        let many = format!("|{}\n|{}\n", "a|".repeat(2_000), "-|".repeat(2_000));
        let escape = "a\u{1b}[2J`\u{1b}]0;x\u{7}` <!-- \u{1b}[2J -->\n\n    \u{1b}[2J\n\n<p>\u{9b}2J&#27;[2J</p>\n\n&#27;[2J\u{202e}";
        for text in [&deep, &wide, &many, escape] {
            let shown = lines(text, Style { color: false, width: 40 });
            let safe = |line: &String| !line.chars().any(char::is_control) && line.chars().count() < 10_100;
            assert!(shown.iter().all(safe), "{shown:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_fits_its_window(text in "([-#>*_`|:~<&\\[\\]()! \n0-9.a-c\u{1b}]|\\PC|\\p{Cc}){0,120}", width in 0_usize..50) {
            for line in lines(&text, Style { color: false, width }) {
                prop_assert!(!line.chars().any(char::is_control), "{:?}", line);
            }
        }
    }
}
