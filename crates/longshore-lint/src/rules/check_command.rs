//! Which commands are checks: tests, linters, type checkers.

use crate::script::{Command, Script};

/// Programs that check whatever their arguments are.
const CHECKERS: [&str; 40] = [
    "pytest",
    "py.test",
    "mypy",
    "pyright",
    "flake8",
    "pylint",
    "bandit",
    "tox",
    "nox",
    "pyflakes",
    "pycodestyle",
    "pip-audit",
    "eslint",
    "tsc",
    "jest",
    "vitest",
    "mocha",
    "stylelint",
    "ava",
    "karma",
    "vue-tsc",
    "biome",
    "golangci-lint",
    "staticcheck",
    "govulncheck",
    "phpunit",
    "phpstan",
    "psalm",
    "rspec",
    "rubocop",
    "ctest",
    "shellcheck",
    "hadolint",
    "actionlint",
    "yamllint",
    "markdownlint",
    "ktlint",
    "detekt",
    "swiftlint",
    "trivy",
];

/// Programs that check with one of these arguments.
const CHECKS: [(&str, &[&str]); 26] = [
    ("ruff", &["check", "format"]),
    ("black", &["--check", "--diff"]),
    ("isort", &["--check", "--check-only", "-c"]),
    ("prettier", &["--check", "-c", "--list-different"]),
    ("cargo", &["test", "clippy", "check", "nextest", "audit", "deny", "fmt"]),
    ("go", &["test", "vet"]),
    (
        "npm",
        &[
            "test",
            "t",
            "lint",
            "check",
            "typecheck",
            "type-check",
            "audit",
            "test:unit",
            "test:e2e",
            "test:ci",
        ],
    ),
    ("yarn", &["test", "lint", "check", "typecheck", "type-check", "audit"]),
    ("pnpm", &["test", "lint", "check", "typecheck", "type-check", "audit"]),
    ("bun", &["test", "lint", "typecheck"]),
    ("make", &["test", "tests", "lint", "check", "typecheck", "test-unit", "unit-test", "e2e"]),
    ("just", &["test", "lint", "check"]),
    ("task", &["test", "lint", "check"]),
    ("mvn", &["test", "verify"]),
    ("mvnw", &["test", "verify"]),
    ("gradle", &["test", "check", "lint"]),
    ("gradlew", &["test", "check", "lint"]),
    ("dotnet", &["test", "format"]),
    ("mix", &["test", "credo", "dialyzer"]),
    ("bundle", &["rspec", "rubocop"]),
    ("python", &["unittest", "pytest", "mypy", "flake8", "pylint", "bandit"]),
    ("python3", &["unittest", "pytest", "mypy", "flake8", "pylint", "bandit"]),
    ("manage.py", &["test", "check"]),
    ("terraform", &["validate"]),
    ("playwright", &["test"]),
    ("cypress", &["run"]),
];

/// Programs whose arguments are names of others, and that run nothing.
const BYSTANDERS: [&str; 30] = [
    "pip", "pip3", "pipx", "apt", "apt-get", "apk", "brew", "echo", "printf", "cat", "grep", "rm", "cp",
    "mv", "ls", "git", "which", "command", "type", "find", "test", "[", "[[", "mkdir", "touch", "tee",
    "export", "cd", "kill", "pkill",
];

/// Arguments that make a command anything but a check.
const OTHER_ERRANDS: [&str; 8] =
    ["install", "add", "uninstall", "--version", "--help", "pull", "build", "rm"];

/// Words of a command that are looked at: what matters stands in front.
const MOST_WORDS: usize = 200;

/// What a command checks with, if it is a check: `pytest`, `cargo clippy`.
pub(super) fn checker(command: &Command<'_>) -> Option<String> {
    if BYSTANDERS.contains(&command.program()) {
        return None;
    }
    let words: Vec<&str> = command
        .words
        .iter()
        .skip(command.program_index())
        .take(MOST_WORDS)
        .map(|word| word.text.rsplit('/').next().unwrap_or_default())
        .collect();
    for (index, word) in words.iter().enumerate() {
        // What looks like a checker behind a flag such as `--name` is its value.
        if words[..index].iter().any(|word| OTHER_ERRANDS.contains(word)) {
            return None;
        }
        let next = words.get(index + 1).copied().unwrap_or_default();
        if CHECKERS.contains(word) && !OTHER_ERRANDS.contains(&next) {
            return Some((*word).to_owned());
        }
        if let Some((_, checks)) = CHECKS.iter().find(|(program, _)| program == word) {
            let rest = words.get(index + 1..).unwrap_or(&[]);
            let errand = rest.iter().any(|word| OTHER_ERRANDS.contains(word));
            if let Some(check) = rest.iter().find(|word| checks.contains(word)).filter(|_| !errand) {
                let formats = *check == "format" || *check == "fmt";
                let only_checks =
                    rest.iter().any(|word| matches!(*word, "--check" | "--verify-no-changes" | "--diff"));
                if !formats || only_checks {
                    return Some(format!("{word} {check}"));
                }
            }
        }
    }
    None
}

/// What the command at `index` checks with, by itself or in the scripts within it.
pub(super) fn checker_at(script: &Script<'_>, index: usize) -> Option<String> {
    let own = script.commands.get(index).and_then(checker);
    own.or_else(|| {
        let mut found = None;
        // They stand in the order of their owners.
        let from = script.nested.partition_point(|(owner, _)| *owner < index);
        let mine = script.nested.iter().skip(from).take_while(|(owner, _)| *owner == index);
        mine.for_each(|(_, inner)| {
            inner.each(&mut |_, _, command| {
                if found.is_none() {
                    found = checker(command);
                }
            });
        });
        found
    })
}
