//! `if:`.

use std::sync::Arc;

use longshore_expr::Expr;
use longshore_syntax::SourceFile;

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

impl Condition {
    /// Whether `success()` was put in front of it.
    pub fn is_guarded(&self) -> bool {
        self.written.as_ref().is_none_or(|written| !Arc::ptr_eq(&self.expr, &written.expr))
    }

    /// What the file says, without `${{` and `}}` around it; `None` where it says nothing.
    ///
    /// `written` has a place in the file, which of a text over several lines is only the first.
    pub fn as_written(&self, file: &SourceFile) -> Option<String> {
        let written = self.written.as_ref()?;
        if self.is_text {
            return Some(file.slice(written.span).trim().to_owned());
        }
        let is_guarded = self.is_guarded();
        let inner = self.text.strip_prefix("success() && (").and_then(|text| text.strip_suffix(')'));
        Some(inner.filter(|_| is_guarded).unwrap_or(&self.text).trim().to_owned())
    }
}
