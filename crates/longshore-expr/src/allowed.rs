//! Which contexts and functions may be used at a place.

use crate::Function;

/// How many arguments a function takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arity {
    /// Fewest.
    pub min: usize,
    /// Most.
    pub max: usize,
}

/// The contexts and functions of one place in a workflow, beyond the functions that are built in.
///
/// It borrows the items as GitHub's schema writes them (`github`, `hashFiles(1,255)`, `always(0,0)`,
/// `name(0,MAX)`) and reads them when asked: making one costs nothing and a lookup allocates nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Allowed<'a> {
    items: &'a [&'a str],
}

impl<'a> Allowed<'a> {
    /// Nothing but the functions that are built in.
    pub const NONE: Allowed<'static> = Allowed { items: &[] };

    /// The place where `items` may be used.
    pub const fn from_items(items: &'a [&'a str]) -> Self {
        Self { items }
    }

    /// Whether nothing is allowed: expressions make no sense at such a place.
    pub const fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Whether a context may be used, whatever the case of its name.
    pub fn has_context(&self, name: &str) -> bool {
        self.contexts().any(|context| context.eq_ignore_ascii_case(name))
    }

    /// The arguments of a function that may be used, built in or not.
    pub fn arity(&self, name: &str) -> Option<Arity> {
        if let Some(function) = Function::from_name(name) {
            return Some(function.arity());
        }
        let mut found = self.items.iter().filter_map(|item| signature(item));
        found.rfind(|(function, _)| function.eq_ignore_ascii_case(name)).map(|(_, arity)| arity)
    }

    /// The names of the contexts.
    pub fn contexts(&self) -> impl Iterator<Item = &'a str> {
        self.items.iter().copied().filter(|item| signature(item).is_none())
    }

    /// The names of the functions beyond those built in.
    pub fn functions(&self) -> impl Iterator<Item = &'a str> {
        self.items.iter().filter_map(|item| signature(item)).map(|(name, _)| name)
    }
}

/// Reads `name(min,max)`; none for anything else, which is the name of a context.
fn signature(item: &str) -> Option<(&str, Arity)> {
    let (name, rest) = item.split_once('(')?;
    let (min, max) = rest.strip_suffix(')')?.split_once(',')?;
    let max = if max == "MAX" { usize::MAX } else { max.parse().ok()? };
    Some((name, Arity { min: min.parse().ok()?, max }))
}
