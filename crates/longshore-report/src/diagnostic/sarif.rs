//! Findings as SARIF 2.1.0, which code scanning services read.
//!
//! Only the part of the format that findings need is modelled. Columns count UTF-16 code units, as `columnKind` says;
//! the end of a region is exclusive. Specification:
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/sarif-v2.1.0-os.html>.

mod log;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use longshore_syntax::{Diagnostic, Fix, Severity, SourceFile, Span};

use self::log::{
    ArtifactChangeDto, ArtifactLocationDto, ConfigurationDto, DriverDto, FixDto, HelpDto, LocationDto,
    LogDto, MessageDto, PhysicalLocationDto, RegionDto, ReplacementDto, ResultDto, RuleDto, RunDto, ToolDto,
};
use super::FileFindings;
use super::place::Place;

/// What is said of the tool and its rules.
pub struct Tool<'a> {
    /// Version of Longshore.
    pub version: &'a str,
    /// What is known of a code; `None` if nothing is.
    pub rule: &'a dyn Fn(&str) -> Option<Rule>,
}

/// What a code means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// A few words.
    pub title: String,
    /// One or two sentences.
    pub summary: String,
    /// The severity that findings have unless settings say otherwise.
    pub severity: Severity,
    /// The whole page as Markdown.
    pub page: String,
    /// Where the page stands on the web, if it does.
    pub url: Option<String>,
}

/// One SARIF log with one run, pretty-printed, ending with a line feed.
pub fn render(files: &[FileFindings], tool: &Tool<'_>) -> String {
    let mut rules: BTreeMap<&str, usize> = BTreeMap::new();
    for diagnostic in files.iter().flat_map(|found| &found.diagnostics) {
        rules.entry(diagnostic.code.0).or_default();
    }
    for (index, place) in rules.values_mut().enumerate() {
        *place = index;
    }
    let results = files
        .iter()
        .flat_map(|found| found.diagnostics.iter().map(|diagnostic| result(&found.file, diagnostic, &rules)))
        .collect();
    let driver = DriverDto {
        name: "longshore",
        version: tool.version,
        semantic_version: tool.version,
        rules: rules.keys().map(|code| rule(code, tool)).collect(),
    };
    let log = LogDto::new(RunDto { tool: ToolDto { driver }, column_kind: "utf16CodeUnits", results });
    // Plain structs of strings and numbers: there is nothing in them that could fail to serialise.
    let mut text = serde_json::to_string_pretty(&log).unwrap_or_default();
    text.push('\n');
    text
}

fn rule<'a>(code: &'a str, tool: &Tool<'_>) -> RuleDto<'a> {
    let known = (tool.rule)(code);
    let help = format!("Run `longshore explain {code}`.");
    let (title, summary, severity, page, url) = match known {
        Some(Rule { title, summary, severity, page, url }) => (title, summary, severity, Some(page), url),
        None => (code.to_owned(), code.to_owned(), Severity::Warning, None, None),
    };
    RuleDto {
        id: code,
        short_description: MessageDto { text: title },
        full_description: MessageDto { text: summary },
        help: HelpDto { text: help, markdown: page },
        help_uri: url,
        default_configuration: ConfigurationDto { level: severity.as_str() },
    }
}

fn result<'a>(
    file: &'a SourceFile,
    diagnostic: &'a Diagnostic,
    rules: &BTreeMap<&str, usize>,
) -> ResultDto<'a> {
    let mut message = diagnostic.message.clone();
    if let Some(help) = &diagnostic.help {
        message.push_str("\nhelp: ");
        message.push_str(help);
    }
    ResultDto {
        rule_id: diagnostic.code.0,
        rule_index: rules.get(diagnostic.code.0).copied().unwrap_or_default(),
        level: diagnostic.severity.as_str(),
        message: MessageDto { text: message },
        locations: vec![location(file, diagnostic.span, None)],
        related_locations: diagnostic
            .related
            .iter()
            .map(|label| location(file, label.span, Some(label.text.clone())))
            .collect(),
        fixes: diagnostic.fix.iter().map(|each| fix(file, each)).collect(),
    }
}

fn location(file: &SourceFile, span: Span, message: Option<String>) -> LocationDto {
    LocationDto {
        physical_location: PhysicalLocationDto {
            artifact_location: artifact(file),
            region: region(file, span),
        },
        message: message.map(|text| MessageDto { text }),
    }
}

fn fix<'a>(file: &SourceFile, fix: &'a Fix) -> FixDto<'a> {
    FixDto {
        description: MessageDto { text: fix.title.clone() },
        artifact_changes: vec![ArtifactChangeDto {
            artifact_location: artifact(file),
            replacements: fix
                .edits
                .iter()
                .map(|edit| ReplacementDto::new(region(file, edit.span), &edit.text))
                .collect(),
        }],
    }
}

fn artifact(file: &SourceFile) -> ArtifactLocationDto {
    ArtifactLocationDto { uri: uri(file.name()) }
}

fn region(file: &SourceFile, span: Span) -> RegionDto {
    let start = Place::of(file, span.start);
    let end = Place::of(file, span.end);
    RegionDto {
        start_line: start.line,
        start_column: start.column_utf16(),
        end_line: end.line,
        end_column: end.column_utf16(),
    }
}

/// A path as a relative URI reference: everything that is not plainly part of a path is percent-encoded.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}
