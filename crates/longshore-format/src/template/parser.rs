//! Makes the tree of a template; [`super::pipeline`] has what stands within actions.
//!
//! The grammar and the order in which mistakes are found are those of Go's `text/template/parse`, so that messages name
//! what Go names. Nesting is bounded, because the tree is walked by recursion.

use std::collections::BTreeMap;

use super::TemplateError;
use super::lexer;
use super::node::{Block, Branch, BranchKind, Invocation, Statement};
use super::token::{Kind, Token};
use crate::quote::{quote, unquote};

/// How deep blocks and parentheses may be nested.
const MAX_NESTING: usize = 64;

/// What ended a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    End,
    Else,
}

impl Stop {
    const fn text(self) -> &'static str {
        match self {
            Self::End => "{{end}}",
            Self::Else => "{{else}}",
        }
    }
}

/// A statement, or what ends the block.
enum Item {
    Statement(Statement),
    Stop(Stop),
}

/// Parses a template: the blocks by their names. The main one has the empty name.
pub(super) fn parse(text: &str) -> Result<BTreeMap<String, Block>, TemplateError> {
    let mut parser = Parser {
        text,
        tokens: lexer::tokens(text),
        next: 0,
        variables: vec!["$".to_owned()],
        loops: 0,
        nesting: 0,
        blocks: BTreeMap::new(),
    };
    let mut main = Block::new();
    while parser.peek().kind != Kind::Eof {
        if parser.peek().kind == Kind::LeftDelim && parser.peek_past_spaces(1).is("define") {
            parser.define()?;
            continue;
        }
        match parser.item()? {
            Item::Statement(statement) => main.push(statement),
            Item::Stop(stop) => return Err(parser.error(format!("unexpected {}", stop.text()))),
        }
    }
    parser.add(String::new(), main)?;
    Ok(parser.blocks)
}

/// The state of a parse.
pub(super) struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    pub(super) next: usize,
    /// The variables that can be seen.
    pub(super) variables: Vec<String>,
    loops: usize,
    nesting: usize,
    blocks: BTreeMap<String, Block>,
}

/// What can fail while a template is parsed.
pub(super) type Parsed<T> = Result<T, TemplateError>;

impl Parser<'_> {
    fn token_at(&self, index: usize) -> Token {
        let last = || Token { kind: Kind::Eof, position: self.text.len(), text: String::new() };
        self.tokens.get(index).or(self.tokens.last()).cloned().unwrap_or_else(last)
    }

    pub(super) fn peek(&self) -> Token {
        self.token_at(self.next)
    }

    /// The first token that is no blank, from some tokens on.
    pub(super) fn peek_past_spaces(&self, ahead: usize) -> Token {
        let from = self.next + ahead;
        let blanks = self.tokens.iter().skip(from).take_while(|token| token.kind == Kind::Space).count();
        self.token_at(from + blanks)
    }

    pub(super) fn take(&mut self) -> Token {
        let token = self.peek();
        self.next += 1;
        token
    }

    pub(super) fn take_past_spaces(&mut self) -> Token {
        while self.peek().kind == Kind::Space {
            self.next += 1;
        }
        self.take()
    }

    pub(super) fn skip_spaces(&mut self) -> Token {
        while self.peek().kind == Kind::Space {
            self.next += 1;
        }
        self.peek()
    }

    /// A mistake at the last token that was taken.
    pub(super) fn error(&self, reason: String) -> TemplateError {
        let token = self.token_at(self.next.saturating_sub(1));
        let before = self.text.get(..token.position).unwrap_or(self.text);
        TemplateError::Syntax { line: before.matches('\n').count() + 1, reason }
    }

    pub(super) fn unexpected(&self, token: &Token, context: &str) -> TemplateError {
        if token.kind == Kind::Error {
            return self.error(self.lexical(token));
        }
        self.error(format!("unexpected {} in {context}", token.describe()))
    }

    /// The message of the lexer, with the line of the action if that is another one.
    fn lexical(&self, token: &Token) -> String {
        let line = |position| self.text.get(..position).unwrap_or(self.text).matches('\n').count() + 1;
        let before = self.tokens.iter().take(self.next.saturating_sub(1)).rev();
        let delimiter =
            before.into_iter().find(|token| matches!(token.kind, Kind::LeftDelim | Kind::RightDelim));
        match delimiter.filter(|token| token.kind == Kind::LeftDelim).map(|token| line(token.position)) {
            Some(start) if start != line(token.position) => {
                let action = if token.text.ends_with(" action") { "" } else { " in action" };
                format!("{}{action} started at :{start}", token.text)
            }
            _ => token.text.clone(),
        }
    }

    fn expect(&mut self, kind: Kind, context: &str) -> Parsed<Token> {
        let token = self.take_past_spaces();
        if token.kind == kind { Ok(token) } else { Err(self.unexpected(&token, context)) }
    }

    /// Goes one level deeper while something is parsed.
    pub(super) fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.nesting == MAX_NESTING {
            return Err(self.error(format!("more than {MAX_NESTING} levels of blocks and parentheses")));
        }
        self.nesting += 1;
        let parsed = parse(self);
        self.nesting -= 1;
        parsed
    }

    /// Names a block. An empty one does not take the place of another.
    fn add(&mut self, name: String, block: Block) -> Parsed<()> {
        let empty = |block: &Block| {
            block.iter().all(|part| matches!(part, Statement::Text(text) if text.trim().is_empty()))
        };
        match self.blocks.get(&name) {
            Some(old) if !empty(old) && empty(&block) => {}
            Some(old) if !empty(old) => {
                return Err(self.error(format!("template: multiple definition of template {}", quote(&name))));
            }
            _ => {
                self.blocks.insert(name, block);
            }
        }
        Ok(())
    }

    /// `{{define "name"}} … {{end}}`.
    fn define(&mut self) -> Parsed<()> {
        self.take();
        self.take_past_spaces();
        let name = self.template_name("define clause")?;
        self.expect(Kind::RightDelim, "define clause")?;
        let outer = std::mem::replace(&mut self.variables, vec!["$".to_owned()]);
        let (block, stop) = self.block()?;
        self.variables = outer;
        if stop != Stop::End {
            return Err(self.error(format!("unexpected {} in define clause", stop.text())));
        }
        self.add(name, block)
    }

    fn template_name(&mut self, context: &str) -> Parsed<String> {
        let token = self.take_past_spaces();
        match token.kind {
            Kind::Quoted | Kind::RawQuoted => self.unquoted(&token),
            _ => Err(self.unexpected(&token, context)),
        }
    }

    pub(super) fn unquoted(&self, token: &Token) -> Parsed<String> {
        unquote(&token.text).ok_or_else(|| self.error("invalid syntax".to_owned()))
    }

    /// The statements up to `{{end}}` or `{{else}}`.
    fn block(&mut self) -> Parsed<(Block, Stop)> {
        self.nested(|parser| {
            let mut block = Block::new();
            while parser.skip_spaces().kind != Kind::Eof {
                match parser.item()? {
                    Item::Statement(statement) => block.push(statement),
                    Item::Stop(stop) => return Ok((block, stop)),
                }
            }
            parser.next += 1;
            Err(parser.error("unexpected EOF".to_owned()))
        })
    }

    fn item(&mut self) -> Parsed<Item> {
        let token = self.take_past_spaces();
        match token.kind {
            Kind::Text => Ok(Item::Statement(Statement::Text(token.text))),
            Kind::LeftDelim => self.action(),
            _ => Err(self.unexpected(&token, "input")),
        }
    }

    fn action(&mut self) -> Parsed<Item> {
        let token = self.skip_spaces();
        if token.kind == Kind::Keyword {
            self.take();
            return self.keyword(&token);
        }
        let pipe = self.pipeline("command", Kind::RightDelim)?;
        Ok(Item::Statement(Statement::Action(pipe)))
    }

    fn keyword(&mut self, token: &Token) -> Parsed<Item> {
        let statement = match token.text.as_str() {
            "if" => self.branch(BranchKind::If)?,
            "with" => self.branch(BranchKind::With)?,
            "range" => self.branch(BranchKind::Range)?,
            "template" => self.invocation()?,
            "block" => self.inline_block()?,
            "break" => self.jump("break", Statement::Break)?,
            "continue" => self.jump("continue", Statement::Continue)?,
            "end" => {
                self.expect(Kind::RightDelim, "end")?;
                return Ok(Item::Stop(Stop::End));
            }
            "else" => {
                let next = self.peek_past_spaces(0);
                if next.is("if") || next.is("with") {
                    self.skip_spaces();
                } else {
                    self.expect(Kind::RightDelim, "else")?;
                }
                return Ok(Item::Stop(Stop::Else));
            }
            _ => {
                self.next -= 1;
                let token = self.take();
                return Err(self.unexpected(&token, "command"));
            }
        };
        Ok(Item::Statement(statement))
    }

    fn jump(&mut self, name: &str, statement: Statement) -> Parsed<Statement> {
        let token = self.take_past_spaces();
        if token.kind != Kind::RightDelim {
            return Err(self.unexpected(&token, &format!("{{{{{name}}}}}")));
        }
        if self.loops == 0 {
            return Err(self.error(format!("{{{{{name}}}}} outside {{{{range}}}}")));
        }
        Ok(statement)
    }

    /// `if`, `with` and `range`, after the keyword.
    fn branch(&mut self, kind: BranchKind) -> Parsed<Statement> {
        let variables = self.variables.len();
        let context = match kind {
            BranchKind::If => "if",
            BranchKind::With => "with",
            BranchKind::Range => "range",
        };
        let pipe = self.pipeline(context, Kind::RightDelim)?;
        self.loops += usize::from(kind == BranchKind::Range);
        let block = self.block();
        self.loops -= usize::from(kind == BranchKind::Range);
        let (body, stop) = block?;
        let otherwise = match stop {
            Stop::End => None,
            Stop::Else if kind != BranchKind::Range && self.peek().is(context) => {
                self.take();
                Some(vec![self.nested(|parser| parser.branch(kind))?])
            }
            Stop::Else => {
                let (block, stop) = self.block()?;
                if stop != Stop::End {
                    return Err(self.error(format!("expected end; found {}", stop.text())));
                }
                Some(block)
            }
        };
        self.variables.truncate(variables);
        Ok(Statement::Branch(Box::new(Branch { kind, pipe, body, otherwise })))
    }

    /// `template`, after the keyword.
    fn invocation(&mut self) -> Parsed<Statement> {
        let position = self.skip_spaces().position;
        let name = self.template_name("template clause")?;
        let pipe = if self.skip_spaces().kind == Kind::RightDelim {
            self.take();
            None
        } else {
            Some(self.pipeline("template clause", Kind::RightDelim)?)
        };
        Ok(Statement::Template(Invocation { position, name, pipe }))
    }

    /// `block`, after the keyword: defines a template and uses it.
    fn inline_block(&mut self) -> Parsed<Statement> {
        let position = self.skip_spaces().position;
        let name = self.template_name("block clause")?;
        let pipe = Some(self.pipeline("block clause", Kind::RightDelim)?);
        let outer = std::mem::replace(&mut self.variables, vec!["$".to_owned()]);
        let loops = std::mem::take(&mut self.loops);
        let (block, stop) = self.block()?;
        self.variables = outer;
        self.loops = loops;
        if stop != Stop::End {
            return Err(self.error(format!("unexpected {} in block clause", stop.text())));
        }
        self.add(name.clone(), block)?;
        Ok(Statement::Template(Invocation { position, name, pipe }))
    }
}
