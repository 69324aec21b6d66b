//! `if:`.

use std::sync::Arc;

use longshore_expr::Expr;

use crate::template::Embedded;

/// A condition as it is evaluated: with `success() &&` in front unless it asks for the status itself.
#[derive(Debug, Clone)]
pub struct Condition {
    /// The expression's text.
    pub text: String,
    /// `text`, parsed.
    pub expr: Arc<Expr>,
    /// What the file says; `None` where there is no `if:`, or it is empty.
    pub written: Option<Embedded>,
    /// Whether the file mixes `${{ }}` with other text, which makes the condition a text and so always true.
    pub is_text: bool,
}
