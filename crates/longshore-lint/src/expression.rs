//! Questions that several rules ask of expressions.

use longshore_expr::{Expr, ExprKind, Value};

/// The text, if the expression is nothing but one.
pub(crate) fn string(expr: &Expr) -> Option<&str> {
    match &expr.ungrouped().kind {
        ExprKind::Literal(Value::String(text)) => Some(text),
        _ => None,
    }
}
