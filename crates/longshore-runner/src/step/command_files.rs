//! The files by which a step sets variables, outputs and state.

use std::io;

use longshore_workflow::file_command::{
    EnvDisposition, FileCommandKind, STEP_SUMMARY_LIMIT, blocked_message, env_disposition, parse_pairs,
    parse_paths,
};

use crate::job::Place;

/// Larger command files are refused.
const LIMIT: u64 = 64 * 1024 * 1024;

/// The kinds with the beginnings of their names.
const KINDS: [(FileCommandKind, &str); 5] = [
    (FileCommandKind::Env, "set_env"),
    (FileCommandKind::Path, "add_path"),
    (FileCommandKind::Output, "set_output"),
    (FileCommandKind::State, "save_state"),
    (FileCommandKind::StepSummary, "step_summary"),
];

/// The command files of one step.
#[derive(Debug, Clone)]
pub(crate) struct CommandFiles {
    suffix: String,
}

/// What a step wrote into its command files.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) env: Vec<(String, String)>,
    pub(crate) path: Vec<String>,
    pub(crate) outputs: Vec<(String, String)>,
    pub(crate) state: Vec<(String, String)>,
    pub(crate) summary: Option<String>,
    /// What is wrong with them; the step fails.
    pub(crate) errors: Vec<String>,
    /// What is ignored, as an error annotation that fails nothing.
    pub(crate) refused: Vec<String>,
}

impl CommandFiles {
    /// Those of a step; they are made when it is carried out.
    pub(crate) fn new() -> Self {
        Self { suffix: unique() }
    }

    /// Makes the files.
    pub(crate) fn make(&self, place: &Place) -> io::Result<()> {
        for (_, name) in KINDS {
            // Steps may run as any user of the container.
            place.commands.create(&self.name(name), b"", 0o666)?;
        }
        Ok(())
    }

    /// The variables that name them.
    pub(crate) fn variables(&self, place: &Place) -> Vec<(String, String)> {
        KINDS
            .iter()
            .map(|(kind, name)| {
                (kind.variable().to_owned(), format!("{}/{}", place.paths.commands, self.name(name)))
            })
            .collect()
    }

    /// The entries of the `github` context that name them.
    pub(crate) fn context(&self, place: &Place) -> Vec<(String, String)> {
        let variables = self.variables(place).into_iter();
        variables
            .map(|(name, path)| (name.trim_start_matches("GITHUB_").to_ascii_lowercase(), path))
            .collect()
    }

    /// What was written to them.
    pub(crate) fn read(&self, place: &Place) -> Written {
        let mut written = Written::default();
        for (kind, name) in KINDS {
            let limit = if kind == FileCommandKind::StepSummary { STEP_SUMMARY_LIMIT } else { LIMIT };
            match place.commands.read(&self.name(name), limit) {
                Ok((content, true)) => written.add(kind, &String::from_utf8_lossy(&content)),
                Ok((_, false)) if kind == FileCommandKind::StepSummary => written.refused.push(format!(
                    "$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of {}k, got more",
                    STEP_SUMMARY_LIMIT / 1024
                )),
                Ok((_, false)) => {
                    written.errors.push(format!("the file of `{}` is too large", kind.variable()));
                }
                // A step may remove its files; then it says nothing.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    written.errors.push(format!("the file of `{}` cannot be read: {error}", kind.variable()));
                }
            }
        }
        written
    }

    fn name(&self, kind: &str) -> String {
        format!("{kind}_{}", self.suffix)
    }
}

impl Written {
    fn add(&mut self, kind: FileCommandKind, text: &str) {
        match kind {
            FileCommandKind::Path => self.path = parse_paths(text),
            FileCommandKind::StepSummary => {
                self.summary = (!text.trim().is_empty()).then(|| text.to_owned());
            }
            FileCommandKind::Env | FileCommandKind::Output | FileCommandKind::State => {
                let pairs = match parse_pairs(kind, text) {
                    Ok(pairs) => pairs,
                    Err(error) => {
                        self.errors.push(format!(
                            "Unable to process file command '{}' successfully.",
                            kind.variable().trim_start_matches("GITHUB_").to_lowercase()
                        ));
                        self.errors.push(error.problem.to_string());
                        error.taken
                    }
                };
                self.take(kind, pairs);
            }
        }
    }

    fn take(&mut self, kind: FileCommandKind, pairs: Vec<(String, String)>) {
        for (name, value) in pairs {
            match kind {
                FileCommandKind::Output => self.outputs.push((name, value)),
                FileCommandKind::State => self.state.push((name, value)),
                _ => match env_disposition(&name) {
                    EnvDisposition::Blocked => self.refused.extend(blocked_message(&name)),
                    EnvDisposition::Set | EnvDisposition::Overridden => self.env.push((name, value)),
                },
            }
        }
    }
}

/// A name that nobody can foresee.
pub(crate) fn unique() -> String {
    let mut bytes = [0_u8; 16];
    // Without random numbers a name is still unique, as files are made only where there are none.
    let _ = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty());
    format!("{:032x}", u128::from_be_bytes(bytes))
}
