//! Action manifests of every kind.

use longshore_workflow::parse_action;

use crate::{dump, refusal};

#[test]
fn actions_are_read_as_github_reads_them() {
    for (name, file) in refusal::fixtures("action") {
        let parsed = parse_action(&file);
        assert_eq!(parsed.is_valid(), !name.starts_with("broken"), "{name}");
        let mut text = refusal::refusals(&file, &parsed);
        if let Some(action) = parsed.model.as_ref().filter(|_| parsed.is_valid()) {
            text += &dump::action(action);
        }
        insta::with_settings!({
            snapshot_path => "../fixtures/action", prepend_module_to_snapshot => false, omit_expression => true
        }, { insta::assert_snapshot!(name, text) });
    }
}
