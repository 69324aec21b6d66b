//! What steps say to the runner: workflow commands in their output, and problem matchers that read it.
//!
//! The bytes of a step's two streams become [`Effect`]s, in this order:
//!
//! 1. [`OutputReader`], one for each stream, cuts bytes into lines (`split`), however they arrive.
//! 2. A line that holds `::` or `##[` may be a [`WorkflowCommand`]. [`StepOutput`], which both readers share, knows whether
//!    commands are stopped, and carries them out (`perform`).
//! 3. Another line is shown to the problem matchers of the job ([`Matchers`]). Which patterns of a matcher have matched so
//!    far belongs to the stream, as in the runner: lines of the one stream do not continue those of the other.
//! 4. What is left is a line of the log. Secrets are masked as the last thing before text becomes an effect.
//!
//! It follows actions/runner, down to the texts of its errors, which people search for. On purpose it differs so:
//!
//! - Lines end after [`LINE_LIMIT`] bytes, so that memory is bounded, and go on as a further line that is never a command.
//! - Patterns of matchers run in linear time, so those that need look-around or backreferences are refused with a warning.
//! - Set-aside colour codes are all of ANSI's control sequences; the runner forgets those that do not end in `m`.
//! - `set-output` and `save-state` warn of their age once in a step, not each time.
//! - The log has messages in full; an annotation has as much of them as GitHub shows.
//!
//! **Invariant:** effects do not depend on how the bytes of a stream were split, no text that is shown holds a secret that
//! was known when its line was read, and memory does not grow with the length of lines or the number of findings. No I/O:
//! files are read by whoever implements [`StepFiles`].

mod effect;
mod issue;
mod matcher;
mod path;
mod perform;
mod reader;
mod split;
mod step_output;
#[cfg(test)]
mod tests;
mod workflow_command;

pub use effect::Effect;
pub use matcher::{AddedMatchers, MATCHER_FILE_LIMIT, MatcherError, Matchers};
pub use reader::OutputReader;
pub use split::LINE_LIMIT;
pub use step_output::{StepFiles, StepOutput, StepOutputOptions};
pub use workflow_command::{CommandName, WorkflowCommand};
