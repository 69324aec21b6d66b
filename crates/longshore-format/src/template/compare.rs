//! `eq`, `ne`, `lt`, `le`, `gt`, `ge`: comparisons of basic values.

use std::cmp::Ordering;

use super::function::Called;
use crate::value::{INTERFACE, Value};

const INVALID: &str = "invalid type for comparison";

fn incompatible(left: &Value, right: &Value) -> String {
    format!("incompatible types for comparison: {} and {}", left.type_name(), right.type_name())
}

/// The kinds that are compared with each other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bool,
    Whole,
    Float,
    Text,
    Other,
}

fn kind(value: &Value) -> Kind {
    match value {
        Value::Bool(_) => Kind::Bool,
        Value::Int(_) | Value::Uint(_) => Kind::Whole,
        Value::Float(_) => Kind::Float,
        Value::Text(_) => Kind::Text,
        _ => Kind::Other,
    }
}

/// A whole number of either kind.
fn whole(value: &Value) -> i128 {
    match value {
        Value::Int(number) => i128::from(*number),
        Value::Uint(number) => i128::from(*number),
        _ => 0,
    }
}

/// What an empty interface holds.
fn is_nothing(value: &Value) -> bool {
    matches!(value, Value::Absent | Value::Nil(INTERFACE))
}

fn is_nil(value: &Value) -> bool {
    match value {
        Value::Absent | Value::Nil(_) => true,
        Value::List(list) => list.nil,
        Value::Map(map) => map.nil,
        _ => false,
    }
}

fn equal(left: &Value, right: &Value) -> Result<bool, String> {
    let kinds = (kind(left), kind(right));
    if kinds.0 != kinds.1 {
        if is_nothing(left) || is_nothing(right) {
            return Ok(false);
        }
        return Err(incompatible(left, right));
    }
    if kinds.0 == Kind::Whole {
        return Ok(whole(left) == whole(right));
    }
    if kinds.0 != Kind::Other || matches!((left, right), (Value::Record(_), Value::Record(_))) {
        return Ok(left == right);
    }
    let shown = |value| crate::verb::sprintf("%s", std::slice::from_ref(value));
    if !is_nothing(left) && !is_nothing(right) && left.type_name() != right.type_name() {
        let types = format!("{}, {}", left.type_name(), right.type_name());
        return Err(format!(
            "non-comparable types {}: {types}: {}",
            shown(left),
            crate::verb::display(right)
        ));
    }
    if is_nil(left) || is_nil(right) {
        return Ok(is_nil(left) == is_nil(right));
    }
    let composed = if matches!(right, Value::List(_) | Value::Map(_)) { right } else { left };
    Err(format!("non-comparable type {}: {}", shown(composed), composed.type_name()))
}

fn pair(values: &[Value]) -> (&Value, &Value) {
    (values.first().unwrap_or(&Value::Absent), values.get(1).unwrap_or(&Value::Absent))
}

/// Whether the first value equals any of the others.
pub(super) fn eq(values: &[Value]) -> Called {
    let Some((first, others)) = values.split_first().filter(|(_, others)| !others.is_empty()) else {
        return Err("missing argument for comparison".to_owned());
    };
    for other in others {
        if equal(first, other)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

pub(super) fn ne(values: &[Value]) -> Called {
    let (left, right) = pair(values);
    Ok(Value::Bool(!equal(left, right)?))
}

fn order(values: &[Value]) -> Result<Option<Ordering>, String> {
    let (left, right) = pair(values);
    let kinds = (kind(left), kind(right));
    if kinds.0 == Kind::Other || kinds.1 == Kind::Other {
        return Err(INVALID.to_owned());
    }
    if kinds.0 != kinds.1 {
        return Err(incompatible(left, right));
    }
    match (left, right) {
        (Value::Float(left), Value::Float(right)) => Ok(left.partial_cmp(right)),
        (Value::Text(left), Value::Text(right)) => Ok(Some(left.cmp(right))),
        (Value::Bool(_), _) => Err(INVALID.to_owned()),
        _ => Ok(Some(whole(left).cmp(&whole(right)))),
    }
}

pub(super) fn lt(values: &[Value]) -> Called {
    Ok(Value::Bool(order(values)? == Some(Ordering::Less)))
}

pub(super) fn le(values: &[Value]) -> Called {
    Ok(Value::Bool(matches!(order(values)?, Some(Ordering::Less | Ordering::Equal))))
}

pub(super) fn gt(values: &[Value]) -> Called {
    // As in Go: not less and not equal, which matters for numbers that are none.
    Ok(Value::Bool(!matches!(order(values)?, Some(Ordering::Less | Ordering::Equal))))
}

pub(super) fn ge(values: &[Value]) -> Called {
    Ok(Value::Bool(order(values)? != Some(Ordering::Less)))
}
