//! The problem matchers that set-up actions register.
//!
//! They find in output what compilers and interpreters say of a place in a file; each reads the form that its tool
//! documents or prints.

use crate::step::StepCall;

/// `File "x.py", line 3, in f`, and the exception that is raised there.
pub(super) const PYTHON: &[&str] = &[r#"{"problemMatcher":[{"owner":"python","pattern":[
{"regexp":"^\\s*File\\s\\\"(.*)\\\",\\sline\\s(\\d+),\\sin\\s(.*)$","file":1,"line":2},
{"regexp":"^\\s*raise\\s(.*)\\(\\'(.*)\\'\\)$","message":2}]}]}"#];

/// TypeScript's compiler, and two of the forms of `ESLint`.
pub(super) const NODE: &[&str] = &[
    r#"{"problemMatcher":[{"owner":"tsc","pattern":[
{"regexp":"^(?:\\s+\\d+>)?([^\\s].*)\\((\\d+)(?:,(\\d+)(?:,\\d+(?:,\\d+)?)?)?\\)\\s*:\\s+(error|warning|info)\\s+(\\w{1,2}\\d+)\\s*:\\s*(.*)$",
"file":1,"line":2,"column":3,"severity":4,"code":5,"message":6}]}]}"#,
    r#"{"problemMatcher":[{"owner":"eslint-stylish","pattern":[{"regexp":"^\\s*([^\\s].*)$","file":1},
{"regexp":"^\\s+(\\d+):(\\d+)\\s+(error|warning|info)\\s+(.*)\\s\\s+(.*)$","line":1,"column":2,"severity":3,"message":4,"code":5,"loop":true}]}]}"#,
    r#"{"problemMatcher":[{"owner":"eslint-compact","pattern":[
{"regexp":"^(.+):\\sline\\s(\\d+),\\scol\\s(\\d+),\\s(Error|Warning|Info)\\s-\\s(.+)\\s\\((.+)\\)$",
"file":1,"line":2,"column":3,"severity":4,"message":5,"code":6}]}]}"#,
];

/// Go's compiler and tests.
pub(super) const GO: &[&str] = &[r#"{"problemMatcher":[{"owner":"go","pattern":[
{"regexp":"((?:\\.{0,2}\\/|\\.{0,2}\\\\)(?:.+\\.go)):(?:(\\d+):(\\d+):)? (.*)","file":1,"line":2,"column":3,"message":4}]}]}"#];

/// Java's compiler, and exceptions that nobody has caught.
pub(super) const JAVA: &[&str] = &[
    r#"{"problemMatcher":[{"owner":"javac","pattern":[
{"regexp":"^([^\\s].*\\.java):(\\d+):\\s+(error|warning):\\s+(.*)$","file":1,"line":2,"severity":3,"message":4}]}]}"#,
    r#"{"problemMatcher":[{"owner":"java","pattern":[
{"regexp":"^Exception in thread \"(.*)\" (.*): (.*)$","code":2,"message":3}]}]}"#,
];

/// rustc, clippy and rustfmt.
pub(super) const RUST: &[&str] = &[
    r#"{"problemMatcher":[{"owner":"rustfmt","severity":"warning","pattern":[
{"regexp":"^(Diff in (.+))(?: at line |:)(\\d+):$","message":1,"file":2,"line":3}]}]}"#,
    r#"{"problemMatcher":[{"owner":"clippy","pattern":[
{"regexp":"^(warning|warn|error)(\\[(.*)\\])?: (.*)$","severity":1,"message":4,"code":3},
{"regexp":"^\\s*--> (.*):(\\d*):(\\d*)$","file":1,"line":2,"column":3}]}]}"#,
];

/// Registers matchers for the steps to come.
pub(super) fn register(call: &StepCall<'_>, documents: &[&str]) {
    for document in documents {
        match call.steps.matchers.add(document.as_bytes()) {
            Ok(added) => added.warnings.iter().for_each(|warning| call.voice.warning(warning)),
            Err(error) => call.voice.warning(&error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{GO, JAVA, NODE, PYTHON, RUST};
    use crate::command::Matchers;

    #[test]
    fn all_matchers_can_be_used() {
        for document in [PYTHON, NODE, GO, JAVA, RUST].into_iter().flatten() {
            let added = Matchers::default().add(document.as_bytes()).unwrap();
            assert_eq!(
                (added.owners.len(), added.warnings.len()),
                (1, 0),
                "{document}: {:?}",
                added.warnings
            );
        }
    }
}
