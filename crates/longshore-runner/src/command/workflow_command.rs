//! Workflow commands: lines of output that speak to the runner.
//!
//! Sans-IO. Both forms of actions/runner (`ActionCommand`), with its rules for blanks, empty parts and escapes:
//!
//! - `::name key=value,key=value::data`, after blanks only;
//! - `##[name key=value;key=value]data`, anywhere in a line. What stands before it is dropped.
//!
//! A line whose name is not one of the runner's is no command but text.

use std::borrow::Cow;

/// The commands that exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CommandName {
    /// Masks a value from now on.
    AddMask,
    /// Adds the problem matchers of a file.
    AddMatcher,
    /// Puts a directory before `PATH`; disabled unless allowed.
    AddPath,
    /// A message that is shown only if debugging is on.
    Debug,
    /// Whether commands are shown before they are carried out.
    Echo,
    /// Ends a group of lines.
    EndGroup,
    /// An annotation.
    Error,
    /// Begins a group of lines.
    Group,
    /// An annotation.
    Notice,
    /// Removes problem matchers by owner or file.
    RemoveMatcher,
    /// Saves a value for the action's post step.
    SaveState,
    /// Sets a variable for the steps that follow; disabled unless allowed.
    SetEnv,
    /// Sets an output of the step.
    SetOutput,
    /// Takes lines for text until a token comes.
    StopCommands,
    /// An annotation.
    Warning,
}

const NAMES: [(&str, CommandName); 15] = [
    ("add-mask", CommandName::AddMask),
    ("add-matcher", CommandName::AddMatcher),
    ("add-path", CommandName::AddPath),
    ("debug", CommandName::Debug),
    ("echo", CommandName::Echo),
    ("endgroup", CommandName::EndGroup),
    ("error", CommandName::Error),
    ("group", CommandName::Group),
    ("notice", CommandName::Notice),
    ("remove-matcher", CommandName::RemoveMatcher),
    ("save-state", CommandName::SaveState),
    ("set-env", CommandName::SetEnv),
    ("set-output", CommandName::SetOutput),
    ("stop-commands", CommandName::StopCommands),
    ("warning", CommandName::Warning),
];

impl CommandName {
    /// The command of this name, in any case.
    pub fn parse(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, command)| *command)
    }

    /// The name as it is documented.
    pub fn as_str(self) -> &'static str {
        NAMES.iter().find(|(_, command)| *command == self).map_or("", |(name, _)| name)
    }

    /// Whether its data is text for people, so that a part of it is better than nothing.
    pub(super) fn is_message(self) -> bool {
        matches!(
            self,
            Self::Debug | Self::Error | Self::Group | Self::EndGroup | Self::Notice | Self::Warning
        )
    }

    /// Whether `echo` never shows it: its data is a secret, or is shown anyway.
    pub(super) fn omits_echo(self) -> bool {
        matches!(self, Self::AddMask | Self::Debug | Self::Error | Self::Notice | Self::Warning)
    }
}

/// A line that has the form of a command and a name that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowCommand {
    /// Its name as written.
    pub name: String,
    /// Its properties as written, unescaped; of two with one name the later counts.
    pub properties: Vec<(String, String)>,
    /// What follows, unescaped.
    pub data: String,
}

impl WorkflowCommand {
    /// Reads a line, which is a command only if its name is known.
    pub fn parse(line: &str, known: impl Fn(&str) -> bool) -> Option<Self> {
        if !may_be_command(line) {
            return None;
        }
        Self::parse_colons(line, &known).or_else(|| Self::parse_brackets(line, &known))
    }

    /// `::name key=value,key=value::data`
    fn parse_colons(line: &str, known: impl Fn(&str) -> bool) -> Option<Self> {
        let (head, data) = line.trim_start().strip_prefix("::")?.split_once("::")?;
        let (name, properties) = split_head(head);
        known(name).then(|| Self {
            name: name.to_owned(),
            properties: properties
                .map_or_else(Vec::new, |text| read_properties(text.trim(), ',', Escapes::Property)),
            data: unescape(data, Escapes::Data).into_owned(),
        })
    }

    /// `##[name key=value;key=value]data`
    fn parse_brackets(line: &str, known: impl Fn(&str) -> bool) -> Option<Self> {
        let (_, rest) = line.split_once("##[")?;
        let (head, data) = rest.split_once(']')?;
        let (name, properties) = split_head(head);
        known(name).then(|| Self {
            name: name.to_owned(),
            properties: properties
                .map_or_else(Vec::new, |text| read_properties(text, ';', Escapes::Brackets)),
            data: unescape(data, Escapes::Brackets).into_owned(),
        })
    }

    /// The property of this name, in any case.
    pub fn property(&self, name: &str) -> Option<&str> {
        let named = |(key, _): &&(String, String)| key.eq_ignore_ascii_case(name);
        self.properties.iter().rev().find(named).map(|(_, value)| value.as_str())
    }
}

/// Whether a look at the line's first bytes, and a search for `##[`, leave it possible that it is a command.
pub(super) fn may_be_command(line: &str) -> bool {
    let colons = match line.as_bytes() {
        [b':', b':', ..] => true,
        // Only these can begin with white space.
        [first, ..] if first.is_ascii_whitespace() || matches!(*first, 0x0b | 0x80..) => {
            line.trim_start().starts_with("::")
        }
        _ => false,
    };
    let bytes = line.as_bytes();
    colons
        || memchr::memchr_iter(b'[', bytes)
            .any(|at| bytes.get(..at).is_some_and(|before| before.ends_with(b"##")))
}

/// The name and what follows the first space. A space in the first place leaves an empty name and no properties.
fn split_head(head: &str) -> (&str, Option<&str>) {
    head.split_once(' ').map_or((head, None), |(name, properties)| (name, Some(properties)))
}

/// Pairs without a key or value are dropped, as .NET's `Split` does when it removes empty entries.
fn read_properties(text: &str, separator: char, escapes: Escapes) -> Vec<(String, String)> {
    let pairs = text.split(separator).filter_map(|pair| {
        let (key, value) = pair.trim_start_matches('=').split_once('=')?;
        let value = value.trim_start_matches('=');
        (!value.is_empty()).then(|| (key.to_owned(), unescape(value, escapes).into_owned()))
    });
    pairs.collect()
}

/// Which escapes a text may hold; all are in upper case.
#[derive(Clone, Copy)]
enum Escapes {
    /// `%25`, `%0D`, `%0A`.
    Data,
    /// These, `%3A` and `%2C`.
    Property,
    /// As data, `%3B` and `%5D`.
    Brackets,
}

impl Escapes {
    fn meaning(self, code: &str) -> Option<char> {
        match (code, self) {
            ("%25", _) => Some('%'),
            ("%0D", _) => Some('\r'),
            ("%0A", _) => Some('\n'),
            ("%3A", Self::Property) => Some(':'),
            ("%2C", Self::Property) => Some(','),
            ("%3B", Self::Brackets) => Some(';'),
            ("%5D", Self::Brackets) => Some(']'),
            _ => None,
        }
    }
}

fn unescape(text: &str, escapes: Escapes) -> Cow<'_, str> {
    let Some(first) = text.find('%') else { return Cow::Borrowed(text) };
    let (plain, mut rest) = text.split_at(first);
    let mut unescaped = String::with_capacity(text.len());
    unescaped.push_str(plain);
    while let Some(character) = rest.chars().next() {
        let code = if character == '%' { rest.get(..3) } else { None };
        let meaning = code.and_then(|code| escapes.meaning(code));
        unescaped.push(meaning.unwrap_or(character));
        rest = rest.get(if meaning.is_some() { 3 } else { character.len_utf8() }..).unwrap_or_default();
    }
    Cow::Owned(unescaped)
}

#[cfg(test)]
mod tests {
    use super::{CommandName, WorkflowCommand};

    /// The name, its properties and its data, in one text.
    fn parsed(line: &str) -> String {
        let known = |name: &str| CommandName::parse(name).is_some();
        WorkflowCommand::parse(line, known).map_or_else(
            || "text".to_owned(),
            |command| format!("{} {:?} {:?}", command.name, command.properties, command.data),
        )
    }

    #[test]
    fn both_forms_are_read_as_the_runner_reads_them() {
        for (line, expected) in [
            ("::error::broken", r#"error [] "broken""#),
            (" \t\u{a0}::error::after blanks", r#"error [] "after blanks""#),
            ("::ERROR::any case", r#"ERROR [] "any case""#),
            ("x::error::y", "text"),
            (":: error::y", "text"),
            ("::error", "text"),
            ("::error:y", "text"),
            ("::unknown::y", "text"),
            ("::internal-set-repo-path repoFullName=a/b::c", "text"),
            ("::endgroup::", r#"endgroup [] """#),
            ("::error ::a::b", r#"error [] "a::b""#),
            ("::error file=a.c,line=3::x", r#"error [("file", "a.c"), ("line", "3")] "x""#),
            ("::error   file=a.c , line=3  ::x", r#"error [("file", "a.c "), (" line", "3")] "x""#),
            ("::error file=,=b,c,==d==e=,,f==::x", r#"error [("d", "e=")] "x""#),
            ("::error file=a::b.c::x", r#"error [("file", "a")] "b.c::x""#),
            (
                "::error file=a%3A%2C%25%0A.c::%3A%2C%25%0A%0D%0a",
                r#"error [("file", "a:,%\n.c")] "%3A%2C%\n\r%0a""#,
            ),
            ("::debug::%250A %%0A %2", r#"debug [] "%0A %\n %2""#),
            ("##[error]broken", r#"error [] "broken""#),
            ("text before ##[group]name", r#"group [] "name""#),
            ("##[error file=a.c;line=3]x]", r#"error [("file", "a.c"), ("line", "3")] "x]""#),
            ("##[error file=a%3B%5D%2C]%3B%5D%3A", r#"error [("file", "a;]%2C")] ";]%3A""#),
            ("##[command]git", "text"),
            ("##[error", "text"),
            ("##[command]a ##[error]b", "text"),
            ("::nothing::##[error]b", r#"error [] "b""#),
            ("", "text"),
            ("::", "text"),
            ("::::", "text"),
        ] {
            assert_eq!(parsed(line), expected, "{line}");
        }
    }

    #[test]
    fn the_later_of_two_properties_counts() {
        let command = WorkflowCommand::parse("::error file=a,FILE=b::", |_| true).unwrap();
        assert_eq!(command.property("File"), Some("b"));
        assert_eq!(command.property("line"), None);
    }

    #[test]
    fn names_print_as_they_are_read() {
        for name in ["add-mask", "stop-commands", "endgroup"] {
            assert_eq!(CommandName::parse(name).unwrap().as_str(), name);
        }
    }
}
