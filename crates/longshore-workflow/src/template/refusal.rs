//! What GitHub refuses about a file, in its words and in ours.

use longshore_syntax::{Diagnostic, Span};

/// The codes of this crate's errors. Each has a page.
pub mod code {
    use longshore_syntax::Code;

    /// The file holds nothing.
    pub const EMPTY: Code = Code("workflow/empty");
    /// A key that the place does not know.
    pub const UNKNOWN_KEY: Code = Code("workflow/unknown-key");
    /// A value outside of the allowed ones.
    pub const INVALID_VALUE: Code = Code("workflow/invalid-value");
    /// A tag that is none of YAML's own.
    pub const UNKNOWN_TAG: Code = Code("workflow/unknown-tag");
    /// A list where a text is expected, and so on.
    pub const WRONG_TYPE: Code = Code("workflow/wrong-type");
    /// The same key twice.
    pub const DUPLICATE_KEY: Code = Code("workflow/duplicate-key");
    /// A key that must be there is not.
    pub const MISSING_KEY: Code = Code("workflow/missing-key");
    /// The keys leave open which kind of step or job is meant.
    pub const AMBIGUOUS: Code = Code("workflow/ambiguous");
    /// A merge key, which GitHub does not read.
    pub const MERGE_KEY: Code = Code("workflow/merge-key");
    /// An expression where none may stand.
    pub const EXPRESSION_NOT_ALLOWED: Code = Code("workflow/expression-not-allowed");
    /// An event that does not exist.
    pub const UNKNOWN_EVENT: Code = Code("workflow/unknown-event");
    /// A `needs` of a job that does not exist.
    pub const UNKNOWN_NEED: Code = Code("workflow/unknown-need");
    /// Jobs that need each other.
    pub const NEEDS_CYCLE: Code = Code("workflow/needs-cycle");
    /// Every job needs another one.
    pub const NO_FIRST_JOB: Code = Code("workflow/no-first-job");
    /// An identifier with a character or length that is not allowed, or used twice.
    pub const INVALID_ID: Code = Code("workflow/invalid-id");
    /// A cron text that is none.
    pub const INVALID_CRON: Code = Code("workflow/invalid-cron");
    /// A time zone that does not exist.
    pub const UNKNOWN_TIMEZONE: Code = Code("workflow/unknown-timezone");
    /// A filter pattern that is none.
    pub const INVALID_PATTERN: Code = Code("workflow/invalid-pattern");
    /// Two filters that exclude each other.
    pub const FILTER_CONFLICT: Code = Code("workflow/filter-conflict");
    /// An input's default or options do not fit its type.
    pub const INVALID_INPUT: Code = Code("workflow/invalid-input");
    /// A reusable workflow that cannot be found.
    pub const UNKNOWN_WORKFLOW: Code = Code("workflow/unknown-workflow");
    /// A call that does not fit the called workflow.
    pub const INVALID_CALL: Code = Code("workflow/invalid-call");
    /// A step that waits for, or cancels, a step that is not there.
    pub const UNKNOWN_STEP: Code = Code("workflow/unknown-step");
    /// A step that may not stand in a `parallel` group.
    pub const INVALID_PARALLEL: Code = Code("workflow/invalid-parallel");
    /// A runner group that is not well formed.
    pub const INVALID_GROUP: Code = Code("workflow/invalid-runner-group");
    /// A `uses` that names nothing.
    pub const INVALID_USES: Code = Code("workflow/invalid-uses");
    /// A matrix that makes no job, or more than 256.
    pub const INVALID_MATRIX: Code = Code("workflow/invalid-matrix");
    /// No event starts the workflow.
    pub const NO_TRIGGER: Code = Code("workflow/no-trigger");
    /// A job of steps without any.
    pub const NO_STEPS: Code = Code("workflow/no-steps");
    /// A secret called like one that GitHub provides.
    pub const RESERVED_NAME: Code = Code("workflow/reserved-name");
    /// More inputs than `workflow_dispatch` takes.
    pub const TOO_MANY_INPUTS: Code = Code("workflow/too-many-inputs");
    /// A shell that is neither built in nor a template.
    pub const INVALID_SHELL: Code = Code("workflow/invalid-shell");
    /// A time limit that is no positive whole number.
    pub const INVALID_TIMEOUT: Code = Code("workflow/invalid-timeout");
    /// `insert` as a value.
    pub const INVALID_DIRECTIVE: Code = Code("expr/directive");
    /// A value that does not evaluate to the type its place wants.
    pub const EVALUATION: Code = Code("expr/evaluation");

    /// All of them.
    pub const ALL: &[Code] = &[
        EMPTY,
        UNKNOWN_KEY,
        INVALID_VALUE,
        UNKNOWN_TAG,
        WRONG_TYPE,
        DUPLICATE_KEY,
        MISSING_KEY,
        AMBIGUOUS,
        MERGE_KEY,
        EXPRESSION_NOT_ALLOWED,
        UNKNOWN_EVENT,
        UNKNOWN_NEED,
        NEEDS_CYCLE,
        NO_FIRST_JOB,
        INVALID_ID,
        INVALID_CRON,
        UNKNOWN_TIMEZONE,
        INVALID_PATTERN,
        FILTER_CONFLICT,
        INVALID_INPUT,
        UNKNOWN_WORKFLOW,
        INVALID_CALL,
        UNKNOWN_STEP,
        INVALID_PARALLEL,
        INVALID_GROUP,
        INVALID_USES,
        INVALID_MATRIX,
        NO_TRIGGER,
        NO_STEPS,
        RESERVED_NAME,
        TOO_MANY_INPUTS,
        INVALID_SHELL,
        INVALID_TIMEOUT,
        INVALID_DIRECTIVE,
        EVALUATION,
    ];
}

/// One thing that GitHub refuses.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// The text of GitHub's published parser, without its `file (Line: …, Col: …): ` prefix; `None` for what only
    /// github.com itself refuses.
    pub github: Option<String>,
    /// The token GitHub names the position of; `None` where it names the file alone.
    pub token: Option<Span>,
    /// The same for people, at the exact place.
    pub diagnostic: Diagnostic,
}

/// Refusals in the order they were found.
#[derive(Debug, Default)]
pub struct Refusals {
    found: Vec<Refusal>,
}

impl Refusals {
    /// What was found.
    pub fn into_vec(self) -> Vec<Refusal> {
        self.found
    }

    /// What was found so far.
    pub fn as_slice(&self) -> &[Refusal] {
        &self.found
    }

    /// Adds a refusal whose place is the token's.
    pub fn push(&mut self, github: impl Into<String>, diagnostic: Diagnostic) {
        let token = Some(diagnostic.span);
        self.found.push(Refusal { github: Some(github.into()), token, diagnostic });
    }

    /// Adds a refusal within the token at `token`.
    pub fn push_within(&mut self, token: Span, github: impl Into<String>, diagnostic: Diagnostic) {
        self.found.push(Refusal { github: Some(github.into()), token: Some(token), diagnostic });
    }

    /// Adds what GitHub refuses although its published parser does not.
    pub fn push_unpublished(&mut self, diagnostic: Diagnostic) {
        self.found.push(Refusal { github: None, token: Some(diagnostic.span), diagnostic });
    }
}
