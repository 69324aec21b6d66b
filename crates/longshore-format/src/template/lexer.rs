//! Splits a template into tokens.
//!
//! Everything outside of `{{` and `}}` is text. `{{- ` and ` -}}` take the blanks beside them away, and `{{/* */}}` is a
//! comment. A mistake becomes a token of its own, the last one, so that the parser reports what comes first.

use super::token::{Kind, Token};

const LEFT: &str = "{{";
const RIGHT: &str = "}}";
const KEYWORDS: &[&str] =
    &["block", "break", "continue", "define", "else", "end", "if", "range", "template", "with"];

/// Splits a template. The last token is the end, or an error.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer { text, position: 0, parens: 0, tokens: Vec::new() };
    if let Err(message) = lexer.run() {
        lexer.push(Kind::Error, lexer.position, message);
    } else {
        lexer.push(Kind::Eof, text.len(), "");
    }
    lexer.tokens
}

/// The characters that Go counts as blanks in templates.
fn is_space(char: char) -> bool {
    matches!(char, ' ' | '\t' | '\r' | '\n')
}

/// What names are made of.
fn is_name(char: char) -> bool {
    char == '_' || char.is_alphanumeric()
}

struct Lexer<'t> {
    text: &'t str,
    position: usize,
    parens: usize,
    tokens: Vec<Token>,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.position..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn push(&mut self, kind: Kind, position: usize, text: impl Into<String>) {
        self.tokens.push(Token { kind, position, text: text.into() });
    }

    /// Adds the token that goes from here on for some bytes.
    fn take(&mut self, kind: Kind, length: usize) {
        let text = self.rest().get(..length).unwrap_or_default();
        self.push(kind, self.position, text);
        self.position += text.len();
    }

    /// Goes over characters as long as they are of a kind, and returns the bytes.
    fn run_of(&self, accept: impl Fn(char) -> bool) -> usize {
        self.rest().find(|char| !accept(char)).unwrap_or(self.rest().len())
    }

    fn run(&mut self) -> Result<(), String> {
        let mut trim = false;
        while self.position < self.text.len() {
            let start = self.position;
            let length = self.rest().find(LEFT);
            let mut text = self.rest().get(..length.unwrap_or(self.rest().len())).unwrap_or_default();
            self.position += text.len();
            let trim_left = length.is_some() && trims_left(self.rest());
            let mut from = start;
            if trim {
                from += text.len() - text.trim_start_matches(is_space).len();
                text = text.trim_start_matches(is_space);
            }
            if trim_left {
                text = text.trim_end_matches(is_space);
            }
            if !text.is_empty() {
                self.push(Kind::Text, from, text);
            }
            if length.is_some() {
                trim = self.delimited()?;
            }
        }
        Ok(())
    }

    /// An action or a comment, and whether the text after it loses its blanks.
    fn delimited(&mut self) -> Result<bool, String> {
        let marker = if trims_left(self.rest()) { 2 } else { 0 };
        let body = self.rest().get(LEFT.len() + marker..).unwrap_or_default();
        if body.starts_with("/*") {
            return self.comment(LEFT.len() + marker);
        }
        self.take(Kind::LeftDelim, LEFT.len());
        self.position += marker;
        self.parens = 0;
        loop {
            let rest = self.rest();
            let trims =
                rest.starts_with(is_space) && rest.get(1..).is_some_and(|rest| rest.starts_with("-}}"));
            if trims || rest.starts_with(RIGHT) {
                if self.parens > 0 {
                    return Err("unclosed left paren".to_owned());
                }
                self.position += if trims { 2 } else { 0 };
                self.take(Kind::RightDelim, RIGHT.len());
                return Ok(trims);
            }
            self.inside()?;
        }
    }

    fn comment(&mut self, skip: usize) -> Result<bool, String> {
        let body = self.rest().get(skip..).unwrap_or_default();
        let end = body.find("*/").ok_or("unclosed comment")? + 2;
        let rest = body.get(end..).unwrap_or_default();
        let trims = rest.starts_with(is_space) && rest.get(1..).is_some_and(|rest| rest.starts_with("-}}"));
        if !trims && !rest.starts_with(RIGHT) {
            return Err("comment ends before closing delimiter".to_owned());
        }
        self.position += skip + end + RIGHT.len() + if trims { 2 } else { 0 };
        Ok(trims)
    }

    /// One token of an action.
    fn inside(&mut self) -> Result<(), String> {
        let Some(char) = self.peek() else { return Err("unclosed action".to_owned()) };
        match char {
            _ if is_space(char) => {
                let mut length = self.run_of(is_space);
                // The last blank belongs to the trim marker.
                if self.rest().get(length..).is_some_and(|rest| rest.starts_with("-}}")) && length > 1 {
                    length -= 1;
                }
                self.take(Kind::Space, length);
            }
            '=' => self.take(Kind::Assign, 1),
            ':' if self.rest().starts_with(":=") => self.take(Kind::Declare, 2),
            ':' => return Err("expected :=".to_owned()),
            '|' => self.take(Kind::Pipe, 1),
            '"' => self.quoted('"', Kind::Quoted, "unterminated quoted string")?,
            '\'' => self.quoted('\'', Kind::CharConstant, "unterminated character constant")?,
            '`' => {
                let body = self.rest().get(1..).unwrap_or_default();
                let end = body.find('`').ok_or("unterminated raw quoted string")?;
                self.take(Kind::RawQuoted, end + 2);
            }
            '$' => self.name(Kind::Variable)?,
            '.' if self.rest().chars().nth(1).is_some_and(|char| !char.is_ascii_digit()) => {
                self.name(Kind::Field)?;
            }
            '.' | '+' | '-' | '0'..='9' => self.number()?,
            _ if is_name(char) => self.name(Kind::Identifier)?,
            '(' => {
                self.parens += 1;
                self.take(Kind::LeftParen, 1);
            }
            ')' => {
                self.parens = self.parens.checked_sub(1).ok_or("unexpected right paren")?;
                self.take(Kind::RightParen, 1);
            }
            '!'..='~' => self.take(Kind::Char, 1),
            _ => return Err(format!("unrecognized character in action: {}", crate::quote::code_point(char))),
        }
        Ok(())
    }

    /// A text or a character in quotes, on one line.
    fn quoted(&mut self, quote: char, kind: Kind, unterminated: &str) -> Result<(), String> {
        let mut escaped = false;
        for (index, char) in self.rest().char_indices().skip(1) {
            match char {
                '\n' => break,
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                _ if char == quote => {
                    self.take(kind, index + 1);
                    return Ok(());
                }
                _ => {}
            }
        }
        Err(unterminated.to_owned())
    }

    /// A field, a variable, a keyword or the name of a function.
    fn name(&mut self, kind: Kind) -> Result<(), String> {
        let sigil = usize::from(kind != Kind::Identifier);
        let body = self.rest().get(sigil..).unwrap_or_default();
        let length = sigil + body.find(|char| !is_name(char)).unwrap_or(body.len());
        let after = self.rest().get(length..).unwrap_or_default();
        if let Some(char) = after.chars().next()
            && !is_space(char)
            && !matches!(char, '.' | ',' | '|' | ':' | '(' | ')')
            && !after.starts_with(RIGHT)
        {
            self.position += length;
            return Err(format!("bad character {}", crate::quote::code_point(char)));
        }
        let word = self.rest().get(..length).unwrap_or_default();
        let kind = match word {
            "." => Kind::Dot,
            "nil" => Kind::Nil,
            "true" | "false" => Kind::Bool,
            _ if KEYWORDS.contains(&word) => Kind::Keyword,
            _ => kind,
        };
        self.take(kind, length);
        Ok(())
    }

    /// A number in one of Go's forms. Whether it is one shows when it is read.
    fn number(&mut self) -> Result<(), String> {
        let rest = self.rest();
        let sign = usize::from(rest.starts_with(['+', '-']));
        let body = rest.get(sign..).unwrap_or_default();
        let base = body.get(..2).map(str::to_ascii_lowercase);
        let (prefix, exponent): (usize, &[char]) = match base.as_deref() {
            Some("0x") => (2, &['p', 'P']),
            Some("0o" | "0b") => (2, &[]),
            _ => (0, &['e', 'E']),
        };
        let hexadecimal = base.as_deref() == Some("0x");
        let is_digit = |char: char| char == '_' || char.is_digit(if hexadecimal { 16 } else { 10 });
        let after = |length: usize| body.get(length..).unwrap_or_default().chars();
        let mut length = prefix;
        let mut skip = |accept: &dyn Fn(char) -> bool, most: usize| {
            // What is accepted is ASCII, so characters are bytes.
            let run = after(length).take(most).take_while(|char| accept(*char)).count();
            length += run;
            run > 0
        };
        skip(&is_digit, usize::MAX);
        if skip(&|char| char == '.', 1) {
            skip(&is_digit, usize::MAX);
        }
        if skip(&|char| exponent.contains(&char), 1) {
            skip(&|char| char == '+' || char == '-', 1);
            skip(&|char| char == '_' || char.is_ascii_digit(), usize::MAX);
        }
        skip(&|char| char == 'i', 1);
        if after(length).next().is_some_and(is_name) {
            let shown: String = rest.chars().take(sign + length + 1).collect();
            return Err(format!("bad number syntax: {}", crate::quote::quote(&shown)));
        }
        if let Some('+' | '-') = after(length).next() {
            // The imaginary part of a complex number, which nothing here can be.
            let part = after(length + 1).take_while(|char| is_digit(*char)).count();
            let shown: String = rest.chars().take(sign + length + 1 + part).collect();
            return Err(format!("bad number syntax: {}", crate::quote::quote(&shown)));
        }
        self.take(Kind::Number, sign + length);
        Ok(())
    }
}

/// Whether a left delimiter takes the blanks before it away.
fn trims_left(text: &str) -> bool {
    text.strip_prefix("{{-").is_some_and(|rest| rest.starts_with(is_space))
}
