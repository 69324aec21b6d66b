//! The rules over the example projects, whose flaws are known.

use super::{line, lint, root, yaml_files};
use longshore_lint::LintContext;

/// Findings of one example's workflows: file, then lines.
fn findings(example: &str) -> String {
    let directory = root().join("examples").join(example).join(".github/workflows");
    let mut report = String::new();
    for path in yaml_files(&directory) {
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let (file, found, _) = lint(name, &text, &LintContext::default());
        report.push_str(&format!("=== {name}\n"));
        found.iter().for_each(|diagnostic| report.push_str(&line(&file, diagnostic)));
    }
    report
}

#[test]
fn examples_are_found_as_flawed_as_they_are() {
    for example in ["hello", "heimdex", "vino", "aaronspindler", "thehunter", "elspeth"] {
        insta::with_settings!({ snapshot_path => "../snapshots/examples", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(example, findings(example));
        });
    }
}

/// The flaws that the seeds' requirements name (DIA-19, DIA-20), by file and line.
#[test]
fn the_seeds_hidden_flaws_are_found() {
    let lines = |example: &str, code: &str| -> Vec<String> {
        let report = findings(example);
        let found = report.lines().filter(|line| line.contains(&format!(" {code} ")));
        found.map(|line| line.split(' ').next().unwrap().to_owned()).collect()
    };
    assert_eq!(lines("heimdex", "lint/ignored-failure"), ["44:105", "95:72"]);
    assert_eq!(lines("heimdex", "lint/fixed-sleep"), ["80:11", "91:11"]);
    assert_eq!(lines("thehunter", "lint/inverted-change-detection"), ["28:14"]);
    assert_eq!(lines("thehunter", "lint/shallow-change-detection"), ["28:14"]);
}
