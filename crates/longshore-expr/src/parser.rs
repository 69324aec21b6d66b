//! From text to tree, by recursive descent.
//!
//! Precedence from weak to strong: `||`, `&&`, `==` and `!=`, `<` and its kin, `!`, access. Depth is counted as the
//! published parser counts it, so the same expressions are refused.

use std::sync::Arc;

use longshore_syntax::{Span, suggest};

use crate::lexer::{Lexer, MAX_LENGTH, Token, TokenKind};
use crate::parse_error::{ParseError, ParseErrorKind, Published};
use crate::text::utf16_len;
use crate::{Allowed, Arity, CompareOp, Expr, ExprKind, Function, Value};

/// How deep an expression may be nested.
pub const MAX_DEPTH: usize = 50;

/// Parses an expression written without `${{` and `}}`, whatever contexts and functions it names.
pub fn parse(text: &str) -> Result<Expr, ParseError> {
    parse_with(text, None)
}

/// Parses an expression and refuses contexts and functions that are not allowed.
pub fn parse_allowed(text: &str, allowed: &Allowed<'_>) -> Result<Expr, ParseError> {
    parse_with(text, Some(allowed))
}

/// Parses, checking names if `allowed` is given. The number of arguments of built-in functions is always checked.
pub(crate) fn parse_with(text: &str, allowed: Option<&Allowed<'_>>) -> Result<Expr, ParseError> {
    if text.len() > MAX_LENGTH && utf16_len(text) > MAX_LENGTH {
        return Err(ParseError::of_whole(ParseErrorKind::TooLong, text));
    }
    let mut parser = Parser::new(text, allowed)?;
    if parser.token.kind == TokenKind::End {
        return Err(ParseError::of_whole(ParseErrorKind::Empty, text));
    }
    // The published reference makes all tokens first, so what is no token is reported before anything else.
    parser.whole().map_err(|error| {
        let lexical = if error.is_lexical() { None } else { parser.lexer.next_error() };
        lexical.unwrap_or(error)
    })
}

/// The state of parsing one text.
struct Parser<'t> {
    lexer: Lexer<'t>,
    /// The token to look at.
    token: Token,
    /// The token before it.
    previous: Token,
    depth: usize,
    allowed: Option<&'t Allowed<'t>>,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str, allowed: Option<&'t Allowed<'t>>) -> Result<Self, ParseError> {
        let mut lexer = Lexer::new(text);
        let token = lexer.next()?;
        Ok(Self { lexer, token, previous: token, depth: 0, allowed })
    }

    fn text(&self, span: Span) -> &'t str {
        self.lexer.text.get(span.range()).unwrap_or_default()
    }

    fn advance(&mut self) -> Result<Token, ParseError> {
        let next = self.lexer.next()?;
        self.previous = std::mem::replace(&mut self.token, next);
        Ok(self.previous)
    }

    fn eat(&mut self, kind: TokenKind) -> Result<bool, ParseError> {
        let found = self.token.kind == kind;
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    fn expect(&mut self, kind: TokenKind) -> Result<(), ParseError> {
        if self.eat(kind)? { Ok(()) } else { Err(self.unexpected()) }
    }

    /// The token to look at cannot stand here.
    fn unexpected(&self) -> ParseError {
        if self.token.kind == TokenKind::End {
            let (kind, span) = (ParseErrorKind::UnexpectedEnd, self.previous.span);
            return ParseError::new(kind, self.lexer.text, span, Published::EndAsSymbol);
        }
        self.error(ParseErrorKind::UnexpectedSymbol, self.token)
    }

    /// The text ended where an operand was needed.
    fn unexpected_end(&self) -> ParseError {
        self.error(ParseErrorKind::UnexpectedEnd, self.previous)
    }

    fn error(&self, kind: ParseErrorKind, token: Token) -> ParseError {
        let published = match token.kind {
            TokenKind::End => "EOF".to_owned(),
            TokenKind::String => unquote(self.text(token.span)).to_string(),
            _ => self.text(token.span).to_owned(),
        };
        ParseError::new(kind, self.lexer.text, token.span, Published::Token(published))
    }

    /// Goes one level deeper; undone by the caller.
    fn deeper(&mut self) -> Result<(), ParseError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(self.error(ParseErrorKind::TooDeep, self.token)) } else { Ok(()) }
    }

    fn whole(&mut self) -> Result<Expr, ParseError> {
        let expr = self.expression()?;
        if self.token.kind == TokenKind::End { Ok(expr) } else { Err(self.unexpected()) }
    }

    fn expression(&mut self) -> Result<Expr, ParseError> {
        self.deeper()?;
        let expr = self.or()?;
        self.depth -= 1;
        Ok(expr)
    }

    fn or(&mut self) -> Result<Expr, ParseError> {
        let first = self.and()?;
        if self.token.kind != TokenKind::Or {
            return Ok(first);
        }
        self.deeper()?;
        let mut operands = vec![first];
        while self.eat(TokenKind::Or)? {
            operands.push(self.and()?);
        }
        self.depth -= 1;
        Ok(chain(operands, ExprKind::Or))
    }

    fn and(&mut self) -> Result<Expr, ParseError> {
        let first = self.equality()?;
        if self.token.kind != TokenKind::And {
            return Ok(first);
        }
        self.deeper()?;
        let mut operands = vec![first];
        while self.eat(TokenKind::And)? {
            operands.push(self.equality()?);
        }
        self.depth -= 1;
        Ok(chain(operands, ExprKind::And))
    }

    fn equality(&mut self) -> Result<Expr, ParseError> {
        let first = self.comparison()?;
        let mut rest = Vec::new();
        loop {
            let op = match self.token.kind {
                TokenKind::EqualEqual => CompareOp::Equal,
                TokenKind::BangEqual => CompareOp::NotEqual,
                _ => return Ok(compare(first, rest)),
            };
            self.advance()?;
            rest.push((op, self.comparison()?));
        }
    }

    fn comparison(&mut self) -> Result<Expr, ParseError> {
        let first = self.unary()?;
        let mut rest = Vec::new();
        loop {
            let op = match self.token.kind {
                TokenKind::Greater => CompareOp::Greater,
                TokenKind::GreaterEqual => CompareOp::GreaterOrEqual,
                TokenKind::Less => CompareOp::Less,
                TokenKind::LessEqual => CompareOp::LessOrEqual,
                _ => return Ok(compare(first, rest)),
            };
            self.advance()?;
            rest.push((op, self.unary()?));
        }
    }

    fn unary(&mut self) -> Result<Expr, ParseError> {
        if self.token.kind != TokenKind::Bang {
            return self.access();
        }
        let bang = self.advance()?;
        self.deeper()?;
        let operand = self.unary()?;
        self.depth -= 1;
        Ok(Expr { span: bang.span.to(operand.span), kind: ExprKind::Not(Box::new(operand)) })
    }

    /// An operand with the properties and indexes after it, which literals cannot have.
    fn access(&mut self) -> Result<Expr, ParseError> {
        let mut expr = self.operand()?;
        if matches!(expr.kind, ExprKind::Literal(_)) {
            return Ok(expr);
        }
        let mut levels = 0;
        loop {
            if self.eat(TokenKind::LeftBracket)? {
                expr = self.index(expr)?;
                self.deeper()?;
            } else if self.eat(TokenKind::Dot)? {
                self.deeper()?;
                expr = self.property(expr)?;
            } else {
                self.depth -= levels;
                return Ok(expr);
            }
            levels += 1;
        }
    }

    /// What follows `[`.
    fn index(&mut self, base: Expr) -> Result<Expr, ParseError> {
        let start = base.span;
        let base = Box::new(base);
        let kind = if self.eat(TokenKind::Star)? {
            ExprKind::Star { base }
        } else {
            ExprKind::Index { base, index: Box::new(self.expression()?) }
        };
        self.expect(TokenKind::RightBracket)?;
        Ok(Expr { span: start.to(self.previous.span), kind })
    }

    /// What follows `.`.
    fn property(&mut self, base: Expr) -> Result<Expr, ParseError> {
        let Token { kind, span: name_span } = self.token;
        let span = base.span.to(name_span);
        let base = Box::new(base);
        let kind = match kind {
            TokenKind::Identifier => {
                ExprKind::Property { base, name: Arc::from(self.text(name_span)), name_span }
            }
            TokenKind::Star => ExprKind::Star { base },
            _ => return Err(self.unexpected()),
        };
        self.advance()?;
        Ok(Expr { span, kind })
    }

    fn operand(&mut self) -> Result<Expr, ParseError> {
        let token = self.token;
        let value = match token.kind {
            TokenKind::Identifier => return self.name(),
            TokenKind::LeftParen => return self.group(),
            TokenKind::True => Value::Bool(true),
            TokenKind::False => Value::Bool(false),
            TokenKind::Null => Value::Null,
            TokenKind::Number(number) => Value::Number(number),
            TokenKind::String => Value::String(unquote(self.text(token.span))),
            TokenKind::End => return Err(self.unexpected_end()),
            _ => return Err(self.unexpected()),
        };
        self.advance()?;
        Ok(Expr { span: token.span, kind: ExprKind::Literal(value) })
    }

    fn group(&mut self) -> Result<Expr, ParseError> {
        let open = self.advance()?;
        let inner = self.expression()?;
        if self.token.kind == TokenKind::End {
            return Err(self.unexpected_end());
        }
        self.expect(TokenKind::RightParen)?;
        Ok(Expr { span: open.span.to(self.previous.span), kind: ExprKind::Group(Box::new(inner)) })
    }

    /// A context, or a call of a function.
    fn name(&mut self) -> Result<Expr, ParseError> {
        let token = self.advance()?;
        let name = self.text(token.span);
        if !self.eat(TokenKind::LeftParen)? {
            self.check_context(name, token)?;
            return Ok(Expr { span: token.span, kind: ExprKind::Context(name.into()) });
        }
        let mut args = Vec::new();
        if !self.eat(TokenKind::RightParen)? {
            loop {
                args.push(self.expression()?);
                if self.eat(TokenKind::RightParen)? {
                    break;
                }
                self.expect(TokenKind::Comma)?;
            }
        }
        self.check_function(name, token, args.len())?;
        let kind = ExprKind::Function { name: name.into(), name_span: token.span, args };
        Ok(Expr { span: token.span.to(self.previous.span), kind })
    }

    fn check_context(&self, name: &str, token: Token) -> Result<(), ParseError> {
        match self.allowed {
            Some(allowed) if !allowed.has_context(name) => {
                let near = suggest::nearest(name, allowed.contexts());
                Err(self.error(ParseErrorKind::UnknownContext, token).suggest(near))
            }
            _ => Ok(()),
        }
    }

    fn check_function(&self, name: &str, token: Token, count: usize) -> Result<(), ParseError> {
        let arity = self.allowed.unwrap_or(&Allowed::NONE).arity(name);
        let Some(Arity { min, max }) = arity else {
            let Some(allowed) = self.allowed else { return Ok(()) };
            let known = Function::ALL.iter().map(|function| function.name()).chain(allowed.functions());
            let near = suggest::nearest(name, known);
            return Err(self.error(ParseErrorKind::UnknownFunction, token).suggest(near));
        };
        if count < min {
            return Err(self.error(ParseErrorKind::TooFewArguments, token));
        }
        if count > max {
            return Err(self.error(ParseErrorKind::TooManyArguments, token));
        }
        if count.is_multiple_of(2) && Function::from_name(name) == Some(Function::Case) {
            return Err(self.error(ParseErrorKind::EvenArguments, token));
        }
        Ok(())
    }
}

/// One node of the operands of `&&` or `||`.
fn chain(operands: Vec<Expr>, kind: fn(Vec<Expr>) -> ExprKind) -> Expr {
    let first = operands.first().map(|operand| operand.span).unwrap_or_default();
    let last = operands.last().map_or(first, |operand| operand.span);
    Expr { span: first.to(last), kind: kind(operands) }
}

/// The comparison, or its first operand alone if nothing is compared.
fn compare(first: Expr, rest: Vec<(CompareOp, Expr)>) -> Expr {
    let Some((_, last)) = rest.last() else { return first };
    Expr { span: first.span.to(last.span), kind: ExprKind::Compare { first: Box::new(first), rest } }
}

/// The text that a string token stands for.
fn unquote(token: &str) -> Arc<str> {
    let inner = token.get(1..token.len().saturating_sub(1)).unwrap_or_default();
    if inner.contains('\'') { Arc::from(inner.replace("''", "'")) } else { Arc::from(inner) }
}
