//! Each rule has a page that says what the rule says.

use std::collections::BTreeSet;
use std::fs;

use longshore_lint::{RULES, Rule};

use super::root;

#[test]
fn each_rule_has_a_page_with_its_severity() {
    let directory = root().join("docs/codes/lint");
    for rule in RULES {
        let path = directory.join(format!("{}.md", rule.slug()));
        let page = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(page.contains(&format!("\nseverity: {}\n", rule.severity.as_str())), "{}", rule.slug());
        assert!(page.contains(&format!("\n# {}\n", rule.code)), "{}", rule.slug());
        for heading in ["## Why", "## How to fix", "## When to ignore", "## Source"] {
            assert!(page.contains(heading), "{}: {heading}", rule.slug());
        }
        let fixed = page.contains("`longshore check --fix`");
        assert_eq!(fixed, rule.fixable, "{}: `--fix` in its page", rule.slug());
    }
    let slugs: BTreeSet<&str> = RULES.iter().map(Rule::slug).collect();
    for entry in fs::read_dir(directory).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(slugs.contains(name.trim_end_matches(".md")), "{name} is of no rule");
    }
    assert_eq!(slugs.len(), RULES.len(), "two rules share a code");
}
