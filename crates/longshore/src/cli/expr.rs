//! `longshore expr`: the value of an expression.

use std::error::Error as _;
use std::io;
use std::path::{Path, PathBuf};

use longshore_expr::json::JsonError;
use longshore_expr::{MapContexts, eval};
use longshore_report::diagnostic::text;
use longshore_syntax::{Diagnostic, SourceFile, Span};
use thiserror::Error;

use super::{Outcome, Session};
use crate::exit::{Blame, Exit};
use crate::expression::{self, Surroundings, moved};
use crate::failure::Explained;
use crate::input::read_text;

/// Evaluate a GitHub expression and print its value as JSON
///
/// The expression is written as in a workflow, with `${{ }}` around it or without. Contexts come from a JSON file
/// whose keys are their names; a context that is not given is null. `success()`, `failure()` and `cancelled()` answer
/// after `job.status`, and `hashFiles()` reads the working directory. NaN and infinities, which JSON lacks, are printed as the strings "NaN", "Infinity" and
/// "-Infinity".
///
/// The exit code is 1 if the expression has no value, and 2 if it cannot be parsed.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  longshore expr \"1 < 2 && 'yes'\"
  longshore expr \"fromJSON('[1, 2]')[1]\"
  longshore expr --raw \"format('{0} on {1}', github.actor, github.ref)\" --contexts contexts.json
  echo '{\"matrix\": {\"os\": \"linux\"}}' | longshore expr 'matrix.os' --contexts -")]
pub(super) struct ExprArgs {
    /// The expression
    #[arg(value_name = "EXPR", allow_hyphen_values = true)]
    expression: String,

    /// A JSON file with the contexts; `-` is standard input
    #[arg(long, value_name = "FILE")]
    contexts: Option<PathBuf>,

    /// Print a string as it is, without quotes and escapes
    #[arg(long, short)]
    raw: bool,
}

/// Why the contexts could not be had.
#[derive(Debug, Error)]
enum ContextsError {
    #[error("failed to read the contexts in `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("the contexts in `{}` cannot be used", path.display())]
    Json { path: PathBuf, source: JsonError },
}

impl Explained for ContextsError {
    fn blame(&self) -> Blame {
        match self {
            Self::Read { .. } => Blame::Environment,
            Self::Json { .. } => Blame::User,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Read { .. } => "give `--contexts` a file that you can read, or `-` for standard input".to_owned(),
            Self::Json { .. } => {
                "write one JSON object whose keys are contexts, such as {\"github\": {\"ref\": \"refs/heads/main\"}}"
                    .to_owned()
            }
        })
    }
}

pub(super) fn run(args: &ExprArgs, session: &mut Session) -> Outcome {
    let contexts = match &args.contexts {
        Some(path) => read_contexts(path)?,
        None => MapContexts::default(),
    };
    let names = expression::names(&contexts);
    let (offset, expr) = expression::parse(&args.expression, &names);
    let expr = match expr {
        Ok(expr) => expr,
        Err(error) => {
            let finding = Diagnostic::error(error.code(), moved(error.span, offset), error.summary());
            let finding = match error.suggestion() {
                Some(near) => finding.label(format!("did you mean `{near}`?")),
                None => finding,
            };
            complain(session, &args.expression, &finding);
            return Ok(Exit::Usage);
        }
    };
    let value = match eval(&expr, &Surroundings(&contexts)) {
        Ok(value) => value,
        Err(error) => {
            let span: Span = moved(error.span, offset);
            let finding = Diagnostic::error(error.code(), span, error.to_string());
            // The text is GitHub's, which leaves out why; the reason stands under the place.
            let finding = match error.kind.source() {
                Some(reason) => finding.label(reason.to_string()),
                None => finding,
            };
            complain(session, &args.expression, &finding);
            return Ok(Exit::Failed);
        }
    };
    let text = match value.as_str().filter(|_| args.raw) {
        Some(text) => text.to_owned(),
        // A tree of values that came from JSON or an expression: there is nothing that could fail to serialise.
        None => serde_json::to_string_pretty(&expression::json(&value)).unwrap_or_default(),
    };
    session.output.data(&text)?;
    session.output.data("\n")?;
    Ok(Exit::Success)
}

fn complain(session: &mut Session, expression: &str, finding: &Diagnostic) {
    let file = SourceFile::new("expression", expression);
    let view = text::render_one(&file, finding, session.output.talk_style());
    session.output.complain(&view);
}

fn read_contexts(path: &Path) -> Result<MapContexts, ContextsError> {
    let read = |source| ContextsError::Read { path: path.to_owned(), source };
    let text = read_text(path).map_err(read)?;
    MapContexts::from_json(&text).map_err(|source| ContextsError::Json { path: path.to_owned(), source })
}
