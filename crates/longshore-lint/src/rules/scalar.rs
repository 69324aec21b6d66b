//! Versions that YAML reads as numbers.

use longshore_syntax::yaml::{Resolved, ScalarStyle};
use longshore_syntax::{Diagnostic, Edit, Severity};
use longshore_workflow::model::JobKind;
use longshore_workflow::template::Token;

use crate::{Rule, Subject};

pub(crate) const RULE: Rule = Rule::new(
    "lint/changed-scalar",
    Severity::Warning,
    "YAML reads a value as a number and changes its text",
    check,
)
.with_fix();

fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let mut places: Vec<&Token> = Vec::new();
    if let Some(workflow) = subject.workflow() {
        places.extend(&workflow.env);
    }
    for job in subject.jobs() {
        places.extend(job.strategy.as_ref().and_then(|strategy| strategy.entry("matrix")));
        match &job.kind {
            JobKind::Steps(steps) => places.extend(&steps.env),
            JobKind::Call(call) => places.extend(&call.with),
        }
    }
    for view in &subject.steps {
        places.extend(&view.step.env);
        places.extend(view.uses().and_then(|(_, with)| with));
    }
    for place in places {
        for (_, value) in place.entries() {
            value.visit(&mut |token| check_token(token, found));
        }
    }
}

fn check_token(token: &Token, found: &mut Vec<Diagnostic>) {
    let Some(scalar) = token.node.as_scalar().filter(|scalar| scalar.style == ScalarStyle::Plain) else {
        return;
    };
    let Resolved::Number(number) = scalar.resolve() else { return };
    let text = longshore_expr::Value::Number(number).to_text().into_owned();
    if text == scalar.text || scalar.tag.is_some() {
        return;
    }
    let edit = Edit { span: token.span(), text: format!("'{}'", scalar.text) };
    found.push(
        RULE.at(token.span(), format!("YAML reads `{}` as the number {text}", scalar.text))
            .help("quote it if the text is meant")
            .fix("quote it", vec![edit]),
    );
}
