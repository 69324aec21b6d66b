//! Workflow files: every code by name, the whole schema, and YAML as GitHub reads it.

use std::collections::BTreeSet;

use longshore_syntax::{Code, SourceFile, yaml};
use longshore_workflow::parse_workflow;
use longshore_workflow::template::code;

use crate::{dump, refusal};

/// Codes that need more than one file: they are found when a workflow is planned or a call resolved.
const BEYOND_ONE_FILE: &[Code] =
    &[code::EVALUATION, code::INVALID_MATRIX, code::UNKNOWN_WORKFLOW, code::INVALID_CALL];

/// Codes of expressions that only an evaluation finds.
const EVALUATION: &[&str] =
    &["expr/format", "expr/json", "expr/case-predicate", "expr/too-large", "expr/function"];

#[test]
fn workflows_are_read_as_github_reads_them() {
    for (name, file) in refusal::fixtures("parse") {
        let parsed = parse_workflow(&file);
        let mut text = refusal::refusals(&file, &parsed);
        if let Some(workflow) = parsed.model.as_ref().filter(|_| parsed.is_valid()) {
            text += &dump::workflow(workflow);
        }
        insta::with_settings!({
            snapshot_path => "../fixtures/parse", prepend_module_to_snapshot => false, omit_expression => true
        }, { insta::assert_snapshot!(name, text) });
    }
}

#[test]
fn every_code_is_produced() {
    let workflows = refusal::fixtures("parse");
    let produced: BTreeSet<Code> = workflows
        .iter()
        .flat_map(|(_, file)| parse_workflow(file).diagnostics())
        .map(|diagnostic| diagnostic.code)
        .collect();
    let known = code::ALL.iter().chain(yaml::code::ALL).chain(longshore_expr::CODES);
    let missing: Vec<&Code> = known
        .filter(|code| !produced.contains(code))
        .filter(|code| !BEYOND_ONE_FILE.contains(code) && !EVALUATION.contains(&code.0))
        .collect();
    assert!(missing.is_empty(), "no fixture produces {missing:?}");
    let all = || code::ALL.iter().chain(yaml::code::ALL).chain(longshore_expr::CODES);
    let unlisted: Vec<&Code> = produced.iter().filter(|code| !all().any(|known| known == *code)).collect();
    assert!(unlisted.is_empty(), "these codes are in no list: {unlisted:?}");
}

#[test]
fn the_fixture_of_every_key_has_every_key() {
    let (_, file) = refusal::fixtures("parse").into_iter().find(|(name, _)| name == "every-key").unwrap();
    let parsed = parse_workflow(&file);
    assert!(parsed.is_valid());
    let workflow = parsed.model.unwrap();
    let mut keys = BTreeSet::new();
    workflow.root.visit(&mut |token| {
        keys.extend(token.entries().iter().filter_map(|(key, _)| key.as_str().map(str::to_owned)));
    });
    let mut missing = BTreeSet::new();
    dump::schema_keys(&longshore_workflow::schema::WORKFLOW_ROOT, &mut missing);
    missing.retain(|key| !keys.contains(*key));
    // Their twins are there; both at once would be refused.
    missing.remove("tags");
    assert!(missing.is_empty(), "the fixture lacks {missing:?}");
}

#[test]
fn large_files_are_read_in_time_and_deep_ones_refused() {
    let step = "      - run: echo ${{ github.sha }}\n";
    let mut text = "on: push\njobs:\n  job:\n    runs-on: x\n    steps:\n".to_owned();
    text.push_str(&step.repeat(10 * 1024 * 1024 / step.len()));
    let parsed = parse_workflow(&SourceFile::new("large.yml", &text));
    assert_eq!(parsed.diagnostics(), []);
    assert_eq!(parsed.model.unwrap().jobs[0].steps().len(), text.matches("- run").count());

    for text in ["on: ".to_owned() + &"[".repeat(1000), "on: ".to_owned() + &"- ".repeat(1000)] {
        let codes: Vec<Code> = parse_workflow(&SourceFile::new("deep.yml", &text))
            .diagnostics()
            .iter()
            .map(|d| d.code)
            .collect();
        assert!(codes == [yaml::code::TOO_LARGE] || codes == [yaml::code::SYNTAX], "{codes:?}");
    }
    let deep: Vec<String> = (0..1000).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
    let deep = deep.concat();
    let diagnostics = parse_workflow(&SourceFile::new("deep.yml", &deep)).diagnostics();
    assert_eq!(diagnostics[0].code, yaml::code::TOO_LARGE);
}
