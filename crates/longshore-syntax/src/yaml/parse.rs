//! The parser's events to a tree, within limits.

use std::collections::HashMap;
use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle as Style, Span as Range};

use super::{CoreTag, Node, NodeKind, Scalar, ScalarStyle};
use crate::{Diagnostic, SourceFile, Span};

/// How large a document may be once its aliases are unfolded.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Nodes, each alias counting as the whole of what it names.
    pub nodes: usize,
    /// Levels of nesting, likewise.
    pub depth: usize,
}

/// The limits that [`parse`] keeps: far above real files, low enough for recursion on a small stack.
pub const LIMITS: Limits = Limits { nodes: 1_000_000, depth: 100 };

/// The codes of what can be wrong with a text as YAML. Each has a page.
pub mod code {
    use crate::Code;

    /// The text is not YAML.
    pub const SYNTAX: Code = Code("yaml/syntax");
    /// The document is too large or too deep once unfolded.
    pub const TOO_LARGE: Code = Code("yaml/too-large");
    /// An alias names nothing, or the collection it stands in.
    pub const UNKNOWN_ALIAS: Code = Code("yaml/unknown-alias");
    /// More than one document in the text.
    pub const MULTIPLE_DOCUMENTS: Code = Code("yaml/multiple-documents");

    /// All of them.
    pub const ALL: &[Code] = &[SYNTAX, TOO_LARGE, UNKNOWN_ALIAS, MULTIPLE_DOCUMENTS];
}

/// Reads the one document of `file`; `Ok(None)` is a file without any content.
///
/// # Errors
/// The first thing that is not YAML, or beyond [`LIMITS`], with its place.
pub fn parse(file: &SourceFile) -> Result<Option<Arc<Node>>, Box<Diagnostic>> {
    let text = file.text();
    let skipped = text.len() - text.trim_start_matches('\u{feff}').len();
    if let Some(at) = text.find('\0') {
        return Err(syntax(Span::new(at, at + 1), "a NUL character cannot stand in YAML"));
    }
    let options = granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: LIMITS.depth,
        block_nesting_limit: LIMITS.depth,
    };
    let mut tree = Tree { text, skipped, ..Tree::default() };
    for event in Parser::new_from_str_with_options(&text[skipped..], options) {
        match event {
            Ok((event, range)) => tree.event(event, range)?,
            Err(error) => return Err(tree.scan_error(&error)),
        }
    }
    Ok(tree.root)
}

fn syntax(span: Span, message: impl Into<String>) -> Box<Diagnostic> {
    Box::new(Diagnostic::error(code::SYNTAX, span, message))
}

/// A finished node with what it costs to walk it.
#[derive(Clone)]
struct Built {
    node: Arc<Node>,
    nodes: usize,
    depth: usize,
}

/// A collection whose end has not come yet.
struct Open {
    start: usize,
    anchor: usize,
    mapping: bool,
    children: Vec<Arc<Node>>,
    end: usize,
    nodes: usize,
    depth: usize,
}

#[derive(Default)]
struct Tree<'t> {
    text: &'t str,
    /// Bytes of byte order marks before the text the parser was given.
    skipped: usize,
    stack: Vec<Open>,
    anchors: HashMap<usize, Option<Built>>,
    root: Option<Arc<Node>>,
    documents: usize,
    /// Where the event before this one ended.
    previous: usize,
}

impl Tree<'_> {
    fn event(&mut self, event: Event<'_>, range: Range) -> Result<(), Box<Diagnostic>> {
        let span = self.span(range);
        let previous = std::mem::replace(&mut self.previous, span.end as usize);
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    let diagnostic =
                        Diagnostic::error(code::MULTIPLE_DOCUMENTS, span, "a second document starts here")
                            .help("keep one document in a file: remove `---` and what follows");
                    return Err(Box::new(diagnostic));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let core = tag.as_ref().and_then(|tag| CoreTag::from_suffix(tag.core_suffix()?));
                let foreign_tag = (tag.is_some() && core.is_none()).then(|| self.tag_span(previous, span));
                let style = style_of(style);
                let scalar = Scalar { text: text.into_owned(), style, tag: core, foreign_tag };
                let span = self.scalar_span(span, previous, scalar.style);
                let node = Arc::new(Node { span, kind: NodeKind::Scalar(scalar) });
                self.finish(Built { node, nodes: 1, depth: 1 }, anchor, span.end as usize)?;
            }
            Event::SequenceStart(_, anchor, _) => self.open(span, anchor, false)?,
            Event::MappingStart(_, anchor, _) => self.open(span, anchor, true)?,
            Event::SequenceEnd | Event::MappingEnd => self.close(span)?,
            Event::Alias(id) => self.alias(id, span)?,
            _ => {}
        }
        Ok(())
    }

    fn open(&mut self, span: Span, anchor: usize, mapping: bool) -> Result<(), Box<Diagnostic>> {
        if self.stack.len() >= LIMITS.depth {
            return Err(too_deep(span));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, None);
        }
        let start = if mapping { span.start as usize } else { self.sequence_start(span.start as usize) };
        self.stack.push(Open {
            start,
            anchor,
            mapping,
            children: Vec::new(),
            end: span.end as usize,
            nodes: 1,
            depth: 1,
        });
        Ok(())
    }

    /// A block sequence that is not indented further than its key is reported at its first item, not its first dash.
    fn sequence_start(&self, start: usize) -> usize {
        let before = self.text[..start].trim_end_matches([' ', '\t']);
        let at_dash = self.text[start..].starts_with(['-', '[']);
        if !at_dash && before.ends_with('-') { before.len() - 1 } else { start }
    }

    fn close(&mut self, span: Span) -> Result<(), Box<Diagnostic>> {
        let Some(open) = self.stack.pop() else { return Ok(()) };
        // A block collection ends where its last entry does; a flow collection at its bracket.
        let end = if span.is_empty() { open.end } else { span.end as usize };
        let kind = if open.mapping {
            let mut entries = Vec::with_capacity(open.children.len() / 2);
            let mut children = open.children.into_iter();
            while let (Some(key), Some(value)) = (children.next(), children.next()) {
                entries.push((key, value));
            }
            NodeKind::Mapping(entries)
        } else {
            NodeKind::Sequence(open.children)
        };
        let node = Arc::new(Node { span: Span::new(open.start, end), kind });
        self.finish(Built { node, nodes: open.nodes, depth: open.depth }, open.anchor, end)
    }

    fn alias(&mut self, id: usize, span: Span) -> Result<(), Box<Diagnostic>> {
        match self.anchors.get(&id).cloned() {
            Some(Some(built)) => self.finish(built, 0, span.end as usize),
            Some(None) => {
                let message = "this alias stands inside of what it names, which would never end";
                Err(Box::new(Diagnostic::error(code::UNKNOWN_ALIAS, span, message)))
            }
            None => Err(Box::new(Diagnostic::error(
                code::UNKNOWN_ALIAS,
                span,
                "this alias names no anchor before it",
            ))),
        }
    }

    /// Puts a finished node into its parent and counts it there.
    fn finish(&mut self, built: Built, anchor: usize, end: usize) -> Result<(), Box<Diagnostic>> {
        if anchor != 0 {
            self.anchors.insert(anchor, Some(built.clone()));
        }
        let Some(parent) = self.stack.last_mut() else {
            self.root = Some(built.node);
            return Ok(());
        };
        parent.nodes += built.nodes;
        parent.depth = parent.depth.max(built.depth + 1);
        parent.end = parent.end.max(end);
        let (nodes, depth, start) = (parent.nodes, parent.depth, parent.start);
        parent.children.push(built.node);
        if depth > LIMITS.depth {
            return Err(too_deep(Span::at(start)));
        }
        if nodes > LIMITS.nodes {
            let message = format!("with its aliases unfolded this holds more than {} values", LIMITS.nodes);
            return Err(Box::new(Diagnostic::error(code::TOO_LARGE, Span::at(start), message)));
        }
        Ok(())
    }

    fn span(&self, range: Range) -> Span {
        let at = |offset: Option<usize>| (offset.unwrap_or(0) + self.skipped).min(self.text.len());
        Span::new(at(range.start.byte_offset()), at(range.end.byte_offset()))
    }

    /// Where the tag of a scalar stands: somewhere behind the event before it.
    fn tag_span(&self, previous: usize, scalar: Span) -> Span {
        let gap = self.text.get(previous..scalar.start as usize).unwrap_or("");
        let Some(at) = gap.find('!').map(|at| previous + at) else { return scalar };
        let rest = self.text.get(at..).unwrap_or("");
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, ',' | ']' | '}'));
        Span::new(at, at + end.unwrap_or(rest.len()))
    }

    /// The scanner reports a block scalar from its first line of content to the next token. Its text is from the
    /// header to the last line; a plain scalar has no white space behind it.
    fn scalar_span(&self, span: Span, previous: usize, style: ScalarStyle) -> Span {
        let start = match style {
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => return span,
            ScalarStyle::Plain => span.start as usize,
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let gap = self.text.get(previous..span.start as usize).unwrap_or("");
                block_header(gap).map_or(span.start as usize, |at| previous + at)
            }
        };
        let text = self.text.get(start..span.end as usize).unwrap_or("");
        Span::new(start, start + text.trim_end().len())
    }

    fn scan_error(&self, error: &granit_parser::ScanError) -> Box<Diagnostic> {
        let at = error.marker().byte_offset().map_or(self.text.len(), |at| at + self.skipped);
        let at = at.min(self.text.len());
        let width = self.text[at..].chars().next().map_or(0, char::len_utf8);
        let message = error.info();
        let span = Span::new(at, at + width);
        if matches!(error.kind(), granit_parser::ErrorKind::UnknownAnchor) {
            return Box::new(Diagnostic::error(
                code::UNKNOWN_ALIAS,
                self.alias_name(at),
                "this alias names no anchor before it",
            ));
        }
        if message.contains("nesting limit") || message.contains("recursion limit") {
            return too_deep(span);
        }
        // The scanner stops behind a tab that it does not take.
        let before = self.text[..at].trim_end_matches(' ');
        let tab = message.contains("tab") && before.ends_with('\t');
        let span = if tab { Span::new(before.len() - 1, before.len()) } else { span };
        let mut diagnostic = syntax(span, format!("this is not YAML: {message}"));
        diagnostic.help = syntax_help(&message).map(str::to_owned);
        diagnostic
    }

    /// The whole of the alias that begins at `start`.
    fn alias_name(&self, start: usize) -> Span {
        let rest = &self.text[start..];
        let ends = |c: char| c.is_whitespace() || matches!(c, ',' | '[' | ']' | '{' | '}');
        Span::new(start, start + rest.find(ends).unwrap_or(rest.len()))
    }
}

/// Where the `|` or `>` stands between the token before a block scalar and its content, past tags, anchors, comments.
fn block_header(gap: &str) -> Option<usize> {
    let mut at = 0;
    while let Some(byte) = gap.as_bytes().get(at) {
        let rest = &gap[at..];
        at += match byte {
            b'|' | b'>' => return Some(at),
            b'#' => rest.find('\n').unwrap_or(rest.len()),
            b'!' | b'&' => rest.find(char::is_whitespace).unwrap_or(rest.len()),
            _ => rest.chars().next().map_or(1, char::len_utf8),
        };
    }
    None
}

/// What to do about the scanner's commonest complaints.
fn syntax_help(message: &str) -> Option<&'static str> {
    if message.contains("mapping values are not allowed") {
        return Some(
            "indent the keys of one mapping alike; put text with a colon and a space in it in quotes",
        );
    }
    if message.contains("tab") {
        return Some("indent with spaces");
    }
    if message.contains("trailing content after") {
        return Some("a value that begins with a quote ends with it; put the whole value in other quotes");
    }
    message.contains("illegal placement of ':'").then_some("close the bracket or quote before it")
}

fn too_deep(span: Span) -> Box<Diagnostic> {
    let message = format!("this is nested more than {} levels deep", LIMITS.depth);
    Box::new(Diagnostic::error(code::TOO_LARGE, span, message))
}

fn style_of(style: Style) -> ScalarStyle {
    match style {
        Style::SingleQuoted => ScalarStyle::SingleQuoted,
        Style::DoubleQuoted => ScalarStyle::DoubleQuoted,
        Style::Literal => ScalarStyle::Literal,
        Style::Folded => ScalarStyle::Folded,
        _ => ScalarStyle::Plain,
    }
}
