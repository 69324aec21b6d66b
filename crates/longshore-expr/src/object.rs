//! Objects: keys in the order they were written, found without regard to case.

use std::sync::Arc;

use crate::Value;
use crate::text::{compare_keys, same_key};

/// Objects up to this size are searched from end to end.
const SMALL: usize = 8;

/// A map from text to values that keeps its order and ignores case when looking up. Cheap to clone.
///
/// **Invariant:** no two keys differ only by case.
#[derive(Debug, Clone, Default)]
pub struct Object(Arc<Entries>);

/// What an [`Object`] shares between its clones.
#[derive(Debug, Default)]
struct Entries {
    /// Keys and values in order.
    list: Vec<(Arc<str>, Value)>,
    /// Positions in `list` sorted by folded key; empty when the list is small.
    sorted: Vec<u32>,
}

impl Object {
    /// An object of the given entries.
    ///
    /// Of keys that are the same text the last value counts, at the place of the first; of keys that differ only by
    /// case the first counts. That is what GitHub's `fromJSON` does with them.
    pub fn from_entries(mut list: Vec<(Arc<str>, Value)>) -> Self {
        if list.len() <= SMALL {
            merge_small(&mut list);
            return Self(Arc::new(Entries { list, sorted: Vec::new() }));
        }
        let mut sorted = sort(&list);
        if has_duplicates(&list, &sorted) {
            merge_sorted(&mut list, &sorted);
            sorted = sort(&list);
        }
        Self(Arc::new(Entries { list, sorted }))
    }

    /// The value under `key`, whatever its case.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let entries = &*self.0;
        if entries.sorted.is_empty() {
            return entries.list.iter().find(|(name, _)| same_key(name, key)).map(|(_, value)| value);
        }
        let key_at = |at: &u32| entries.list.get(*at as usize).map_or("", |(name, _)| name);
        let found = entries.sorted.binary_search_by(|at| compare_keys(key_at(at), key)).ok()?;
        let at = *entries.sorted.get(found)? as usize;
        entries.list.get(at).map(|(_, value)| value)
    }

    /// Keys and values in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Arc<str>, &Value)> {
        self.0.list.iter().map(|(key, value)| (key, value))
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.0.list.len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.0.list.is_empty()
    }

    /// This object with `key` set: in its place if there is such a key, else at the end.
    pub fn with(&self, key: &str, value: Value) -> Self {
        let mut list = self.0.list.clone();
        match list.iter_mut().find(|(name, _)| same_key(name, key)) {
            Some(entry) => entry.1 = value,
            None => list.push((Arc::from(key), value)),
        }
        Self::from_entries(list)
    }

    /// Whether both are one and the same object, which is what `==` asks.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<K: Into<Arc<str>>> FromIterator<(K, Value)> for Object {
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(entries: I) -> Self {
        Self::from_entries(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }
}

/// Structural equality, for tests and caches; the language's `==` compares identity.
impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        self.is(other) || self.0.list == other.0.list
    }
}

/// Merges equal keys by looking at every pair.
fn merge_small(list: &mut Vec<(Arc<str>, Value)>) {
    let mut at = 1;
    while at < list.len() {
        let (before, rest) = list.split_at_mut(at);
        let Some((key, value)) = rest.first_mut() else { return };
        match before.iter_mut().find(|(name, _)| same_key(name, key)) {
            Some(first) => {
                if first.0 == *key {
                    std::mem::swap(&mut first.1, value);
                }
                list.remove(at);
            }
            None => at += 1,
        }
    }
}

/// Positions ordered by key, and by position among equal keys.
fn sort(list: &[(Arc<str>, Value)]) -> Vec<u32> {
    let key = |at: u32| list.get(at as usize).map_or("", |(name, _)| name);
    let mut sorted: Vec<u32> = (0..list.len() as u32).collect();
    sorted.sort_by(|a, b| compare_keys(key(*a), key(*b)));
    sorted
}

/// Whether neighbours in the sorted order have equal keys.
fn has_duplicates(list: &[(Arc<str>, Value)], sorted: &[u32]) -> bool {
    let key = |at: u32| list.get(at as usize).map_or("", |(name, _)| name);
    sorted.iter().zip(sorted.iter().skip(1)).any(|(a, b)| same_key(key(*a), key(*b)))
}

/// Merges equal keys with the help of the sorted order.
fn merge_sorted(list: &mut Vec<(Arc<str>, Value)>, sorted: &[u32]) {
    let mut keep = vec![true; list.len()];
    let mut first: Option<usize> = None;
    for at in sorted.iter().map(|at| *at as usize) {
        let (Some(entry), Some(kept)) = (list.get(at).cloned(), keep.get_mut(at)) else { continue };
        match first.and_then(|first| list.get_mut(first)).filter(|head| same_key(&head.0, &entry.0)) {
            Some(head) => {
                *kept = false;
                if head.0 == entry.0 {
                    head.1 = entry.1;
                }
            }
            None => first = Some(at),
        }
    }
    let mut keep = keep.into_iter();
    list.retain(|_| keep.next().unwrap_or(true));
}
