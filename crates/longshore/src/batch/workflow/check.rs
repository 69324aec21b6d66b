//! `workflow.check {name, text}`.

use longshore_lint::{LintContext, lint_action, lint_workflow};
use longshore_report::diagnostic::{Counts, FileFindings, json::diagnostic_dto};
use longshore_syntax::SourceFile;
use longshore_workflow::plan::certain_failures;
use longshore_workflow::{parse_action, parse_workflow};
use serde_json::{Value, json};

use crate::batch::operation::{OperationError, Parameters};
use crate::examine::is_action;

/// What `longshore check` finds in a file with the default settings.
pub(super) fn check(parameters: &Parameters<'_>) -> Result<Value, OperationError> {
    let name = parameters.optional_text("name")?.unwrap_or("workflow.yml");
    let file = SourceFile::new(name, parameters.text("text")?);
    let context = LintContext::default();
    let (mut diagnostics, lint) = if is_action(name) {
        let parsed = parse_action(&file);
        let lint = parsed.model.as_ref().map(|action| lint_action(action, &context));
        (parsed.diagnostics(), lint)
    } else {
        let parsed = parse_workflow(&file);
        let further = |workflow| [certain_failures(workflow), lint_workflow(workflow, &context)].concat();
        (parsed.diagnostics(), parsed.model.as_ref().map(further))
    };
    diagnostics.extend(lint.unwrap_or_default());
    diagnostics.sort_by_key(|diagnostic| diagnostic.span);
    let found: Vec<Value> = diagnostics
        .iter()
        .map(|diagnostic| serde_json::to_value(diagnostic_dto(&file, diagnostic)))
        .collect::<Result<_, _>>()
        .map_err(|error| OperationError::new("internal", error.to_string()))?;
    let counts = Counts::of(&[FileFindings { file, diagnostics }]);
    Ok(json!({
        "errors": counts.errors,
        "warnings": counts.warnings,
        "notes": counts.notes,
        "diagnostics": found,
    }))
}
