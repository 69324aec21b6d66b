//! What one check found, and the report of all of them; documented in `docs/doctor.md`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a check means for who wants to run containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum StatusDto {
    /// It works.
    Ok,
    /// It works, and something about it is worth knowing.
    Note,
    /// Something that some containers need does not work.
    Warning,
    /// Something that every container needs does not work.
    Problem,
}

impl StatusDto {
    /// The word for people.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CheckDto {
    /// `GROUP.NAME`; never changes its meaning.
    pub(super) id: String,
    /// What it means.
    pub(super) status: StatusDto,
    /// One line.
    pub(super) finding: String,
    /// More lines, for who wants to know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) detail: Vec<String>,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) help: Option<String>,
}

impl CheckDto {
    fn new(id: &str, status: StatusDto, finding: impl Into<String>) -> Self {
        Self { id: id.to_owned(), status, finding: finding.into(), detail: Vec::new(), help: None }
    }

    /// It works.
    pub(super) fn ok(id: &str, finding: impl Into<String>) -> Self {
        Self::new(id, StatusDto::Ok, finding)
    }

    /// It works, and something about it is worth knowing.
    pub(super) fn note(id: &str, finding: impl Into<String>) -> Self {
        Self::new(id, StatusDto::Note, finding)
    }

    /// Some containers will miss it.
    pub(super) fn warning(id: &str, finding: impl Into<String>) -> Self {
        Self::new(id, StatusDto::Warning, finding)
    }

    /// No container runs without it.
    pub(super) fn problem(id: &str, finding: impl Into<String>) -> Self {
        Self::new(id, StatusDto::Problem, finding)
    }

    /// Adds lines.
    pub(super) fn detail(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        self.detail.extend(lines);
        self
    }

    /// Adds an error and what caused it, each on a line.
    pub(super) fn because(self, error: &dyn std::error::Error) -> Self {
        let chain = std::iter::successors(Some(error), |error| error.source());
        let lines: Vec<String> = chain.map(ToString::to_string).collect();
        self.detail(lines)
    }

    /// Says what to do.
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The part of the id before the point.
    pub(super) fn group(&self) -> &str {
        self.id.split_once('.').map_or("", |(group, _)| group)
    }

    /// The part of the id after the point.
    pub(super) fn name(&self) -> &str {
        self.id.split_once('.').map_or(self.id.as_str(), |(_, name)| name)
    }
}

/// What a part of the examination has to say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OutcomeDto {
    /// What was found.
    pub(super) checks: Vec<CheckDto>,
    /// How many things of which kind were cleaned up.
    pub(super) cleaned: BTreeMap<String, u64>,
}

impl From<Vec<CheckDto>> for OutcomeDto {
    fn from(checks: Vec<CheckDto>) -> Self {
        Self { checks, cleaned: BTreeMap::new() }
    }
}

/// Who asked.
#[derive(Debug, Clone, Serialize)]
pub(super) struct UserDto {
    /// The user's number.
    pub(super) uid: u32,
    /// Whether containers are started without root.
    pub(super) rootless: bool,
}

/// Everything.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ReportDto {
    /// Name and version of this format.
    pub(super) schema: &'static str,
    /// The version of Longshore, with its commit if that is known.
    pub(super) longshore: String,
    /// Who asked.
    pub(super) user: UserDto,
    /// Whether containers can run: no check found a problem.
    pub(super) containers_can_run: bool,
    /// How many checks have which status.
    pub(super) counts: BTreeMap<&'static str, usize>,
    /// What was cleaned up, by kind; absent if that was not wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cleaned: Option<BTreeMap<String, u64>>,
    /// The checks, group by group.
    pub(super) checks: Vec<CheckDto>,
}

impl ReportDto {
    /// Name and version of the format.
    pub(super) const SCHEMA: &str = "longshore.doctor/1";

    /// How many checks have a status.
    pub(super) fn count(&self, status: StatusDto) -> usize {
        self.counts.get(status.word()).copied().unwrap_or(0)
    }
}
