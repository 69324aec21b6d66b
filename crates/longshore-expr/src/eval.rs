//! From tree to value.

use crate::budget::Budget;
use crate::eval_error::EvalErrorKind;
use crate::function::comparison_bytes;
use crate::{Array, CompareOp, Contexts, EvalError, Expr, ExprKind, Function, Object, Value};

/// The value of an expression.
///
/// `&&` and `||` yield the operand that decides and do not look at those after it.
pub fn eval(expr: &Expr, contexts: &dyn Contexts) -> Result<Value, EvalError> {
    Evaluator::new(contexts).eval(expr)
}

/// One evaluation, which may span several expressions of one template.
pub(crate) struct Evaluator<'c> {
    contexts: &'c dyn Contexts,
    pub(crate) budget: Budget,
}

impl<'c> Evaluator<'c> {
    pub(crate) fn new(contexts: &'c dyn Contexts) -> Self {
        Self { contexts, budget: Budget::new() }
    }

    pub(crate) fn eval(&mut self, expr: &Expr) -> Result<Value, EvalError> {
        match &expr.kind {
            ExprKind::Literal(value) => Ok(value.clone()),
            ExprKind::Context(name) => Ok(self.contexts.context(name).unwrap_or_default()),
            ExprKind::Group(inner) => self.eval(inner),
            ExprKind::Not(operand) => Ok(Value::Bool(!self.eval(operand)?.is_truthy())),
            ExprKind::And(operands) => self.until(operands, false),
            ExprKind::Or(operands) => self.until(operands, true),
            ExprKind::Compare { first, rest } => self.compare(first, rest),
            ExprKind::Property { base, name, .. } => {
                let base = self.eval(base)?;
                self.access(expr, &base, &Key::Name(name))
            }
            ExprKind::Star { base } => {
                let base = self.eval(base)?;
                self.access(expr, &base, &Key::Star)
            }
            ExprKind::Index { base, index } => {
                let index = self.eval(index).map_err(|error| EvalError {
                    kind: Box::new(EvalErrorKind::Index(error.kind)),
                    span: error.span,
                })?;
                let base = self.eval(base)?;
                self.access(expr, &base, &Key::Value(&index))
            }
            ExprKind::Function { name, args, .. } => self.call(expr, name, args),
        }
    }

    /// The first operand whose truth is `stop`, else the last.
    fn until(&mut self, operands: &[Expr], stop: bool) -> Result<Value, EvalError> {
        let mut value = Value::Null;
        for operand in operands {
            value = self.eval(operand)?;
            if value.is_truthy() == stop {
                break;
            }
        }
        Ok(value)
    }

    fn compare(&mut self, first: &Expr, rest: &[(CompareOp, Expr)]) -> Result<Value, EvalError> {
        let mut left = self.eval(first)?;
        for (op, operand) in rest {
            let right = self.eval(operand)?;
            let bytes = comparison_bytes(&left, &right);
            self.budget.look_at(bytes).map_err(|kind| EvalError::at(operand.span, kind))?;
            left = Value::Bool(holds(*op, &left, &right));
        }
        Ok(left)
    }

    fn call(&mut self, expr: &Expr, name: &str, args: &[Expr]) -> Result<Value, EvalError> {
        let function = Function::from_name(name);
        if function == Some(Function::Case) {
            return self.case(args);
        }
        let mut values = Vec::with_capacity(args.len());
        for arg in args {
            values.push(self.eval(arg)?);
        }
        if let Some(function) = function {
            return function.call(&values, &mut self.budget).map_err(|kind| EvalError::at(expr.span, kind));
        }
        match self.contexts.function(name, &values) {
            Some(result) => result.map_err(|error| EvalError { span: expr.span, ..error }),
            None => Err(EvalError::at(expr.span, EvalErrorKind::UnknownFunction(name.to_owned()))),
        }
    }

    /// `case`: the value after the first predicate that is true, else the last.
    fn case(&mut self, args: &[Expr]) -> Result<Value, EvalError> {
        let mut pairs = args.chunks_exact(2);
        for pair in pairs.by_ref() {
            let [predicate, value] = pair else { break };
            match self.eval(predicate)? {
                Value::Bool(true) => return self.eval(value),
                Value::Bool(false) => {}
                _ => return Err(EvalError::at(predicate.span, EvalErrorKind::CasePredicate)),
            }
        }
        pairs.remainder().first().map_or(Ok(Value::Null), |default| self.eval(default))
    }

    fn access(&mut self, expr: &Expr, base: &Value, key: &Key<'_>) -> Result<Value, EvalError> {
        let value = match base {
            Value::Array(items) if items.is_filtered() => filter(items, key),
            Value::Array(items) => match key {
                Key::Star => Value::Array(Array::filtered(items.to_vec())),
                key => item(items, key).cloned().unwrap_or_default(),
            },
            Value::Object(object) => match key {
                Key::Star => Value::Array(Array::filtered(all(object))),
                key => entry(object, key).cloned().unwrap_or_default(),
            },
            _ if matches!(key, Key::Star) => Value::Array(Array::filtered(Vec::new())),
            _ => Value::Null,
        };
        if let Value::Array(items) = &value
            && items.is_filtered()
        {
            let bytes = items.len() * size_of::<Value>();
            self.budget.produce(bytes).map_err(|kind| EvalError::at(expr.span, kind))?;
        }
        Ok(value)
    }
}

/// What is looked up in a value.
enum Key<'a> {
    /// A property.
    Name(&'a str),
    /// An index.
    Value(&'a Value),
    /// Everything.
    Star,
}

/// Whether the comparison holds.
fn holds(op: CompareOp, left: &Value, right: &Value) -> bool {
    let order = || left.loosely_compares(right);
    match op {
        CompareOp::Equal => left.loosely_equals(right),
        CompareOp::NotEqual => !left.loosely_equals(right),
        CompareOp::Greater => order().is_some_and(std::cmp::Ordering::is_gt),
        CompareOp::Less => order().is_some_and(std::cmp::Ordering::is_lt),
        CompareOp::GreaterOrEqual => {
            left.loosely_equals(right) || order().is_some_and(std::cmp::Ordering::is_gt)
        }
        CompareOp::LessOrEqual => {
            left.loosely_equals(right) || order().is_some_and(std::cmp::Ordering::is_lt)
        }
    }
}

/// The values of an object.
fn all(object: &Object) -> Vec<Value> {
    object.iter().map(|(_, value)| value.clone()).collect()
}

/// The item at a key that is a whole number, or becomes one when rounded down.
fn item<'a>(items: &'a [Value], key: &Key<'_>) -> Option<&'a Value> {
    let number = match key {
        Key::Name(name) => crate::number::parse(name),
        Key::Value(value) => value.to_number(),
        Key::Star => return None,
    };
    if !number.is_finite() || number < 0.0 {
        return None;
    }
    #[expect(clippy::cast_sign_loss, reason = "checked to be zero or more; the cast saturates")]
    items.get(number as usize)
}

/// The entry whose name is the key as text; arrays and objects name nothing.
fn entry<'a>(object: &'a Object, key: &Key<'_>) -> Option<&'a Value> {
    match key {
        Key::Name(name) => object.get(name),
        Key::Value(value) if value.is_primitive() => object.get(&value.to_text()),
        Key::Value(_) | Key::Star => None,
    }
}

/// Looks the key up in every item and leaves out those that do not have it.
fn filter(items: &Array, key: &Key<'_>) -> Value {
    let mut found = Vec::new();
    for value in items.iter() {
        match (value, key) {
            (Value::Object(object), Key::Star) => found.extend(all(object)),
            (Value::Array(inner), Key::Star) => found.extend(inner.iter().cloned()),
            (Value::Object(object), key) => found.extend(entry(object, key).cloned()),
            (Value::Array(inner), key) => found.extend(item(inner, key).cloned()),
            _ => {}
        }
    }
    Value::Array(Array::filtered(found))
}
