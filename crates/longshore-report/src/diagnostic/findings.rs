//! What was found in a set of files, and how much of it.

use longshore_syntax::{Diagnostic, Severity, SourceFile};

use crate::count;

/// One file and what was found in it.
#[derive(Debug, Clone)]
pub struct FileFindings {
    /// The file.
    pub file: SourceFile,
    /// The findings, in the order in which they are shown.
    pub diagnostics: Vec<Diagnostic>,
}

/// How many findings of each severity there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Files examined.
    pub files: usize,
    /// Findings of severity error.
    pub errors: usize,
    /// Findings of severity warning.
    pub warnings: usize,
    /// Findings of severity note.
    pub notes: usize,
}

impl Counts {
    /// Counts what was found.
    pub fn of(files: &[FileFindings]) -> Self {
        let mut counts = Self { files: files.len(), ..Self::default() };
        for diagnostic in files.iter().flat_map(|file| &file.diagnostics) {
            match diagnostic.severity {
                Severity::Error => counts.errors += 1,
                Severity::Warning => counts.warnings += 1,
                Severity::Note => counts.notes += 1,
            }
        }
        counts
    }

    /// Findings at or above a severity.
    pub fn at_least(self, severity: Severity) -> usize {
        match severity {
            Severity::Error => self.errors,
            Severity::Warning => self.errors + self.warnings,
            Severity::Note => self.errors + self.warnings + self.notes,
        }
    }
}

/// One line that says how it went: `2 errors, 1 warning in 3 files`, or `no problems in 3 files`.
pub fn summary(counts: Counts) -> String {
    let found: Vec<String> = [(counts.errors, "error"), (counts.warnings, "warning"), (counts.notes, "note")]
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, noun)| count(number, noun))
        .collect();
    let found = if found.is_empty() { "no problems".to_owned() } else { found.join(", ") };
    format!("{found} in {}", count(counts.files, "file"))
}
