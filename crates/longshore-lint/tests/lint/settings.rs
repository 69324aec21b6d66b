//! Settings and comments change what is reported.

use longshore_lint::{Level, LintContext};
use longshore_syntax::Severity;

use super::lint;

const TEXT: &str =
    "on: push\npermissions: {}\njobs:\n  build:\n    runs-on: gpu-box\n    steps:\n      - uses: a/b@v1\n";

fn codes(text: &str, context: &LintContext) -> Vec<String> {
    let (_, found, _) = lint("w.yml", text, context);
    found.iter().map(|it| format!("{} {}", it.severity.as_str(), it.code)).collect()
}

#[test]
fn levels_turn_rules_off_and_change_their_severity() {
    let all = ["note lint/missing-timeout", "note lint/unknown-runner", "warning lint/unpinned-action"];
    assert_eq!(codes(TEXT, &LintContext::default()), all);
    let mut context = LintContext::default();
    context.levels.insert("lint/missing-timeout".to_owned(), Level::Off);
    context.levels.insert("lint/unpinned-action".to_owned(), Level::On(Severity::Error));
    context.runner_labels = vec!["GPU-box".to_owned()];
    assert_eq!(codes(TEXT, &context), ["error lint/unpinned-action"]);
}

#[test]
fn comments_silence_their_line_or_the_next() {
    let silenced = |from: &str, to: &str| codes(&TEXT.replace(from, to), &LintContext::default());
    let quiet = ["note lint/missing-timeout", "note lint/unknown-runner"];
    assert_eq!(silenced("@v1", "@v1 # longshore: ignore[unpinned-action] we own it"), quiet);
    assert_eq!(
        silenced(
            "      - uses",
            "      # longshore: ignore[lint/unpinned-action]\n      # and more\n      - uses"
        ),
        quiet
    );
    assert_eq!(
        silenced("runs-on: gpu-box", "runs-on: gpu-box # longshore: ignore[unknown-runner, missing-timeout]"),
        ["note lint/missing-timeout", "note lint/unused-ignore", "warning lint/unpinned-action"]
    );
}

#[test]
fn a_rule_that_is_off_needs_no_ignoring() {
    let text = TEXT.replace("@v1", "@v1 # longshore: ignore[unpinned-action]");
    let mut context = LintContext::default();
    context.levels.insert("lint/unpinned-action".to_owned(), Level::Off);
    assert_eq!(codes(&text, &context), ["note lint/missing-timeout", "note lint/unknown-runner"]);
}
