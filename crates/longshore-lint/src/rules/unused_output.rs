//! Outputs that nobody reads.

use longshore_expr::{PathSegment, Reference};
use longshore_syntax::{Diagnostic, Severity};
use longshore_workflow::model::JobKind;
use longshore_workflow::template::Token;

use crate::{Rule, Subject};

pub(crate) const RULE: Rule =
    Rule::new("lint/unused-output", Severity::Note, "a job sets an output that nothing reads", check);

fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let reads = || {
        let all = subject.sites.iter().flat_map(|site| &site.references);
        all.filter(|read| read.is_context("needs") || read.is_context("jobs"))
    };
    for job in subject.jobs() {
        let JobKind::Steps(steps) = &job.kind else { continue };
        for (key, _) in steps.outputs.iter().flat_map(Token::entries) {
            let Some(name) = key.as_str() else { continue };
            if !reads().any(|read| may_read(read, &job.id.value, name)) {
                let message = format!("nothing reads the output `{name}` of `{}`", job.id.value);
                found.push(
                    RULE.at(key.span(), message)
                        .help(format!("read it as `needs.{}.outputs.{name}`, or delete it", job.id.value)),
                );
            }
        }
    }
}

/// Whether a reference reads the output, or so much that it may.
fn may_read(read: &Reference<'_>, job: &str, output: &str) -> bool {
    let wanted = [job, "outputs", output];
    let mut steps = wanted.iter().zip(&read.path);
    steps.all(|(name, segment)| match segment {
        PathSegment::Name(text) => text.eq_ignore_ascii_case(name),
        PathSegment::Any | PathSegment::Computed | PathSegment::Item(_) => true,
    })
}
