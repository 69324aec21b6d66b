//! The `.git` of a checkout: what git needs to be at home there.
//!
//! Objects are not part of it: it borrows them from where they are (`objects/info/alternates`), or they are copied.
//! Follows git's "gitrepository-layout", "git-pack-refs" and "gitformat-shallow".

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io;
use std::path::Path;

use longshore_source::{CommitId, GitReference};

use crate::job::Folder;

/// What a `.git` holds.
#[derive(Debug, Default)]
pub(super) struct GitDirectory {
    pub(super) head: Head,
    pub(super) config: Config,
    /// References besides the branch that is checked out.
    pub(super) references: Vec<GitReference>,
    /// Commits whose parents are not seen.
    pub(super) shallow: BTreeSet<CommitId>,
    /// Directories of objects, as they are seen inside.
    pub(super) alternates: Vec<String>,
    /// The lines of `info/sparse-checkout`.
    pub(super) sparse: Option<String>,
    pub(super) index: Option<Vec<u8>>,
}

/// What is checked out.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// A branch, without `refs/heads/`, at a commit if it has one.
    Branch(String, Option<CommitId>),
    Detached(CommitId),
}

impl Default for Head {
    fn default() -> Self {
        Self::Branch("main".to_owned(), None)
    }
}

/// Git's settings: sections with their names and values.
#[derive(Debug, Default)]
pub(super) struct Config(String);

impl Config {
    /// Adds a section. What stands in values stays one value, whatever it holds.
    pub(super) fn section(&mut self, name: &str, sub: Option<&str>, entries: &[(&str, &str)]) {
        let _ = match sub {
            Some(sub) => writeln!(self.0, "[{name} \"{}\"]", sub.replace('\\', "\\\\").replace('"', "\\\"")),
            None => writeln!(self.0, "[{name}]"),
        };
        for (key, value) in entries {
            let _ = writeln!(self.0, "\t{key} = {}", quoted(value));
        }
    }

    /// The text.
    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

fn quoted(value: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "+-_/:*.@=~, ".contains(character);
    if value.chars().all(is_plain) && value.trim() == value && !value.is_empty() {
        return value.to_owned();
    }
    let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\t', "\\t");
    format!("\"{escaped}\"")
}

impl GitDirectory {
    /// Makes `.git` anew in a checkout; whatever has the name gives way.
    pub(super) fn write(&self, checkout: &Folder) -> io::Result<Folder> {
        checkout.remove(b".git")?;
        let git = checkout.make(b".git")?;
        let objects = git.make(b"objects")?;
        objects.make(b"pack")?;
        let info = objects.make(b"info")?;
        if !self.alternates.is_empty() {
            info.write("alternates", (self.alternates.join("\n") + "\n").as_bytes(), 0o644)?;
        }
        git.make_all(Path::new("refs/heads"))?;
        git.make_all(Path::new("refs/tags"))?;
        let info = git.make(b"info")?;
        info.write("exclude", b"", 0o644)?;
        if let Some(patterns) = &self.sparse {
            info.write("sparse-checkout", patterns.as_bytes(), 0o644)?;
        }
        git.write("config", self.config.text().as_bytes(), 0o644)?;
        git.write("packed-refs", self.packed().as_bytes(), 0o644)?;
        if !self.shallow.is_empty() {
            let lines: Vec<&str> = self.shallow.iter().map(CommitId::as_str).collect();
            git.write("shallow", (lines.join("\n") + "\n").as_bytes(), 0o644)?;
        }
        if let Some(index) = &self.index {
            git.write("index", index, 0o644)?;
        }
        let head = match &self.head {
            Head::Branch(branch, _) => format!("ref: refs/heads/{branch}\n"),
            Head::Detached(commit) => format!("{commit}\n"),
        };
        git.write("HEAD", head.as_bytes(), 0o644)?;
        Ok(git)
    }

    fn packed(&self) -> String {
        let mut references = self.references.clone();
        if let Head::Branch(branch, Some(commit)) = &self.head {
            let name = format!("refs/heads/{branch}");
            references.push(GitReference { name, object: commit.clone(), peeled: None });
        }
        references.sort();
        references.dedup_by(|one, other| one.name == other.name);
        let mut text = "# pack-refs with: peeled fully-peeled sorted \n".to_owned();
        for reference in references {
            let _ = writeln!(text, "{} {}", reference.object, reference.name);
            if let Some(peeled) = &reference.peeled {
                let _ = writeln!(text, "^{peeled}");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::Config;

    #[test]
    fn values_of_settings_stay_values() {
        let mut config = Config::default();
        config.section(
            "remote",
            Some("a\"b"),
            &[("url", "https://h/o/r"), ("x", "a\n[core]\n\tpager = \"evil\"")],
        );
        let wanted =
            "[remote \"a\\\"b\"]\n\turl = https://h/o/r\n\tx = \"a\\n[core]\\n\\tpager = \\\"evil\\\"\"\n";
        assert_eq!(config.text(), wanted);
    }
}
