//! A value that its schema has accepted.

use std::sync::Arc;

use longshore_syntax::{Node, Span};

use super::Expression;
use crate::schema::AllowedSet;

/// A value of a workflow or action file, typed by the place it stands in.
#[derive(Debug, Clone)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// What expressions may use in its place.
    pub allowed: AllowedSet,
    /// The YAML it was read from; for a key or value that an alias brought in, where the anchor stands.
    pub node: Arc<Node>,
}

/// The kinds of tokens, as in GitHub's template language.
#[derive(Debug, Clone)]
pub enum TokenKind {
    /// Nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(f64),
    /// Text; also a number or boolean where the schema wants text.
    String(String),
    /// `${{ … }}`, alone or within text.
    Expression(Expression),
    /// The key `${{ insert }}`, where it stands: its mapping's entries are put in its place.
    Insert(Span),
    /// Items.
    Sequence(Vec<Token>),
    /// Entries; keys are strings, expressions or `Insert`.
    Mapping(Vec<(Token, Token)>),
}

impl Token {
    /// Where it stands; for a scalar that is one expression, from `${{` to `}}` without the quotes around it.
    pub fn span(&self) -> Span {
        match &self.kind {
            TokenKind::Expression(Expression { embedded, expr, .. }) => match embedded.as_slice() {
                [only] if Arc::ptr_eq(&only.expr, expr) => only.span,
                _ => self.node.span,
            },
            TokenKind::Insert(span) => *span,
            _ => self.node.span,
        }
    }

    /// The text, if it is text without expressions.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            TokenKind::String(text) => Some(text),
            _ => None,
        }
    }

    /// The boolean, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self.kind {
            TokenKind::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// The number, if it is one.
    pub fn as_number(&self) -> Option<f64> {
        match self.kind {
            TokenKind::Number(value) => Some(value),
            _ => None,
        }
    }

    /// The expression, if it holds one.
    pub fn as_expression(&self) -> Option<&Expression> {
        match &self.kind {
            TokenKind::Expression(expression) => Some(expression),
            _ => None,
        }
    }

    /// The items; none if it is not a sequence.
    pub fn items(&self) -> &[Self] {
        match &self.kind {
            TokenKind::Sequence(items) => items,
            _ => &[],
        }
    }

    /// The entries; none if it is not a mapping.
    pub fn entries(&self) -> &[(Self, Self)] {
        match &self.kind {
            TokenKind::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The value of the entry whose key is the text `key`.
    pub fn entry(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|(k, _)| k.as_str() == Some(key)).map(|(_, value)| value)
    }

    /// One text, or all texts of a sequence, with their tokens.
    pub fn texts(&self) -> Vec<(&str, &Self)> {
        match &self.kind {
            TokenKind::String(text) => vec![(text.as_str(), self)],
            _ => self.items().iter().filter_map(|item| Some((item.as_str()?, item))).collect(),
        }
    }

    /// Whether it is, or holds, an expression.
    pub fn has_expression(&self) -> bool {
        let mut found = false;
        self.visit(&mut |token| {
            found |= matches!(token.kind, TokenKind::Expression(_) | TokenKind::Insert(_));
        });
        found
    }

    /// Calls `visit` for this token and every token in it, keys before values.
    pub fn visit<'t>(&'t self, visit: &mut dyn FnMut(&'t Self)) {
        visit(self);
        match &self.kind {
            TokenKind::Sequence(items) => items.iter().for_each(|item| item.visit(visit)),
            TokenKind::Mapping(entries) => {
                for (key, value) in entries {
                    key.visit(visit);
                    value.visit(visit);
                }
            }
            _ => {}
        }
    }

    /// The name of its type in messages for people.
    pub fn type_name(&self) -> &'static str {
        match self.kind {
            TokenKind::Null => "nothing",
            TokenKind::Bool(_) => "a boolean",
            TokenKind::Number(_) => "a number",
            TokenKind::String(_) => "text",
            TokenKind::Expression(_) | TokenKind::Insert(_) => "an expression",
            TokenKind::Sequence(_) => "a list",
            TokenKind::Mapping(_) => "a mapping",
        }
    }

    /// The name of its type in GitHub's messages.
    pub fn github_type_name(&self) -> &'static str {
        match self.kind {
            TokenKind::Null => "NullToken",
            TokenKind::Bool(_) => "BooleanToken",
            TokenKind::Number(_) => "NumberToken",
            TokenKind::String(_) => "StringToken",
            TokenKind::Expression(_) => "BasicExpressionToken",
            TokenKind::Insert(_) => "InsertExpressionToken",
            TokenKind::Sequence(_) => "SequenceToken",
            TokenKind::Mapping(_) => "MappingToken",
        }
    }
}
