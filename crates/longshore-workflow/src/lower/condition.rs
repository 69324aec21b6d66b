//! `if:` to a condition that always asks for the status.
//!
//! GitHub puts `success() &&` in front of every condition that calls no status function itself.

use std::sync::Arc;

use longshore_expr::{Expr, ExprKind};
use longshore_syntax::{Diagnostic, Span};

use super::Lowering;
use crate::model::Condition;
use crate::template::expression::{parse, parse_diagnostic};
use crate::template::{Embedded, Token};

const STATUS_FUNCTIONS: [&str; 4] = ["success", "failure", "cancelled", "always"];

impl Lowering<'_> {
    /// The condition of a place without one.
    pub(super) fn success() -> Condition {
        let expr = Expr {
            span: Span::new(0, 9),
            kind: ExprKind::Function { name: "success".into(), name_span: Span::new(0, 7), args: Vec::new() },
        };
        Condition { text: "success()".to_owned(), expr: Arc::new(expr), written: None, is_text: false }
    }

    /// The condition in `token`; `success()` and a refusal if it is none.
    pub(super) fn condition(&mut self, token: Option<&Token>) -> Condition {
        token.and_then(|token| self.written_condition(token, true)).unwrap_or_else(Self::success)
    }

    /// The condition in an action's `pre-if` or `post-if`, which is taken as it stands.
    pub(super) fn bare_condition(&mut self, token: &Token) -> Option<Condition> {
        self.written_condition(token, false)
    }

    fn written_condition(&mut self, token: &Token, guarded: bool) -> Option<Condition> {
        if let Some(expression) = token.as_expression() {
            let alone = match expression.embedded.as_slice() {
                [only] if Arc::ptr_eq(&only.expr, &expression.expr) => Some(only.clone()),
                _ => None,
            };
            let is_text = alone.is_none() && !expression.embedded.is_empty();
            let written = alone.unwrap_or_else(|| Embedded {
                span: token.span(),
                start: token.span().start,
                expr: Arc::clone(&expression.expr),
            });
            return Some(Self::guard(&expression.text, written, is_text, guarded));
        }
        let text = token.as_str()?;
        let trimmed = text.trim();
        // Text with `${{` that is no expression by now has been refused already.
        if trimmed.is_empty() || trimmed.contains("${{") {
            return None;
        }
        let at = text.len() - text.trim_start().len();
        let span = token.node.locate(self.file, at..at + trimmed.len());
        match parse(trimmed, token.allowed) {
            Ok(expr) => {
                let written = Embedded { span, start: span.start, expr: Arc::new(expr) };
                Some(Self::guard(trimmed, written, false, guarded))
            }
            Err(error) => {
                // The scalar may be folded or escaped, so the part is looked for instead of counted.
                let part = error.span.range();
                let place = token.node.locate(self.file, at + part.start..at + part.end);
                let diagnostic: Diagnostic = parse_diagnostic(&error, place, token.allowed);
                self.refusals.push_within(token.span(), error.published_text(), diagnostic);
                None
            }
        }
    }

    fn guard(text: &str, written: Embedded, is_text: bool, guarded: bool) -> Condition {
        if !guarded || asks_for_status(&written.expr) {
            return Condition {
                text: text.to_owned(),
                expr: Arc::clone(&written.expr),
                written: Some(written),
                is_text,
            };
        }
        let inner =
            Expr { span: written.expr.span, kind: ExprKind::Group(Box::new((*written.expr).clone())) };
        let success = Self::success();
        let operands = vec![(*success.expr).clone(), inner];
        let expr = Expr { span: written.expr.span, kind: ExprKind::And(operands) };
        let text = format!("success() && ({text})");
        Condition { text, expr: Arc::new(expr), written: Some(written), is_text }
    }
}

fn asks_for_status(expr: &Expr) -> bool {
    let mut found = false;
    expr.walk(&mut |part| {
        if let ExprKind::Function { name, .. } = &part.kind {
            found |= STATUS_FUNCTIONS.iter().any(|function| function.eq_ignore_ascii_case(name));
        }
    });
    found
}
