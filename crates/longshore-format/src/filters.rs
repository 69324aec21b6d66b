//! `--filter KEY=VALUE` of listings and prunes.
//!
//! Several values of a key are alternatives, and several keys must all be met, except that all filters of labels must be
//! met. How the values of a key are compared is for the listing to say; these are the ways that Docker's engine knows.

use std::sync::OnceLock;

use regex_lite::{Regex, RegexBuilder};
use thiserror::Error;

use crate::glob::path_match;

/// How large the program of a pattern may become, in bytes.
const MAX_PATTERN: usize = 1 << 20;

/// A filter is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FilterError {
    /// It is no pair.
    #[error("bad format of filter `{0}` (expected name=value)")]
    Malformed(String),
    /// The listing has no such filter.
    #[error("invalid filter '{key}'")]
    Unknown {
        /// What it was called.
        key: String,
        /// The filters that there are.
        known: Vec<&'static str>,
    },
    /// The value is not one of those that the filter takes.
    #[error("invalid filter '{key}={value}'")]
    Value {
        /// The filter.
        key: String,
        /// The value.
        value: String,
    },
}

/// One `--filter`.
#[derive(Debug, Clone)]
struct Filter {
    key: String,
    value: String,
    /// The value as a pattern, if somebody asked.
    pattern: OnceLock<Option<Regex>>,
}

impl Filter {
    /// The pattern of the value; none if it is no regular expression.
    fn pattern(&self) -> Option<&Regex> {
        let build = || RegexBuilder::new(&self.value).size_limit(MAX_PATTERN).build().ok();
        self.pattern.get_or_init(build).as_ref()
    }
}

/// The filters of a command line.
#[derive(Debug, Clone, Default)]
pub struct Filters {
    filters: Vec<Filter>,
}

impl Filters {
    /// Reads filters, of which a listing knows these. Empty ones are left out, as Docker does.
    pub fn parse<S: AsRef<str>>(filters: &[S], known: &[&'static str]) -> Result<Self, FilterError> {
        let mut parsed = Self::default();
        for text in filters.iter().map(AsRef::as_ref).filter(|text| !text.is_empty()) {
            let (key, value) = text.split_once('=').ok_or_else(|| FilterError::Malformed(text.to_owned()))?;
            let (key, value) = (key.trim().to_lowercase(), value.trim().to_owned());
            if !known.contains(&key.as_str()) {
                return Err(FilterError::Unknown { key, known: known.to_vec() });
            }
            parsed.filters.push(Filter { key, value, pattern: OnceLock::new() });
        }
        Ok(parsed)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.filters.is_empty()
    }

    /// Whether there is one of a key.
    pub fn contains(&self, key: &str) -> bool {
        self.of(key).next().is_some()
    }

    /// The values of a key, in their order.
    pub fn values<'f>(&'f self, key: &'f str) -> impl Iterator<Item = &'f str> {
        self.of(key).map(|filter| filter.value.as_str())
    }

    fn of<'f>(&'f self, key: &'f str) -> impl Iterator<Item = &'f Filter> {
        self.filters.iter().filter(move |filter| filter.key == key)
    }

    /// Whether one of the values of a key meets a condition, or there are none.
    pub fn any(&self, key: &str, meets: impl FnMut(&str) -> bool) -> bool {
        let mut values = self.values(key).peekable();
        values.peek().is_none() || values.any(meets)
    }

    /// Whether something is one of the values: a driver, a status.
    pub fn exact(&self, key: &str, text: &str) -> bool {
        self.any(key, |value| value == text)
    }

    /// Whether something begins with one of the values: an id.
    pub fn prefix(&self, key: &str, text: &str) -> bool {
        self.any(key, |value| text.starts_with(value))
    }

    /// Whether one of some texts is a value of a key, or a value as a regular expression is found in it: names.
    pub fn pattern<S: AsRef<str>>(&self, key: &str, texts: &[S]) -> bool {
        !self.contains(key)
            || self.of(key).any(|filter| {
                let pattern = filter.pattern();
                texts
                    .iter()
                    .map(AsRef::as_ref)
                    .any(|text| filter.value == text || pattern.is_some_and(|pattern| pattern.is_match(text)))
            })
    }

    /// Whether one of some texts matches one of the values as a pattern of paths: references. A value that is no pattern
    /// is an error.
    pub fn glob<S: AsRef<str>>(&self, key: &str, texts: &[S]) -> Result<bool, FilterError> {
        let mut met = !self.contains(key);
        for value in self.values(key) {
            for text in texts {
                let invalid = || FilterError::Value { key: key.to_owned(), value: value.to_owned() };
                met |= path_match(value, text.as_ref()).ok_or_else(invalid)?;
            }
        }
        Ok(met)
    }

    /// Whether all filters of labels are met: `label=KEY` wants the label, `label=KEY=VALUE` also its value.
    pub fn labels<'l>(&self, key: &str, label: impl Fn(&str) -> Option<&'l str>) -> bool {
        self.values(key).all(|filter| has_label(filter, &label))
    }

    /// Whether no filter of labels is met, for `label!=…` of prunes, whose key is `label!`.
    pub fn without_labels<'l>(&self, key: &str, label: impl Fn(&str) -> Option<&'l str>) -> bool {
        !self.values(key).any(|filter| has_label(filter, &label))
    }

    /// A key that is true or false, such as `dangling`.
    pub fn flag(&self, key: &str) -> Result<Option<bool>, FilterError> {
        let mut flag = None;
        for value in self.values(key) {
            let truth = match value {
                "1" | "true" | "True" | "TRUE" | "t" | "T" => true,
                "0" | "false" | "False" | "FALSE" | "f" | "F" => false,
                _ => return Err(FilterError::Value { key: key.to_owned(), value: value.to_owned() }),
            };
            if flag.is_some_and(|flag| flag != truth) {
                return Err(FilterError::Value { key: key.to_owned(), value: value.to_owned() });
            }
            flag = Some(truth);
        }
        Ok(flag)
    }
}

/// Whether a filter `KEY` or `KEY=VALUE` is met by labels.
fn has_label<'l>(filter: &str, label: impl Fn(&str) -> Option<&'l str>) -> bool {
    match filter.split_once('=') {
        Some((key, value)) => label(key) == Some(value),
        None => label(filter).is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["name", "id", "status", "label", "label!", "dangling", "reference"];

    fn filters(texts: &[&str]) -> Filters {
        Filters::parse(texts, KNOWN).unwrap()
    }

    #[test]
    fn values_are_alternatives_and_labels_add_up() {
        let some = filters(&["status=exited", "status=created", " Name = ^web$ "]);
        assert!(some.exact("status", "created") && !some.exact("status", "running"));
        assert!(some.exact("health", "healthy"), "no filter, no condition");
        assert!(some.pattern("name", &["/web", "web"]) && !some.pattern("name", &["web2"]));
        let some = filters(&["label=a", "label=b=2=3"]);
        let label = |value: &'static str| {
            move |key: &str| match key {
                "a" => Some("1"),
                "b" => Some(value),
                _ => None,
            }
        };
        assert!(some.labels("label", label("2=3")) && !some.labels("label", label("2")));
        let some = filters(&["label!=a=1"]);
        assert!(!some.without_labels("label!", label("")) && some.labels("label", label("")));
    }

    #[test]
    fn each_way_of_comparing() {
        let some = filters(&["name=we", "name=a(", "id=01", "reference=busy*:1.*", "dangling=true"]);
        assert!(some.pattern("name", &["flower"]) && some.pattern("name", &["a("]));
        assert!(!some.pattern("name", &["a"]));
        assert!(some.prefix("id", "0123") && !some.prefix("id", "1"));
        assert_eq!(some.glob("reference", &["busybox:1.36", "busybox"]), Ok(true));
        assert_eq!(some.glob("reference", &["alpine"]), Ok(false));
        assert_eq!(some.flag("dangling"), Ok(Some(true)));
        assert_eq!(some.flag("other"), Ok(None));
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        let refused =
            |texts: &[&str]| Filters::parse(texts, KNOWN).map(|_| ()).map_err(|error| error.to_string());
        assert_eq!(refused(&["name"]), Err("bad format of filter `name` (expected name=value)".to_owned()));
        assert_eq!(refused(&["size=1"]), Err("invalid filter 'size'".to_owned()));
        assert_eq!(refused(&[""]), Ok(()));
        let invalid = filters(&["dangling=maybe", "reference=[a"]);
        assert_eq!(
            invalid.flag("dangling").map_err(|error| error.to_string()),
            Err("invalid filter 'dangling=maybe'".to_owned())
        );
        assert!(invalid.glob("reference", &["a"]).is_err());
        let huge = filters(&["name=(a{1000}){1000}"]);
        assert!(!huge.pattern("name", &["a"]), "a pattern that is too large matches nothing");
    }
}
