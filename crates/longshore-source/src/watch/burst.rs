//! What happened to files within a moment, and what it comes to. Sans-IO.
//!
//! Editors save in different ways: they write in place, write beside and rename, or move the old file away and write a new
//! one; and they put files of their own beside those that are edited. So what counts is not what happened, but whether a file
//! was touched that was there before or is there now.

use std::collections::{BTreeMap, BTreeSet};

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fact {
    /// It was made: empty, as a link, or as a further name of another file.
    Made,
    /// Who wrote it has closed it.
    Written,
    /// It got this name.
    MovedHere,
    /// It lost this name.
    MovedAway,
    /// It was removed.
    Removed,
    /// It is in a directory that appeared.
    Found,
}

/// What a file is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// There is none.
    Absent,
    /// A file with one name, which may still be written.
    File,
    /// A link, or a file with several names: it is complete when it is made.
    Linked,
    /// A directory, a socket or the like.
    Other,
}

/// What happened since it was quiet.
#[derive(Debug, Default)]
pub(super) struct Burst {
    touched: BTreeMap<String, Touched>,
    /// Directories that were moved away.
    departed: BTreeSet<String>,
    is_lost: bool,
}

#[derive(Debug)]
struct Touched {
    /// Whether it may have been there before: the first that happened to it was not that it appeared.
    was_there: bool,
    /// Whether more happened to it than that it was made.
    is_saved: bool,
}

impl Burst {
    /// Something happened to a file.
    pub(super) fn take(&mut self, path: &str, fact: Fact) {
        if is_of_an_editor(path) {
            return;
        }
        let appeared = matches!(fact, Fact::Made | Fact::MovedHere | Fact::Found);
        let touched =
            self.touched.entry(path.to_owned()).or_insert(Touched { was_there: !appeared, is_saved: false });
        touched.is_saved |= fact != Fact::Made;
    }

    /// A directory was moved away.
    pub(super) fn left(&mut self, directory: &str) {
        self.departed.insert(directory.to_owned());
    }

    /// The system has not told everything.
    pub(super) fn lose(&mut self) {
        self.is_lost = true;
    }

    pub(super) fn is_complete(&self) -> bool {
        !self.is_lost
    }

    pub(super) fn departed(&self) -> &BTreeSet<String> {
        &self.departed
    }

    /// The files that are not what they were, by how they look now.
    pub(super) fn changed(&self, look: impl Fn(&str) -> Look) -> Vec<String> {
        let is_changed = |path: &str, touched: &Touched| match look(path) {
            // What came and went was never meant for anybody.
            Look::Absent => touched.was_there,
            // Who made it writes it still, and will be heard of.
            Look::File => touched.is_saved,
            Look::Linked => true,
            Look::Other => false,
        };
        let changed = self.touched.iter().filter(|(path, touched)| is_changed(path, touched));
        changed.map(|(path, _)| path.clone()).collect()
    }
}

/// Whether a name is one that an editor gives to files of its own: locks, copies of what is not saved, trials.
fn is_of_an_editor(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let is_swap = |suffix: &str| name.starts_with('.') && name.ends_with(suffix);
    name.ends_with('~')
        || name.starts_with(".#")
        || name.starts_with('#') && name.ends_with('#')
        || name.starts_with(".~lock.")
        || name.starts_with(".goutputstream-")
        || name == "4913"
        || [".swp", ".swo", ".swx", ".swpx"].into_iter().any(is_swap)
        || ["___jb_tmp___", "___jb_old___", ".kate-swp"].iter().any(|suffix| name.ends_with(suffix))
}

#[cfg(test)]
mod tests {
    use Fact::{Found, Made, MovedAway, MovedHere, Removed, Written};

    use super::*;

    #[test]
    fn ways_of_saving_come_to_what_was_saved() {
        let there =
            |name: &'static str| move |path: &str| if path == name { Look::File } else { Look::Absent };
        for (way, facts, expected) in [
            ("in place", &[("a", Written)][..], &["a"][..]),
            (
                "renamed over",
                &[("x.tmp", Made), ("x.tmp", Written), ("x.tmp", MovedAway), ("a", MovedHere)],
                &["a"],
            ),
            (
                "moved away and written anew",
                &[
                    ("4913", Made),
                    ("4913", Removed),
                    ("a", MovedAway),
                    ("a~", MovedHere),
                    ("a", Made),
                    ("a", Written),
                    ("a~", Removed),
                ],
                &["a"],
            ),
            ("with a backup", &[("a.bak", MovedHere), ("a", Written), ("a.bak", Removed)], &["a"]),
            ("made", &[("a", Made), ("a", Written)], &["a"]),
            ("found", &[("a", Found)], &["a"]),
            ("being written", &[("a", Made)], &[]),
            ("removed", &[("b", Removed)], &["b"]),
            ("moved", &[("b", MovedAway), ("a", MovedHere)], &["a", "b"]),
            ("tried", &[("b", Made), ("b", Written), ("b", Removed)], &[]),
            ("opened", &[(".a.swp", Made), (".a.swp", Written), ("d/.#a", Made), ("#a#", Written)], &[]),
        ] {
            let mut burst = Burst::default();
            facts.iter().for_each(|(path, fact)| burst.take(path, *fact));
            assert_eq!(burst.changed(there("a")), expected, "{way}");
        }
        let mut burst = Burst::default();
        burst.take("link", Made);
        assert_eq!(burst.changed(|_| Look::Linked), ["link"]);
        assert!(burst.changed(|_| Look::Other).is_empty());
    }
}
