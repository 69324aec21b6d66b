//! Markdown as HTML: of what its writer can do, only text, lists, tables, code and links to the web.

use pulldown_cmark::{Alignment, CowStr, Event, Parser, Tag, TagEnd};

use super::super::end::markdown::{GITHUB, bounded};

/// The rendered text; HTML in it is shown as it is written.
pub(super) fn html(markdown: &str) -> String {
    let clean: String = bounded(markdown).chars().filter(|letter| is_sound(*letter)).collect();
    let mut safe = Safe::default();
    let events = Parser::new_ext(&clean, GITHUB).map(|event| safe.event(event));
    let mut out = String::new();
    pulldown_cmark::html::push_html(&mut out, events);
    out.replace(|letter| !is_sound(letter), "\u{fffd}")
}

/// Whether a link leads to the web and nowhere else.
pub(super) fn is_web(address: &str) -> bool {
    let start =
        |scheme: &str| address.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    start("https://") || start("http://")
}

fn is_sound(letter: char) -> bool {
    (!letter.is_control() || letter == '\n' || letter == '\t')
        && !matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}')
}

/// Events without what could do harm.
#[derive(Default)]
struct Safe {
    /// For each link that is open, whether it stays one.
    links: Vec<bool>,
    alignments: Vec<Alignment>,
    column: usize,
    head: bool,
}

impl Safe {
    fn event<'e>(&mut self, event: Event<'e>) -> Event<'e> {
        match event {
            Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
            // A link to elsewhere, and an image, whose loading would tell somebody, are text.
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                let web = is_web(&dest_url);
                self.links.push(web);
                if web { Event::Start(Tag::Link { link_type, dest_url, title, id }) } else { nothing() }
            }
            Event::End(TagEnd::Link) => {
                if self.links.pop().unwrap_or(false) {
                    Event::End(TagEnd::Link)
                } else {
                    nothing()
                }
            }
            Event::Start(Tag::Image { .. }) => Event::Text(CowStr::Borrowed("[image: ")),
            Event::End(TagEnd::Image) => Event::Text(CowStr::Borrowed("]")),
            Event::Start(Tag::Heading { level, .. }) => {
                Event::Start(Tag::Heading { level, id: None, classes: Vec::new(), attrs: Vec::new() })
            }
            event => self.table(event),
        }
    }

    /// Alignment is a class, because the policy allows no style in elements.
    fn table<'e>(&mut self, event: Event<'e>) -> Event<'e> {
        match event {
            Event::Start(Tag::Table(alignments)) => {
                let none = vec![Alignment::None; alignments.len()];
                self.alignments = alignments;
                Event::Start(Tag::Table(none))
            }
            Event::Start(Tag::TableHead) => {
                (self.head, self.column) = (true, 0);
                Event::Start(Tag::TableHead)
            }
            Event::Start(Tag::TableRow) => {
                (self.head, self.column) = (false, 0);
                Event::Start(Tag::TableRow)
            }
            Event::Start(Tag::TableCell) => {
                let class = match self.alignments.get(self.column) {
                    Some(Alignment::Right) => " class=\"right\"",
                    Some(Alignment::Center) => " class=\"center\"",
                    _ => "",
                };
                self.column += 1;
                Event::Html(CowStr::from(format!("<{}{class}>", if self.head { "th" } else { "td" })))
            }
            Event::End(TagEnd::TableCell) => {
                Event::Html(CowStr::Borrowed(if self.head { "</th>" } else { "</td>" }))
            }
            event => event,
        }
    }
}

fn nothing<'e>() -> Event<'e> {
    Event::Text(CowStr::Borrowed(""))
}
