//! Settings and facts about the surroundings, as plain data.

use std::collections::BTreeMap;

use longshore_syntax::{Diagnostic, Severity};

use crate::Rule;

/// What settings make of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// It does not run.
    Off,
    /// It runs, and its findings have this severity.
    On(Severity),
}

/// What a run of the rules takes from outside of the file. The default knows nothing and changes nothing.
#[derive(Debug, Clone, Default)]
pub struct LintContext {
    /// Labels of runners that exist besides GitHub's.
    pub runner_labels: Vec<String>,
    /// What becomes of rules, by code: `lint/missing-timeout`.
    pub levels: BTreeMap<String, Level>,
    /// The names of all workflows of the repository, if known: what `workflow_run` may refer to.
    pub workflow_names: Option<Vec<String>>,
}

impl LintContext {
    /// Whether `rule` runs.
    pub(crate) fn is_on(&self, rule: &Rule) -> bool {
        match self.levels.get(rule.code.0) {
            Some(Level::Off) => false,
            Some(Level::On(_)) => true,
            None => rule.enabled,
        }
    }

    /// Gives a finding the severity that settings ask for.
    pub(crate) fn adjust(&self, diagnostic: &mut Diagnostic) {
        if let Some(Level::On(severity)) = self.levels.get(diagnostic.code.0) {
            diagnostic.severity = *severity;
        }
    }
}
