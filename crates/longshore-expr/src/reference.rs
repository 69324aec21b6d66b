//! What an expression reads from its contexts.

use longshore_syntax::Span;

use crate::{Expr, ExprKind, Value};

/// One step from a context towards what is read.
#[derive(Debug, Clone, PartialEq)]
pub enum PathSegment<'a> {
    /// `.name` or `['name']`.
    Name(&'a str),
    /// `[0]`, or an index by another literal that is not text.
    Item(f64),
    /// `.*` or `[*]`: every entry.
    Any,
    /// `[expression]`: known only when evaluated.
    Computed,
}

/// A context with the properties read from it: `github.event.issue.title`.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference<'a> {
    /// The context's name as written.
    pub context: &'a str,
    /// Where the context's name stands.
    pub context_span: Span,
    /// The steps from the context.
    pub path: Vec<PathSegment<'a>>,
    /// Where the whole reference stands.
    pub span: Span,
}

impl Reference<'_> {
    /// Whether the context is `name`, whatever the case.
    pub fn is_context(&self, name: &str) -> bool {
        self.context.eq_ignore_ascii_case(name)
    }

    /// Whether the reference begins with `pattern`, whose first word is the context and in which `*` stands for any
    /// one step. Case does not count; a computed step is matched by `*` only, and a step that reads every entry
    /// matches any word.
    pub fn starts_with(&self, pattern: &[&str]) -> bool {
        let Some((context, steps)) = pattern.split_first() else { return true };
        self.is_context(context)
            && steps.len() <= self.path.len()
            && steps.iter().zip(&self.path).all(|(step, segment)| match segment {
                PathSegment::Any => true,
                PathSegment::Name(name) => *step == "*" || name.eq_ignore_ascii_case(step),
                PathSegment::Item(_) | PathSegment::Computed => *step == "*",
            })
    }

    /// The name at a step of the path, if that step is a name.
    pub fn name(&self, step: usize) -> Option<&str> {
        match self.path.get(step) {
            Some(PathSegment::Name(name)) => Some(name),
            _ => None,
        }
    }

    /// The reference in dotted form, such as `needs.build.outputs.x`; a step that is not a name is written `*`.
    pub fn dotted(&self) -> String {
        let mut out = self.context.to_owned();
        for segment in &self.path {
            out.push('.');
            match segment {
                PathSegment::Name(name) => out.push_str(name),
                PathSegment::Item(_) | PathSegment::Any | PathSegment::Computed => out.push('*'),
            }
        }
        out
    }
}

impl Expr {
    /// Everything this expression reads from contexts, in the order of the text. Each chain of properties is one
    /// reference; what is read inside an index is a reference of its own.
    pub fn references(&self) -> Vec<Reference<'_>> {
        let mut found = Vec::new();
        collect(self, &mut found);
        found
    }

    /// The contexts read, with the places of their names, in the order of the text; repeated where read again.
    pub fn contexts(&self) -> impl Iterator<Item = (&str, Span)> {
        self.references().into_iter().map(|reference| (reference.context, reference.context_span))
    }
}

/// Adds the references below `expr`.
fn collect<'a>(expr: &'a Expr, found: &mut Vec<Reference<'a>>) {
    let mut path = Vec::new();
    let mut computed = Vec::new();
    let mut root = expr.ungrouped();
    loop {
        root = match &root.kind {
            ExprKind::Property { base, name, .. } => {
                path.push(PathSegment::Name(name));
                base
            }
            ExprKind::Star { base } => {
                path.push(PathSegment::Any);
                base
            }
            ExprKind::Index { base, index } => {
                path.push(index_segment(index));
                computed.push(&**index);
                base
            }
            _ => break,
        }
        .ungrouped();
    }
    if let ExprKind::Context(name) = &root.kind {
        path.reverse();
        found.push(Reference { context: name, context_span: root.span, path, span: expr.ungrouped().span });
    } else {
        root.for_each_part(&mut |part| collect(part, found));
    }
    computed.into_iter().rev().for_each(|index| collect(index, found));
}

fn index_segment(index: &Expr) -> PathSegment<'_> {
    match &index.ungrouped().kind {
        ExprKind::Literal(Value::String(name)) => PathSegment::Name(name),
        ExprKind::Literal(value) => PathSegment::Item(value.to_number()),
        _ => PathSegment::Computed,
    }
}
