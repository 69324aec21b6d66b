//! Questions that several rules ask of expressions.

use longshore_expr::{CompareOp, Expr, ExprKind, MapContexts, PathSegment, Reference, Value, eval};

/// The text, if the expression is nothing but one.
pub(crate) fn string(expr: &Expr) -> Option<&str> {
    match &expr.ungrouped().kind {
        ExprKind::Literal(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// The reference, if the expression is nothing but one.
pub(crate) fn reference(expr: &Expr) -> Option<Reference<'_>> {
    match expr.ungrouped().kind {
        ExprKind::Context(_) | ExprKind::Property { .. } | ExprKind::Index { .. } | ExprKind::Star { .. } => {
            expr.references().into_iter().next()
        }
        _ => None,
    }
}

/// What is read and may become a part of the expression's text, with whether it is printed as JSON. Comparisons and
/// tests are left out: nothing of what they read comes through.
pub(crate) fn flowing(expr: &Expr) -> Vec<(Reference<'_>, bool)> {
    let mut found = Vec::new();
    flow(expr, false, &mut found);
    found
}

fn flow<'a>(expr: &'a Expr, json: bool, found: &mut Vec<(Reference<'a>, bool)>) {
    match &expr.kind {
        ExprKind::Group(inner) => flow(inner, json, found),
        // Only the last operand can be other than empty, zero or false.
        ExprKind::And(operands) => operands.last().into_iter().for_each(|operand| flow(operand, json, found)),
        ExprKind::Or(operands) => operands.iter().for_each(|operand| flow(operand, json, found)),
        ExprKind::Function { name, args, .. } => match name.to_ascii_lowercase().as_str() {
            "tojson" => args.iter().for_each(|arg| flow(arg, true, found)),
            "format" | "join" | "fromjson" | "case" => args.iter().for_each(|arg| flow(arg, json, found)),
            _ => {}
        },
        ExprKind::Property { base, .. } | ExprKind::Index { base, .. } | ExprKind::Star { base } => {
            match reference(expr) {
                Some(reference) => {
                    if is_chain(expr) {
                        found.push((reference, json));
                    } else {
                        flow(base, json, found);
                    }
                }
                None => flow(base, json, found),
            }
        }
        ExprKind::Context(_) => found.extend(reference(expr).map(|reference| (reference, json))),
        ExprKind::Literal(_) | ExprKind::Not(_) | ExprKind::Compare { .. } => {}
    }
}

/// Whether it is a context with steps behind it, and not steps behind a call.
fn is_chain(expr: &Expr) -> bool {
    let mut root = expr.ungrouped();
    while let ExprKind::Property { base, .. } | ExprKind::Index { base, .. } | ExprKind::Star { base } =
        &root.kind
    {
        root = base.ungrouped();
    }
    matches!(root.kind, ExprKind::Context(_))
}

/// Whether a reference reads what `pattern` names, such as `github.event.commits.*.message`. A reference that stops
/// short of it reads it only if it is printed as JSON.
pub(crate) fn reads(reference: &Reference<'_>, json: bool, pattern: &str) -> bool {
    let mut steps = pattern.split('.');
    if !steps.next().is_some_and(|context| reference.is_context(context)) {
        return false;
    }
    let mut path = reference.path.iter();
    for step in steps {
        match path.next() {
            None => return json,
            Some(PathSegment::Any | PathSegment::Computed) => {}
            Some(PathSegment::Item(_)) if step == "*" => {}
            Some(PathSegment::Name(name)) if step == "*" || name.eq_ignore_ascii_case(step) => {}
            Some(_) => return false,
        }
    }
    true
}

/// The condition's value whatever happens, as far as it is certain; with an event, under that event.
pub(crate) fn truth(expr: &Expr, event: Option<&str>) -> Option<bool> {
    match &expr.kind {
        ExprKind::Group(inner) => truth(inner, event),
        ExprKind::Not(inner) => truth(inner, event).map(|value| !value),
        ExprKind::And(operands) => {
            let values: Vec<_> = operands.iter().map(|operand| truth(operand, event)).collect();
            if values.contains(&Some(false)) {
                return Some(false);
            }
            values.iter().all(|value| *value == Some(true)).then_some(true)
        }
        ExprKind::Or(operands) => {
            let values: Vec<_> = operands.iter().map(|operand| truth(operand, event)).collect();
            if values.contains(&Some(true)) {
                return Some(true);
            }
            values.iter().all(|value| *value == Some(false)).then_some(false)
        }
        _ => event_test(expr)
            .and_then(|(op, name)| {
                event.map(|event| event.eq_ignore_ascii_case(name) == (op == CompareOp::Equal))
            })
            .or_else(|| constant(expr).map(|value| value.is_truthy())),
    }
}

/// The value of an expression that reads nothing.
fn constant(expr: &Expr) -> Option<Value> {
    let mut reads = false;
    expr.walk(&mut |part| match &part.kind {
        ExprKind::Context(_) => reads = true,
        ExprKind::Function { name, .. } => {
            let surroundings = ["success", "failure", "always", "cancelled", "hashfiles"];
            reads |= surroundings.iter().any(|function| function.eq_ignore_ascii_case(name));
        }
        _ => {}
    });
    if reads { None } else { eval(expr, &MapContexts::default()).ok() }
}

/// `github.event_name == 'name'` or `!=`, either way round.
pub(crate) fn event_test(expr: &Expr) -> Option<(CompareOp, &str)> {
    let (op, left, right) = comparison(expr)?;
    if !matches!(op, CompareOp::Equal | CompareOp::NotEqual) {
        return None;
    }
    let is_event = |side: &Expr| {
        reference(side)
            .is_some_and(|read| read.path.len() == 1 && read.starts_with(&["github", "event_name"]))
    };
    match (string(left), string(right)) {
        (None, Some(name)) if is_event(left) => Some((op, name)),
        (Some(name), None) if is_event(right) => Some((op, name)),
        _ => None,
    }
}

/// The parts of a comparison of two operands.
pub(crate) fn comparison(expr: &Expr) -> Option<(CompareOp, &Expr, &Expr)> {
    match &expr.ungrouped().kind {
        ExprKind::Compare { first, rest } => match rest.as_slice() {
            [(op, second)] => Some((*op, first, second)),
            _ => None,
        },
        _ => None,
    }
}
