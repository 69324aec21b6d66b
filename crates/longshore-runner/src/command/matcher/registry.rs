//! The problem matchers of a job.
//!
//! Sans-IO. Steps add and remove them, and all streams of later steps see that at their next line.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::document::{Matcher, MatcherError, MatcherFile};

/// More matchers than a job has in earnest. Each costs time for each line.
const MATCHERS_PER_JOB: usize = 200;

/// The problem matchers of a job; shared by its steps.
#[derive(Debug, Default)]
pub struct Matchers {
    /// Rises with each change, so that readers need no lock to see that there was none.
    generation: AtomicU64,
    list: Mutex<Vec<Arc<Matcher>>>,
}

/// What became of a file of matchers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddedMatchers {
    /// The owners of those that are used from now on.
    pub owners: Vec<String>,
    /// What to warn of: matchers that are not used, and why.
    pub warnings: Vec<String>,
}

impl Matchers {
    /// Adds the matchers of a file, before the others. A matcher goes if another one comes with its owner's name.
    pub fn add(&self, file: &[u8]) -> Result<AddedMatchers, MatcherError> {
        let MatcherFile { matchers, refused } = MatcherFile::parse(file)?;
        let mut warnings: Vec<String> = refused
            .into_iter()
            .map(|(owner, why)| format!("The problem matcher '{owner}' is not used, because {why}."))
            .collect();
        let owners: Vec<String> = matchers.iter().map(|matcher| matcher.owner.clone()).collect();
        let matchers: Vec<Arc<Matcher>> = matchers.into_iter().map(Arc::new).collect();
        self.change(|list| {
            list.retain(|old| !owners.iter().any(|owner| same_owner(&old.owner, owner)));
            list.splice(..0, matchers);
            warnings.extend(list.drain(list.len().min(MATCHERS_PER_JOB)..).map(|dropped| {
                let owner = &dropped.owner;
                format!("The problem matcher '{owner}' is not used any more, because there are too many.")
            }));
        });
        Ok(AddedMatchers { owners, warnings })
    }

    /// Removes the matchers of these owners.
    pub fn remove<'o>(&self, owners: impl IntoIterator<Item = &'o str>) {
        let owners: Vec<&str> = owners.into_iter().collect();
        self.change(|list| list.retain(|old| !owners.iter().any(|owner| same_owner(&old.owner, owner))));
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Arc<Matcher>>)) {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut list);
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// The matchers, if they are not those of the generation that is known; and their generation.
    pub(super) fn newer_than(&self, known: u64) -> Option<(u64, Vec<Arc<Matcher>>)> {
        if self.generation.load(Ordering::Acquire) == known {
            return None;
        }
        let list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        Some((self.generation.load(Ordering::Acquire), list.clone()))
    }
}

fn same_owner(left: &str, right: &str) -> bool {
    left == right || left.to_lowercase() == right.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::{MATCHERS_PER_JOB, Matchers};

    fn file(owners: &[&str]) -> String {
        let matcher =
            |owner: &&str| format!(r#"{{"owner":"{owner}","pattern":[{{"regexp":"x","message":0}}]}}"#);
        let matchers: Vec<String> = owners.iter().map(matcher).collect();
        format!(r#"{{"problemMatcher":[{}]}}"#, matchers.join(","))
    }

    fn owners(matchers: &Matchers) -> Vec<String> {
        let list = matchers.list.lock().unwrap();
        list.iter().map(|matcher| matcher.owner.clone()).collect()
    }

    #[test]
    fn later_matchers_come_first_and_replace_those_of_their_owner() {
        let matchers = Matchers::default();
        matchers.add(file(&["a", "b"]).as_bytes()).unwrap();
        let added = matchers.add(file(&["c", "A"]).as_bytes()).unwrap();
        assert_eq!(added.owners, ["c", "A"]);
        assert_eq!(owners(&matchers), ["c", "A", "b"]);
        matchers.remove(["B", "unknown"]);
        assert_eq!(owners(&matchers), ["c", "A"]);
    }

    #[test]
    fn there_may_not_be_any_number_of_matchers() {
        let matchers = Matchers::default();
        for number in 0..MATCHERS_PER_JOB {
            assert_eq!(matchers.add(file(&[&format!("m{number}")]).as_bytes()).unwrap().warnings, [""; 0]);
        }
        let added = matchers.add(file(&["last"]).as_bytes()).unwrap();
        assert!(added.warnings.iter().all(|warning| warning.contains("'m0'")) && added.warnings.len() == 1);
        assert_eq!(owners(&matchers).len(), MATCHERS_PER_JOB);
    }
}
