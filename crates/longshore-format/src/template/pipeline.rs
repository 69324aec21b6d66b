//! Makes the trees of pipelines: commands, their words, and the variables that they set.

use super::function;
use super::literal::{self, Literal};
use super::node::{Command, Number, Pipe, Term, Word};
use super::parser::{Parsed, Parser};
use super::token::{Kind, Token};
use crate::quote::{CharConstant, quote, unquote_char};

/// How many variables may be seen at one place, because they are searched one by one.
const MAX_VARIABLES: usize = 200;

impl Parser<'_> {
    /// Commands up to a delimiter, and the variables before them.
    pub(super) fn pipeline(&mut self, context: &str, end: Kind) -> Parsed<Pipe> {
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
        match literal::read(&written).ok_or_else(illegal)? {
            Literal::Int(int) => {
                #[expect(clippy::cast_precision_loss, reason = "a float is asked for")]
                let float = int as f64;
                Ok(Number { written, int: Some(int), float, fractional: false })
            }
            #[expect(clippy::cast_precision_loss, reason = "a float is asked for")]
            Literal::Unsigned(number) => {
                Ok(Number { written, int: None, float: number as f64, fractional: false })
            }
            Literal::Float(float) => {
                let int = exact(float);
                Ok(Number { written, int, float, fractional: true })
            }
            Literal::Large => Err(self.error(format!("integer overflow: {}", quote(&token.text)))),
        }
    }
}

/// A float as the integer that it is exactly.
fn exact(float: f64) -> Option<i64> {
    // Up to here all integers are floats.
    (float.fract() == 0.0 && float.abs() < 9e15).then_some(float as i64)
}
