//! Matrices: from `strategy.matrix` to the cells that become jobs.
//!
//! Follows "Running variations of jobs in a workflow" of GitHub's documentation: the product of the axes with the first
//! axis outermost, without the cells that match an `exclude` entry; each `include` entry is then added to every cell of
//! the product whose axes it does not contradict, and becomes a cell of its own if there is none. An entry that names a
//! part of a mapping matches that part.
//!
//! The same function expands a matrix before the run and, when it needs outputs of other jobs, during it.
//!
//! **Invariants:** never more than [`MAX_CELLS`] cells, and a product that is far too large is refused before it is
//! made.

use std::sync::Arc;

use longshore_expr::{Object, Value};

mod name;

pub use name::{MAX_NAME, cell_name};

/// GitHub's limit for the jobs of one matrix.
pub const MAX_CELLS: usize = 256;

/// Products with more combinations are not looked at, even if `exclude` would leave few of them.
const MAX_COMBINATIONS: usize = 1 << 16;

/// Comparisons of combinations with entries of `exclude`, or cells with entries of `include`.
const MAX_COMPARISONS: usize = 1 << 22;

/// Why a matrix makes no jobs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MatrixError {
    /// It is a list, a text or the like.
    #[error("a matrix is a mapping, not {0}")]
    NotAMapping(String),
    /// It says nothing.
    #[error("the matrix names no axis and includes nothing")]
    Empty,
    /// An axis, `include` or `exclude` is not a list.
    #[error("`{key}` of the matrix is a list, not {found}")]
    NotAList {
        /// The key.
        key: String,
        /// What it is.
        found: String,
    },
    /// An axis without values.
    #[error("the axis `{0}` of the matrix has no values, so there is no job")]
    EmptyAxis(String),
    /// An entry of `include` or `exclude` is not a mapping.
    #[error("each entry of `{key}` is a mapping, not {found}")]
    NotAnEntry {
        /// `include` or `exclude`.
        key: &'static str,
        /// What it is.
        found: String,
    },
    /// Nothing is left.
    #[error("`exclude` leaves no cell of the matrix, so there is no job")]
    AllExcluded,
    /// Too many cells.
    #[error("the matrix makes {}{count} jobs, but at most {MAX_CELLS} are allowed", if *exact { "" } else { "more than " })]
    TooMany {
        /// How many.
        count: usize,
        /// Whether that is their number, or a lower bound.
        exact: bool,
    },
}

/// The parts of a matrix.
struct Matrix {
    axes: Vec<(Arc<str>, Vec<Value>)>,
    include: Vec<Object>,
    exclude: Vec<Object>,
}

/// The cells of an evaluated matrix, in GitHub's order.
///
/// # Errors
/// The matrix is not well formed, or makes no job or too many.
pub fn expand(matrix: &Value) -> Result<Vec<Object>, MatrixError> {
    let matrix = read(matrix)?;
    let combinations = matrix.combinations()?;
    let mut cells: Vec<Cell> =
        combinations.into_iter().map(|axes| Cell { full: axes.clone(), axes }).collect();
    let product = cells.len();
    if matrix.include.len().saturating_mul(product) > MAX_COMPARISONS {
        return Err(MatrixError::TooMany { count: MAX_CELLS, exact: false });
    }
    for entry in &matrix.include {
        let mut added = false;
        for cell in cells.iter_mut().take(product) {
            if let Some(extra) = matrix.extra(entry, &cell.axes) {
                added = true;
                cell.add(extra);
            }
        }
        if !added {
            cells.push(Cell { axes: Object::default(), full: entry.clone() });
        }
    }
    match cells.len() {
        0 => Err(MatrixError::AllExcluded),
        count if count > MAX_CELLS => Err(MatrixError::TooMany { count, exact: true }),
        _ => Ok(cells.into_iter().map(|cell| cell.full).collect()),
    }
}

/// A cell, with the values of the axes apart: those are never overwritten.
struct Cell {
    axes: Object,
    full: Object,
}

impl Cell {
    fn add(&mut self, extra: Vec<(Arc<str>, Value)>) {
        if extra.is_empty() {
            return;
        }
        let mut full: Vec<(Arc<str>, Value)> =
            self.full.iter().map(|(key, value)| (Arc::clone(key), value.clone())).collect();
        for (key, value) in extra {
            match full.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case(&key)) {
                Some(entry) => entry.1 = value,
                None => full.push((key, value)),
            }
        }
        self.full = Object::from_entries(full);
    }
}

impl Matrix {
    /// The product of the axes without what is excluded.
    fn combinations(&self) -> Result<Vec<Object>, MatrixError> {
        if self.axes.is_empty() {
            return Ok(Vec::new());
        }
        let count = self.axes.iter().fold(1_usize, |count, (_, values)| count.saturating_mul(values.len()));
        let too_large = count > MAX_COMBINATIONS
            || count.saturating_mul(self.exclude.len()) > MAX_COMPARISONS
            || self.exclude.is_empty() && count > MAX_CELLS;
        if too_large {
            return Err(MatrixError::TooMany { count, exact: self.exclude.is_empty() && count < usize::MAX });
        }
        let mut found = Vec::new();
        for at in 0..count {
            let combination = self.combination(at);
            if !self.exclude.iter().any(|entry| matches_entry(entry, &combination)) {
                found.push(combination);
            }
        }
        if found.len() > MAX_CELLS {
            return Err(MatrixError::TooMany { count: found.len(), exact: true });
        }
        Ok(found)
    }

    /// The combination with number `at`; the last axis counts fastest.
    fn combination(&self, mut at: usize) -> Object {
        let mut entries: Vec<(Arc<str>, Value)> = Vec::with_capacity(self.axes.len());
        for (name, values) in self.axes.iter().rev() {
            let value = values.get(at % values.len().max(1)).cloned().unwrap_or_default();
            entries.push((Arc::clone(name), value));
            at /= values.len().max(1);
        }
        entries.reverse();
        Object::from_entries(entries)
    }

    /// What an `include` entry adds to a cell; `None` if it contradicts one of the cell's axes.
    fn extra(&self, entry: &Object, axes: &Object) -> Option<Vec<(Arc<str>, Value)>> {
        let mut extra = Vec::new();
        for (key, value) in entry.iter() {
            if !self.axes.iter().any(|(name, _)| name.eq_ignore_ascii_case(key)) {
                extra.push((Arc::clone(key), value.clone()));
            } else if !axes.get(key).is_some_and(|own| matches_value(value, own, 0)) {
                return None;
            }
        }
        Some(extra)
    }
}

/// Whether a cell has all that an entry names.
fn matches_entry(entry: &Object, cell: &Object) -> bool {
    entry.iter().all(|(key, value)| cell.get(key).is_some_and(|own| matches_value(value, own, 0)))
}

/// Whether `own` has the values of `wanted`; of mappings, those that `wanted` names.
fn matches_value(wanted: &Value, own: &Value, depth: usize) -> bool {
    if depth > longshore_expr::json::MAX_DEPTH {
        return false;
    }
    match (wanted, own) {
        (Value::Object(wanted), Value::Object(own)) => wanted
            .iter()
            .all(|(key, value)| own.get(key).is_some_and(|own| matches_value(value, own, depth + 1))),
        (Value::Array(wanted), Value::Array(own)) => {
            wanted.len() == own.len()
                && wanted.iter().zip(own.iter()).all(|(wanted, own)| matches_value(wanted, own, depth + 1))
        }
        (wanted, own) => wanted.is_primitive() && own.is_primitive() && wanted.loosely_equals(own),
    }
}

fn read(value: &Value) -> Result<Matrix, MatrixError> {
    let describe = crate::evaluate::describe;
    let Value::Object(entries) = value else { return Err(MatrixError::NotAMapping(describe(value))) };
    let mut matrix = Matrix { axes: Vec::new(), include: Vec::new(), exclude: Vec::new() };
    for (key, value) in entries.iter() {
        let Value::Array(items) = value else {
            return Err(MatrixError::NotAList { key: key.to_string(), found: describe(value) });
        };
        match &**key {
            "include" => matrix.include = filters("include", items)?,
            "exclude" => matrix.exclude = filters("exclude", items)?,
            _ if items.is_empty() => return Err(MatrixError::EmptyAxis(key.to_string())),
            _ => matrix.axes.push((Arc::clone(key), items.to_vec())),
        }
    }
    if matrix.axes.is_empty() && matrix.include.is_empty() {
        return Err(MatrixError::Empty);
    }
    Ok(matrix)
}

fn filters(key: &'static str, items: &[Value]) -> Result<Vec<Object>, MatrixError> {
    let entry = |item: &Value| match item {
        Value::Object(entry) => Ok(entry.clone()),
        other => Err(MatrixError::NotAnEntry { key, found: crate::evaluate::describe(other) }),
    };
    items.iter().map(entry).collect()
}

#[cfg(test)]
mod tests;
