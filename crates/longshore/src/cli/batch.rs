//! `longshore debug batch`: single functions, called from outside.

use std::io;

use thiserror::Error;

use super::{Outcome, Session};
use crate::batch::line::{Line, read_line};
use crate::batch::{answer, too_long};
use crate::exit::{Blame, Exit};
use crate::failure::Explained;

/// Answer requests, one JSON object a line
///
/// Each line on standard input is a request such as {"op": "expr.eval", "expr": "1 < 2"}; each line on standard output
/// is its answer, {"ok": …} or {"error": …}, in the same order. A request that cannot be answered gets an error and
/// the next one is read. The operations are described in docs/batch.md.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  echo '{\"op\": \"batch.operations\"}' | longshore debug batch
  longshore debug batch < requests.ndjson > answers.ndjson")]
pub(super) struct BatchArgs {}

/// Standard input cannot be read.
#[derive(Debug, Error)]
#[error("failed to read requests from standard input")]
struct ReadError(#[source] io::Error);

impl Explained for ReadError {
    fn blame(&self) -> Blame {
        Blame::Environment
    }
}

pub(super) fn run(_args: &BatchArgs, session: &mut Session) -> Outcome {
    let mut input = io::stdin().lock();
    loop {
        let answer = match read_line(&mut input).map_err(ReadError)? {
            Line::End => return Ok(Exit::Success),
            Line::Text(line) if line.trim_ascii().is_empty() => continue,
            Line::Text(line) => answer(&line),
            Line::TooLong => too_long(),
        };
        session.output.data(&answer)?;
        session.output.data("\n")?;
        session.output.flush()?;
        if session.output.is_closed() {
            return Ok(Exit::Success);
        }
    }
}
