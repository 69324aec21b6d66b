//! The operations `workflow.*`, `filter.match` and `files.parse`.

mod check;
mod files;
mod filter;
mod parse;
mod plan;
mod shape;

use super::operation::Operation;

/// The operations on workflow files and what belongs to them.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "workflow.parse",
        summary: "reads a workflow; answers in the shape of GitHub's published parser",
        run: parse::parse,
    },
    Operation {
        name: "workflow.check",
        summary: "lists what `longshore check` finds in a workflow or action file",
        run: check::check,
    },
    Operation {
        name: "workflow.plan",
        summary: "lists the jobs that an event starts, by stage",
        run: plan::plan,
    },
    Operation {
        name: "filter.match",
        summary: "says whether filter patterns let an event run",
        run: filter::run,
    },
    Operation { name: "files.parse", summary: "reads an environment file of the runner", run: files::parse },
];
