//! The first argument of `format`: text with placeholders such as `{0}`, in which `{{` and `}}` stand for braces.

use longshore_syntax::Span;

use crate::{Expr, ExprKind, Function, Value};

/// A piece of a format string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Text that stands for itself.
    Text(&'a str),
    /// The place of an argument, counted from zero; numbers beyond `usize` are its maximum.
    Argument(usize),
}

/// The format string has a brace without its partner, or a placeholder that is no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invalid;

/// The pieces of `format` in order; after an error nothing more comes.
pub fn pieces(format: &str) -> impl Iterator<Item = Result<Piece<'_>, Invalid>> {
    let mut rest = format;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let piece = next(&mut rest);
        if piece.is_err() {
            rest = "";
        }
        Some(piece)
    })
}

/// Checks a format string and says how many arguments it needs.
pub fn arguments(format: &str) -> Result<usize, Invalid> {
    pieces(format).try_fold(0, |count, piece| match piece? {
        Piece::Argument(at) => Ok(count.max(at.saturating_add(1))),
        Piece::Text(_) => Ok(count),
    })
}

/// A call of `format` that will fail whenever it is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailingCall {
    /// Where the format string stands.
    pub span: Span,
    /// How many arguments the format string needs and how many are given; none if the format string is invalid.
    pub arguments: Option<(usize, usize)>,
}

/// The calls of `format` in `expr` whose format string is written out and cannot work.
pub fn failing_calls(expr: &Expr) -> Vec<FailingCall> {
    let mut found = Vec::new();
    expr.walk(&mut |part| {
        let ExprKind::Function { name, args, .. } = &part.kind else { return };
        let Some((format, rest)) = args.split_first() else { return };
        let ExprKind::Literal(Value::String(text)) = &format.kind else { return };
        if Function::from_name(name) != Some(Function::Format) {
            return;
        }
        match arguments(text) {
            Ok(needed) if needed <= rest.len() => {}
            Ok(needed) => {
                found.push(FailingCall { span: format.span, arguments: Some((needed, rest.len())) });
            }
            Err(Invalid) => found.push(FailingCall { span: format.span, arguments: None }),
        }
    });
    found
}

/// Takes one piece from the beginning of `rest`, which is not empty.
fn next<'a>(rest: &mut &'a str) -> Result<Piece<'a>, Invalid> {
    let text: &'a str = rest;
    let at = text.find(['{', '}']).unwrap_or(text.len());
    let (plain, tail) = text.split_at(at);
    let Some(brace) = tail.get(..1) else {
        *rest = "";
        return Ok(Piece::Text(plain));
    };
    if tail.get(1..2) == Some(brace) {
        *rest = tail.get(2..).unwrap_or_default();
        return Ok(Piece::Text(text.get(..=at).unwrap_or_default()));
    }
    if !plain.is_empty() {
        *rest = tail;
        return Ok(Piece::Text(plain));
    }
    let (digits, after) = tail.strip_prefix('{').and_then(|tail| tail.split_once('}')).ok_or(Invalid)?;
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Invalid);
    }
    *rest = after;
    Ok(Piece::Argument(digits.parse().unwrap_or(usize::MAX)))
}
