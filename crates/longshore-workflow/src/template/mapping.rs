//! Mappings: known keys, free keys, and telling kinds of mappings apart by their keys.

use std::collections::HashMap;
use std::sync::Arc;

use longshore_syntax::{Diagnostic, Node, Span, suggest};

use super::read::{Place, Reader, expected, list, literal_text};
use super::{Token, TokenKind, code};
use crate::schema::{ANY, Mapping};

type Entries = [(Arc<Node>, Arc<Node>)];

impl Reader<'_> {
    pub(super) fn mapping(&mut self, node: &Arc<Node>, entries: &Entries, place: Place) -> Token {
        let mut kinds = place.definition.mappings();
        if kinds.is_empty() {
            let message = format!("a mapping cannot stand here, expected {}", expected(place.definition));
            let diagnostic = Diagnostic::error(code::WRONG_TYPE, node.span, message);
            self.refusals.push("A mapping was not expected", diagnostic);
            return self.token(node, TokenKind::Mapping(Vec::new()), place);
        }
        let mut seen: HashMap<String, Span> = HashMap::with_capacity(entries.len());
        let mut tokens = Vec::with_capacity(entries.len());
        let mut expression_key = false;
        for (key_node, value_node) in entries {
            let key = self.key(key_node, place);
            let Some(text) = key.as_str() else {
                expression_key = true;
                if let Some(entry) = self.expression_entry(key, value_node, place, &kinds) {
                    tokens.push(entry);
                }
                continue;
            };
            let upper = text.to_uppercase();
            if let Some(first) = seen.get(&upper) {
                self.refuse_duplicate(&key, text, *first);
                continue;
            }
            if !text.is_empty() {
                seen.insert(upper, key.span());
            }
            if let Some(entry) = self.entry(key, value_node, place, &mut kinds) {
                tokens.push(entry);
            }
        }
        self.check_kind(node, &kinds, &seen, expression_key);
        self.token(node, TokenKind::Mapping(tokens), place)
    }

    /// A key is text whatever it looks like, unless it holds an expression.
    fn key(&mut self, node: &Arc<Node>, place: Place) -> Token {
        let mut key = self.scalar(node, place);
        if !matches!(key.kind, TokenKind::String(_) | TokenKind::Expression(_) | TokenKind::Insert(_)) {
            key.kind = TokenKind::String(literal_text(&key.kind));
        }
        key
    }

    fn expression_entry(
        &mut self,
        key: Token,
        value: &Arc<Node>,
        place: Place,
        kinds: &[&'static Mapping],
    ) -> Option<(Token, Token)> {
        if place.allowed.is_empty() {
            // Of a key, that is its quote.
            self.refuse_expression(&key, key.node.span);
            return None;
        }
        let definition = match kinds {
            [only] if only.properties.is_empty() => only.loose.map_or(&ANY, |(_, value)| value),
            _ => &ANY,
        };
        let value = self.value(value, place.inner(definition));
        Some((key, value))
    }

    fn entry(
        &mut self,
        key: Token,
        value: &Arc<Node>,
        place: Place,
        kinds: &mut Vec<&'static Mapping>,
    ) -> Option<(Token, Token)> {
        let text = key.as_str()?.to_owned();
        if let Some(property) = kinds.iter().rev().find_map(|kind| kind.property(&text)) {
            kinds.retain(|kind| kind.property(&text).is_some());
            let value = self.value(value, place.inner(property.definition));
            return Some((key, value));
        }
        if let Some((key_rule, value_rule)) = kinds.first().and_then(|kind| kind.loose) {
            if text == "<<" && value.as_mapping().is_some() && value_rule.mappings().is_empty() {
                self.refusals.push_within(value.span, "A mapping was not expected", merge_key(&key));
                return None;
            }
            let key = self.validate(key, place.inner(key_rule));
            let value = self.value(value, place.inner(value_rule));
            return Some((key, value));
        }
        let diagnostic = unknown_key(&key, &text, place, kinds);
        self.refusals.push(format!("Unexpected value '{text}'"), diagnostic);
        None
    }

    fn refuse_duplicate(&mut self, key: &Token, text: &str, first: Span) {
        let diagnostic = Diagnostic::error(
            code::DUPLICATE_KEY,
            key.span(),
            format!("the key `{text}` is already defined"),
        )
        .related(first, "first here")
        .help("keys are compared without regard to letter case; remove one of them");
        self.refusals.push(format!("'{text}' is already defined"), diagnostic);
    }

    fn check_kind(
        &mut self,
        node: &Arc<Node>,
        kinds: &[&'static Mapping],
        seen: &HashMap<String, Span>,
        expression_key: bool,
    ) {
        // The whole mapping is the place, but one line of it is enough to show.
        let span =
            node.as_mapping().and_then(|entries| entries.first()).map_or(node.span, |(key, _)| key.span);
        let [kind] = kinds else {
            let keys = distinguishing_keys(kinds);
            let telling = telling_keys(kinds).into_iter().map(|key| format!("`{key}`"));
            let message = format!("the keys leave open what this is: {} is missing", list(telling));
            let github = format!(
                "There's not enough info to determine what you meant. Add one of these properties: {}",
                keys.join(", ")
            );
            self.refusals.push_within(node.span, github, Diagnostic::error(code::AMBIGUOUS, span, message));
            return;
        };
        if expression_key {
            return;
        }
        for property in kind.properties.iter().filter(|property| property.required) {
            if !seen.contains_key(&property.name.to_uppercase()) {
                let message = format!("the key `{}` is missing", property.name);
                let diagnostic = Diagnostic::error(code::MISSING_KEY, span, message);
                let github = format!("Required property is missing: {}", property.name);
                self.refusals.push_within(node.span, github, diagnostic);
            }
        }
    }
}

/// Keys that only one of the kinds has, sorted.
fn distinguishing_keys(kinds: &[&'static Mapping]) -> Vec<String> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for property in kinds.iter().flat_map(|kind| kind.properties) {
        *counts.entry(property.name).or_default() += 1;
    }
    let mut keys: Vec<String> =
        counts.into_iter().filter(|(_, count)| *count == 1).map(|(key, _)| key.to_owned()).collect();
    keys.sort();
    keys
}

/// The keys that make each of the kinds what it is: the first that it cannot do without and no other has.
fn telling_keys(kinds: &[&'static Mapping]) -> Vec<&'static str> {
    let own = |name: &str| kinds.iter().filter(|kind| kind.property(name).is_some()).count() == 1;
    let telling = |kind: &&'static Mapping| {
        kind.properties.iter().find(|property| property.required && own(property.name))
    };
    kinds.iter().filter_map(telling).map(|property| property.name).collect()
}

fn merge_key(key: &Token) -> Diagnostic {
    let message = "GitHub reads anchors and aliases but not merge keys";
    Diagnostic::error(code::MERGE_KEY, key.span(), message)
        .help("write the merged keys out, or give the whole mapping by an alias")
}

fn unknown_key(key: &Token, text: &str, place: Place, kinds: &[&'static Mapping]) -> Diagnostic {
    if text == "<<" {
        return merge_key(key);
    }
    if key.node.as_scalar().is_none() || text.is_empty() {
        return Diagnostic::error(code::UNKNOWN_KEY, key.span(), "a key must be a text that is not empty");
    }
    let text = text.trim_end();
    let keys = || kinds.iter().flat_map(|kind| kind.properties).map(|property| property.name);
    let (code, message) = match place.definition.name {
        "on" => (code::UNKNOWN_EVENT, format!("there is no event `{text}`")),
        name => (code::UNKNOWN_KEY, format!("unknown key `{text}`{}", in_place(name))),
    };
    let diagnostic = Diagnostic::error(code, key.span(), message);
    if let Some(nearest) = suggest::nearest(text, keys()) {
        return diagnostic.help(format!("did you mean `{nearest}`?"));
    }
    let mut known: Vec<&str> = keys().collect();
    known.sort_unstable();
    known.dedup();
    if known.len() > 20 { diagnostic } else { diagnostic.help(format!("keys here: {}", known.join(", "))) }
}

/// Where a key stands, for people.
fn in_place(definition: &str) -> &'static str {
    match definition {
        "workflow-root" => " at the top of a workflow",
        "action-root" => " at the top of an action",
        "job" | "job-factory" | "workflow-job" => " in a job",
        "steps-item" | "composite-step" => " in a step",
        "container" => " in `container`",
        "services-container" => " in a service",
        "strategy" => " in `strategy`",
        "permissions" => " in `permissions`",
        "runs" => " in `runs`",
        _ => "",
    }
}
