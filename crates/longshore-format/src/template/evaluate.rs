//! The values of pipelines, commands and words.

use std::sync::Arc;

use super::MissingKey;
use super::executor::{Executor, Place, Rendered};
use super::function::{self, Parameter};
use super::node::{Command, Pipe, Term, Word};
use crate::shape::Shape;
use crate::value::{INTERFACE, Lookup, Value};

/// What a function or method is given.
struct Arguments<'t> {
    /// The words after its name.
    words: &'t [Word],
    /// The value of the command before, which comes last.
    piped: Option<Value>,
}

impl Arguments<'_> {
    const NONE: Self = Self { words: &[], piped: None };

    fn count(&self) -> usize {
        self.words.len() + usize::from(self.piped.is_some())
    }
}

impl<'t> Executor<'t> {
    /// The value of a pipeline, which its variables get too.
    pub(super) fn pipeline(&mut self, dot: &Value, pipe: &'t Pipe) -> Rendered<Value> {
        self.place = Place::Pipe(pipe);
        let mut value = None;
        for command in &pipe.commands {
            let next = self.command(dot, command, value.take())?;
            // What an interface holds counts, and an empty one holds nothing.
            value = Some(if next == Value::Nil(INTERFACE) { Value::Absent } else { next });
        }
        let value = value.unwrap_or(Value::Absent);
        for name in &pipe.variables {
            if pipe.assigns {
                self.assign(name, value.clone())?;
            } else {
                self.variables.push((name, value.clone()));
            }
        }
        Ok(value)
    }

    fn command(&mut self, dot: &Value, command: &'t Command, piped: Option<Value>) -> Rendered<Value> {
        self.step()?;
        let Some((first, words)) = command.words.split_first() else { return Ok(Value::Absent) };
        let arguments = Arguments { words, piped };
        match &first.term {
            Term::Field(_) | Term::Chain { .. } => {
                return self.member(dot, first, arguments);
            }
            Term::Variable { fields, .. } if !fields.is_empty() => {
                return self.member(dot, first, arguments);
            }
            Term::Identifier(name) => {
                self.place = Place::Word(first);
                return self.call(dot, name, Place::Command(command), arguments);
            }
            _ => {}
        }
        if let Term::Pipe(pipe) = &first.term
            && arguments.count() > 0
        {
            return Err(self.error(format!("can't give argument to non-function {pipe}")));
        }
        self.place = Place::Word(first);
        if arguments.count() > 0 {
            return Err(self.error(format!("can't give argument to non-function {first}")));
        }
        match &first.term {
            Term::Nil => Err(self.error("nil is not a command")),
            _ => self.word(dot, first),
        }
    }

    /// The value of a word that gets no arguments.
    fn word(&mut self, dot: &Value, word: &'t Word) -> Rendered<Value> {
        self.place = Place::Word(word);
        match &word.term {
            Term::Dot => Ok(dot.clone()),
            Term::Nil => Ok(Value::Nil(INTERFACE)),
            Term::Bool(truth) => Ok(Value::Bool(*truth)),
            Term::Number(number) => match number.int {
                Some(int) if !number.fractional => Ok(Value::Int(int)),
                None if !number.fractional => Err(self.error(format!("{word} overflows int"))),
                _ => Ok(Value::Float(number.float)),
            },
            Term::Text { value, .. } => Ok(Value::Text(Arc::clone(value))),
            Term::Pipe(pipe) => self.enter(|executor| executor.pipeline(dot, pipe)),
            Term::Variable { name, fields } if fields.is_empty() => self.variable(name),
            Term::Identifier(name) => self.call(dot, name, Place::Word(word), Arguments::NONE),
            Term::Field(_) | Term::Chain { .. } | Term::Variable { .. } => {
                self.member(dot, word, Arguments::NONE)
            }
        }
    }

    fn variable(&self, name: &str) -> Rendered<Value> {
        let variable = self.variables.iter().rev().find(|variable| variable.0 == name);
        variable
            .map(|variable| variable.1.clone())
            .ok_or_else(|| self.error(format!("undefined variable: {name}")))
    }

    /// A chain of fields, of which the last may get arguments.
    fn member(&mut self, dot: &Value, word: &'t Word, arguments: Arguments<'t>) -> Rendered<Value> {
        self.place = Place::Word(word);
        let (mut value, fields) = match &word.term {
            Term::Field(fields) => (dot.clone(), fields),
            Term::Variable { name, fields } => (self.variable(name)?, fields),
            Term::Chain { base, fields } => {
                // A mistake in the fields is reported where the base ended; that is what Go does.
                (self.word(dot, base)?, fields)
            }
            _ => return self.word(dot, word),
        };
        let Some((last, before)) = fields.split_last() else { return Ok(value) };
        for (field, after) in before.iter().zip(fields.iter().skip(1)) {
            self.step()?;
            let next = self.field(dot, word, field, &value, Arguments::NONE)?;
            let untyped = matches!(&value, Value::Map(map) if map.element == Shape::Any);
            if untyped
                && matches!(
                    next,
                    Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Text(_) | Value::List(_)
                )
            {
                // What came out of an interface has that type, and no fields.
                return Err(self.error(format!("can't evaluate field {after} in type {INTERFACE}")));
            }
            value = next;
        }
        self.field(dot, word, last, &value, arguments)
    }

    /// A field of a struct, an entry of a map, or what a method returns.
    fn field(
        &mut self,
        dot: &Value,
        word: &'t Word,
        name: &str,
        receiver: &Value,
        arguments: Arguments<'t>,
    ) -> Rendered<Value> {
        let given = arguments.count() > 0;
        let (found, refusal) = match receiver {
            Value::Absent if self.missing == MissingKey::Error => {
                return Err(self.error(format!("nil data; no entry for key \"{name}\"")));
            }
            Value::Absent => return Ok(Value::Absent),
            Value::Nil(type_name) => {
                return Err(self.error(format!("nil pointer evaluating {type_name}.{name}")));
            }
            Value::Record(record) => (record.field(name), "has arguments but cannot be invoked as function"),
            Value::Map(map) => (map.entries.get(name), "is not a method but has arguments"),
            other => {
                let reason = format!("can't evaluate field {name} in type {}", other.type_name());
                return Err(self.error(reason));
            }
        };
        match (found, receiver) {
            (Some(Value::Lookup(lookup)), _) => self.method(dot, word, name, lookup, arguments),
            (Some(_), _) | (None, Value::Map(_)) if given => Err(self.error(format!("{name} {refusal}"))),
            (Some(value), _) => Ok(value.clone()),
            (None, Value::Map(_)) if self.missing == MissingKey::Error => {
                Err(self.error(format!("map has no entry for key {}", crate::quote::quote(name))))
            }
            (None, Value::Map(_)) => Ok(Value::Absent),
            (None, other) => {
                Err(self.error(format!("can't evaluate field {name} in type {}", other.type_name())))
            }
        }
    }

    /// Calls the method that looks a text up.
    fn method(
        &mut self,
        dot: &Value,
        word: &'t Word,
        name: &str,
        lookup: &Lookup,
        arguments: Arguments<'t>,
    ) -> Rendered<Value> {
        if arguments.count() != 1 {
            let given = arguments.words.len();
            return Err(self.error(format!("wrong number of args for {name}: want 1 got {given}")));
        }
        let argument = match arguments.words.first() {
            Some(argument) => self.argument(dot, argument, Parameter::Text)?,
            None => self.fit(arguments.piped.unwrap_or(Value::Absent), Parameter::Text)?,
        };
        self.place = Place::Word(word);
        Ok(match argument {
            Value::Text(key) => Value::Text(lookup.text(&key)),
            _ => Value::Absent,
        })
    }

    /// Calls a function.
    fn call(
        &mut self,
        dot: &Value,
        name: &str,
        place: Place<'t>,
        arguments: Arguments<'t>,
    ) -> Rendered<Value> {
        let Some(function) = function::find(name) else {
            return Err(self.error(format!("\"{name}\" is not a defined function")));
        };
        let count = arguments.count();
        let Arguments { words, piped } = arguments;
        if function.rest.is_some() && count < function.fixed.len() {
            let (want, got) = (function.fixed.len(), words.len());
            return Err(
                self.error(format!("wrong number of args for {name}: want at least {want} got {got}"))
            );
        }
        if function.rest.is_none() && count != function.fixed.len() {
            let (want, got) = (function.fixed.len(), words.len());
            return Err(self.error(format!("wrong number of args for {name}: want {want} got {got}")));
        }
        let decides = match name {
            "and" => Some(false),
            "or" => Some(true),
            _ => None,
        };
        let mut values = Vec::with_capacity(count);
        for (index, word) in words.iter().enumerate() {
            let argument = self.argument(dot, word, function.parameter(index))?;
            if decides == Some(argument.is_true()) {
                return Ok(argument);
            }
            values.push(argument);
        }
        if let Some(piped) = piped {
            let argument = self.fit(piped, function.parameter(words.len()))?;
            values.push(argument);
        }
        if decides.is_some() {
            return Ok(values.pop().unwrap_or(Value::Absent));
        }
        let value = (function.call)(self.functions, &values).map_err(|reason| {
            self.place = place;
            let word = words.first().filter(|_| name == "call");
            let reason = match word {
                Some(Word { term: Term::Pipe(pipe), .. }) => {
                    reason.replace("non-function", &format!("non-function {pipe}"))
                }
                Some(word) => reason.replace("non-function", &format!("non-function {word}")),
                None => reason,
            };
            self.error(format!("error calling {name}: {reason}"))
        })?;
        self.spend(size(&value))?;
        Ok(value)
    }

    /// An argument of a function.
    fn argument(&mut self, dot: &Value, word: &'t Word, parameter: Parameter) -> Rendered<Value> {
        self.place = Place::Word(word);
        let expected = match (&word.term, parameter) {
            (Term::Number(number), Parameter::Int) => match number.int {
                Some(int) => return Ok(Value::Int(int)),
                None => "integer",
            },
            (Term::Nil, Parameter::Text | Parameter::Int) => {
                return Err(self.error(format!("cannot assign nil to {}", parameter.type_name())));
            }
            (Term::Nil, Parameter::Value) => return Ok(Value::Absent),
            (Term::Nil, Parameter::Any) => return Ok(Value::Nil(INTERFACE)),
            (Term::Bool(_) | Term::Number(_), Parameter::Text) => "string",
            (Term::Bool(_) | Term::Text { .. }, Parameter::Int) => "integer",
            _ => {
                let value = self.word(dot, word)?;
                return self.fit(value, parameter);
            }
        };
        Err(self.error(format!("expected {expected}; found {word}")))
    }

    /// Holds a value against the type of a parameter.
    fn fit(&self, value: Value, parameter: Parameter) -> Rendered<Value> {
        let fits = match (&value, parameter) {
            (_, Parameter::Any | Parameter::Value)
            | (Value::Text(_), Parameter::Text)
            | (Value::Int(_), Parameter::Int) => true,
            (Value::Absent, _) => {
                return Err(self.error(format!("invalid value; expected {}", parameter.type_name())));
            }
            _ => false,
        };
        if fits {
            return Ok(value);
        }
        let (expected, found) = (parameter.type_name(), value.type_name());
        Err(self.error(format!("wrong type for value; expected {expected}; got {found}")))
    }
}

/// The bytes that a function made.
fn size(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::List(list) if list.element == Shape::Text => list.items.len() * size_of::<Value>(),
        _ => 0,
    }
}
