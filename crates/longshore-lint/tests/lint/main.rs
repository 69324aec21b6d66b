//! The rules over files: what they find, what they leave alone, and what their fixes make of a file.
//!
//! `tests/fixtures/SLUG/bad*.yml` each break the rule `lint/SLUG`; `good*.yml` look like it and do not. A file whose name
//! holds `action` is an action manifest.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its files fails")]

mod examples;
mod fixtures;
mod hostile;
mod pages;
mod settings;

use std::fs;
use std::path::{Path, PathBuf};

use longshore_lint::{Level, LintContext, RULES, lint_action, lint_workflow};
use longshore_syntax::{Diagnostic, SourceFile};
use longshore_workflow::{parse_action, parse_workflow};

/// The repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The YAML files in a directory by name.
fn yaml_files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yml" || extension == "yaml"));
    files.sort();
    files
}

/// Settings under which every rule runs.
fn everything() -> LintContext {
    let levels = RULES.iter().map(|rule| (rule.code.0.to_owned(), Level::On(rule.severity)));
    LintContext { levels: levels.collect(), ..LintContext::default() }
}

/// What the rules find in a text, and whether GitHub takes it.
fn lint(name: &str, text: &str, context: &LintContext) -> (SourceFile, Vec<Diagnostic>, bool) {
    let file = SourceFile::new(name, text);
    let (found, valid) = if name.contains("action") {
        let parsed = parse_action(&file);
        (parsed.model.as_ref().map(|model| lint_action(model, context)), parsed.is_valid())
    } else {
        let parsed = parse_workflow(&file);
        (parsed.model.as_ref().map(|model| lint_workflow(model, context)), parsed.is_valid())
    };
    (file, found.unwrap_or_default(), valid)
}

/// `line:column severity code message`.
fn line(file: &SourceFile, diagnostic: &Diagnostic) -> String {
    let at = file.position(diagnostic.span.start);
    let code = diagnostic.code;
    format!("{}:{} {} {code} {}\n", at.line, at.column, diagnostic.severity.as_str(), diagnostic.message)
}
