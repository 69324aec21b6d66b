//! Checks on a source file: its head, its size, its purity, its types that are serialised.

use crate::layers::{IMPURE_WORDS, IO_WORDS, LAYERS, PURE, SERIALISED, UNSAFE};

/// Longer files hold a second noun.
const MOST_LINES: usize = 800;

/// One `.rs` file.
pub(super) struct Source<'a> {
    /// The package it belongs to.
    pub(super) package: &'a str,
    /// Its path from the root of the repository.
    pub(super) path: &'a str,
    /// Its text.
    pub(super) text: &'a str,
}

impl Source<'_> {
    /// What is wrong with the file.
    pub(super) fn check(&self) -> Vec<String> {
        let mut found = trailing_blanks(self.path, self.text);
        if !self.text.starts_with("//! ") {
            found.push(self.at(1, "the file must begin with `//!` and say what it is for"));
        }
        let lines = self.text.lines().count();
        if lines > MOST_LINES {
            found.push(self.at(lines, &format!("more than {MOST_LINES} lines; split it by noun")));
        }
        let is_root = ["src/lib.rs", "src/main.rs"].iter().any(|root| self.path.ends_with(root));
        let forbids = self.text.contains("#![forbid(unsafe_code)]");
        if is_root && !forbids && !UNSAFE.contains(&self.package) {
            found.push(self.at(1, "`#![forbid(unsafe_code)]` is missing"));
        }
        if !self.is_test() {
            found.extend(self.impure());
            found.extend(self.serialised());
        }
        found
    }

    /// The codes of findings that the file names, with their place.
    pub(super) fn codes(&self) -> Vec<(String, String)> {
        if self.is_test() || self.package == "xtask" {
            return Vec::new();
        }
        let mut codes = Vec::new();
        for (number, line) in self.lines() {
            // Every second part of a line cut at quotation marks is the inside of a string.
            for part in line.split('"').skip(1).step_by(2) {
                if is_code(part) || line.contains(&format!("Code(\"{part}\")")) {
                    codes.push((part.to_owned(), format!("{}:{number}", self.path)));
                }
            }
        }
        codes
    }

    fn impure(&self) -> Vec<String> {
        let pure = LAYERS.iter().any(|layer| layer.package == self.package && layer.level <= PURE);
        let sans_io = self.text.starts_with("//! Sans-IO.");
        let words = match (pure, sans_io) {
            (true, _) => IMPURE_WORDS,
            (false, true) => IO_WORDS,
            (false, false) => return Vec::new(),
        };
        let mut found = Vec::new();
        for (number, line) in self.lines() {
            for word in words.iter().filter(|word| line.contains(**word)) {
                found.push(self.at(number, &format!("`{}` in code that must be pure", word.trim())));
            }
        }
        found
    }

    fn serialised(&self) -> Vec<String> {
        if SERIALISED.contains(&self.package) {
            return Vec::new();
        }
        let mut found = Vec::new();
        let mut derived = false;
        for (number, line) in self.lines() {
            let line = line.trim_start();
            derived |= line.starts_with("#[derive(") && line.contains("Serialize");
            let Some((_, name)) = line.split_once("struct ").or_else(|| line.split_once("enum ")) else {
                continue;
            };
            let name: String =
                name.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
            if derived && !name.ends_with("Dto") {
                found
                    .push(self.at(number, &format!("`{name}` is serialised, so its name must end in `Dto`")));
            }
            derived = false;
        }
        found
    }

    /// Lines with their numbers, without comments and up to the tests at the end of the file.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let numbered = self.text.lines().enumerate().map(|(index, line)| (index + 1, line));
        numbered
            .take_while(|(_, line)| *line != "#[cfg(test)]" || self.path.ends_with("mod.rs"))
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    fn is_test(&self) -> bool {
        let parts: Vec<&str> = self.path.split('/').collect();
        parts.contains(&"tests") || parts.contains(&"benches") || self.path.ends_with("tests.rs")
    }

    fn at(&self, line: usize, complaint: &str) -> String {
        format!("{}:{line}: {complaint}", self.path)
    }
}

/// Whether a text is a code by its looks: `area/some-name`.
fn is_code(text: &str) -> bool {
    let word = |part: &str| {
        part.starts_with(|letter: char| letter.is_ascii_lowercase())
            && part
                .chars()
                .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-')
    };
    text.split_once('/').is_some_and(|(area, name)| AREAS.contains(&area) && word(name))
}

/// The areas that codes are in.
const AREAS: &[&str] = &["action", "check", "config", "expr", "lint", "plan", "source", "workflow", "yaml"];

/// Lines that end in blanks, and a file that does not end its last line or ends in empty ones.
pub(super) fn trailing_blanks(path: &str, text: &str) -> Vec<String> {
    let mut found: Vec<String> = text
        .lines()
        .enumerate()
        .filter(|(_, line)| line.ends_with([' ', '\t', '\r']))
        .map(|(index, _)| format!("{path}:{}: blanks at the end of the line", index + 1))
        .collect();
    if !text.is_empty() && (!text.ends_with('\n') || text.ends_with("\n\n")) {
        found.push(format!("{path}:{}: a file ends with one line feed", text.lines().count()));
    }
    found
}
