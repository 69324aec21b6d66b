//! The part of the SARIF 2.1.0 object model that findings use; names and meanings are the specification's.

use serde::Serialize;

#[derive(Debug, Serialize)]
pub(super) struct LogDto<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [RunDto<'a>; 1],
}

impl<'a> LogDto<'a> {
    pub(super) fn new(run: RunDto<'a>) -> Self {
        Self {
            schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
            version: "2.1.0",
            runs: [run],
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RunDto<'a> {
    pub(super) tool: ToolDto<'a>,
    pub(super) column_kind: &'static str,
    pub(super) results: Vec<ResultDto<'a>>,
}

#[derive(Debug, Serialize)]
pub(super) struct ToolDto<'a> {
    pub(super) driver: DriverDto<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DriverDto<'a> {
    pub(super) name: &'static str,
    pub(super) version: &'a str,
    pub(super) semantic_version: &'a str,
    pub(super) rules: Vec<RuleDto<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RuleDto<'a> {
    pub(super) id: &'a str,
    pub(super) short_description: MessageDto,
    pub(super) full_description: MessageDto,
    pub(super) help: HelpDto,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) help_uri: Option<String>,
    pub(super) default_configuration: ConfigurationDto,
}

#[derive(Debug, Serialize)]
pub(super) struct MessageDto {
    pub(super) text: String,
}

#[derive(Debug, Serialize)]
pub(super) struct HelpDto {
    pub(super) text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) markdown: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct ConfigurationDto {
    pub(super) level: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResultDto<'a> {
    pub(super) rule_id: &'a str,
    pub(super) rule_index: usize,
    pub(super) level: &'static str,
    pub(super) message: MessageDto,
    pub(super) locations: Vec<LocationDto>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) related_locations: Vec<LocationDto>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) fixes: Vec<FixDto<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LocationDto {
    pub(super) physical_location: PhysicalLocationDto,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<MessageDto>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PhysicalLocationDto {
    pub(super) artifact_location: ArtifactLocationDto,
    pub(super) region: RegionDto,
}

/// Relative to the root of the repository, which the reader of the log knows.
#[derive(Debug, Serialize)]
pub(super) struct ArtifactLocationDto {
    pub(super) uri: String,
}

/// Lines and columns from 1; the end is exclusive.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RegionDto {
    pub(super) start_line: usize,
    pub(super) start_column: usize,
    pub(super) end_line: usize,
    pub(super) end_column: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FixDto<'a> {
    pub(super) description: MessageDto,
    pub(super) artifact_changes: Vec<ArtifactChangeDto<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ArtifactChangeDto<'a> {
    pub(super) artifact_location: ArtifactLocationDto,
    pub(super) replacements: Vec<ReplacementDto<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReplacementDto<'a> {
    deleted_region: RegionDto,
    inserted_content: ContentDto<'a>,
}

impl<'a> ReplacementDto<'a> {
    pub(super) fn new(deleted_region: RegionDto, text: &'a str) -> Self {
        Self { deleted_region, inserted_content: ContentDto { text } }
    }
}

#[derive(Debug, Serialize)]
struct ContentDto<'a> {
    text: &'a str,
}
