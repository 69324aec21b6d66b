//! `container:` and `services:`.

use longshore_syntax::Diagnostic;

use super::Lowering;
use crate::template::{Token, TokenKind, code};

impl Lowering<'_> {
    /// A container names an image. With expressions in it, that shows only when the job starts.
    pub(super) fn check_container(&mut self, token: &Token) {
        if token.has_expression() {
            return;
        }
        let empty = match &token.kind {
            TokenKind::Mapping(entries) => {
                !entries.iter().any(|(key, _)| key.as_str() == Some("image")) || entries.is_empty()
            }
            _ => false,
        };
        if empty {
            let message = "the container has no `image`";
            let diagnostic = Diagnostic::error(code::MISSING_KEY, token.span(), message);
            self.refusals.push("Container image cannot be empty", diagnostic);
        }
    }

    /// Services are containers by name.
    pub(super) fn check_services(&mut self, token: &Token) {
        for (_, service) in token.entries() {
            self.check_container(service);
        }
    }
}
