//! Any text is read as a workflow and as an action, linted and planned, with every finding inside of it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use longshore_lint::{LintContext, lint_action, lint_workflow};
use longshore_syntax::{Diagnostic, SourceFile};
use longshore_workflow::event::{Event, EventFacts};
use longshore_workflow::plan::{PlanInput, Selection, SourceSet, WorkflowFile, plan};
use longshore_workflow::{parse_action, parse_workflow};

fuzz_target!(|text: &str| {
    let file = SourceFile::new(".github/workflows/fuzz.yml", text);
    let context = LintContext::default();
    let workflow = parse_workflow(&file);
    inside(&file, &workflow.diagnostics());
    if let Some(model) = &workflow.model {
        inside(&file, &lint_workflow(model, &context));
    }
    let action = parse_action(&file);
    inside(&file, &action.diagnostics());
    if let Some(model) = &action.model {
        inside(&file, &lint_action(model, &context));
    }
    let facts = EventFacts { git_ref: Some("refs/heads/main".to_owned()), ..EventFacts::default() };
    let workflows = [WorkflowFile::read(file)];
    for name in ["push", "workflow_dispatch"] {
        let _ = plan(&PlanInput {
            event: &Event::synthetic(name, &facts),
            workflows: &workflows,
            sources: &SourceSet::default(),
            vars: None,
            selection: &Selection::default(),
            fetch_actions: false,
        });
    }
});

fn inside(file: &SourceFile, findings: &[Diagnostic]) {
    for diagnostic in findings {
        assert!(diagnostic.span.end as usize <= file.text().len(), "{diagnostic:?}");
        let _ = file.position(diagnostic.span.start);
        for edit in diagnostic.fix.iter().flat_map(|fix| &fix.edits) {
            assert!(file.text().get(edit.span.range()).is_some(), "{edit:?}");
        }
    }
}
