//! `action.yml`.

use longshore_syntax::{SourceFile, Spanned};

use super::{Condition, Step};
use crate::template::Token;

/// One action manifest.
#[derive(Debug, Clone)]
pub struct ActionManifest {
    /// The file.
    pub file: SourceFile,
    /// `name:`.
    pub name: Option<Spanned<String>>,
    /// `description:`.
    pub description: Option<String>,
    /// `inputs:` in file order.
    pub inputs: Vec<ActionInput>,
    /// `outputs:` in file order.
    pub outputs: Vec<ActionOutput>,
    /// `runs:`; `None` if the file does not say how.
    pub runs: Option<Runs>,
    /// The whole file as tokens.
    pub root: Token,
}

/// One input of an action. Inputs are always text; `required` is not enforced by GitHub.
#[derive(Debug, Clone)]
pub struct ActionInput {
    /// Its name.
    pub name: Spanned<String>,
    /// Whether it must be given.
    pub required: bool,
    /// Its value when it is not given.
    pub default: Option<Token>,
    /// What to say when it is given all the same.
    pub deprecation: Option<String>,
}

/// One output of an action.
#[derive(Debug, Clone)]
pub struct ActionOutput {
    /// Its name.
    pub name: Spanned<String>,
    /// Its value, in composite actions.
    pub value: Option<Token>,
}

/// What an action runs.
#[derive(Debug, Clone)]
pub enum Runs {
    /// JavaScript on Node.
    Node {
        /// `node20` and so on.
        using: Spanned<String>,
        /// The entry file.
        main: Spanned<String>,
        /// The entry files before and after the job's steps.
        lifecycle: Box<Lifecycle>,
    },
    /// A container.
    Docker {
        /// `Dockerfile`, a path to one, or `docker://image`.
        image: Spanned<String>,
        /// The program instead of the image's.
        entrypoint: Option<Spanned<String>>,
        /// Its arguments.
        args: Vec<Token>,
        /// Its environment.
        env: Option<Token>,
        /// The programs before and after the job's steps.
        lifecycle: Box<Lifecycle>,
    },
    /// Steps.
    Composite {
        /// The steps.
        steps: Vec<Step>,
    },
}

/// What an action runs before and after the job's steps.
#[derive(Debug, Clone, Default)]
pub struct Lifecycle {
    /// Before the first step.
    pub pre: Option<Spanned<String>>,
    /// Whether; always without one.
    pub pre_if: Option<Condition>,
    /// After the last step.
    pub post: Option<Spanned<String>>,
    /// Whether; always without one.
    pub post_if: Option<Condition>,
}
