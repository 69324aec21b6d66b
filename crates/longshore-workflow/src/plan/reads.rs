//! The secrets and configuration variables that a job reads.

use std::collections::{BTreeSet, HashMap};

use longshore_expr::Expr;

use crate::model::{Job, Workflow};
use crate::template::{Token, TokenKind};

/// The tokens of a workflow's jobs by the place of their keys.
pub(super) fn job_tokens(workflow: &Workflow) -> HashMap<u32, &Token> {
    let jobs = workflow.root.entry("jobs").map_or(&[][..], Token::entries);
    jobs.iter().map(|(key, value)| (key.span().start, value)).collect()
}

/// The names of the secrets and variables that a job reads, each sorted; `*` stands for all of them. What the workflow's
/// `env` reads, every job reads.
pub(super) fn of_job(
    workflow: &Workflow,
    tokens: &HashMap<u32, &Token>,
    job: &Job,
) -> (Vec<String>, Vec<String>) {
    let mut reads = Reads::default();
    workflow.env.iter().for_each(|token| reads.token(token));
    let own = tokens.get(&job.id.span.start);
    own.iter().for_each(|token| reads.token(token));
    // Conditions need no `${{ }}`, so their tokens may be plain text.
    reads.expr(&job.condition.expr);
    for step in job.steps().iter().flat_map(|step| step.flatten()) {
        reads.expr(&step.condition.expr);
    }
    (reads.secrets.into_iter().collect(), reads.vars.into_iter().collect())
}

/// The names of the secrets that a value is made of.
pub(super) fn secrets_of(token: &Token) -> Vec<String> {
    let mut reads = Reads::default();
    reads.token(token);
    reads.secrets.into_iter().collect()
}

#[derive(Default)]
struct Reads {
    secrets: BTreeSet<String>,
    vars: BTreeSet<String>,
}

impl Reads {
    fn token(&mut self, token: &Token) {
        token.visit(&mut |part| {
            if let TokenKind::Expression(expression) = &part.kind {
                self.expr(&expression.expr);
            }
        });
    }

    fn expr(&mut self, expr: &Expr) {
        for reference in expr.references() {
            let name = reference.name(0).unwrap_or("*").to_owned();
            if reference.is_context("secrets") {
                self.secrets.insert(name);
            } else if reference.is_context("vars") {
                self.vars.insert(name);
            }
        }
    }
}
