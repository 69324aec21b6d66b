//! A list of glob patterns as `@actions/glob` reads it: one on each line, later ones decide, `!` excludes.
//!
//! `hashFiles` and the built-in actions search by the same rules: `#` starts a comment, `~` is the home directory, relative
//! patterns begin at a base, `.` and `..` are refused but for a leading `.`, and a directory that matches may bring all
//! that is below it. Pure: whoever searches looks at files, and asks here what to do with each.

use std::path::{Component, Path};

use thiserror::Error;

use crate::glob::{self, Element};

/// A list of glob patterns.
#[derive(Debug, Clone, Default)]
pub struct GlobSet {
    patterns: Vec<Pattern>,
}

/// What a list of patterns says of one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GlobDecision {
    /// It counts if it is no directory.
    pub file: bool,
    /// It counts if it is a directory.
    pub directory: bool,
    /// If it is a directory, something below it may count.
    pub descend: bool,
}

/// A pattern is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum GlobError {
    /// It holds a relative `.` or `..`.
    #[error("Invalid pattern '{pattern}'. Relative pathing '.' and '..' is not allowed.")]
    Relative {
        /// The pattern.
        pattern: String,
    },
    /// Nothing is left of it.
    #[error("pattern cannot be empty")]
    Empty,
}

/// One pattern.
#[derive(Debug, Clone)]
struct Pattern {
    elements: Vec<Element>,
    is_negated: bool,
    /// Stands for all below what another pattern matches.
    is_implicit: bool,
    /// Ends in `/`, so matches directories only.
    directories_only: bool,
    /// The literal segments it starts with.
    prefix: Vec<String>,
}

impl Pattern {
    /// What of a path with these segments matches: files, directories.
    fn matches(&self, path: &[&str]) -> (bool, bool) {
        // `dir/**` also matches `dir` itself, unless it only stands for what is below.
        let open_end = !self.is_implicit && self.elements.last() == Some(&Element::Globstar);
        let matched = if open_end {
            let extended: Vec<&str> = path.iter().copied().chain([""]).collect();
            glob::matches(&self.elements, &extended)
        } else {
            glob::matches(&self.elements, path)
        };
        (matched && !self.directories_only, matched)
    }
}

impl GlobSet {
    /// Reads patterns, one on each line; `base` and `home` are absolute. With `descendants` a directory that matches brings
    /// what is below it.
    ///
    /// # Errors
    /// A pattern is not allowed.
    pub fn parse(text: &str, base: &Path, home: Option<&Path>, descendants: bool) -> Result<Self, GlobError> {
        let mut set = Self::default();
        for line in text.split('\n') {
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                set.add(line, base, home, descendants)?;
            }
        }
        Ok(set)
    }

    /// Whether there is no pattern.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Adds a pattern, and the one for what is below its matches.
    fn add(
        &mut self,
        line: &str,
        base: &Path,
        home: Option<&Path>,
        descendants: bool,
    ) -> Result<(), GlobError> {
        let mut text = line;
        let mut is_negated = false;
        while let Some(rest) = text.strip_prefix('!') {
            is_negated = !is_negated;
            text = rest.trim();
        }
        if text.is_empty() {
            return Err(GlobError::Empty);
        }
        let bad = || GlobError::Relative { pattern: line.to_owned() };
        let directories_only = text.ends_with('/');
        let (base, rest) = match text.split_once('/').unwrap_or((text, "")) {
            ("", rest) => (Vec::new(), rest),
            ("~", rest) => (segments_of(home.ok_or_else(bad)?), rest),
            (".", rest) => (segments_of(base), rest),
            _ => (segments_of(base), text),
        };
        let mut elements: Vec<Element> = base.iter().cloned().map(Element::Literal).collect();
        let mut prefix = Some(base);
        let mut literal = Vec::new();
        for segment in rest.split('/').filter(|segment| !segment.is_empty()) {
            let element = Element::parse(segment);
            match &element {
                Element::Literal(name) if name == "." || name == ".." => return Err(bad()),
                Element::Literal(name) => {
                    if let Some(prefix) = &mut prefix {
                        prefix.push(name.clone());
                    }
                }
                Element::Wild(_) | Element::Globstar => literal = prefix.take().unwrap_or(literal),
            }
            elements.push(element);
        }
        let prefix = prefix.unwrap_or(literal);
        let wants_below = descendants && (directories_only || elements.last() != Some(&Element::Globstar));
        let below: Vec<Element> = elements.iter().cloned().chain([Element::Globstar]).collect();
        let explicit = Pattern { elements, is_negated, is_implicit: false, directories_only, prefix };
        let implicit = wants_below.then(|| Pattern {
            elements: below,
            is_negated,
            is_implicit: true,
            directories_only: false,
            prefix: explicit.prefix.clone(),
        });
        self.patterns.push(explicit);
        self.patterns.extend(implicit);
        Ok(())
    }

    /// Where to search: the literal beginnings of the patterns as segments from the root, in order, without those below
    /// another.
    pub fn search_paths(&self) -> Vec<Vec<String>> {
        let wanted: Vec<&Vec<String>> = self
            .patterns
            .iter()
            .filter(|pattern| !pattern.is_negated)
            .map(|pattern| &pattern.prefix)
            .collect();
        let mut starts: Vec<Vec<String>> = Vec::new();
        for prefix in &wanted {
            let below_another =
                wanted.iter().any(|other| other.len() < prefix.len() && prefix.starts_with(other));
            if !below_another && !starts.contains(prefix) {
                starts.push((*prefix).clone());
            }
        }
        starts
    }

    /// What the patterns say of a path, given as segments from the root.
    pub fn decide<S: AsRef<str>>(&self, segments: &[S]) -> GlobDecision {
        let path: Vec<&str> = segments.iter().map(AsRef::as_ref).collect();
        let (mut file, mut directory) = (false, false);
        for pattern in &self.patterns {
            let (as_file, as_directory) = pattern.matches(&path);
            if pattern.is_negated {
                file &= !as_file;
                directory &= !as_directory;
            } else {
                file |= as_file;
                directory |= as_directory;
            }
        }
        let below =
            |pattern: &Pattern| !pattern.is_negated && glob::may_match_below(&pattern.elements, &path);
        let descend = file || directory || self.patterns.iter().any(below);
        GlobDecision { file, directory, descend }
    }
}

/// The names of a path from the root of the file system.
pub(crate) fn segments_of(path: &Path) -> Vec<String> {
    let names = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        _ => None,
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{GlobError, GlobSet};

    fn set(text: &str, descendants: bool) -> GlobSet {
        GlobSet::parse(text, Path::new("/w"), Some(Path::new("/h")), descendants).unwrap()
    }

    fn paths(set: &GlobSet) -> Vec<String> {
        set.search_paths().iter().map(|path| format!("/{}", path.join("/"))).collect()
    }

    #[test]
    fn searches_begin_at_literal_beginnings() {
        let table: [(&str, &[&str]); 6] = [
            ("dist", &["/w/dist"]),
            ("dist/*.js\n./dist/sub", &["/w/dist"]),
            ("a\nb/**\n!a/x", &["/w/a", "/w/b"]),
            ("~/.npm\n/opt/x/*", &["/h/.npm", "/opt/x"]),
            ("**/*.log", &["/w"]),
            ("# none\n\n", &[]),
        ];
        for (text, wanted) in table {
            assert_eq!(paths(&set(text, true)), wanted, "{text}");
        }
    }

    #[test]
    fn descendants_come_with_their_directory_if_wanted() {
        let path = ["w", "dist", "a", "b.js"];
        assert!(set("dist", true).decide(&path).file);
        assert!(!set("dist", false).decide(&path).file);
        assert!(!set("dist\n!dist/**/*.js", true).decide(&path).file);
        assert!(set("dist", false).decide(&path[..2]).directory);
    }

    #[test]
    fn relative_paths_are_refused() {
        for pattern in ["../x", "a/../b", "a/./b", "!../x"] {
            let parsed = GlobSet::parse(pattern, Path::new("/w"), None, true);
            assert!(matches!(parsed, Err(GlobError::Relative { .. })), "{pattern}");
        }
        assert!(matches!(GlobSet::parse("!", Path::new("/w"), None, true), Err(GlobError::Empty)));
    }
}
