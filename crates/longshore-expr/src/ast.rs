//! The tree of an expression.

use std::sync::Arc;

use longshore_syntax::Span;

use crate::Value;

/// One expression, with its place relative to the text that was parsed.
///
/// **Invariant:** a tree from [`parse`](crate::parse) is nested no deeper than a small multiple of
/// [`MAX_DEPTH`](crate::MAX_DEPTH), so recursion over it is safe: chains of one operator are one node.
#[derive(Debug, Clone)]
pub struct Expr {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub kind: ExprKind,
}

/// The kinds of expression.
#[derive(Debug, Clone)]
pub enum ExprKind {
    /// `'text'`, `12`, `true`, `null`.
    Literal(Value),
    /// The name of a context, as written: `github`.
    Context(Box<str>),
    /// `name(args)`.
    Function {
        /// The name as written.
        name: Box<str>,
        /// Where the name stands.
        name_span: Span,
        /// The arguments.
        args: Vec<Expr>,
    },
    /// `base.name`.
    Property {
        /// What the property is of.
        base: Box<Expr>,
        /// The name as written.
        name: Arc<str>,
        /// Where the name stands.
        name_span: Span,
    },
    /// `base[index]`.
    Index {
        /// What is indexed.
        base: Box<Expr>,
        /// The index.
        index: Box<Expr>,
    },
    /// `base.*` or `base[*]`.
    Star {
        /// What is filtered.
        base: Box<Expr>,
    },
    /// `!operand`.
    Not(Box<Expr>),
    /// `a && b && c`: two operands or more.
    And(Vec<Expr>),
    /// `a || b || c`: two operands or more.
    Or(Vec<Expr>),
    /// `a == b != c` or `a < b >= c`, carried out from left to right.
    Compare {
        /// The first operand.
        first: Box<Expr>,
        /// The operators with their right operands: one or more, all of one precedence.
        rest: Vec<(CompareOp, Expr)>,
    },
    /// `(inner)`.
    Group(Box<Expr>),
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CompareOp {
    /// `==`.
    Equal,
    /// `!=`.
    NotEqual,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterOrEqual,
    /// `<`.
    Less,
    /// `<=`.
    LessOrEqual,
}

impl CompareOp {
    /// The operator as written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
        }
    }
}

impl Expr {
    /// Shows every node to `visit`, this one first, then its parts from left to right.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        visit(self);
        self.for_each_part(&mut |part| part.walk(visit));
    }

    /// Shows the direct parts to `visit`, from left to right.
    pub fn for_each_part<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        match &self.kind {
            ExprKind::Literal(_) | ExprKind::Context(_) => {}
            ExprKind::Function { args, .. } => args.iter().for_each(visit),
            ExprKind::And(operands) | ExprKind::Or(operands) => operands.iter().for_each(visit),
            ExprKind::Property { base: inner, .. }
            | ExprKind::Star { base: inner }
            | ExprKind::Not(inner)
            | ExprKind::Group(inner) => visit(inner),
            ExprKind::Index { base, index } => {
                visit(base);
                visit(index);
            }
            ExprKind::Compare { first, rest } => {
                visit(first);
                rest.iter().map(|(_, operand)| operand).for_each(visit);
            }
        }
    }

    /// The expression without the parentheses around it.
    pub fn ungrouped(&self) -> &Expr {
        let mut inner = self;
        while let ExprKind::Group(next) = &inner.kind {
            inner = next;
        }
        inner
    }

    /// Calls of functions by name and place of the name, in order.
    pub fn functions(&self) -> Vec<(&str, Span)> {
        let mut found = Vec::new();
        self.walk(&mut |part| {
            if let ExprKind::Function { name, name_span, .. } = &part.kind {
                found.push((&**name, *name_span));
            }
        });
        found
    }

    /// Whether it calls `success`, `failure`, `cancelled` or `always`: without one, an `if` means
    /// `success() && (…)`.
    pub fn calls_status_function(&self) -> bool {
        let is_status = |name: &str| {
            ["success", "failure", "cancelled", "always"].iter().any(|s| s.eq_ignore_ascii_case(name))
        };
        self.functions().iter().any(|(name, _)| is_status(name))
    }
}
