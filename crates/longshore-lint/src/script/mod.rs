//! Shell scripts as rules see them: commands with their words, and what they stand in.
//!
//! A tolerant reading of the POSIX shell language with bash's extensions, made for looking, not for running: quotes,
//! comments, continuations, here-documents, substitutions and compound commands are told apart; expansions are not
//! carried out, and a `${{ … }}` is a part of a word. Whatever text comes in, commands come out.
//!
//! **Invariants:** linear in the length of the text (substitutions are read again per level, up to
//! six); all ranges are offsets into the text given to [`parse`].

mod command;
mod lexer;
mod skip;
#[cfg(test)]
mod tests;

pub use command::{Block, BlockKind, Command, Part, Redirect, Script, Separator, Word};

/// Reads a script.
pub fn parse(text: &str) -> Script<'_> {
    lexer::Lexer::of(text).run()
}
