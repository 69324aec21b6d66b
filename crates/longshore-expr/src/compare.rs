//! `==`, `<` and their kin, with GitHub's coercions.
//!
//! Values of different kinds are compared as numbers where either is a primitive that is not a string, or one is a
//! number; texts are compared without regard to case; arrays and objects are equal only to themselves.

use std::cmp::Ordering;

use crate::{Value, number, text};

/// Two values brought to one kind.
enum Pair<'a> {
    /// Both null.
    Nulls,
    /// Both boolean.
    Bools(bool, bool),
    /// Both numbers, or made so.
    Numbers(f64, f64),
    /// Both texts.
    Texts(&'a str, &'a str),
    /// Arrays, objects, or kinds that do not meet.
    Other,
}

/// Coerces the operands as GitHub's evaluator does before any comparison.
fn coerce<'a>(left: &'a Value, right: &'a Value) -> Pair<'a> {
    match (left, right) {
        (Value::Null, Value::Null) => Pair::Nulls,
        (Value::Bool(a), Value::Bool(b)) => Pair::Bools(*a, *b),
        (Value::String(a), Value::String(b)) => Pair::Texts(a, b),
        (Value::Array(_) | Value::Object(_), _) | (_, Value::Array(_) | Value::Object(_)) => Pair::Other,
        (Value::String(a), _) => Pair::Numbers(number::parse(a), right.to_number()),
        (_, Value::String(b)) => Pair::Numbers(left.to_number(), number::parse(b)),
        _ => Pair::Numbers(left.to_number(), right.to_number()),
    }
}

impl Value {
    /// The language's `==`.
    pub fn loosely_equals(&self, other: &Value) -> bool {
        match coerce(self, other) {
            Pair::Nulls => true,
            Pair::Bools(a, b) => a == b,
            #[expect(clippy::float_cmp, reason = "the language compares numbers exactly")]
            Pair::Numbers(a, b) => a == b,
            Pair::Texts(a, b) => text::equal_fold(a, b),
            Pair::Other => match (self, other) {
                (Value::Array(a), Value::Array(b)) => a.is(b),
                (Value::Object(a), Value::Object(b)) => a.is(b),
                _ => false,
            },
        }
    }

    /// The order of the language's `<` and `>`; none for values that have no order.
    pub fn loosely_compares(&self, other: &Value) -> Option<Ordering> {
        match coerce(self, other) {
            Pair::Nulls => Some(Ordering::Equal),
            Pair::Bools(a, b) => Some(a.cmp(&b)),
            Pair::Numbers(a, b) => a.partial_cmp(&b),
            Pair::Texts(a, b) => Some(text::compare_fold(a, b)),
            Pair::Other => None,
        }
    }
}
