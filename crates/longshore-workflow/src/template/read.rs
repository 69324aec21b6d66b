//! The walk over the YAML tree.

use std::sync::Arc;

use longshore_syntax::yaml::{Resolved, Scalar, ScalarStyle};
use longshore_syntax::{Diagnostic, Node, NodeKind, SourceFile, Span, suggest};

use super::{Refusals, Token, TokenKind, code};
use crate::schema::{AllowedSet, Definition, Shape};

/// Longer lists of words are shown as help, not in the message.
const MOST_WORDS: usize = 12;

/// Reads `node` by `definition`. What does not fit is refused and kept as far as it can be.
pub fn read(file: &SourceFile, node: &Arc<Node>, definition: &'static Definition) -> (Token, Refusals) {
    let mut reader = Reader { file, refusals: Refusals::default() };
    let token = reader.value(node, Place::root(definition));
    (token, reader.refusals)
}

/// What may stand somewhere: the rule, and what expressions may use by it and by all rules around it.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) definition: &'static Definition,
    pub(super) allowed: AllowedSet,
}

impl Place {
    fn root(definition: &'static Definition) -> Self {
        Self { definition, allowed: definition.allowed }
    }

    pub(super) fn inner(self, definition: &'static Definition) -> Self {
        Self { definition, allowed: self.allowed.with(definition.allowed) }
    }
}

pub(super) struct Reader<'f> {
    pub(super) file: &'f SourceFile,
    pub(super) refusals: Refusals,
}

impl Reader<'_> {
    pub(super) fn value(&mut self, node: &Arc<Node>, place: Place) -> Token {
        match &node.kind {
            NodeKind::Scalar(_) => {
                let token = self.scalar(node, place);
                self.validate(token, place)
            }
            NodeKind::Sequence(items) => self.sequence(node, items, place),
            NodeKind::Mapping(entries) => self.mapping(node, entries, place),
        }
    }

    fn sequence(&mut self, node: &Arc<Node>, items: &[Arc<Node>], place: Place) -> Token {
        let items = if let Some(item) = place.definition.item() {
            let inner = place.inner(item);
            items.iter().map(|item| self.value(item, inner)).collect()
        } else {
            let message = format!("a list cannot stand here, expected {}", expected(place.definition));
            let diagnostic = Diagnostic::error(code::WRONG_TYPE, node.span, message);
            self.refusals.push("A sequence was not expected", diagnostic);
            Vec::new()
        };
        self.token(node, TokenKind::Sequence(items), place)
    }

    /// The scalar with its expressions parsed, before its rule has seen it.
    pub(super) fn scalar(&mut self, node: &Arc<Node>, place: Place) -> Token {
        if let Some(span) = node.as_scalar().and_then(|scalar| scalar.foreign_tag) {
            let message =
                format!("`{}` is a tag to YAML, and GitHub knows no such tag", self.file.slice(span));
            let diagnostic = Diagnostic::error(code::UNKNOWN_TAG, span, message)
                .help("put a text that begins with `!` in quotes, and an expression in `${{ }}`");
            self.refusals.push_unpublished(diagnostic);
        }
        let kind = match node.as_scalar().map(Scalar::resolve) {
            None | Some(Resolved::Null) => TokenKind::Null,
            Some(Resolved::Bool(value)) => TokenKind::Bool(value),
            Some(Resolved::Number(value)) => TokenKind::Number(value),
            Some(Resolved::Str(text)) if text.contains("${{") => self.template(node, text, place.allowed),
            Some(Resolved::Str(text)) => TokenKind::String(text.to_owned()),
        };
        self.token(node, kind, place)
    }

    #[expect(clippy::unused_self, reason = "reads as the other constructors do")]
    pub(super) fn token(&self, node: &Arc<Node>, kind: TokenKind, place: Place) -> Token {
        Token { kind, allowed: place.allowed, node: Arc::clone(node) }
    }

    /// Holds a scalar against its rule; a number or boolean becomes text where only text fits.
    pub(super) fn validate(&mut self, mut token: Token, place: Place) -> Token {
        if matches!(token.kind, TokenKind::Insert(_)) {
            let message = "`insert` stands where a key does, not a value";
            let diagnostic = Diagnostic::error(code::INVALID_DIRECTIVE, token.span(), message);
            self.refusals.push("Unexpected value '${{ insert }}'", diagnostic);
            return token;
        }
        if matches!(token.kind, TokenKind::Expression(_)) {
            if place.allowed.is_empty() {
                self.refuse_expression(&token, token.span());
            }
            return token;
        }
        let mut rules = Vec::with_capacity(4);
        place.definition.scalars(&mut rules);
        if rules.iter().any(|rule| fits(&rule.shape, &token.kind)) {
            return token;
        }
        let text = literal_text(&token.kind);
        if !matches!(token.kind, TokenKind::String(_)) {
            let as_text = TokenKind::String(text.clone());
            if rules.iter().any(|rule| fits(&rule.shape, &as_text)) {
                token.kind = as_text;
                return token;
            }
        }
        let diagnostic = unexpected_scalar(&token, &text, place.definition, &rules);
        self.refusals.push(format!("Unexpected value '{text}'"), diagnostic);
        token
    }

    /// Refuses an expression; the published parser names the position `at`.
    pub(super) fn refuse_expression(&mut self, token: &Token, at: Span) {
        let diagnostic = super::expression::not_allowed(token.span());
        let github = "A template expression is not allowed in this context";
        self.refusals.push_within(at, github, diagnostic);
    }
}

fn fits(shape: &Shape, kind: &TokenKind) -> bool {
    match (shape, kind) {
        (Shape::Null, TokenKind::Null)
        | (Shape::Boolean, TokenKind::Bool(_))
        | (Shape::Number, TokenKind::Number(_))
        | (Shape::String, TokenKind::String(_)) => true,
        (Shape::NonEmptyString, TokenKind::String(text)) => !text.is_empty(),
        (Shape::OneOfStrings(words), TokenKind::String(text)) => words.contains(&text.as_str()),
        _ => false,
    }
}

/// How GitHub prints a literal.
pub(super) fn literal_text(kind: &TokenKind) -> String {
    match kind {
        TokenKind::Bool(value) => value.to_string(),
        TokenKind::Number(value) => longshore_expr::Value::Number(*value).to_text().to_string(),
        TokenKind::String(text) => text.clone(),
        _ => String::new(),
    }
}

/// What a rule wants, for people.
pub(super) fn expected(definition: &'static Definition) -> String {
    let mut rules = Vec::new();
    definition.scalars(&mut rules);
    let mut wanted: Vec<String> = Vec::new();
    for rule in rules {
        let phrase = match rule.shape {
            Shape::Null => "nothing".to_owned(),
            Shape::Boolean => "`true` or `false`".to_owned(),
            Shape::Number => "a number".to_owned(),
            Shape::OneOfStrings(words) if words.len() > MOST_WORDS => "one of the known names".to_owned(),
            Shape::OneOfStrings(words) => list(words.iter().map(|word| format!("`{word}`"))),
            _ => "text".to_owned(),
        };
        if !wanted.contains(&phrase) {
            wanted.push(phrase);
        }
    }
    if definition.item().is_some() {
        wanted.push("a list".to_owned());
    }
    if !definition.mappings().is_empty() {
        wanted.push("a mapping".to_owned());
    }
    list(wanted)
}

/// `a, b or c`.
pub(super) fn list(parts: impl IntoIterator<Item = impl Into<String>>) -> String {
    let mut parts: Vec<String> = parts.into_iter().map(Into::into).collect();
    match parts.pop() {
        Some(last) if parts.is_empty() => last,
        Some(last) => format!("{} or {last}", parts.join(", ")),
        None => "nothing".to_owned(),
    }
}

fn unexpected_scalar(
    token: &Token,
    text: &str,
    definition: &'static Definition,
    rules: &[&'static Definition],
) -> Diagnostic {
    let words: Vec<&str> = rules
        .iter()
        .filter_map(|rule| if let Shape::OneOfStrings(words) = rule.shape { Some(words) } else { None })
        .flatten()
        .copied()
        .collect();
    if words.is_empty() {
        let found = if matches!(token.kind, TokenKind::Null) || text.is_empty() {
            "nothing stands here".to_owned()
        } else {
            format!("`{text}` is {}", token.type_name())
        };
        let message = format!("{found}, expected {}", expected(definition));
        let diagnostic = Diagnostic::error(code::WRONG_TYPE, token.span(), message);
        return match type_help(token, rules) {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        };
    }
    let event = definition.name == "on" || definition.name == "event";
    let (code, message) = if event {
        (code::UNKNOWN_EVENT, format!("there is no event `{text}`"))
    } else {
        (code::INVALID_VALUE, format!("`{text}` is not allowed here, expected {}", expected(definition)))
    };
    let diagnostic = Diagnostic::error(code, token.span(), message);
    match suggest::nearest(text, words.iter().copied()) {
        Some(word) => diagnostic.help(format!("did you mean `{word}`?")),
        None if event => diagnostic.help(format!("the events are {}", list(words))),
        None if words.len() > MOST_WORDS => diagnostic.help(format!("the names are {}", list(words))),
        None => diagnostic,
    }
}

/// What to do about a text that would be right without quotes, or in YAML 1.1.
fn type_help(token: &Token, rules: &[&'static Definition]) -> Option<&'static str> {
    let scalar = token.node.as_scalar()?;
    let plain = Scalar { text: scalar.text.clone(), style: ScalarStyle::Plain, tag: None, foreign_tag: None };
    let wants = |shape: fn(&Shape) -> bool| rules.iter().any(|rule| shape(&rule.shape));
    let unquoted = match plain.resolve() {
        Resolved::Bool(_) => wants(|shape| matches!(shape, Shape::Boolean)),
        Resolved::Number(_) => wants(|shape| matches!(shape, Shape::Number)),
        _ => false,
    };
    let word = scalar.text.to_ascii_lowercase();
    if unquoted {
        return Some("write it without quotes");
    }
    (matches!(word.as_str(), "yes" | "no" | "on" | "off") && wants(|shape| matches!(shape, Shape::Boolean)))
        .then_some("GitHub reads YAML 1.2, where only `true` and `false` are booleans")
}
