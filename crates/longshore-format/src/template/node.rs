//! The tree of a template, and how its parts read in messages.

use std::fmt;
use std::sync::Arc;

use crate::quote::quote;

/// The statements of a block.
pub(super) type Block = Vec<Statement>;

/// A part of a template.
#[derive(Debug, Clone)]
pub(super) enum Statement {
    /// Text that is copied.
    Text(String),
    /// A pipeline whose value is printed, unless it declares variables.
    Action(Pipe),
    /// `if`, `with` or `range`.
    Branch(Box<Branch>),
    /// `template`.
    Template(Invocation),
    /// `break`.
    Break,
    /// `continue`.
    Continue,
}

/// Which statement a branch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BranchKind {
    /// One block or the other.
    If,
    /// The same, with the value as dot.
    With,
    /// A block for each element.
    Range,
}

/// `if`, `with` or `range`.
#[derive(Debug, Clone)]
pub(super) struct Branch {
    pub(super) kind: BranchKind,
    pub(super) pipe: Pipe,
    pub(super) body: Block,
    pub(super) otherwise: Option<Block>,
}

/// `template "name" pipeline`.
#[derive(Debug, Clone)]
pub(super) struct Invocation {
    pub(super) position: usize,
    pub(super) name: String,
    pub(super) pipe: Option<Pipe>,
}

/// Commands, of which each gets the value of the one before.
#[derive(Debug, Clone)]
pub(super) struct Pipe {
    pub(super) position: usize,
    pub(super) variables: Vec<String>,
    pub(super) assigns: bool,
    pub(super) commands: Vec<Command>,
}

/// A function or method and its arguments, or a single value.
#[derive(Debug, Clone)]
pub(super) struct Command {
    pub(super) position: usize,
    pub(super) words: Vec<Word>,
}

/// An operand and its place.
#[derive(Debug, Clone)]
pub(super) struct Word {
    pub(super) position: usize,
    pub(super) term: Term,
}

/// An operand.
#[derive(Debug, Clone)]
pub(super) enum Term {
    Dot,
    Nil,
    Bool(bool),
    Number(Number),
    Text { written: String, value: Arc<str> },
    Field(Vec<String>),
    Variable { name: String, fields: Vec<String> },
    Identifier(String),
    Pipe(Box<Pipe>),
    Chain { base: Box<Word>, fields: Vec<String> },
}

/// A number as it is written, and what it can be.
#[derive(Debug, Clone)]
pub(super) struct Number {
    pub(super) written: String,
    pub(super) int: Option<i64>,
    pub(super) float: f64,
    /// Whether it is a floating-point number unless an integer is wanted.
    pub(super) fractional: bool,
}

impl fmt::Display for Pipe {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.variables.is_empty() {
            let sign = if self.assigns { "=" } else { ":=" };
            write!(formatter, "{} {sign} ", self.variables.join(", "))?;
        }
        for (index, command) in self.commands.iter().enumerate() {
            let separator = if index > 0 { " | " } else { "" };
            write!(formatter, "{separator}{command}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Command {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, word) in self.words.iter().enumerate() {
            let separator = if index > 0 { " " } else { "" };
            write!(formatter, "{separator}{word}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Word {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.term {
            Term::Dot => formatter.write_str("."),
            Term::Nil => formatter.write_str("nil"),
            Term::Bool(truth) => write!(formatter, "{truth}"),
            Term::Number(number) => formatter.write_str(&number.written),
            Term::Text { written, .. } => formatter.write_str(written),
            Term::Field(fields) => write_fields(formatter, fields),
            Term::Variable { name, fields } => {
                formatter.write_str(name)?;
                write_fields(formatter, fields)
            }
            Term::Identifier(name) => formatter.write_str(name),
            Term::Pipe(pipe) => write!(formatter, "({pipe})"),
            Term::Chain { base, fields } => {
                write!(formatter, "{base}")?;
                write_fields(formatter, fields)
            }
        }
    }
}

impl fmt::Display for Invocation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{{{{template {}", quote(&self.name))?;
        if let Some(pipe) = &self.pipe {
            write!(formatter, " {pipe}")?;
        }
        formatter.write_str("}}")
    }
}

/// Writes `.a.b`.
fn write_fields(formatter: &mut fmt::Formatter<'_>, fields: &[String]) -> fmt::Result {
    fields.iter().try_for_each(|field| write!(formatter, ".{field}"))
}
