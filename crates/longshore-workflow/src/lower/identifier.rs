//! Ids of jobs and steps: which are valid, and how GitHub makes them up.

use std::collections::{HashMap, HashSet};

/// Ids are shorter than this.
const MAX_LENGTH: usize = 100;

/// The ids of one scope.
#[derive(Debug, Default)]
pub(super) struct Ids {
    taken: HashSet<String>,
    /// The number that the last id made from a name has, so that many steps of one name do not try them all again.
    numbers: HashMap<String, usize>,
}

impl Ids {
    /// Takes an id that a file gives; GitHub's text if it may not be taken.
    pub(super) fn claim(&mut self, id: &str) -> Result<(), String> {
        if !is_valid(id) || id.len() >= MAX_LENGTH {
            return Err(format!(
                "The identifier '{id}' is invalid. IDs may only contain alphanumeric characters, '_', and '-'. IDs must \
                 start with a letter or '_' and and must be less than {MAX_LENGTH} characters."
            ));
        }
        if id.starts_with("__") {
            return Err(format!("The identifier '{id}' is invalid. IDs starting with '__' are reserved."));
        }
        if !self.taken.insert(id.to_owned()) {
            return Err(format!(
                "The identifier '{id}' may not be used more than once within the same scope."
            ));
        }
        Ok(())
    }

    /// An id that is not taken yet, made from `name`: characters that ids cannot have become `_`, repetitions are
    /// numbered from 2.
    pub(super) fn make(&mut self, name: &str) -> String {
        let legal = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' };
        let base: String = name.chars().map(legal).collect();
        let first = self.numbers.get(&base).map_or(1, |number| number + 1);
        for attempt in first.. {
            let suffix = if attempt == 1 { String::new() } else { format!("_{attempt}") };
            let room = MAX_LENGTH - suffix.len();
            let candidate = format!("{}{suffix}", &base[..base.len().min(room)]);
            if self.taken.insert(candidate.clone()) {
                self.numbers.insert(base, attempt);
                return candidate;
            }
        }
        base
    }
}

/// A letter or `_`, then letters, digits, `_` and `-`.
fn is_valid(id: &str) -> bool {
    let mut bytes = id.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::Ids;

    #[test]
    fn made_ids_are_legal_and_distinct() {
        let mut ids = Ids::default();
        assert_eq!(ids.make("__actions/checkout"), "__actions_checkout");
        assert_eq!(ids.make("__actions/checkout"), "__actions_checkout_2");
        assert_eq!(ids.make(&format!("__{}", "x".repeat(200))).len(), 100);
        assert_eq!(ids.make("__ubuntu:24.04"), "__ubuntu_24_04");
    }

    #[test]
    fn given_ids_are_checked() {
        let mut ids = Ids::default();
        assert!(ids.claim("build").is_ok());
        assert!(ids.claim("build").is_err());
        for bad in ["", "1a", "-a", "a b", "é", "__a", &"a".repeat(100)] {
            assert!(ids.claim(bad).is_err(), "{bad}");
        }
        assert!(ids.claim(&"a".repeat(99)).is_ok());
    }
}
