//! The files through which a step sets variables, outputs and state: `GITHUB_ENV`, `GITHUB_OUTPUT`, `GITHUB_STATE`,
//! `GITHUB_PATH`.
//!
//! Follows the `FileCommandManager` of actions/runner on Linux, quirks included, because scripts depend on them:
//! * Lines end in LF. A CR before it belongs to the value (or to the delimiter).
//! * `NAME=VALUE` if the first `=` comes before the first `<<`, else `NAME<<DELIMITER`; nothing is trimmed, there are no
//!   comments, and only a line of zero length is skipped.
//! * The lines of a `<<` value must all end in LF; the delimiter line need not.
//! * The runner takes pairs over one by one, so those before a faulty line have taken effect: [`FileCommandError`] keeps them.
//!
//! An empty name passes the runner's parser, but is refused one call later for variables and outputs; both are one
//! error here. Error texts are the runner's own, so that they can be searched for.

/// Largest step summary in bytes that GitHub accepts.
pub const STEP_SUMMARY_LIMIT: u64 = 1024 * 1024;

/// The kinds of command files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileCommandKind {
    /// `GITHUB_ENV`: variables for the following steps.
    Env,
    /// `GITHUB_OUTPUT`: outputs of the step.
    Output,
    /// `GITHUB_STATE`: state for the post step of the same action.
    State,
    /// `GITHUB_PATH`: directories put before `PATH`.
    Path,
    /// `GITHUB_STEP_SUMMARY`: Markdown for the summary page.
    StepSummary,
}

impl FileCommandKind {
    /// The variable that holds the file's path.
    pub fn variable(self) -> &'static str {
        match self {
            Self::Env => "GITHUB_ENV",
            Self::Output => "GITHUB_OUTPUT",
            Self::State => "GITHUB_STATE",
            Self::Path => "GITHUB_PATH",
            Self::StepSummary => "GITHUB_STEP_SUMMARY",
        }
    }
}

/// A faulty line; the step fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct FileCommandError {
    /// 1-based number of the line; for an unfinished value, the line that opens it.
    pub line: usize,
    /// What is wrong, in the runner's words.
    pub problem: FileCommandProblem,
    /// The pairs before the faulty line, which have taken effect.
    pub taken: Vec<(String, String)>,
}

/// The kinds of fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileCommandProblem {
    /// A line without `=` and `<<`.
    #[error("Invalid format '{0}'")]
    Format(String),
    /// `=VALUE` for a variable or output.
    #[error("Invalid format '{0}'. Name must not be empty")]
    EmptyName(String),
    /// `<<` without a name or a delimiter.
    #[error("Invalid format '{0}'. Name must not be empty and delimiter must not be empty")]
    EmptyNameOrDelimiter(String),
    /// The file ends after a line feed and before the delimiter.
    #[error("Invalid value. Matching delimiter not found '{0}'")]
    DelimiterNotFound(String),
    /// The file ends inside a value, within a line.
    #[error("Invalid value. EOF marker missing new line.")]
    MissingNewline,
    /// This kind of file does not hold pairs.
    #[error("`{}` does not hold names and values", .0.variable())]
    NotPairs(FileCommandKind),
}

/// A line with its number; `terminated` says whether a line feed ended it.
struct Line<'a> {
    number: usize,
    text: &'a str,
    /// Byte offset in the text where the line starts.
    start: usize,
    terminated: bool,
}

fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut start = 0;
    text.split_inclusive('\n').enumerate().map(move |(index, whole)| {
        let stripped = whole.strip_suffix('\n');
        let line = Line {
            number: index + 1,
            text: stripped.unwrap_or(whole),
            start,
            terminated: stripped.is_some(),
        };
        start += whole.len();
        line
    })
}

/// Reads the pairs of a `GITHUB_ENV`, `GITHUB_OUTPUT` or `GITHUB_STATE` file, in order and with repetitions.
///
/// A byte order mark at the start is dropped. The error keeps the pairs before it.
pub fn parse_pairs(kind: FileCommandKind, text: &str) -> Result<Vec<(String, String)>, FileCommandError> {
    let mut pairs = Vec::new();
    if matches!(kind, FileCommandKind::Path | FileCommandKind::StepSummary) {
        return Err(FileCommandError { line: 1, problem: FileCommandProblem::NotPairs(kind), taken: pairs });
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = lines(text);
    while let Some(line) = lines.next() {
        if line.text.is_empty() {
            continue;
        }
        let number = line.number;
        match parse_entry(kind, text, &line, &mut lines) {
            Ok(pair) => pairs.push(pair),
            Err(problem) => return Err(FileCommandError { line: number, problem, taken: pairs }),
        }
    }
    Ok(pairs)
}

fn parse_entry<'a>(
    kind: FileCommandKind,
    text: &'a str,
    line: &Line<'a>,
    lines: &mut impl Iterator<Item = Line<'a>>,
) -> Result<(String, String), FileCommandProblem> {
    let whole = || line.text.to_owned();
    let equals = line.text.find('=');
    let heredoc = line.text.find("<<");
    if let Some((name, value)) = line.text.split_once('=')
        && heredoc.is_none_or(|at| equals.is_some_and(|equals| equals < at))
    {
        if name.is_empty() && kind != FileCommandKind::State {
            return Err(FileCommandProblem::EmptyName(whole()));
        }
        return Ok((name.to_owned(), value.to_owned()));
    }
    let Some((name, delimiter)) = line.text.split_once("<<") else {
        return Err(FileCommandProblem::Format(whole()));
    };
    if name.is_empty() || delimiter.is_empty() {
        return Err(FileCommandProblem::EmptyNameOrDelimiter(whole()));
    }
    let start = line.start + line.text.len() + usize::from(line.terminated);
    for line in lines {
        if line.text == delimiter {
            // The line feed before the delimiter line is not part of the value.
            let end = line.start.saturating_sub(1);
            return Ok((name.to_owned(), text.get(start..end).unwrap_or("").to_owned()));
        }
        if !line.terminated {
            return Err(FileCommandProblem::MissingNewline);
        }
    }
    Err(FileCommandProblem::DelimiterNotFound(delimiter.to_owned()))
}

/// Reads a `GITHUB_PATH` file: the directories in the order in which they are added, each at its last place.
///
/// Here CR, LF and CR LF all end a line, and empty lines are skipped. The directory added last comes first in `PATH`.
pub fn parse_paths(text: &str) -> Vec<String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut seen = std::collections::HashSet::new();
    let mut paths: Vec<String> = text
        .rsplit(['\r', '\n'])
        .filter(|line| !line.is_empty() && seen.insert(*line))
        .map(str::to_owned)
        .collect();
    paths.reverse();
    paths
}

/// What becomes of a variable that a step writes to `GITHUB_ENV`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnvDisposition {
    /// It is set for the following steps.
    Set,
    /// It is not set; the step gets an error annotation with the text of [`blocked_message`], but does not fail.
    Blocked,
    /// It is set without a message, but every step gets GitHub's own value over it.
    Overridden,
}

/// The variables that `GITHUB_ENV` cannot set, in any case.
const BLOCKED: [&str; 1] = ["NODE_OPTIONS"];

/// What becomes of the variable `name` written to `GITHUB_ENV`.
///
/// `overridden` holds for `GITHUB_*` and `RUNNER_*`, whose defaults GitHub documents as not overwritable.
pub fn env_disposition(name: &str) -> EnvDisposition {
    let starts_with =
        |prefix: &str| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    if BLOCKED.iter().any(|blocked| blocked.eq_ignore_ascii_case(name)) {
        EnvDisposition::Blocked
    } else if starts_with("GITHUB_") || starts_with("RUNNER_") {
        EnvDisposition::Overridden
    } else {
        EnvDisposition::Set
    }
}

/// The runner's error annotation for a blocked variable.
pub fn blocked_message(name: &str) -> Option<String> {
    let blocked = BLOCKED.iter().find(|blocked| blocked.eq_ignore_ascii_case(name))?;
    Some(format!("Can't store {blocked} output parameter using '$GITHUB_ENV' command."))
}

#[cfg(test)]
mod tests;
