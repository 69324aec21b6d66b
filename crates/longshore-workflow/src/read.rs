//! From a file's text to its model: `parse`, which never fails.

use std::collections::HashSet;
use std::sync::Arc;

use longshore_syntax::{Diagnostic, Node, Severity, SourceFile, Span, yaml};

use crate::lower::{lower_action, lower_workflow};
use crate::model::{ActionManifest, Workflow};
use crate::schema::{ACTION_ROOT, Definition, WORKFLOW_ROOT};
use crate::template::{self, Refusal, Token, code};

/// A file read as far as it can be, with everything GitHub refuses about it.
#[derive(Debug, Clone)]
pub struct Parsed<T> {
    /// The model; `None` if the text is not YAML or holds nothing.
    pub model: Option<T>,
    /// What the schema refuses, in GitHub's order.
    pub schema_refusals: Vec<Refusal>,
    /// What is refused when the schema is content. GitHub reports these only if there is none of the former.
    pub model_refusals: Vec<Refusal>,
}

impl<T> Parsed<T> {
    /// Everything refused, for people, in the order of the file, without what only follows from another refusal.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        let is_expression = |refusal: &&Refusal| {
            let code = refusal.diagnostic.code;
            code.area() == "expr" || code == code::EXPRESSION_NOT_ALLOWED
        };
        let tokens = |refusals: &mut dyn Iterator<Item = &Refusal>| -> HashSet<Span> {
            refusals.filter_map(|refusal| refusal.token).collect()
        };
        let broken = tokens(&mut self.schema_refusals.iter().filter(is_expression));
        let refused = tokens(&mut self.schema_refusals.iter());
        let within =
            |set: &HashSet<Span>, refusal: &Refusal| refusal.token.is_some_and(|token| set.contains(&token));
        // A value whose expression is wrong is not said to be no cron schedule as well.
        let schema =
            self.schema_refusals.iter().filter(|found| is_expression(found) || !within(&broken, found));
        // What is missing may be what the schema has refused, such as `stepz`.
        let is_absence =
            |found: &Refusal| [code::NO_STEPS, code::NO_TRIGGER].contains(&found.diagnostic.code);
        let content = self.schema_refusals.is_empty();
        let model = self
            .model_refusals
            .iter()
            .filter(|found| !within(&refused, found) && (content || !is_absence(found)));
        let mut diagnostics: Vec<Diagnostic> =
            schema.chain(model).map(|refusal| refusal.diagnostic.clone()).collect();
        diagnostics.sort_by_key(|diagnostic| diagnostic.span);
        // What an alias names is read once for each alias.
        diagnostics.dedup();
        diagnostics
    }

    /// Whether GitHub takes the file. A shell that cannot be used fails no more than the step that wants it.
    pub fn is_valid(&self) -> bool {
        let mut refusals = self.schema_refusals.iter().chain(&self.model_refusals);
        !refusals.any(|Refusal { diagnostic, .. }| {
            diagnostic.severity == Severity::Error && diagnostic.code != code::INVALID_SHELL
        })
    }
}

/// Reads a workflow.
pub fn parse_workflow(file: &SourceFile) -> Parsed<Workflow> {
    parse(file, &WORKFLOW_ROOT, lower_workflow)
}

/// Reads an action manifest.
pub fn parse_action(file: &SourceFile) -> Parsed<ActionManifest> {
    parse(file, &ACTION_ROOT, lower_action)
}

fn parse<T>(
    file: &SourceFile,
    definition: &'static Definition,
    lower: fn(&SourceFile, &Token) -> (T, Vec<Refusal>),
) -> Parsed<T> {
    let root: Arc<Node> = match yaml::parse(file) {
        Ok(Some(root)) => root,
        Ok(None) => return refused(empty()),
        Err(diagnostic) => {
            let token = Some(diagnostic.span);
            return refused(Refusal {
                github: Some(diagnostic.message.clone()),
                token,
                diagnostic: *diagnostic,
            });
        }
    };
    let (token, refusals) = template::read(file, &root, definition);
    let (model, model_refusals) = lower(file, &token);
    Parsed { model: Some(model), schema_refusals: refusals.into_vec(), model_refusals }
}

fn refused<T>(refusal: Refusal) -> Parsed<T> {
    Parsed { model: None, schema_refusals: vec![refusal], model_refusals: Vec::new() }
}

fn empty() -> Refusal {
    let diagnostic = Diagnostic::error(code::EMPTY, Span::at(0), "the file holds nothing, so it never runs")
        .help("fill or delete it; other workflows are not affected");
    Refusal {
        github: Some("Expected a scalar value, a sequence, or a mapping".to_owned()),
        token: None,
        diagnostic,
    }
}
