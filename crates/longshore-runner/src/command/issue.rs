//! Annotations that steps ask for: `error`, `warning`, `notice`.
//!
//! Sans-IO. Properties that do not fit together are put right as the runner does, which says so when debugging is on.

use longshore_event::{Annotation, AnnotationLevel};

use super::path::{below, resolve};
use super::workflow_command::WorkflowCommand;

/// The annotation of a command, and what is to be said about its properties.
pub(super) fn annotation(
    level: AnnotationLevel,
    command: &WorkflowCommand,
    workspace: &str,
) -> (Annotation, Vec<String>) {
    let (place, remarks) = Place::of(command);
    let mut annotation = Annotation::new(level, command.data.as_str());
    annotation.title = text(command, "title");
    annotation.file = text(command, "file").map(|file| relative(&file, workspace));
    annotation.line = number(place.line);
    annotation.end_line = number(place.end_line);
    annotation.column = number(place.column);
    annotation.end_column = number(place.end_column);
    (annotation, remarks)
}

fn text(command: &WorkflowCommand, name: &str) -> Option<String> {
    command.property(name).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Files of the workspace are named from its root.
fn relative(file: &str, workspace: &str) -> String {
    if !file.starts_with('/') || workspace.is_empty() {
        return file.to_owned();
    }
    below(workspace, &resolve(workspace, file)).filter(|below| !below.is_empty()).unwrap_or(file).to_owned()
}

/// The place that an annotation names: numbers that .NET takes for whole ones.
#[derive(Clone, Copy)]
struct Place {
    line: Option<i32>,
    end_line: Option<i32>,
    column: Option<i32>,
    end_column: Option<i32>,
}

/// Lines and columns count from 1; others say nothing.
fn number(number: Option<i32>) -> Option<u32> {
    number.and_then(|number| u32::try_from(number).ok()).filter(|number| *number > 0)
}

impl Place {
    fn of(command: &WorkflowCommand) -> (Self, Vec<String>) {
        let read = |name: &str| command.property(name).and_then(|text| text.trim().parse::<i32>().ok());
        let mut place = Self {
            line: read("line"),
            end_line: read("endLine"),
            column: read("col"),
            end_column: read("endColumn"),
        };
        let remarks = place.put_right();
        let name = &command.name;
        (place, remarks.iter().map(|remark| format!("Invalid {name} command value. {remark}")).collect())
    }

    fn put_right(&mut self) -> Vec<&'static str> {
        let mut remarks = Vec::new();
        let given = *self;
        let has_column = given.column.or(given.end_column).is_some();
        if given.end_line.is_some() && given.line.is_none() {
            remarks.push("'endLine' can only be set if 'line' is provided");
            self.line = given.end_line;
        }
        if given.end_column.is_some() && given.column.is_none() {
            remarks.push("'endColumn' can only be set if 'col' is provided");
            self.column = given.end_column;
        }
        let (line, column) = (self.line, self.column);
        if line.is_none() && has_column {
            remarks.push("'col' and 'endColumn' can only be set if 'line' value is provided.");
            self.forget_columns();
        }
        if given.end_line.is_some() && line != given.end_line && has_column {
            remarks.push("'col' and 'endColumn' cannot be set if 'line' and 'endLine' are different values.");
            self.forget_columns();
        }
        if line.zip(given.end_line).is_some_and(|(line, end)| end < line) {
            remarks.push("'endLine' cannot be less than 'line'.");
            (self.line, self.end_line) = (None, None);
        }
        if column.zip(given.end_column).is_some_and(|(column, end)| end < column) {
            remarks.push("'endColumn' cannot be less than 'col'.");
            self.forget_columns();
        }
        remarks
    }

    fn forget_columns(&mut self) {
        (self.column, self.end_column) = (None, None);
    }
}

#[cfg(test)]
mod tests {
    use longshore_event::AnnotationLevel;

    use super::{WorkflowCommand, annotation};

    /// Line, end line, column, end column, and how many remarks there were.
    fn place(properties: &str) -> (Option<u32>, Option<u32>, Option<u32>, Option<u32>, usize) {
        let command = WorkflowCommand::parse(&format!("::error {properties}::x"), |_| true).unwrap();
        let (found, remarks) = annotation(AnnotationLevel::Error, &command, "/w");
        (found.line, found.end_line, found.column, found.end_column, remarks.len())
    }

    #[test]
    fn places_that_cannot_be_are_put_right() {
        for (properties, expected) in [
            ("line=3,endLine=3,col=1,endColumn=2", (Some(3), Some(3), Some(1), Some(2), 0)),
            ("LINE=3,COL=+4", (Some(3), None, Some(4), None, 0)),
            ("line=three,col=4", (None, None, None, None, 1)),
            ("line=three,endLine=5", (Some(5), Some(5), None, None, 1)),
            ("endLine=5", (Some(5), Some(5), None, None, 1)),
            ("line=1,endColumn=5", (Some(1), None, Some(5), Some(5), 1)),
            ("col=5", (None, None, None, None, 1)),
            ("line=1,endLine=2,col=5", (Some(1), Some(2), None, None, 1)),
            ("line=3,endLine=2", (None, None, None, None, 1)),
            ("line=3,col=3,endColumn=2", (Some(3), None, None, None, 1)),
            ("line=0,col=-1", (None, None, None, None, 0)),
            ("line=99999999999", (None, None, None, None, 0)),
            ("file=a.c", (None, None, None, None, 0)),
        ] {
            assert_eq!(place(properties), expected, "{properties}");
        }
    }

    #[test]
    fn files_are_named_from_the_root_of_the_workspace() {
        for (file, expected) in [
            ("src/a.c", "src/a.c"),
            ("/w/src/../a.c", "a.c"),
            ("/x/a.c", "/x/a.c"),
            ("/w", "/w"),
            ("./a", "./a"),
        ] {
            let command =
                WorkflowCommand::parse(&format!("::notice title=T,file={file}::x"), |_| true).unwrap();
            let (found, _) = annotation(AnnotationLevel::Notice, &command, "/w");
            assert_eq!((found.file.as_deref(), found.title.as_deref()), (Some(expected), Some("T")));
        }
    }
}
