//! Makes the tree of a template.
//!
//! The grammar and the order in which mistakes are found are those of Go's `text/template/parse`, so that messages name
//! what Go names. Nesting is bounded, because the tree is walked by recursion.

use std::collections::BTreeMap;

use super::TemplateError;
use super::function;
use super::lexer;
use super::node::{Block, Branch, BranchKind, Command, Invocation, Number, Pipe, Statement, Term, Word};
use super::token::{Kind, Token};
use crate::quote::{CharConstant, quote, unquote, unquote_char};

/// How deep blocks and parentheses may be nested.
const MAX_NESTING: usize = 64;

/// How many variables may be seen at one place, because they are searched one by one.
const MAX_VARIABLES: usize = 200;

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

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    next: usize,
    variables: Vec<String>,
    loops: usize,
    nesting: usize,
    blocks: BTreeMap<String, Block>,
}

type Parsed<T> = Result<T, TemplateError>;

impl Parser<'_> {
    fn token_at(&self, index: usize) -> Token {
        let last = || Token { kind: Kind::Eof, position: self.text.len(), text: String::new() };
        self.tokens.get(index).or(self.tokens.last()).cloned().unwrap_or_else(last)
    }

    fn peek(&self) -> Token {
        self.token_at(self.next)
    }

    /// The first token that is no blank, from some tokens on.
    fn peek_past_spaces(&self, ahead: usize) -> Token {
        let from = self.next + ahead;
        let blanks = self.tokens.iter().skip(from).take_while(|token| token.kind == Kind::Space).count();
        self.token_at(from + blanks)
    }

    fn take(&mut self) -> Token {
        let token = self.peek();
        self.next += 1;
        token
    }

    fn take_past_spaces(&mut self) -> Token {
        while self.peek().kind == Kind::Space {
            self.next += 1;
        }
        self.take()
    }

    fn skip_spaces(&mut self) -> Token {
        while self.peek().kind == Kind::Space {
            self.next += 1;
        }
        self.peek()
    }

    /// A mistake at the last token that was taken.
    fn error(&self, reason: String) -> TemplateError {
        let token = self.token_at(self.next.saturating_sub(1));
        let before = self.text.get(..token.position).unwrap_or(self.text);
        TemplateError::Syntax { line: before.matches('\n').count() + 1, reason }
    }

    fn unexpected(&self, token: &Token, context: &str) -> TemplateError {
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
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
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

    fn unquoted(&self, token: &Token) -> Parsed<String> {
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

    fn pipeline(&mut self, context: &str, end: Kind) -> Parsed<Pipe> {
        let position = self.skip_spaces().position;
        let mut pipe = Pipe { position, variables: Vec::new(), assigns: false, commands: Vec::new() };
        self.declarations(&mut pipe, context)?;
        loop {
            let token = self.take_past_spaces();
            match token.kind {
                kind if kind == end => {
                    self.check(&pipe, context)?;
                    return Ok(pipe);
                }
                Kind::Bool
                | Kind::CharConstant
                | Kind::Dot
                | Kind::Field
                | Kind::Identifier
                | Kind::Number
                | Kind::Nil
                | Kind::RawQuoted
                | Kind::Quoted
                | Kind::Variable
                | Kind::LeftParen => {
                    self.next -= 1;
                    let command = self.command()?;
                    pipe.commands.push(command);
                }
                _ => return Err(self.unexpected(&token, context)),
            }
        }
    }

    /// `$x :=`, `$x =`, and for `range` two of them.
    fn declarations(&mut self, pipe: &mut Pipe, context: &str) -> Parsed<()> {
        while self.skip_spaces().kind == Kind::Variable {
            let variable = self.peek().text;
            let after = self.peek_past_spaces(1);
            match after.kind {
                Kind::Assign | Kind::Declare => {
                    self.take();
                    self.take_past_spaces();
                    pipe.assigns = after.kind == Kind::Assign;
                    pipe.variables.push(variable.clone());
                    self.declare(variable)?;
                    return Ok(());
                }
                Kind::Char if after.text == "," => {
                    self.take();
                    self.take_past_spaces();
                    pipe.variables.push(variable.clone());
                    self.declare(variable)?;
                    if context != "range" || pipe.variables.len() > 1 {
                        return Err(self.error(format!("too many declarations in {context}")));
                    }
                    if !matches!(
                        self.skip_spaces().kind,
                        Kind::Variable | Kind::RightDelim | Kind::RightParen
                    ) {
                        return Err(self.error("range can only initialize variables".to_owned()));
                    }
                }
                _ => return Ok(()),
            }
        }
        Ok(())
    }

    fn declare(&mut self, variable: String) -> Parsed<()> {
        if self.variables.len() == MAX_VARIABLES {
            return Err(self.error(format!("more than {MAX_VARIABLES} variables")));
        }
        self.variables.push(variable);
        Ok(())
    }

    /// Refuses pipelines that cannot be carried out.
    fn check(&self, pipe: &Pipe, context: &str) -> Parsed<()> {
        if pipe.commands.is_empty() {
            return Err(self.error(format!("missing value for {context}")));
        }
        for (index, command) in pipe.commands.iter().enumerate().skip(1) {
            let first = command.words.first().map(|word| &word.term);
            if let Some(Term::Bool(_) | Term::Dot | Term::Nil | Term::Number(_) | Term::Text { .. }) = first {
                let stage = index + 1;
                return Err(self.error(format!("non executable command in pipeline stage {stage}")));
            }
        }
        Ok(())
    }

    fn command(&mut self) -> Parsed<Command> {
        let mut command = Command { position: self.skip_spaces().position, words: Vec::new() };
        loop {
            self.skip_spaces();
            if let Some(word) = self.operand()? {
                command.words.push(word);
            }
            let token = self.take();
            match token.kind {
                Kind::Space => {}
                Kind::RightDelim | Kind::RightParen => {
                    self.next -= 1;
                    break;
                }
                Kind::Pipe => break,
                _ => return Err(self.unexpected(&token, "operand")),
            }
        }
        if command.words.is_empty() {
            return Err(self.error("empty command".to_owned()));
        }
        Ok(command)
    }

    /// A term and the fields that follow it without a blank.
    fn operand(&mut self) -> Parsed<Option<Word>> {
        let Some(word) = self.term()? else { return Ok(None) };
        let chain = self.peek();
        if chain.kind != Kind::Field {
            return Ok(Some(word));
        }
        let mut fields = Vec::new();
        while self.peek().kind == Kind::Field {
            fields.push(self.take().text.trim_start_matches('.').to_owned());
        }
        // The place of a longer chain is where its second part starts; that is how Go counts.
        let position = chain.position;
        let term = match word.term {
            Term::Field(mut own) => {
                own.append(&mut fields);
                Term::Field(own)
            }
            Term::Variable { name, fields: mut own } => {
                own.append(&mut fields);
                Term::Variable { name, fields: own }
            }
            Term::Bool(_) | Term::Text { .. } | Term::Number(_) | Term::Nil | Term::Dot => {
                return Err(self.error(format!("unexpected . after term {}", quote(&word.to_string()))));
            }
            term => {
                let base = Box::new(Word { position: word.position, term });
                Term::Chain { base, fields }
            }
        };
        Ok(Some(Word { position, term }))
    }

    fn term(&mut self) -> Parsed<Option<Word>> {
        let token = self.take_past_spaces();
        let term = match token.kind {
            Kind::Identifier => {
                if !function::exists(&token.text) {
                    return Err(self.error(format!("function {} not defined", quote(&token.text))));
                }
                Term::Identifier(token.text)
            }
            Kind::Dot => Term::Dot,
            Kind::Nil => Term::Nil,
            Kind::Variable => {
                if !self.variables.contains(&token.text) {
                    return Err(self.error(format!("undefined variable {}", quote(&token.text))));
                }
                Term::Variable { name: token.text, fields: Vec::new() }
            }
            Kind::Field => Term::Field(vec![token.text.trim_start_matches('.').to_owned()]),
            Kind::Bool => Term::Bool(token.text == "true"),
            Kind::CharConstant | Kind::Number => Term::Number(self.number(&token)?),
            Kind::LeftParen => {
                let pipe =
                    self.nested(|parser| parser.pipeline("parenthesized pipeline", Kind::RightParen))?;
                Term::Pipe(Box::new(pipe))
            }
            Kind::Quoted | Kind::RawQuoted => {
                let value = self.unquoted(&token)?.into();
                Term::Text { written: token.text, value }
            }
            _ => {
                self.next -= 1;
                return Ok(None);
            }
        };
        Ok(Some(Word { position: token.position, term }))
    }

    fn number(&self, token: &Token) -> Parsed<Number> {
        let written = token.text.clone();
        if token.kind == Kind::CharConstant {
            let char = match unquote_char(&written) {
                Some(CharConstant::One(char)) => char,
                Some(CharConstant::Several) => {
                    return Err(self.error(format!("malformed character constant: {written}")));
                }
                None => return Err(self.error("invalid syntax".to_owned())),
            };
            return Ok(Number {
                written,
                int: Some(i64::from(char)),
                float: f64::from(char),
                fractional: false,
            });
        }
        let illegal = || self.error(format!("illegal number syntax: {}", quote(&token.text)));
        match super::literal::read(&written).ok_or_else(illegal)? {
            super::literal::Literal::Int(int) => {
                #[expect(clippy::cast_precision_loss, reason = "a float is asked for")]
                let float = int as f64;
                Ok(Number { written, int: Some(int), float, fractional: false })
            }
            #[expect(clippy::cast_precision_loss, reason = "a float is asked for")]
            super::literal::Literal::Unsigned(number) => {
                Ok(Number { written, int: None, float: number as f64, fractional: false })
            }
            super::literal::Literal::Float(float) => {
                let int = exact(float);
                Ok(Number { written, int, float, fractional: true })
            }
            super::literal::Literal::Large => {
                Err(self.error(format!("integer overflow: {}", quote(&token.text))))
            }
        }
    }
}

/// A float as the integer that it is exactly.
fn exact(float: f64) -> Option<i64> {
    // Up to here all integers are floats.
    (float.fract() == 0.0 && float.abs() < 9e15).then_some(float as i64)
}
