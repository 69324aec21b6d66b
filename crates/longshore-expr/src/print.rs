//! Printing an expression back.

use std::fmt;

use crate::{Expr, ExprKind, Value, number};

/// Prints a text that parses to the same tree, with one blank around binary operators.
impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::Literal(value) => write_literal(value, f),
            ExprKind::Context(name) => f.write_str(name),
            ExprKind::Function { name, args, .. } => {
                write!(f, "{name}(")?;
                write_joined(args, ", ", f)?;
                f.write_str(")")
            }
            ExprKind::Property { base, name, .. } => write!(f, "{base}.{name}"),
            ExprKind::Index { base, index } => write!(f, "{base}[{index}]"),
            ExprKind::Star { base } => write!(f, "{base}.*"),
            ExprKind::Not(operand) => write!(f, "!{operand}"),
            ExprKind::And(operands) => write_joined(operands, " && ", f),
            ExprKind::Or(operands) => write_joined(operands, " || ", f),
            ExprKind::Compare { first, rest } => {
                write!(f, "{first}")?;
                rest.iter().try_for_each(|(op, operand)| write!(f, " {} {operand}", op.as_str()))
            }
            ExprKind::Group(inner) => write!(f, "({inner})"),
        }
    }
}

fn write_joined(parts: &[Expr], between: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            f.write_str(between)?;
        }
        write!(f, "{part}")?;
    }
    Ok(())
}

/// Literals are primitives; an array or object, which no parser yields, prints as its kind.
fn write_literal(value: &Value, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match value {
        Value::Null => f.write_str("null"),
        Value::Number(number) if *number == 0.0 && number.is_sign_negative() => f.write_str("-0"),
        Value::Number(number) => f.write_str(&number::print(*number)),
        Value::String(text) => write!(f, "'{}'", text.replace('\'', "''")),
        other => f.write_str(&other.to_text()),
    }
}
