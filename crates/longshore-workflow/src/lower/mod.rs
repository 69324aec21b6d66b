//! Tokens to the model: the second half of GitHub's reading.
//!
//! The order of refusals is GitHub's: keys in file order, each with what it refuses. Nothing here fails; what could not
//! be read is left out, and said.

mod action;
mod call;
mod condition;
mod container;
mod identifier;
mod input;
mod job;
mod limit;
mod needs;
mod step;
mod trigger;
mod workflow;

pub(crate) use action::lower_action;
pub use call::check_call;
pub(crate) use workflow::lower_workflow;

use longshore_syntax::{SourceFile, Span, Spanned};

use crate::template::{Refusals, Token, code};

/// What the lowering functions share.
struct Lowering<'f> {
    file: &'f SourceFile,
    refusals: Refusals,
}

/// The text of a token with its place.
fn text(token: &Token) -> Option<Spanned<String>> {
    token.as_str().map(|text| Spanned::new(text.to_owned(), token.span()))
}

/// One text, or all texts of a list, with their places.
fn texts(token: &Token) -> Vec<Spanned<String>> {
    token.texts().into_iter().map(|(text, token)| Spanned::new(text.to_owned(), token.span())).collect()
}

impl Lowering<'_> {
    /// Refuses a token of a type that its place does not take once the file has been read.
    fn refuse_type(&mut self, token: &Token, reading: &str, wanted: &str, wanted_here: &str) {
        let github = format!(
            "Unexpected type '{}' encountered while reading '{reading}'. The type '{wanted}' was expected.",
            token.github_type_name()
        );
        let message = format!("{} cannot stand here, expected {wanted_here}", token.type_name());
        self.refusals
            .push(github, longshore_syntax::Diagnostic::error(code::WRONG_TYPE, token.span(), message));
    }

    /// A part of a text in the file; the whole text where it is not written as it reads.
    fn part(&self, text: &Spanned<String>, part: std::ops::Range<usize>) -> Span {
        let at = self.file.slice(text.span).find(&text.value).filter(|_| !part.is_empty());
        at.map_or(text.span, |at| text.span.sub(at + part.start, at + part.end))
    }

    /// Refuses the first key that is an expression, where GitHub must know the keys when it reads the file.
    fn plain_keys(&mut self, token: &Token, reading: &str) {
        if let Some((key, _)) = token.entries().iter().find(|(key, _)| key.as_str().is_none()) {
            self.refuse_type(key, reading, "StringToken", "a key without expressions");
        }
    }

    /// The token if it is a mapping; refused otherwise.
    fn mapping(&mut self, token: &Token, reading: &str) -> Option<Token> {
        if matches!(token.kind, crate::template::TokenKind::Mapping(_)) {
            return Some(token.clone());
        }
        self.refuse_type(token, reading, "MappingToken", "a mapping");
        None
    }
}
