//! Expressions over what is partly known.

use std::borrow::Cow;
use std::sync::Arc;

use longshore_expr::{
    EvalError, EvalErrorKind, Expr, ExprKind, Function, MAX_RESULT_BYTES, MapContexts, Value, eval,
};
use longshore_syntax::Span;

use super::{Fact, Knowledge};

/// How many things a value that is not known may name as what it waits for.
const MAX_WAITS: usize = 32;

/// The outcome of an evaluation.
#[derive(Debug, Clone, PartialEq)]
pub enum Evaluated {
    /// The value.
    Known(Value),
    /// The value is not known.
    Undecided {
        /// Whether it is true or false all the same.
        truth: Option<bool>,
        /// What it waits for, such as `needs.build.outputs.tag` or `hashFiles()`; in order, without repetition.
        waits_for: Vec<String>,
    },
}

impl Evaluated {
    /// Whether the value counts as true, if that is known.
    pub fn truth(&self) -> Option<bool> {
        match self {
            Self::Known(value) => Some(value.is_truthy()),
            Self::Undecided { truth, .. } => *truth,
        }
    }

    /// What it waits for; nothing if it is known.
    pub fn into_waits(self) -> Vec<String> {
        match self {
            Self::Known(_) => Vec::new(),
            Self::Undecided { waits_for, .. } => waits_for,
        }
    }
}

/// The value of an expression as far as it is known.
///
/// # Errors
/// A known part fails; the span is relative to the text that was parsed.
pub fn evaluate(expr: &Expr, knowledge: &Knowledge) -> Result<Evaluated, EvalError> {
    let mut partial = Partial { knowledge, produced: 0 };
    partial.evaluate(expr).map(Outcome::finish)
}

struct Partial<'k> {
    knowledge: &'k Knowledge,
    /// Bytes made so far.
    produced: usize,
}

/// A value while an expression is evaluated.
enum Outcome<'k> {
    Known(Value),
    /// A part of a context with its path.
    Fact(Cow<'k, Fact>, String),
    Undecided {
        truth: Option<bool>,
        waits_for: Vec<String>,
    },
}

impl Outcome<'_> {
    fn undecided(waits_for: String) -> Self {
        Self::Undecided { truth: None, waits_for: vec![waits_for] }
    }

    fn truth(&self) -> Option<bool> {
        match self {
            Self::Known(value) => Some(value.is_truthy()),
            Self::Fact(fact, _) => match &**fact {
                Fact::Known(value) => Some(value.is_truthy()),
                Fact::Unknown => None,
                Fact::Object { .. } | Fact::Array(_) => Some(true),
            },
            Self::Undecided { truth, .. } => *truth,
        }
    }

    fn finish(self) -> Evaluated {
        let truth = self.truth();
        match self {
            Self::Known(value) => Evaluated::Known(value),
            Self::Fact(fact, path) => match fact.value() {
                Some(value) => Evaluated::Known(value),
                None => Evaluated::Undecided { truth, waits_for: vec![path] },
            },
            Self::Undecided { truth, waits_for } => Evaluated::Undecided { truth, waits_for },
        }
    }
}

impl<'k> Partial<'k> {
    fn evaluate(&mut self, expr: &Expr) -> Result<Outcome<'k>, EvalError> {
        match &expr.kind {
            ExprKind::Literal(value) => Ok(Outcome::Known(value.clone())),
            ExprKind::Context(name) => {
                let fact = self.knowledge.context(name);
                Ok(Outcome::Fact(Cow::Borrowed(fact), name.to_ascii_lowercase()))
            }
            ExprKind::Group(inner) => self.evaluate(inner),
            ExprKind::Not(operand) => Ok(match self.evaluate(operand)? {
                outcome if outcome.truth().is_some() => {
                    Outcome::Known(Value::Bool(outcome.truth() == Some(false)))
                }
                outcome => outcome,
            }),
            ExprKind::And(operands) => self.until(operands, false),
            ExprKind::Or(operands) => self.until(operands, true),
            ExprKind::Compare { first, rest } => {
                let mut parts = vec![&**first];
                parts.extend(rest.iter().map(|(_, operand)| operand));
                self.with_parts(expr, &parts, |literals| {
                    let mut literals = literals.into_iter();
                    let first = Box::new(literals.next().unwrap_or_else(null));
                    let rest = rest.iter().map(|(op, _)| *op).zip(literals).collect();
                    ExprKind::Compare { first, rest }
                })
            }
            ExprKind::Property { base, name, .. } => {
                let base = self.evaluate(base)?;
                self.access(expr, base, Some(name))
            }
            ExprKind::Star { base } => {
                let base = self.evaluate(base)?;
                self.access(expr, base, None)
            }
            ExprKind::Index { base, index } => self.index(expr, base, index),
            ExprKind::Function { name, args, .. } => self.call(expr, name, args),
        }
    }

    /// `&&` stops at the first false operand, `||` at the first true one. An operand that is not known may be the
    /// result, but a later one that stops still decides the truth.
    fn until(&mut self, operands: &[Expr], stop: bool) -> Result<Outcome<'k>, EvalError> {
        let mut waits = Vec::new();
        let mut last = Outcome::Known(Value::Null);
        for operand in operands {
            // What stands behind an undecided operand may never be evaluated, so its errors are no errors yet.
            let outcome = match self.evaluate(operand) {
                Err(_) if !waits.is_empty() => continue,
                outcome => outcome?,
            };
            match outcome.truth() {
                Some(truth) if truth == stop && waits.is_empty() => return Ok(outcome),
                Some(truth) if truth == stop => {
                    return Ok(Outcome::Undecided { truth: Some(stop), waits_for: waits });
                }
                Some(_) => last = outcome,
                None => add(&mut waits, outcome.finish().into_waits()),
            }
        }
        if waits.is_empty() { Ok(last) } else { Ok(Outcome::Undecided { truth: None, waits_for: waits }) }
    }

    /// The value of an expression made of known parts; undecided if one of them is.
    fn with_parts(
        &mut self,
        expr: &Expr,
        parts: &[&Expr],
        build: impl FnOnce(Vec<Expr>) -> ExprKind,
    ) -> Result<Outcome<'k>, EvalError> {
        let mut literals = Vec::with_capacity(parts.len());
        let mut waits = Vec::new();
        for part in parts {
            match self.evaluate(part)?.finish() {
                Evaluated::Known(value) => literals.push(literal(part.span, value)),
                Evaluated::Undecided { waits_for, .. } => add(&mut waits, waits_for),
            }
        }
        if !waits.is_empty() {
            return Ok(Outcome::Undecided { truth: None, waits_for: waits });
        }
        self.compute(&Expr { span: expr.span, kind: build(literals) }).map(Outcome::Known)
    }

    /// Evaluates what holds nothing but literals, and counts what it makes.
    fn compute(&mut self, expr: &Expr) -> Result<Value, EvalError> {
        let value = eval(expr, &MapContexts::default())?;
        let bytes = match &value {
            Value::String(text) => text.len(),
            Value::Array(items) => items.len() * size_of::<Value>(),
            _ => 0,
        };
        self.produced += bytes;
        if self.produced > MAX_RESULT_BYTES {
            return Err(EvalError { kind: Box::new(EvalErrorKind::TooLarge), span: expr.span });
        }
        Ok(value)
    }

    fn index(&mut self, expr: &Expr, base: &Expr, index: &Expr) -> Result<Outcome<'k>, EvalError> {
        let key = match self.evaluate(index)?.finish() {
            Evaluated::Known(key) => key,
            Evaluated::Undecided { mut waits_for, .. } => {
                add(&mut waits_for, self.evaluate(base)?.finish().into_waits());
                return Ok(Outcome::Undecided { truth: None, waits_for });
            }
        };
        let base_span = base.span;
        match self.evaluate(base)? {
            Outcome::Fact(fact, path) if matches!(*fact, Fact::Array(_)) => Ok(item(&fact, &path, &key)),
            Outcome::Fact(fact, path) if !matches!(*fact, Fact::Known(_)) && key.is_primitive() => {
                self.access(expr, Outcome::Fact(fact, path), Some(&key.to_text()))
            }
            outcome => match outcome.finish() {
                Evaluated::Known(value) => {
                    let (base, index) = (literal(base_span, value), literal(index.span, key));
                    let kind = ExprKind::Index { base: Box::new(base), index: Box::new(index) };
                    self.compute(&Expr { span: expr.span, kind }).map(Outcome::Known)
                }
                Evaluated::Undecided { waits_for, .. } => Ok(Outcome::Undecided { truth: None, waits_for }),
            },
        }
    }

    /// A property of a value, or with `None` all of them.
    fn access(
        &mut self,
        expr: &Expr,
        base: Outcome<'k>,
        name: Option<&str>,
    ) -> Result<Outcome<'k>, EvalError> {
        let value = match base {
            Outcome::Undecided { waits_for, .. } => {
                return Ok(Outcome::Undecided { truth: None, waits_for });
            }
            Outcome::Known(value) => value,
            Outcome::Fact(fact, path) => match (name, fact.value_unless_open(name.is_none())) {
                (_, Some(value)) => value,
                (Some(name), None) => return Ok(entry(&fact, &path, name)),
                (None, None) => return Ok(Outcome::undecided(format!("{path}.*"))),
            },
        };
        if let (Some(name), Value::Object(object)) = (name, &value) {
            return Ok(Outcome::Known(object.get(name).cloned().unwrap_or_default()));
        }
        let base = Box::new(literal(expr.span, value));
        let kind = match name {
            Some(name) => ExprKind::Property { base, name: Arc::from(name), name_span: expr.span },
            None => ExprKind::Star { base },
        };
        self.compute(&Expr { span: expr.span, kind }).map(Outcome::Known)
    }

    fn call(&mut self, expr: &Expr, name: &str, args: &[Expr]) -> Result<Outcome<'k>, EvalError> {
        if Function::from_name(name) == Some(Function::Case) {
            return self.case(args);
        }
        if Function::from_name(name).is_none() {
            return self.status(name, args);
        }
        let parts: Vec<&Expr> = args.iter().collect();
        self.with_parts(expr, &parts, |args| ExprKind::Function {
            name: name.into(),
            name_span: expr.span,
            args,
        })
    }

    fn case(&mut self, args: &[Expr]) -> Result<Outcome<'k>, EvalError> {
        let mut pairs = args.chunks_exact(2);
        for pair in pairs.by_ref() {
            let [predicate, value] = pair else { break };
            match self.evaluate(predicate)?.finish() {
                Evaluated::Known(Value::Bool(true)) => return self.evaluate(value),
                Evaluated::Known(Value::Bool(false)) => {}
                Evaluated::Known(_) => {
                    let kind = Box::new(EvalErrorKind::CasePredicate);
                    return Err(EvalError { kind, span: predicate.span });
                }
                Evaluated::Undecided { waits_for, .. } => {
                    return Ok(Outcome::Undecided { truth: None, waits_for });
                }
            }
        }
        pairs.remainder().first().map_or(Ok(Outcome::Known(Value::Null)), |default| self.evaluate(default))
    }

    /// `success()` and its kin; any other function that is not built in, such as `hashFiles`, waits for the runner.
    fn status(&mut self, name: &str, args: &[Expr]) -> Result<Outcome<'k>, EvalError> {
        let status = &self.knowledge.status;
        let name = name.to_ascii_lowercase();
        let answer = match name.as_str() {
            "always" => Some(true),
            "cancelled" => status.cancelled,
            "success" | "failure" if !args.is_empty() => {
                let mut jobs = Vec::with_capacity(args.len());
                for arg in args {
                    if let Evaluated::Known(job) = self.evaluate(arg)?.finish() {
                        jobs.push(job.to_text().into_owned());
                    }
                }
                let of = |job: &String| {
                    self.knowledge.status.jobs.iter().find(|(id, _)| id.eq_ignore_ascii_case(job))?.1
                };
                let wanted = name == "success";
                let known: Option<Vec<bool>> = jobs.iter().map(of).collect();
                known.map(|known| if wanted { known.iter().all(|ok| *ok) } else { known.contains(&false) })
            }
            "success" => status.success,
            "failure" => status.failure,
            "hashfiles" => return Ok(Outcome::undecided("hashFiles()".to_owned())),
            _ => None,
        };
        Ok(match answer {
            Some(answer) => Outcome::Known(Value::Bool(answer)),
            None => Outcome::undecided(format!("{name}()")),
        })
    }
}

/// An entry of something that is partly known.
fn entry<'k>(fact: &Cow<'k, Fact>, path: &str, name: &str) -> Outcome<'k> {
    let inner = format!("{path}.{name}");
    let found = match fact {
        Cow::Borrowed(fact) => fact.entry(name).map(Cow::Borrowed),
        Cow::Owned(fact) => fact.entry(name).cloned().map(Cow::Owned),
    };
    match (found, &**fact) {
        (Some(entry), _) => Outcome::Fact(entry, inner),
        (None, Fact::Unknown | Fact::Object { open: true, .. }) => {
            Outcome::Fact(Cow::Owned(Fact::Unknown), inner)
        }
        (None, _) => Outcome::Known(Value::Null),
    }
}

/// An item of something that is partly known.
fn item<'k>(fact: &Fact, path: &str, key: &Value) -> Outcome<'k> {
    let Fact::Array(items) = fact else { return Outcome::Known(Value::Null) };
    let at = key.to_number();
    #[expect(clippy::cast_sign_loss, reason = "checked to be zero or more; the cast saturates")]
    let item = if at.is_finite() && at >= 0.0 { items.get(at as usize) } else { None };
    let path = format!("{path}[{}]", key.to_text());
    item.map_or(Outcome::Known(Value::Null), |item| Outcome::Fact(Cow::Owned(item.clone()), path))
}

fn literal(span: Span, value: Value) -> Expr {
    Expr { span, kind: ExprKind::Literal(value) }
}

fn null() -> Expr {
    literal(Span::default(), Value::Null)
}

/// Adds what is not there yet.
pub(crate) fn add(waits: &mut Vec<String>, more: Vec<String>) {
    for wait in more {
        if waits.len() < MAX_WAITS && !waits.contains(&wait) {
            waits.push(wait);
        }
    }
}
