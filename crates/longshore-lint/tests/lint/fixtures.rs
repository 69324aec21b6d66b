//! Each rule over its good and bad files.

use std::collections::BTreeSet;
use std::fs;

use longshore_lint::{LintContext, RULES, Rule};
use longshore_syntax::{Diagnostic, Edit, SourceFile};

use super::{line, lint, root, yaml_files};

/// Settings for the files of a rule: whatever its severity, it runs.
fn context(rule: &Rule) -> LintContext {
    let mut context = LintContext::default();
    if !rule.enabled {
        context.levels.insert(rule.code.0.to_owned(), longshore_lint::Level::On(rule.severity));
    }
    context.workflow_names = Some(vec!["CI".to_owned(), "Release".to_owned()]);
    context
}

/// Puts all fixes of a code into a text, first come first served where they overlap.
fn fixed(file: &SourceFile, found: &[Diagnostic]) -> Option<String> {
    let mut edits: Vec<&Edit> = Vec::new();
    for fix in found.iter().filter_map(|diagnostic| diagnostic.fix.as_ref()) {
        let free = |edit: &Edit| {
            edits.iter().all(|taken| {
                let apart = edit.span.end <= taken.span.start || taken.span.end <= edit.span.start;
                apart && edit.span != taken.span
            })
        };
        if fix.edits.iter().all(free) {
            edits.extend(&fix.edits);
        }
    }
    if edits.is_empty() {
        return None;
    }
    edits.sort_by_key(|edit| edit.span);
    let mut text = file.text().to_owned();
    for edit in edits.iter().rev() {
        text.replace_range(edit.span.range(), &edit.text);
    }
    Some(text)
}

#[test]
fn rules_find_what_is_bad_and_nothing_else() {
    let mut problems = Vec::new();
    // Nobody wants to keep files that are too large.
    for rule in RULES.iter().filter(|rule| rule.slug() != "too-large") {
        let directory = root().join("crates/longshore-lint/tests/fixtures").join(rule.slug());
        let (mut bad, mut good) = (0, 0);
        let mut report = String::new();
        for path in yaml_files(&directory) {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let text = fs::read_to_string(&path).unwrap();
            let (file, mut found, valid) = lint(&name, &text, &context(rule));
            found.retain(|diagnostic| diagnostic.code == rule.code);
            let lines: String = found.iter().map(|diagnostic| line(&file, diagnostic)).collect();
            let is_good = name.starts_with("good");
            if !valid || found.is_empty() != is_good {
                problems.push(format!("{}/{name}: valid: {valid}, found: {lines}", rule.slug()));
            }
            if is_good {
                good += 1;
                continue;
            }
            bad += 1;
            report.push_str(&format!("=== {name}\n{lines}"));
            report.push_str(&after_fixes(rule, &name, &file, &found, &mut problems));
        }
        if bad < 1 || good < 2 {
            problems.push(format!("{}: {bad} bad and {good} good files", rule.slug()));
        }
        insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(rule.slug(), report);
        });
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// The text that the fixes make, which must be free of what they mend and say the same otherwise.
fn after_fixes(
    rule: &Rule,
    name: &str,
    file: &SourceFile,
    found: &[Diagnostic],
    problems: &mut Vec<String>,
) -> String {
    let Some(text) = fixed(file, found) else { return String::new() };
    let (after, left, valid) = lint(name, &text, &context(rule));
    let left: Vec<&Diagnostic> = left.iter().filter(|it| it.code == rule.code).collect();
    let unfixed = found.iter().filter(|it| it.fix.is_none()).count();
    let checks = [
        (rule.fixable, "the rule has a fix and does not say so"),
        (valid, "GitHub refuses the fixed file"),
        (left.iter().all(|it| it.fix.is_none()), "something fixable is left"),
        (left.len() <= unfixed, "something fixed is left"),
        (shape(file) == shape(&after), "the fix changes more than it says"),
    ];
    for (_, problem) in checks.iter().filter(|(holds, _)| !holds) {
        problems.push(format!("{}/{name}: {problem}:\n{text}", rule.slug()));
    }
    format!("--- fixed\n{text}")
}

/// Jobs with the ids, names and actions of their steps.
fn shape(file: &SourceFile) -> Vec<String> {
    let parsed = longshore_workflow::parse_workflow(file);
    let jobs = parsed.model.iter().flat_map(|workflow| &workflow.jobs);
    jobs.map(|job| {
        let steps: Vec<String> =
            job.steps().iter().map(|step| format!("{} if {}", step.id, step.id)).collect();
        format!("{} needs {:?}: {}", job.id.value, job.needs, steps.join(", "))
            .replace(|c: char| c.is_ascii_digit(), "")
    })
    .collect()
}

#[test]
fn each_directory_of_fixtures_is_of_a_rule() {
    let slugs: BTreeSet<&str> = RULES.iter().map(Rule::slug).collect();
    for entry in fs::read_dir(root().join("crates/longshore-lint/tests/fixtures")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(slugs.contains(name.as_str()), "{name}");
    }
}
