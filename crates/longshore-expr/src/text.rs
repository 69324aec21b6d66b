//! How the expression language looks at text: white space, case, and order.
//!
//! The rules are those of ECMAScript strings (`\s`, `toUpperCase`, comparison by UTF-16 units), because GitHub's
//! published evaluator is written in them. Plain ASCII takes short cuts that give the same answers.

use std::borrow::Cow;
use std::cmp::Ordering;

/// Whether ECMAScript counts the character as white space.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() && c != '\u{85}' || c == '\u{feff}'
}

/// The text without white space at its ends.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// Length in UTF-16 units, which is how GitHub counts characters.
pub(crate) fn utf16_len(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().map(char::len_utf16).sum() }
}

/// Upper case as used for comparing; the dotless `ı` stays as it is.
pub(crate) fn upper(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        if text.bytes().any(|b| b.is_ascii_lowercase()) {
            return Cow::Owned(text.to_ascii_uppercase());
        }
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c == 'ı' { out.push(c) } else { out.extend(c.to_uppercase()) }
    }
    Cow::Owned(out)
}

/// Equality without regard to case.
pub(crate) fn equal_fold(a: &str, b: &str) -> bool {
    if a.is_ascii() && b.is_ascii() {
        return a.eq_ignore_ascii_case(b);
    }
    upper(a) == upper(b)
}

/// Order without regard to case, by UTF-16 units of the upper-case texts.
pub(crate) fn compare_fold(a: &str, b: &str) -> Ordering {
    if a.is_ascii() && b.is_ascii() {
        return a.bytes().map(|b| b.to_ascii_uppercase()).cmp(b.bytes().map(|b| b.to_ascii_uppercase()));
    }
    upper(a).encode_utf16().cmp(upper(b).encode_utf16())
}

/// Whether `a` starts with `b` without regard to case.
pub(crate) fn starts_with_fold(a: &str, b: &str) -> bool {
    if a.is_ascii() && b.is_ascii() {
        return a.as_bytes().get(..b.len()).is_some_and(|head| head.eq_ignore_ascii_case(b.as_bytes()));
    }
    upper(a).starts_with(&*upper(b))
}

/// Whether `a` ends with `b` without regard to case.
pub(crate) fn ends_with_fold(a: &str, b: &str) -> bool {
    if a.is_ascii() && b.is_ascii() {
        let from = a.len().checked_sub(b.len());
        let tail = from.and_then(|from| a.as_bytes().get(from..));
        return tail.is_some_and(|tail| tail.eq_ignore_ascii_case(b.as_bytes()));
    }
    upper(a).ends_with(&*upper(b))
}

/// Whether `a` contains `b` without regard to case; here lower case decides, as in GitHub's evaluator.
pub(crate) fn contains_fold(a: &str, b: &str) -> bool {
    if b.is_empty() {
        return true;
    }
    a.to_lowercase().contains(&b.to_lowercase())
}

/// A total order of keys in which keys that differ only by case are equal.
pub(crate) fn compare_keys(a: &str, b: &str) -> Ordering {
    if a.is_ascii() && b.is_ascii() {
        return a.bytes().map(|b| b.to_ascii_lowercase()).cmp(b.bytes().map(|b| b.to_ascii_lowercase()));
    }
    a.chars().flat_map(char::to_lowercase).cmp(b.chars().flat_map(char::to_lowercase))
}

/// Whether two keys name the same entry of an object.
pub(crate) fn same_key(a: &str, b: &str) -> bool {
    if a.is_ascii() && b.is_ascii() {
        return a.eq_ignore_ascii_case(b);
    }
    compare_keys(a, b) == Ordering::Equal
}
