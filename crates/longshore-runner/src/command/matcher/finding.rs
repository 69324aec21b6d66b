//! Annotations of what matchers found.
//!
//! Sans-IO. A match without a message, or with a severity that is none, is no finding. A file is named only if it is there
//! and in the repository, so that what is shown as a link is one.

use longshore_event::{Annotation, AnnotationLevel};

use super::Field;
use super::running::Match;
use crate::command::path::{directory, resolve};

/// What became of a match.
pub(in crate::command) struct Finding {
    /// The annotation, if the match is one.
    pub(in crate::command) annotation: Option<Annotation>,
    /// What is to be said when debugging is on.
    pub(in crate::command) remarks: Vec<String>,
}

/// Makes an annotation of a match. `in_repository` says how a file is called from the root of the repository.
pub(in crate::command) fn finding(
    found: &Match,
    workspace: &str,
    in_repository: impl Fn(&str) -> Option<String>,
) -> Finding {
    let mut remarks = Vec::new();
    let annotation = annotation(found, workspace, in_repository, &mut remarks);
    Finding { annotation, remarks }
}

fn annotation(
    Match(found): &Match,
    workspace: &str,
    in_repository: impl Fn(&str) -> Option<String>,
    remarks: &mut Vec<String>,
) -> Option<Annotation> {
    let text = |field: Field| found.text(field).filter(|text| !text.trim().is_empty());
    let Some(message) = text(Field::Message) else {
        remarks
            .push("Skipping logging an issue for the matched line because the message is empty.".to_owned());
        return None;
    };
    let Some(level) = level(found.text(Field::Severity).unwrap_or_default()) else {
        let severity = found.text(Field::Severity).unwrap_or_default();
        remarks.push(format!(
            "Skipped logging an issue for the matched line because the severity '{severity}' is not supported."
        ));
        return None;
    };
    let mut annotation = Annotation::new(level, message);
    annotation.line = number(found.text(Field::Line), "line", remarks);
    annotation.column = number(found.text(Field::Column), "column", remarks);
    if let Some(file) = text(Field::File) {
        let from = text(Field::FromPath).map(directory).unwrap_or_default();
        let path = resolve(&resolve(workspace, from), file);
        annotation.file = in_repository(&path);
        if annotation.file.is_none() {
            remarks.push(format!("Dropping file value '{path}'. It is no file of the workflow repo"));
        }
    }
    Some(annotation)
}

fn level(severity: &str) -> Option<AnnotationLevel> {
    let levels = [
        ("", AnnotationLevel::Error),
        ("error", AnnotationLevel::Error),
        ("warning", AnnotationLevel::Warning),
        ("notice", AnnotationLevel::Notice),
    ];
    levels.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(severity)).map(|(_, level)| level)
}

/// Digits and nothing else; 0 is taken by some tools for what is unknown.
fn number(text: Option<&str>, what: &str, remarks: &mut Vec<String>) -> Option<u32> {
    let text = text.filter(|text| !text.is_empty())?;
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse::<u32>().ok().filter(|number| digits && i32::try_from(*number).is_ok());
    if number.is_none() {
        remarks.push(format!("Unable to parse {what} number '{text}'"));
    }
    number.filter(|number| *number > 0)
}
