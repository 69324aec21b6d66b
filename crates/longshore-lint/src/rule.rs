//! What a rule is.

use longshore_syntax::{Code, Diagnostic, Severity, Span};

use crate::Subject;

/// One thing to look for.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Its stable code, `lint/…`.
    pub code: Code,
    /// How much its findings matter unless they say so themselves or settings do.
    pub severity: Severity,
    /// What it finds, in one sentence without a full stop.
    pub summary: &'static str,
    /// Whether some of its findings come with a fix.
    pub fixable: bool,
    /// Whether it runs unless settings say otherwise.
    pub enabled: bool,
    /// Adds its findings.
    pub check: fn(&Subject<'_>, &mut Vec<Diagnostic>),
}

impl Rule {
    /// A rule that is on and has no fixes.
    pub(crate) const fn new(
        code: &'static str,
        severity: Severity,
        summary: &'static str,
        check: fn(&Subject<'_>, &mut Vec<Diagnostic>),
    ) -> Self {
        Self { code: Code(code), severity, summary, fixable: false, enabled: true, check }
    }

    /// The rule, some of whose findings come with a fix.
    pub(crate) const fn with_fix(mut self) -> Self {
        self.fixable = true;
        self
    }

    /// The rule, off unless settings turn it on.
    pub(crate) const fn off(mut self) -> Self {
        self.enabled = false;
        self
    }

    /// A finding of this rule.
    pub(crate) fn at(&self, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(self.severity, self.code, span, message)
    }

    /// The code without its area.
    pub fn slug(&self) -> &'static str {
        self.code.0.trim_start_matches("lint/")
    }
}
