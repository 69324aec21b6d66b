//! `on:`.

use longshore_syntax::{Span, Spanned};

use crate::template::Token;

/// One event that starts the workflow, with its filters.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// The event's name, where it stands.
    pub event: Spanned<String>,
    /// `types:`; `None` means the event's default activity types.
    pub types: Option<Vec<Spanned<String>>>,
    /// `branches`, `tags`, `paths` and their `-ignore` forms, in file order.
    pub filters: Vec<PatternFilter>,
    /// `workflows:` of `workflow_run`.
    pub workflows: Vec<Spanned<String>>,
    /// `names:` of `image_version`.
    pub names: Vec<Spanned<String>>,
    /// `versions:` of `image_version`.
    pub versions: Vec<Spanned<String>>,
    /// The entries of `schedule`.
    pub schedules: Vec<Schedule>,
    /// `inputs:` of `workflow_dispatch` and `workflow_call`.
    pub inputs: Vec<Input>,
    /// `secrets:` of `workflow_call`.
    pub secrets: Vec<CallSecret>,
    /// `outputs:` of `workflow_call`.
    pub outputs: Vec<CallOutput>,
}

impl Trigger {
    /// An event without filters.
    pub fn new(event: Spanned<String>) -> Self {
        Self {
            event,
            types: None,
            filters: Vec::new(),
            workflows: Vec::new(),
            names: Vec::new(),
            versions: Vec::new(),
            schedules: Vec::new(),
            inputs: Vec::new(),
            secrets: Vec::new(),
            outputs: Vec::new(),
        }
    }

    /// The filter of one kind.
    pub fn filter(&self, kind: FilterKind) -> Option<&PatternFilter> {
        self.filters.iter().find(|filter| filter.kind == kind)
    }
}

/// The pattern filters of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FilterKind {
    /// `branches`
    Branches,
    /// `branches-ignore`
    BranchesIgnore,
    /// `tags`
    Tags,
    /// `tags-ignore`
    TagsIgnore,
    /// `paths`
    Paths,
    /// `paths-ignore`
    PathsIgnore,
}

impl FilterKind {
    /// All kinds.
    pub const ALL: [Self; 6] =
        [Self::Branches, Self::BranchesIgnore, Self::Tags, Self::TagsIgnore, Self::Paths, Self::PathsIgnore];

    /// The key.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Branches => "branches",
            Self::BranchesIgnore => "branches-ignore",
            Self::Tags => "tags",
            Self::TagsIgnore => "tags-ignore",
            Self::Paths => "paths",
            Self::PathsIgnore => "paths-ignore",
        }
    }

    /// The kind with this key.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == key)
    }

    /// The kind that may not stand beside this one.
    pub fn counterpart(self) -> Self {
        match self {
            Self::Branches => Self::BranchesIgnore,
            Self::BranchesIgnore => Self::Branches,
            Self::Tags => Self::TagsIgnore,
            Self::TagsIgnore => Self::Tags,
            Self::Paths => Self::PathsIgnore,
            Self::PathsIgnore => Self::Paths,
        }
    }
}

/// One filter with its patterns.
#[derive(Debug, Clone)]
pub struct PatternFilter {
    /// Which filter.
    pub kind: FilterKind,
    /// Where its key stands.
    pub span: Span,
    /// Its patterns in order.
    pub patterns: Vec<Spanned<String>>,
}

/// One entry of `schedule`.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// Five fields of POSIX cron.
    pub cron: Spanned<String>,
    /// An IANA time zone; UTC without one.
    pub timezone: Option<Spanned<String>>,
}

/// The type of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InputType {
    /// Text.
    String,
    /// `true` or `false`.
    Boolean,
    /// A number.
    Number,
    /// One of the options.
    Choice,
    /// The name of an environment.
    Environment,
}

impl InputType {
    /// The word in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Boolean => "boolean",
            Self::Number => "number",
            Self::Choice => "choice",
            Self::Environment => "environment",
        }
    }

    /// The type of this name.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::String, Self::Boolean, Self::Number, Self::Choice, Self::Environment]
            .into_iter()
            .find(|kind| kind.as_str() == word)
    }
}

/// One input of `workflow_dispatch` or `workflow_call`.
#[derive(Debug, Clone)]
pub struct Input {
    /// Its name.
    pub name: Spanned<String>,
    /// Its type; text where the file does not say.
    pub kind: InputType,
    /// What it is for.
    pub description: Option<String>,
    /// Whether it must be given; `None` where the file does not say, which means no.
    pub required: Option<bool>,
    /// Its value when it is not given; may be an expression in `workflow_call`.
    pub default: Option<Token>,
    /// What a choice chooses from.
    pub options: Vec<Spanned<String>>,
}

/// One secret that a caller may or must pass.
#[derive(Debug, Clone)]
pub struct CallSecret {
    /// Its name.
    pub name: Spanned<String>,
    /// Whether it must be passed; `None` where the file does not say, which means no.
    pub required: Option<bool>,
    /// What it is for.
    pub description: Option<String>,
}

/// One output of a called workflow.
#[derive(Debug, Clone)]
pub struct CallOutput {
    /// Its name.
    pub name: Spanned<String>,
    /// Its value, evaluated when the called jobs have ended.
    pub value: Token,
    /// What it is for.
    pub description: Option<String>,
}
