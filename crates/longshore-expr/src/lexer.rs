//! Tokens of an expression.
//!
//! Tokens are made on demand. What a `.` is depends on the token before it: a property access after a name or a
//! closing bracket, else the beginning of a number.

use longshore_syntax::Span;

use crate::number;
use crate::parse_error::{ParseError, ParseErrorKind, Published};
use crate::text::is_space;

/// Greatest length of an expression, in UTF-16 units.
pub const MAX_LENGTH: usize = 21_000;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum TokenKind {
    LeftParen,
    RightParen,
    LeftBracket,
    RightBracket,
    Comma,
    Dot,
    Bang,
    BangEqual,
    EqualEqual,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    And,
    Or,
    Star,
    Number(f64),
    String,
    Identifier,
    True,
    False,
    Null,
    End,
}

/// A token with its place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) span: Span,
}

/// Makes tokens from a text.
pub(crate) struct Lexer<'t> {
    pub(crate) text: &'t str,
    at: usize,
    previous: TokenKind,
}

impl<'t> Lexer<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text, at: 0, previous: TokenKind::End }
    }

    /// The next token; [`TokenKind::End`] again and again at the end.
    pub(crate) fn next(&mut self) -> Result<Token, ParseError> {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
        let start = self.at;
        let kind = match self.peek() {
            None => TokenKind::End,
            Some(byte) => {
                self.at += 1;
                self.token(byte, start)?
            }
        };
        self.previous = kind;
        Ok(Token { kind, span: Span::new(start, self.at) })
    }

    /// The first thing from here on that is no token.
    pub(crate) fn next_error(&mut self) -> Option<ParseError> {
        loop {
            match self.next() {
                Ok(Token { kind: TokenKind::End, .. }) => return None,
                Ok(_) => {}
                Err(error) => return Some(error),
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The token that begins with `byte`, which has been passed.
    fn token(&mut self, byte: u8, start: usize) -> Result<TokenKind, ParseError> {
        Ok(match byte {
            b'(' => TokenKind::LeftParen,
            b')' => TokenKind::RightParen,
            b'[' => TokenKind::LeftBracket,
            b']' => TokenKind::RightBracket,
            b',' => TokenKind::Comma,
            b'*' => TokenKind::Star,
            b'.' if self.may_access() => TokenKind::Dot,
            b'.' | b'-' | b'+' | b'0'..=b'9' => return self.number(start),
            b'!' => self.either(b'=', TokenKind::BangEqual, TokenKind::Bang),
            b'<' => self.either(b'=', TokenKind::LessEqual, TokenKind::Less),
            b'>' => self.either(b'=', TokenKind::GreaterEqual, TokenKind::Greater),
            b'=' if self.eat(b'=') => TokenKind::EqualEqual,
            b'&' if self.eat(b'&') => TokenKind::And,
            b'|' if self.eat(b'|') => TokenKind::Or,
            b'\'' => return self.string(start),
            _ => return self.word(start),
        })
    }

    /// Whether a `.` here accesses a property.
    fn may_access(&self) -> bool {
        use TokenKind::{Identifier, RightBracket, RightParen, Star};
        matches!(self.previous, Identifier | RightBracket | RightParen | Star)
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn either(&mut self, byte: u8, long: TokenKind, short: TokenKind) -> TokenKind {
        if self.eat(byte) { long } else { short }
    }

    /// Passes over everything up to the next boundary; a `.` is passed too if `dots`.
    fn run(&mut self, dots: bool) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let end = rest.find(|c| is_boundary(c) && !(dots && c == '.'));
        self.at = end.map_or(self.text.len(), |end| self.at + end);
    }

    fn number(&mut self, start: usize) -> Result<TokenKind, ParseError> {
        self.run(true);
        let number = number::parse(self.text.get(start..self.at).unwrap_or_default());
        if number.is_nan() { Err(self.not_a_token(start)) } else { Ok(TokenKind::Number(number)) }
    }

    /// A text in single quotes, in which two of them stand for one.
    fn string(&mut self, start: usize) -> Result<TokenKind, ParseError> {
        loop {
            match self.peek() {
                Some(b'\'') => {
                    self.at += 1;
                    if !self.eat(b'\'') {
                        return Ok(TokenKind::String);
                    }
                }
                Some(_) => self.at += 1,
                None => return Err(self.not_a_token(start)),
            }
        }
    }

    /// A name, a keyword, or something that is no token.
    fn word(&mut self, start: usize) -> Result<TokenKind, ParseError> {
        let bytes = self.text.as_bytes();
        while matches!(self.peek(), Some(b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-')) {
            self.at += 1;
        }
        let legal = matches!(bytes.get(start), Some(b'a'..=b'z' | b'A'..=b'Z' | b'_'));
        let ends = self.text.get(self.at..).is_some_and(|rest| rest.chars().next().is_none_or(is_boundary));
        if !legal || !ends {
            self.at = start + self.text.get(start..).and_then(|t| t.chars().next()).map_or(1, char::len_utf8);
            self.run(false);
            return Err(self.not_a_token(start));
        }
        if self.previous == TokenKind::Dot {
            return Ok(TokenKind::Identifier);
        }
        Ok(match self.text.get(start..self.at) {
            Some("true") => TokenKind::True,
            Some("false") => TokenKind::False,
            Some("null") => TokenKind::Null,
            Some("NaN") => TokenKind::Number(f64::NAN),
            Some("Infinity") => TokenKind::Number(f64::INFINITY),
            _ => TokenKind::Identifier,
        })
    }

    fn not_a_token(&self, start: usize) -> ParseError {
        let span = Span::new(start, self.at);
        ParseError::new(ParseErrorKind::UnexpectedSymbol, self.text, span, Published::Located)
    }
}

/// Whether a name or number ends before the character.
fn is_boundary(c: char) -> bool {
    matches!(c, '(' | '[' | ')' | ']' | ',' | '.' | '!' | '>' | '<' | '=' | '&' | '|') || is_space(c)
}
